//! Work on a thread of its own, beside the loop: while the loop takes records over from the client, those before are worked on.
//!
//! Records go over in chunks, as copies. All else is asked in its turn behind them, so the work meets everything in the order in which the
//! loop told it. What is told without waiting (positions, numbers, room) may be some chunks old; it is exact after [`Work::finish`].

mod chunk;
mod worker;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use super::consume::lost_task;
use super::max_dead_letters::MaxDeadLetters;
use super::record::Record;
use super::source::Start;
use super::tally::Tally;
use super::work::{Account, Room, Work};
use crate::error::{Error, Result};
use crate::shutdown::Shutdown;
use chunk::Chunk;
use worker::{Message, Shared, Worker};

/// One that is filled, one that is worked on, and some between them. Together they hold a few hundred records.
const CHUNKS: usize = 4;
/// How long an empty chunk is waited for when there is none: about as long as one takes.
const WAIT_FOR_ROOM: Duration = Duration::from_millis(20);
/// How often the loop is asked whether it gives up waiting.
const ASK_INTERVAL: Duration = Duration::from_millis(5);

pub struct Beside<W> {
    messages: mpsc::Sender<Message<W>>,
    emptied: mpsc::Receiver<Chunk>,
    /// The one that is filled; none when all of them wait for the work.
    chunk: Option<Chunk>,
    shared: Arc<Shared>,
    /// As it was when the work last finished.
    tally: Tally,
    thread: JoinHandle<W>,
}

impl<W: Work> Beside<W> {
    /// The limit of dead letters is looked at behind each record, as the loop does it without a thread between them.
    pub fn start(
        work: W,
        max_dead_letters: Option<MaxDeadLetters>,
        shutdown: &Shutdown,
    ) -> Result<Self> {
        let (messages, received) = mpsc::channel();
        let (emptied_by_work, emptied) = mpsc::channel();
        for _ in 1..CHUNKS {
            emptied_by_work.send(Chunk::default()).ok();
        }
        let shared = Arc::new(Shared::of(&work));
        let worker = Worker {
            work,
            max_dead_letters,
            shutdown: shutdown.clone(),
            shared: Arc::clone(&shared),
            emptied: emptied_by_work,
            takes_records: true,
        };
        let thread = std::thread::Builder::new()
            .name("work".to_owned())
            .spawn(move || worker.run(&received))
            .map_err(|cause| Error::bug("no thread can be started").cause(cause))?;
        Ok(Self {
            messages,
            emptied,
            chunk: Some(Chunk::default()),
            shared,
            tally: Tally::default(),
            thread,
        })
    }

    /// The work itself, when all that it was told is done.
    pub fn into_inner(self) -> Result<W> {
        drop(self.messages);
        self.thread.join().map_err(|_| lost_task())
    }

    fn send_chunk(&mut self) -> Result<()> {
        match self.chunk.take_if(|it| !it.is_empty()) {
            Some(chunk) => self.send(Message::Records(chunk)),
            None => Ok(()),
        }
    }

    fn send(&self, message: Message<W>) -> Result<()> {
        self.messages.send(message).map_err(|_| lost_task())
    }

    /// Takes an empty chunk where there is none to fill.
    fn take_emptied(&mut self, wait: Duration) {
        if self.chunk.is_none() {
            self.chunk = self.emptied.recv_timeout(wait).ok();
        }
    }

    /// What the work says, behind all that was told before.
    fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut W) -> T + Send + 'static,
    ) -> Result<mpsc::Receiver<T>> {
        let (answer, answered) = mpsc::channel();
        self.shared.questions.fetch_add(1, Ordering::Relaxed);
        self.send(Message::Question(Box::new(move |work| {
            let told = question(work);
            // Whoever asked may be gone.
            Box::new(move || drop(answer.send(told)))
        })))?;
        Ok(answered)
    }

    fn answer<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut W) -> T + Send + 'static,
    ) -> Result<T> {
        self.ask(question)?.recv().map_err(|_| lost_task())
    }
}

impl<W: Work> Work for Beside<W> {
    fn assigned(&mut self, partitions: &[i32]) -> Result<Vec<(i32, Start)>> {
        self.send_chunk()?;
        let partitions = partitions.to_vec();
        self.answer(move |work| work.assigned(&partitions))?
    }

    fn record(&mut self, record: &Record<'_>) -> Result<()> {
        self.shared.failure()?;
        // There is one: without, there was no room.
        let chunk = self.chunk.get_or_insert_default();
        chunk.add(record);
        if chunk.is_full() {
            self.send_chunk()?;
            self.take_emptied(Duration::ZERO);
        }
        Ok(())
    }

    fn end_of_partition(&mut self, partition: i32, offset: i64) {
        let told = self.send_chunk().and_then(|()| {
            self.ask(move |work| work.end_of_partition(partition, offset))
                .map(drop)
        });
        if let Err(error) = told {
            self.shared.fail(error);
        }
    }

    fn room(&self) -> Room {
        match self.chunk {
            Some(_) => Room::Free,
            None => Room::Full,
        }
    }

    /// The work turns by itself.
    fn turn(&mut self, idle: bool, wait: bool) -> Result<Room> {
        self.shared.failure()?;
        if idle {
            self.send_chunk()?;
        }
        self.take_emptied(if wait { WAIT_FOR_ROOM } else { Duration::ZERO });
        Ok(self.room())
    }

    fn finish(&mut self, give_up: &dyn Fn() -> bool) -> Result<()> {
        self.send_chunk()?;
        let gives_up = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&gives_up);
        let answered = self.ask(move |work| {
            let finished = work.finish(&|| asked.load(Ordering::Relaxed));
            (finished, work.tally().clone())
        })?;
        let (finished, tally) = loop {
            match answered.recv_timeout(ASK_INTERVAL) {
                Ok(answer) => break answer,
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    gives_up.store(give_up(), Ordering::Relaxed);
                }
                Err(mpsc::RecvTimeoutError::Disconnected) => return Err(lost_task()),
            }
        };
        self.tally = tally;
        // What failed first is the cause.
        self.shared.failure()?;
        finished
    }

    fn positions(&self) -> Vec<(i32, i64)> {
        self.shared.told().positions.clone()
    }

    fn kept(&self, partitions: &[i32]) -> Result<Option<Vec<(i32, i64)>>> {
        let partitions = partitions.to_vec();
        self.answer(move |work| work.kept(&partitions))?
    }

    fn revoked(&mut self, partitions: &[i32]) {
        let partitions = partitions.to_vec();
        let told = self
            .send_chunk()
            .and_then(|()| self.answer(move |work| work.revoked(&partitions)));
        if let Err(error) = told {
            self.shared.fail(error);
        }
    }

    fn tally(&self) -> &Tally {
        &self.tally
    }

    fn progress(&self) -> String {
        self.shared.told().progress.clone()
    }

    fn account(&self) -> Account {
        self.shared.told().account.clone()
    }
}
