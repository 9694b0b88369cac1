//! Records that two threads read, and that come back in their order.
//!
//! Most of what a record costs is the reading of its value, which as a rule needs nothing but the record. So records are gathered in chunks,
//! and whoever has time takes the next chunk: the second thread while the loop still gathers, then the loop's own. The loop asks for all of
//! them before it goes on, so that it never knows less than what was handed to it.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::thread;

use crossbeam_channel::{Receiver, Sender, unbounded};
use log::debug;

use super::chunk::Chunk;
use super::{Read, ReadAlone};
use crate::error::Result;
use crate::pipeline::consume::lost_task;
use crate::pipeline::outcome::Outcome;
use crate::pipeline::record::Record;

/// How much is kept for the next records: about what one call of the source gives.
const SPARE: usize = 16;

/// A chunk, and what was read of each of its records; nothing of those that cannot be read alone.
pub(super) struct Job<V> {
    number: usize,
    pub(super) chunk: Chunk,
    pub(super) outcomes: Vec<Option<Outcome<V>>>,
}

impl<V> Job<V> {
    fn read(mut self, read: &ReadAlone<V>) -> Self {
        let outcomes = &mut self.outcomes;
        let all = self.chunk.each(|record| {
            outcomes.push(read(record));
            Ok(ControlFlow::Continue(()))
        });
        debug_assert!(all.is_ok_and(|it| it.is_continue()));
        self
    }
}

pub(super) struct Reading<V> {
    read: ReadAlone<V>,
    gathered: Chunk,
    /// What nobody has begun to read. Both threads take from it.
    give: Sender<Job<V>>,
    take: Receiver<Job<V>>,
    /// What the second thread has read.
    done: Receiver<Job<V>>,
    /// Number of the next job that is made, and of the next one that is handed back.
    next_made: usize,
    next_back: usize,
    /// What is read and has not come back, by its number.
    read_already: BTreeMap<usize, Job<V>>,
    spare: Vec<Job<V>>,
}

impl<V: Send + 'static> Reading<V> {
    pub(super) fn by<R: Read<Values = V>>(read: &R) -> Self {
        let several = thread::available_parallelism().is_ok_and(|it| it.get() > 1);
        Self::by_threads(read, several)
    }

    fn by_threads<R: Read<Values = V>>(read: &R, several: bool) -> Self {
        let (give, take) = unbounded();
        let (tell, done) = unbounded();
        if several {
            second_thread(read.alone(), take.clone(), tell);
        }
        Self {
            read: read.alone(),
            gathered: Chunk::default(),
            give,
            take,
            done,
            next_made: 0,
            next_back: 0,
            read_already: BTreeMap::new(),
            spare: Vec::new(),
        }
    }

    pub(super) fn gather(&mut self, record: &Record<'_>) -> Result<()> {
        self.gathered.push(record);
        if !self.gathered.is_full() {
            return Ok(());
        }
        let job = self.make_job();
        self.give.send(job).map_err(|_| lost_task())
    }

    fn make_job(&mut self) -> Job<V> {
        let mut job = self.spare.pop().unwrap_or_else(|| Job {
            number: 0,
            chunk: Chunk::default(),
            outcomes: Vec::new(),
        });
        std::mem::swap(&mut job.chunk, &mut self.gathered);
        job.number = self.next_made;
        self.next_made += 1;
        job
    }

    /// The next of what was gathered, read; nothing when all of it has come back.
    pub(super) fn next(&mut self) -> Result<Option<Job<V>>> {
        loop {
            let done = self.done.try_iter().map(|job| (job.number, job));
            self.read_already.extend(done);
            if let Some(job) = self.read_already.remove(&self.next_back) {
                self.next_back += 1;
                return Ok(Some(job));
            }
            let job = match self.take.try_recv() {
                Ok(job) => job.read(&self.read),
                // The last ones, which do not fill a chunk.
                Err(_) if !self.gathered.is_empty() => self.make_job().read(&self.read),
                Err(_) if self.next_back == self.next_made => return Ok(None),
                Err(_) => self.done.recv().map_err(|_| lost_task())?,
            };
            self.read_already.insert(job.number, job);
        }
    }

    /// Takes the memory of a job back.
    pub(super) fn reuse(&mut self, mut job: Job<V>) {
        if self.spare.len() < SPARE {
            job.chunk.clear();
            job.outcomes.clear();
            self.spare.push(job);
        }
    }

    /// What has not come back never will.
    pub(super) fn forget(&mut self) -> Result<()> {
        while let Some(job) = self.next()? {
            self.reuse(job);
        }
        Ok(())
    }
}

/// Reads what it is given until nobody gives any more. The loop does without it where it cannot be had.
fn second_thread<V: Send + 'static>(
    read: ReadAlone<V>,
    take: Receiver<Job<V>>,
    tell: Sender<Job<V>>,
) {
    let body = move || {
        for job in take {
            if tell.send(job.read(&read)).is_err() {
                return;
            }
        }
    };
    if let Err(error) = thread::Builder::new().name("reader".to_owned()).spawn(body) {
        debug!("all is read by one thread: {error}");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    /// Its values are the offsets of the records that it could read.
    struct Reader(Arc<dyn Fn(i64) + Send + Sync>);

    struct Offset(i64);

    impl super::super::Values for Offset {
        fn each(&self, _: &mut dyn FnMut(&'static str, &str)) {}
    }

    impl Read for Reader {
        type Values = Offset;

        fn alone(&self) -> ReadAlone<Offset> {
            let meet = self.0.clone();
            Box::new(move |record| {
                meet(record.offset);
                (record.offset % 7 != 0).then_some(Outcome::Keep(Offset(record.offset)))
            })
        }

        fn read(&mut self, _: &Record<'_>) -> Result<Outcome<Offset>> {
            Ok(Outcome::Filter)
        }
    }

    fn gather(reading: &mut Reading<Offset>, offset: i64) {
        let record = Record {
            topic: "user_created",
            partition: 0,
            offset,
            timestamp_ms: 0,
            key: None,
            value: Some(b"value"),
            read_sequence: &|| None,
        };
        reading.gather(&record).unwrap();
    }

    fn come_back(reading: &mut Reading<Offset>) -> Vec<i64> {
        let mut offsets = Vec::new();
        while let Some(mut job) = reading.next().unwrap() {
            let mut outcomes = job.outcomes.drain(..);
            let all = job.chunk.each(|record| {
                match outcomes.next().flatten() {
                    Some(Outcome::Keep(Offset(offset))) => assert_eq!(offset, record.offset),
                    _ => assert_eq!(record.offset % 7, 0),
                }
                offsets.push(record.offset);
                Ok(ControlFlow::Continue(()))
            });
            assert_eq!(all.unwrap(), ControlFlow::Continue(()));
            drop(outcomes);
            reading.reuse(job);
        }
        offsets
    }

    fn is_second() -> bool {
        thread::current().name() == Some("reader")
    }

    #[test]
    fn all_come_back_in_their_order_whichever_thread_is_slow() {
        let slow_ones = [None, Some(true), Some(false)];
        for (slow, several) in slow_ones
            .into_iter()
            .flat_map(|it| [(it, true), (it, false)])
        {
            let of_second = Arc::new(AtomicUsize::new(0));
            let counter = of_second.clone();
            let reader = Reader(Arc::new(move |offset| {
                counter.fetch_add(usize::from(is_second()), Ordering::Relaxed);
                if slow == Some(is_second()) && offset % 64 == 0 {
                    thread::sleep(Duration::from_millis(2));
                }
            }));
            let mut reading = Reading::by_threads(&reader, several);
            let mut next = 0;
            for records in [0, 1, 63, 64, 65, 1_000, 1_024, 3] {
                (next..next + records).for_each(|it| gather(&mut reading, it));
                let expected: Vec<i64> = (next..next + records).collect();
                assert_eq!(come_back(&mut reading), expected);
                next += records;
            }
            let by_second = of_second.load(Ordering::Relaxed) > 0;
            assert!(by_second == several || (several && slow != Some(false)));
        }
    }

    #[test]
    fn what_is_forgotten_does_not_come_back() {
        let mut reading = Reading::by_threads(&Reader(Arc::new(|_| {})), true);
        (0..500).for_each(|it| gather(&mut reading, it));
        drop(reading.next().unwrap());
        reading.forget().unwrap();
        (900..903).for_each(|it| gather(&mut reading, it));
        assert_eq!(come_back(&mut reading), [900, 901, 902]);
    }

    #[test]
    fn a_second_thread_that_dies_ends_the_run_and_does_not_hold_it_up() {
        let reader = Reader(Arc::new(|_| {
            assert!(!is_second(), "the death of the second thread");
        }));
        let mut reading = Reading::by_threads(&reader, true);
        (0..64).for_each(|it| gather(&mut reading, it));
        while !reading.take.is_empty() {
            thread::sleep(Duration::from_millis(1));
        }
        assert!(reading.next().is_err());
    }
}
