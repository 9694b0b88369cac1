//! The requests under way, and the batches that wait for one.
//!
//! A request that is answered takes the next batch itself. The thread that reads is woken when it has several batches to make, and not for
//! each answer: on a machine where it shares the processors with the server, being woken costs more than making one.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::error::Result;
use crate::pipeline::batch::Full;

/// Where the rows of a request came from, or why they are not stored.
pub(super) type Answer = Result<Vec<(i32, i64)>>;

pub(super) struct Requests<T> {
    most_in_flight: usize,
    /// With so many batches waiting there is no room for more.
    most_waiting: usize,
    state: Mutex<State<T>>,
    changed: Condvar,
}

struct State<T> {
    waiting: VecDeque<Full<T>>,
    in_flight: usize,
    answers: Vec<Answer>,
    /// A request has failed for good: nothing more is sent, what is in flight is still waited for.
    halted: bool,
    sleeps: Option<Until>,
}

/// What the thread that reads waits for.
#[derive(Clone, Copy)]
enum Until {
    /// No more than so many batches wait.
    Waiting(usize),
    Answer,
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
    pub(super) fn new(most_in_flight: usize, most_waiting: usize) -> Self {
        let state = State {
            waiting: VecDeque::new(),
            in_flight: 0,
            answers: Vec::new(),
            halted: false,
            sleeps: None,
        };
        Self {
            most_in_flight,
            most_waiting,
            state: Mutex::new(state),
            changed: Condvar::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_full(&self) -> bool {
        self.state().waiting.len() >= self.most_waiting
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

    pub(super) fn wait_for_its_turn(&self, full: Full<T>) {
        self.state().waiting.push_back(full);
    }

    /// The batch of one more request, which counts as in flight from now on until it is answered.
    #[must_use]
    pub(super) fn begin(&self) -> Option<Full<T>> {
        let mut state = self.state();
        if state.halted || state.in_flight >= self.most_in_flight {
            return None;
        }
        let full = state.waiting.pop_front()?;
        state.in_flight += 1;
        Some(full)
    }

    /// In place of a request that is answered the next one comes back, if any waits.
    #[must_use]
    pub(super) fn answered(&self, answer: Answer) -> Option<Full<T>> {
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

    /// All answers since the last call. When nothing more may wait, it waits up to a time until there is room for several batches, else for
    /// the first answer; with nothing in flight it does not wait.
    pub(super) fn answers(&self, wait: Duration) -> Vec<Answer> {
        let mut state = self.state();
        let until = match state.waiting.len() >= self.most_waiting && !state.halted {
            true => Until::Waiting(self.most_waiting / 4),
            false => Until::Answer,
        };
        if !wait.is_zero() {
            state.sleeps = Some(until);
            let not_yet = |state: &mut State<T>| !state.has_come(until);
            let woken = self.changed.wait_timeout_while(state, wait, not_yet);
            state = woken.unwrap_or_else(PoisonError::into_inner).0;
            state.sleeps = None;
        }
        std::mem::take(&mut state.answers)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;
    use std::time::Instant;

    use super::*;
    use crate::error::Error;

    fn batch(offset: i64) -> Full<i64> {
        Full {
            rows: vec![offset],
            origins: vec![(0, offset)],
        }
    }

    fn stored(offset: i64) -> Answer {
        Ok(vec![(0, offset)])
    }

    fn refused() -> Answer {
        Err(Error::bug("refused"))
    }

    /// At most so many in flight and waiting, and batches that wait.
    fn waiting(most_in_flight: usize, most_waiting: usize, batches: i64) -> Requests<i64> {
        let requests = Requests::new(most_in_flight, most_waiting);
        (0..batches).for_each(|offset| requests.wait_for_its_turn(batch(offset)));
        requests
    }

    const LONG: Duration = Duration::from_secs(20);

    /// Answers some time after somebody has begun to wait, one after the other; says how many answers who waits has got, and that it was
    /// not the time that has woken him.
    fn woken_by(requests: Requests<i64>, answers: impl IntoIterator<Item = Answer>) -> usize {
        let requests = Arc::new(requests);
        let waits = {
            let requests = requests.clone();
            thread::spawn(move || {
                let begun = Instant::now();
                let answers = requests.answers(LONG);
                assert!(begun.elapsed() < LONG / 2, "woken by the time");
                answers.len()
            })
        };
        for answer in answers {
            thread::sleep(Duration::from_millis(50));
            drop(requests.answered(answer));
        }
        waits.join().unwrap()
    }

    #[test]
    fn no_more_begin_than_may_be_in_flight_and_an_answered_one_takes_the_next() {
        let requests = waiting(2, 4, 4);
        assert!(requests.is_full());
        assert_eq!(requests.begin(), Some(batch(0)));
        assert_eq!(requests.begin(), Some(batch(1)));
        assert_eq!(requests.begin(), None);
        assert_eq!(requests.answered(stored(1)), Some(batch(2)));
        assert_eq!(requests.begin(), None);
        assert_eq!(requests.answered(stored(0)), Some(batch(3)));
        assert!(!requests.is_full());
        assert_eq!(requests.in_flight(), 2);
        assert_eq!(requests.answered(stored(2)), None);
        assert_eq!(requests.in_flight(), 1);
        assert_eq!(requests.answered(stored(3)), None);
        assert!(requests.is_pending(), "what is not taken is not settled");
        let answers = requests.answers(LONG);
        let answers: Vec<_> = answers.into_iter().flatten().flatten().collect();
        assert_eq!(answers, [(0, 1), (0, 0), (0, 2), (0, 3)]);
        assert!(!requests.is_pending());
    }

    #[test]
    fn after_a_failure_nothing_is_sent_any_more_and_what_is_in_flight_is_waited_for() {
        let requests = waiting(2, 1, 4);
        assert!(requests.begin().is_some() && requests.begin().is_some());
        assert_eq!(requests.answered(refused()), None);
        assert_eq!(requests.begin(), None);
        assert!(requests.is_halted() && requests.is_pending());
        assert_eq!(requests.answers(LONG).len(), 1);
        // What waits is too much and stays so: the answer is waited for all the same.
        assert!(requests.is_full() && requests.is_pending());
        assert_eq!(woken_by(requests, [stored(1)]), 1);
    }

    #[test]
    fn with_room_the_first_answer_wakes() {
        let requests = waiting(2, 5, 4);
        assert!(requests.begin().is_some() && requests.begin().is_some());
        assert_eq!(woken_by(requests, [stored(0)]), 1);
    }

    #[test]
    fn without_room_several_answers_wake() {
        let requests = waiting(2, 5, 7);
        assert!(requests.begin().is_some() && requests.begin().is_some());
        assert_eq!(woken_by(requests, (0..4).map(stored)), 4);
    }

    #[test]
    fn without_room_a_failure_wakes() {
        let requests = waiting(2, 5, 7);
        assert!(requests.begin().is_some() && requests.begin().is_some());
        assert_eq!(woken_by(requests, [refused()]), 1);
    }

    #[test]
    fn it_waits_no_longer_than_it_may_and_not_at_all_with_nothing_in_flight() {
        let requests = waiting(1, 5, 7);
        assert!(requests.answers(LONG).is_empty());
        assert!(requests.begin().is_some());
        assert!(requests.answers(Duration::from_millis(30)).is_empty());
    }
}
