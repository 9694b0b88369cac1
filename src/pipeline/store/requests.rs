//! The requests under way, and the batches that wait for one.
//!
//! A request that is answered takes the next batch itself. The thread that reads is woken when it has several batches to make, and not for
//! each answer: on a machine where it shares the processors with the server, being woken costs more than making one.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::error::Result;
use crate::pipeline::batch::Full;

/// Where the rows of a request came from, or why they are not stored.
pub(super) type Done = Result<Vec<(i32, i64)>>;

/// What the thread that reads waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// No more than so many batches wait.
    Waiting(usize),
    /// An answer.
    Answer,
}

pub(super) struct Requests<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

struct State<T> {
    waiting: VecDeque<Full<T>>,
    in_flight: usize,
    answers: Vec<Done>,
    /// A request has failed for good, or nobody listens any more: nothing more is sent, what is in flight is still waited for.
    halted: bool,
    sleeps: Option<Until>,
}

impl<T> State<T> {
    fn has_come(&self, until: Until) -> bool {
        let has_come = match until {
            Until::Waiting(most) => self.waiting.len() <= most || self.halted,
            Until::Answer => !self.answers.is_empty(),
        };
        has_come || self.in_flight == 0
    }
}

impl<T> Requests<T> {
    pub(super) fn new() -> Self {
        let state = State {
            waiting: VecDeque::new(),
            in_flight: 0,
            answers: Vec::new(),
            halted: false,
            sleeps: None,
        };
        Self {
            state: Mutex::new(state),
            changed: Condvar::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn waiting(&self) -> usize {
        self.state().waiting.len()
    }

    pub(super) fn in_flight(&self) -> usize {
        self.state().in_flight
    }

    /// Whether a batch waits that will be sent, or an answer is still to come or to be taken.
    pub(super) fn is_pending(&self) -> bool {
        let state = self.state();
        let waits = !state.waiting.is_empty() && !state.halted;
        waits || state.in_flight > 0 || !state.answers.is_empty()
    }

    pub(super) fn is_halted(&self) -> bool {
        self.state().halted
    }

    pub(super) fn halt(&self) {
        self.state().halted = true;
    }

    pub(super) fn wait_for_its_turn(&self, full: Full<T>) {
        self.state().waiting.push_back(full);
    }

    /// The batch of one more request, as long as fewer than so many are in flight. It counts as in flight from now on.
    pub(super) fn begin(&self, at_most: usize) -> Option<Full<T>> {
        let mut state = self.state();
        if state.halted || state.in_flight >= at_most {
            return None;
        }
        let full = state.waiting.pop_front()?;
        state.in_flight += 1;
        Some(full)
    }

    /// The answer to a request, in place of which the next one comes back, if any waits.
    pub(super) fn answered(&self, answer: Done) -> Option<Full<T>> {
        let mut state = self.state();
        state.halted |= answer.is_err();
        state.answers.push(answer);
        let next = if state.halted {
            None
        } else {
            state.waiting.pop_front()
        };
        if next.is_none() {
            state.in_flight -= 1;
        }
        if state.sleeps.is_some_and(|until| state.has_come(until)) {
            self.changed.notify_one();
        }
        next
    }

    /// All answers since the last call. Waits for what is said up to a time, unless nothing is in flight.
    pub(super) fn answers(&self, until: Until, wait: Duration) -> Vec<Done> {
        let mut state = self.state();
        if !wait.is_zero() && !state.has_come(until) {
            let deadline = Instant::now() + wait;
            state.sleeps = Some(until);
            while !state.has_come(until) {
                let left = deadline.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    break;
                }
                let woken = self.changed.wait_timeout(state, left);
                state = woken.unwrap_or_else(PoisonError::into_inner).0;
            }
            state.sleeps = None;
        }
        std::mem::take(&mut state.answers)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use super::*;
    use crate::error::Error;

    fn batch(offset: i64) -> Full<i64> {
        Full {
            rows: vec![offset],
            origins: vec![(0, offset)],
        }
    }

    fn waiting(batches: i64) -> Requests<i64> {
        let requests = Requests::new();
        (0..batches).for_each(|offset| requests.wait_for_its_turn(batch(offset)));
        requests
    }

    const NOW: Duration = Duration::ZERO;
    const LONG: Duration = Duration::from_secs(20);

    #[test]
    fn no_more_begin_than_may_be_in_flight_and_an_answered_one_takes_the_next() {
        let requests = waiting(4);
        assert_eq!(requests.begin(2), Some(batch(0)));
        assert_eq!(requests.begin(2), Some(batch(1)));
        assert_eq!(requests.begin(2), None);
        assert_eq!(requests.answered(Ok(vec![(0, 1)])), Some(batch(2)));
        assert_eq!(requests.begin(2), None);
        assert_eq!(requests.answered(Ok(vec![(0, 0)])), Some(batch(3)));
        assert_eq!((requests.waiting(), requests.in_flight()), (0, 2));
        assert_eq!(requests.answered(Ok(vec![(0, 2)])), None);
        assert_eq!(requests.in_flight(), 1);
        assert!(requests.is_pending());
        assert_eq!(requests.answered(Ok(vec![(0, 3)])), None);
        assert!(requests.is_pending(), "what is not taken is not settled");
        let answers = requests.answers(Until::Answer, LONG);
        assert!(!requests.is_pending());
        let answers: Vec<_> = answers.into_iter().flatten().flatten().collect();
        assert_eq!(answers, [(0, 1), (0, 0), (0, 2), (0, 3)]);
        assert!(requests.answers(Until::Answer, LONG).is_empty());
    }

    #[test]
    fn after_a_failure_nothing_is_sent_any_more_and_what_is_in_flight_is_waited_for() {
        let requests = waiting(3);
        requests.begin(2).unwrap();
        requests.begin(2).unwrap();
        assert_eq!(requests.answered(Err(Error::bug("no"))), None);
        assert_eq!(requests.begin(2), None);
        assert!(requests.is_halted() && requests.is_pending());
        assert_eq!(requests.answered(Ok(vec![(0, 1)])), None);
        assert_eq!(requests.answers(Until::Answer, NOW).len(), 2);
        assert!(!requests.is_pending());
        assert_eq!(requests.waiting(), 1);
    }

    #[test]
    fn who_waits_is_woken_by_what_is_waited_for() {
        for (until, answers_before) in [(Until::Answer, 1), (Until::Waiting(1), 3)] {
            let requests = Arc::new(waiting(5));
            requests.begin(1).unwrap();
            let other = requests.clone();
            let answering = thread::spawn(move || {
                for offset in 0..5 {
                    thread::sleep(Duration::from_millis(20));
                    other.answered(Ok(vec![(0, offset)]));
                }
            });
            let begun = Instant::now();
            let answers = requests.answers(until, LONG);
            assert!(begun.elapsed() < LONG / 2);
            assert!(answers.len() >= answers_before, "{until:?}");
            answering.join().unwrap();
            assert_eq!(
                answers.len() + requests.answers(until, NOW).len(),
                5,
                "{until:?}"
            );
        }
    }

    #[test]
    fn who_waits_is_woken_by_a_failure_and_by_the_time() {
        let requests = Arc::new(waiting(5));
        requests.begin(1).unwrap();
        assert!(
            requests
                .answers(Until::Waiting(0), Duration::from_millis(30))
                .is_empty()
        );
        let other = requests.clone();
        let answering = thread::spawn(move || other.answered(Err(Error::bug("no"))));
        assert_eq!(requests.answers(Until::Waiting(0), LONG).len(), 1);
        answering.join().unwrap();
    }
}
