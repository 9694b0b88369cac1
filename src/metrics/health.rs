//! Whether a job is alive, and whether its work goes on. No I/O and no clock.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// The loop turns many times a second, and waits for a server in steps of some 15 s at the most.
const LONGEST_TURN: Duration = Duration::from_secs(30);
/// A server that answers at all settles something within this time.
const LONGEST_STALL: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(super) struct Health {
    stage: Stage,
    /// The last turn of the loop; nothing where none runs.
    turned: Option<Instant>,
    progressed: Instant,
    /// The last time that something was done of what there is to do; nothing while there is nothing to do.
    stalled: Option<Instant>,
    pending: Pending,
    /// Requests that failed and are tried again, by server.
    troubled: BTreeMap<String, u64>,
}

#[derive(Debug)]
enum Stage {
    /// And what for.
    Waiting(String),
    Working,
    Finishing,
}

/// What there is to do.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Pending {
    pub requests: u64,
    pub records_in_flight: u64,
    pub records_to_go: u64,
}

impl Health {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            stage: Stage::Waiting("starting".to_owned()),
            turned: None,
            progressed: now,
            stalled: None,
            pending: Pending::default(),
            troubled: BTreeMap::new(),
        }
    }

    pub(super) fn waits(&mut self, what: String) {
        self.stage = Stage::Waiting(what);
    }

    pub(super) fn works(&mut self) {
        self.stage = Stage::Working;
    }

    pub(super) fn finishes(&mut self) {
        self.stage = Stage::Finishing;
        self.turned = None;
    }

    pub(super) fn turned(&mut self, now: Instant) {
        self.turned = Some(now);
    }

    /// The loop's thread waits for a server, and not without end.
    pub(super) fn waits_in_the_loop(&mut self, now: Instant) {
        if self.turned.is_some() {
            self.turned = Some(now);
        }
    }

    pub(super) fn progressed(&mut self, now: Instant) {
        self.progressed = now;
        if self.stalled.is_some() {
            self.stalled = Some(now);
        }
    }

    pub(super) fn since_progress(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.progressed)
    }

    /// The time of a stall begins when there is something to do, however long there was nothing before.
    pub(super) fn pending(&mut self, now: Instant, change: impl FnOnce(&mut Pending)) {
        change(&mut self.pending);
        let Pending {
            requests,
            records_in_flight,
            records_to_go,
        } = self.pending;
        if requests + records_in_flight + records_to_go == 0 {
            self.stalled = None;
        } else {
            self.stalled.get_or_insert(now);
        }
    }

    pub(super) fn in_trouble(&mut self, server: &str) {
        match self.troubled.get_mut(server) {
            Some(requests) => *requests += 1,
            None => {
                self.troubled.insert(server.to_owned(), 1);
            }
        }
    }

    pub(super) fn out_of_trouble(&mut self, server: &str) {
        if let Some(requests) = self.troubled.get_mut(server) {
            *requests -= 1;
            if *requests == 0 {
                self.troubled.remove(server);
            }
        }
    }

    /// Whether the job does anything at all; a program that does not should be started again. Servers that are away are no reason.
    pub(super) fn is_alive(&self, now: Instant) -> Result<(), String> {
        match self.turned {
            Some(turned) if now.saturating_duration_since(turned) > LONGEST_TURN => Err(format!(
                "the loop has not turned for {} s",
                now.saturating_duration_since(turned).as_secs()
            )),
            _ => Ok(()),
        }
    }

    /// Whether the servers are reached and the work goes on.
    pub(super) fn is_ready(&self, now: Instant) -> Result<(), String> {
        self.is_alive(now)?;
        match &self.stage {
            Stage::Waiting(what) => return Err(what.clone()),
            Stage::Working => {}
            Stage::Finishing => return Err("finishing".to_owned()),
        }
        if let Some((server, requests)) = self.troubled.first_key_value() {
            return Err(format!(
                "{server} does not do what it is asked for: {requests} {} tried again",
                if *requests == 1 {
                    "request is"
                } else {
                    "requests are"
                }
            ));
        }
        match self.stalled {
            Some(stalled) if now.saturating_duration_since(stalled) > LONGEST_STALL => {
                let Pending {
                    requests,
                    records_in_flight,
                    records_to_go,
                } = self.pending;
                Err(format!(
                    "nothing was settled for {} s: {requests} requests and {records_in_flight} records in flight, {records_to_go} records \
                     to go",
                    now.saturating_duration_since(stalled).as_secs()
                ))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn working(now: Instant) -> Health {
        let mut health = Health::new(now);
        health.works();
        health
    }

    #[test]
    fn is_ready_when_it_works_and_not_before_nor_after() {
        let now = Instant::now();
        let mut health = Health::new(now);
        assert_eq!(health.is_ready(now), Err("starting".to_owned()));
        health.waits("waiting for Kafka".to_owned());
        assert_eq!(health.is_ready(now), Err("waiting for Kafka".to_owned()));
        health.works();
        assert_eq!(health.is_ready(now), Ok(()));
        health.finishes();
        assert_eq!(health.is_ready(now), Err("finishing".to_owned()));
        assert_eq!(health.is_alive(now + 1_000 * SECOND), Ok(()));
    }

    #[test]
    fn a_loop_that_does_not_turn_is_neither_alive_nor_ready() {
        let now = Instant::now();
        let mut health = working(now);
        health.waits_in_the_loop(now);
        assert_eq!(health.is_alive(now + 31 * SECOND), Ok(()), "no loop yet");
        health.turned(now);
        assert_eq!(health.is_alive(now + 30 * SECOND), Ok(()));
        let stuck = Err("the loop has not turned for 31 s".to_owned());
        assert_eq!(health.is_alive(now + 31 * SECOND), stuck);
        assert_eq!(health.is_ready(now + 31 * SECOND), stuck);
        health.waits_in_the_loop(now + 20 * SECOND);
        assert_eq!(health.is_alive(now + 31 * SECOND), Ok(()));
    }

    #[test]
    fn trouble_ends_with_the_last_request_that_has_it() {
        let now = Instant::now();
        let mut health = working(now);
        health.in_trouble("Cassandra at c");
        health.in_trouble("Cassandra at c");
        health.out_of_trouble("Cassandra at c");
        let reason = health.is_ready(now).unwrap_err();
        assert_eq!(
            reason,
            "Cassandra at c does not do what it is asked for: 1 request is tried again"
        );
        health.out_of_trouble("Cassandra at c");
        health.out_of_trouble("Cassandra at c");
        assert_eq!(health.is_ready(now), Ok(()));
    }

    #[test]
    fn a_stall_begins_with_something_to_do_and_ends_with_something_done() {
        let now = Instant::now();
        let mut health = working(now);
        let later = now + 1_000 * SECOND;
        assert_eq!(health.is_ready(later), Ok(()), "there was nothing to do");
        health.pending(later, |pending| pending.records_to_go = 5);
        assert_eq!(health.is_ready(later + 30 * SECOND), Ok(()));
        health.pending(later + 20 * SECOND, |pending| pending.records_in_flight = 2);
        let reason = health.is_ready(later + 31 * SECOND).unwrap_err();
        assert!(
            reason.starts_with("nothing was settled for 31 s"),
            "{reason}"
        );
        health.progressed(later + 31 * SECOND);
        assert_eq!(health.is_ready(later + 60 * SECOND), Ok(()));
        assert_eq!(health.since_progress(later + 41 * SECOND), 10 * SECOND);
        health.pending(later + 60 * SECOND, |pending| *pending = Pending::default());
        assert_eq!(health.is_ready(later + 600 * SECOND), Ok(()));
    }
}
