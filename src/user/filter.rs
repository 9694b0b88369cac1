//! The rules that leave a good record out.

use super::row::CreatedUser;
use super::summary::age_on;

/// What a row must have to be kept; the default keeps all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Years. A user without a date of birth is not known to have them.
    pub min_age: Option<u32>,
    /// Upper-case codes; empty means all.
    pub nationalities: Vec<String>,
}

impl Filter {
    /// `at_ms` is the time of the record, so that the same record meets the same answer on every day.
    pub fn keeps(&self, user: &CreatedUser<'_>, at_ms: i64) -> bool {
        let old_enough = self.min_age.is_none_or(|min_age| {
            user.dob_ms
                .and_then(|dob_ms| age_on(dob_ms, at_ms))
                .is_some_and(|age| age >= i64::from(min_age))
        });
        let wanted = self.nationalities.is_empty()
            || user
                .nationality
                .as_ref()
                .is_some_and(|code| self.nationalities.iter().any(|wanted| wanted == code));
        old_enough && wanted
    }
}
