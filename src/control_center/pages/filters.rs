//! The filters of the jobs, as fields of a form: nothing in them means that they are not told.

use serde::{Deserialize, Serialize};

use crate::config::parse_nationality;
use crate::control_center::reply::Refusal;
use crate::user::filter::Filter;

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Filters {
    #[serde(default)]
    pub min_age: String,
    #[serde(default)]
    pub nationalities: String,
}

impl Filters {
    pub(super) fn given(&self) -> Result<Option<Filter>, Refusal> {
        let (age, codes) = (self.min_age.trim(), self.nationalities.trim());
        if age.is_empty() && codes.is_empty() {
            return Ok(None);
        }
        let min_age = match age {
            "" => None,
            age => Some(
                age.parse()
                    .ok()
                    .filter(|&age: &u32| age <= 150)
                    .ok_or_else(|| {
                        Refusal::bad(
                            "the age is no number of years",
                            "give one from 0 to 150, or none",
                        )
                    })?,
            ),
        };
        let codes = codes.split(',').map(str::trim).filter(|it| !it.is_empty());
        let nationalities = codes
            .map(parse_nationality)
            .collect::<Result<Vec<String>, String>>()
            .map_err(|_| {
                Refusal::bad(
                    "the nationalities are no codes",
                    "give codes of two letters with commas between them, such as gb,fr",
                )
            })?;
        Ok(Some(Filter {
            min_age,
            nationalities,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(min_age: &str, nationalities: &str) -> Result<Option<Filter>, Refusal> {
        Filters {
            min_age: min_age.to_owned(),
            nationalities: nationalities.to_owned(),
        }
        .given()
    }

    #[test]
    fn empty_fields_tell_no_filter_and_wrong_ones_are_refused() {
        assert_eq!(given("", " ").unwrap(), None);
        let both = Filter {
            min_age: Some(18),
            nationalities: vec!["GB".to_owned(), "FR".to_owned()],
        };
        assert_eq!(given("18", "gb, fr").unwrap(), Some(both));
        assert!(given("-1", "").is_err());
        assert!(given("", "<script>").is_err());
    }
}
