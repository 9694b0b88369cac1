//! The thread that has the work: takes messages in their order, and lets the work turn between them.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

use super::chunk::Chunk;
use crate::error::{Error, Result};
use crate::pipeline::max_dead_letters::MaxDeadLetters;
use crate::pipeline::work::{Account, Room, Work};
use crate::shutdown::Shutdown;

/// How long no message is waited for before the work turns again.
const IDLE_WAIT: Duration = Duration::from_millis(20);

pub(super) enum Message<W> {
    Records(Chunk),
    Question(Question<W>),
}

/// Asks the work; what comes back tells the answer.
pub(super) type Question<W> = Box<dyn FnOnce(&mut W) -> Answer + Send>;
pub(super) type Answer = Box<dyn FnOnce()>;

/// What both threads look at.
pub(super) struct Shared {
    told: Mutex<Told>,
    failure: Mutex<Option<Error>>,
    has_failed: AtomicBool,
    /// Those that wait for their turn.
    pub(super) questions: AtomicUsize,
}

/// How far the work was when it was last looked at.
pub(super) struct Told {
    pub(super) positions: Vec<(i32, i64)>,
    pub(super) progress: String,
    pub(super) account: Account,
}

impl Told {
    fn of<W: Work>(work: &W) -> Self {
        Self {
            positions: work.positions(),
            progress: work.progress(),
            account: work.account(),
        }
    }
}

impl Shared {
    pub(super) fn of<W: Work>(work: &W) -> Self {
        Self {
            told: Mutex::new(Told::of(work)),
            failure: Mutex::default(),
            has_failed: AtomicBool::new(false),
            questions: AtomicUsize::new(0),
        }
    }

    pub(super) fn told(&self) -> MutexGuard<'_, Told> {
        // It is replaced as a whole.
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first failure is the one to tell.
    pub(super) fn fail(&self, error: Error) {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.get_or_insert(error);
        self.has_failed.store(true, Ordering::Release);
    }

    /// What has failed since this was asked last.
    pub(super) fn failure(&self) -> Result<()> {
        if !self.has_failed.load(Ordering::Acquire) {
            return Ok(());
        }
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.take().map_or(Ok(()), Err)
    }
}

pub(super) struct Worker<W> {
    pub(super) work: W,
    pub(super) max_dead_letters: Option<MaxDeadLetters>,
    pub(super) shutdown: Shutdown,
    pub(super) shared: Arc<Shared>,
    pub(super) emptied: mpsc::Sender<Chunk>,
    /// Not after a failure or a stop: then the next run begins with the record that was met by it.
    pub(super) takes_records: bool,
}

impl<W: Work> Worker<W> {
    /// Until nobody is there to send messages.
    pub(super) fn run(mut self, messages: &mpsc::Receiver<Message<W>>) -> W {
        loop {
            let message = match messages.try_recv() {
                Ok(message) => Some(message),
                Err(mpsc::TryRecvError::Disconnected) => return self.work,
                Err(mpsc::TryRecvError::Empty) => {
                    self.turn(true, false);
                    match messages.recv_timeout(IDLE_WAIT) {
                        Ok(message) => Some(message),
                        Err(mpsc::RecvTimeoutError::Disconnected) => return self.work,
                        Err(mpsc::RecvTimeoutError::Timeout) => None,
                    }
                }
            };
            let answer = match message {
                Some(Message::Records(chunk)) => {
                    self.take(chunk);
                    None
                }
                Some(Message::Question(question)) => {
                    self.shared.questions.fetch_sub(1, Ordering::Relaxed);
                    Some(question(&mut self.work))
                }
                None => None,
            };
            self.turn(false, false);
            // Before the answer: whoever gets it looks at the rest next.
            *self.shared.told() = Told::of(&self.work);
            if let Some(tell) = answer {
                tell();
            }
        }
    }

    fn take(&mut self, mut chunk: Chunk) {
        let taken = chunk.each(|record| {
            if self.takes_records {
                self.wait_for_room()?;
                self.work.record(record)?;
                self.work.tally().check(self.max_dead_letters, false)?;
                // A record that could not be read because of a stop must be the last.
                self.takes_records = !self.shutdown.is_requested();
            }
            Ok(())
        });
        if let Err(error) = taken {
            self.fail(error);
        }
        chunk.clear();
        // The loop may be gone.
        self.emptied.send(chunk).ok();
    }

    /// Without it for as few records as are here already, when a question waits: the one who asks may have little time.
    fn wait_for_room(&mut self) -> Result<()> {
        let is_waited_for = || self.shared.questions.load(Ordering::Relaxed) > 0;
        while self.work.room() == Room::Full && !self.shutdown.is_requested() && !is_waited_for() {
            self.work.turn(false, true)?;
        }
        Ok(())
    }

    fn turn(&mut self, idle: bool, wait: bool) {
        if self.takes_records
            && let Err(error) = self.work.turn(idle, wait)
        {
            self.fail(error);
        }
    }

    fn fail(&mut self, error: Error) {
        self.takes_records = false;
        self.shared.fail(error);
    }
}
