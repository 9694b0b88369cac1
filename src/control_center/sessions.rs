//! Who is logged in: random tokens, kept in memory and forgotten at the end of the program.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rand::RngExt;

use super::accounts::Role;

const LAST_FOR: Duration = Duration::from_secs(12 * 3600);
/// The oldest is forgotten for a new one.
const AT_MOST: usize = 1_000;
/// After so many wrong passwords for a name, it is asked again only after [`LOCKED_FOR`].
const WRONG_AT_MOST: u32 = 5;
const LOCKED_FOR: Duration = Duration::from_secs(60);

/// Who asks, and what they may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Visitor {
    pub name: String,
    pub role: Role,
}

impl Visitor {
    /// Where there are no accounts.
    pub(super) fn of_this_machine() -> Self {
        Self {
            name: "local".to_owned(),
            role: Role::Operator,
        }
    }
}

#[derive(Default)]
pub(super) struct Sessions {
    open: Mutex<HashMap<String, (Visitor, Instant)>>,
    wrong: Mutex<HashMap<String, (u32, Instant)>>,
}

impl Sessions {
    /// Opens one and gives its token.
    pub(super) fn open(&self, visitor: Visitor, now: Instant) -> String {
        let token = format!(
            "{:032x}{:032x}",
            rand::rng().random::<u128>(),
            rand::rng().random::<u128>()
        );
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, (_, begun)| now.duration_since(*begun) < LAST_FOR);
        if open.len() >= AT_MOST
            && let Some(oldest) = open
                .iter()
                .min_by_key(|(_, (_, begun))| *begun)
                .map(|(token, _)| token.clone())
        {
            open.remove(&oldest);
        }
        open.insert(token.clone(), (visitor, now));
        token
    }

    pub(super) fn visitor(&self, token: &str, now: Instant) -> Option<Visitor> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let (visitor, begun) = open.get(token)?;
        (now.duration_since(*begun) < LAST_FOR).then(|| visitor.clone())
    }

    pub(super) fn close(&self, token: &str) {
        self.open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(token);
    }

    /// Whether a password for this name is looked at now. It counts as wrong until [`Self::was_right`], so that many at once are counted, too.
    pub(super) fn may_try(&self, name: &str, now: Instant) -> bool {
        let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        wrong.retain(|_, (_, last)| now.duration_since(*last) < LOCKED_FOR);
        if wrong.len() >= AT_MOST && !wrong.contains_key(name) {
            // Names that are made up have one each: they make room for each other, and not for the one that is guessed at.
            let least = wrong.iter().min_by_key(|(_, tries)| **tries);
            let least = least.map(|(name, _)| name.clone());
            least.map(|name| wrong.remove(&name));
        }
        let tries = wrong.entry(name.to_owned()).or_insert((0, now));
        if tries.0 >= WRONG_AT_MOST {
            return false;
        }
        *tries = (tries.0 + 1, now);
        true
    }

    pub(super) fn was_right(&self, name: &str) {
        self.wrong
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vi() -> Visitor {
        Visitor {
            name: "vi".to_owned(),
            role: Role::Viewer,
        }
    }

    #[test]
    fn a_session_ends_by_itself_and_by_logging_out() {
        let (sessions, now) = (Sessions::default(), Instant::now());
        let token = sessions.open(vi(), now);
        assert_eq!(sessions.visitor(&token, now), Some(vi()));
        assert_eq!(sessions.visitor("guessed", now), None);
        assert_eq!(sessions.visitor(&token, now + LAST_FOR), None);
        sessions.close(&token);
        assert_eq!(sessions.visitor(&token, now), None);
    }

    #[test]
    fn their_number_is_bounded() {
        let (sessions, now) = (Sessions::default(), Instant::now());
        let first = sessions.open(vi(), now);
        for later in 1..=AT_MOST as u64 {
            sessions.open(vi(), now + Duration::from_millis(later));
        }
        assert_eq!(sessions.visitor(&first, now), None);
        assert_eq!(sessions.open.lock().unwrap().len(), AT_MOST);
    }

    #[test]
    fn guessing_is_slowed_down_for_the_name_that_is_guessed_at() {
        let (sessions, now) = (Sessions::default(), Instant::now());
        for _ in 0..WRONG_AT_MOST {
            assert!(sessions.may_try("ada", now));
        }
        assert!(!sessions.may_try("ada", now));
        for number in 0..2 * AT_MOST {
            assert!(sessions.may_try(&format!("made up {number}"), now));
        }
        assert!(!sessions.may_try("ada", now), "still known among many");
        assert_eq!(sessions.wrong.lock().unwrap().len(), AT_MOST);
        assert!(sessions.may_try("vi", now));
        assert!(sessions.may_try("ada", now + LOCKED_FOR));
        sessions.was_right("ada");
        assert!(sessions.may_try("ada", now));
    }
}
