//! What became of a user, decided from what each server said. Pure.

use serde::Serialize;

use crate::error::Kind;
use crate::reconcile::Position;

/// What is known. Nothing stands for a server that did not answer.
#[derive(Debug, Clone)]
pub(super) struct Evidence {
    /// Whether `created_users` has a row.
    pub stored: Option<bool>,
    pub landed: Option<Landed>,
    pub kept_apart: Option<Why>,
    pub record: Option<Found>,
    /// Whether `transform-store` has committed beyond the record.
    pub settled: Option<bool>,
    pub letter: Option<Why>,
    /// Whether a dead letter, were there one, would have been met.
    pub letters_all_seen: bool,
    /// Whether the job's filter keeps the user; nothing where the filter is not told.
    pub kept_by_filter: Option<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Landed {
    No,
    Unpublished,
    Published,
}

/// The user's record on the topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// `usable`: with today's code.
    Here { usable: bool },
    /// Where it was published lies before what the topic still has.
    Removed,
    /// Where it was published lies something else, or nothing.
    NotThere,
    /// No place is known, and none was met. `all_seen`: every record that ever was on the topic was looked at.
    Nowhere { all_seen: bool },
}

/// A reason, and the field to blame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(in crate::control_center) struct Why {
    pub reason: String,
    pub field: Option<String>,
}

impl std::fmt::Display for Why {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.field {
            Some(field) => write!(f, "{} ({field})", self.reason),
            None => f.write_str(&self.reason),
        }
    }
}

/// Closed: each user has exactly one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub(in crate::control_center) enum Outcome {
    Stored,
    OnItsWay,
    DeadLettered(Why),
    KeptApart(Why),
    NotPublished,
    Missing {
        cause: Missing,
    },
    Filtered {
        by_the_filter_told: bool,
    },
    /// What would tell has been removed, or is more than was looked at.
    Unknown,
    /// A server that would tell did not answer.
    Unanswered {
        server: &'static str,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::control_center) enum Missing {
    /// No server has heard of the id.
    NeverSeen,
    /// It is marked as published, and the record is not there.
    NotOnTopic,
    /// The record was removed before it was read.
    RemovedUnread,
    /// The record is settled, and there is no row.
    NotStored,
    /// The record cannot be used, is settled, and there is no dead letter.
    NoLetter,
}

pub(super) fn decide(known: &Evidence) -> Outcome {
    let unanswered = |server| Outcome::Unanswered { server };
    match known.stored {
        Some(true) => return Outcome::Stored,
        Some(false) => {}
        None => return unanswered("Cassandra"),
    }
    if let Some(why) = &known.letter {
        return Outcome::DeadLettered(why.clone());
    }
    let missing = |cause| Outcome::Missing { cause };
    match (known.record, known.settled) {
        (Some(Found::Here { .. } | Found::Removed), None) => unanswered("Kafka"),
        (Some(Found::Here { .. }), Some(false)) => Outcome::OnItsWay,
        (Some(Found::Here { usable: true }), Some(true)) => match known.kept_by_filter {
            // A letter of it may lie where nobody looked.
            None | Some(true) if !known.letters_all_seen => Outcome::Unknown,
            None => Outcome::Filtered {
                by_the_filter_told: false,
            },
            Some(false) => Outcome::Filtered {
                by_the_filter_told: true,
            },
            Some(true) => missing(Missing::NotStored),
        },
        (Some(Found::Here { usable: false }), Some(true)) => match known.letters_all_seen {
            true => missing(Missing::NoLetter),
            false => Outcome::Unknown,
        },
        (Some(Found::Removed), Some(false)) => missing(Missing::RemovedUnread),
        (Some(Found::Removed), Some(true)) => Outcome::Unknown,
        (Some(Found::NotThere), _) => missing(Missing::NotOnTopic),
        (Some(Found::Nowhere { .. }) | None, _) => not_on_topic(known),
    }
}

/// Neither stored nor dead-lettered, and no record is known.
fn not_on_topic(known: &Evidence) -> Outcome {
    match (known.landed, &known.kept_apart, known.record) {
        (None, ..) => Outcome::Unanswered {
            server: "PostgreSQL",
        },
        (Some(Landed::Unpublished), ..) => Outcome::NotPublished,
        (Some(Landed::Published), ..) | (Some(Landed::No), None, None) => {
            Outcome::Unanswered { server: "Kafka" }
        }
        (Some(Landed::No), Some(why), _) => Outcome::KeptApart(why.clone()),
        (Some(Landed::No), None, Some(Found::Nowhere { all_seen: true })) => Outcome::Missing {
            cause: Missing::NeverSeen,
        },
        (Some(Landed::No), None, Some(_)) => Outcome::Unknown,
    }
}

impl Outcome {
    /// Whether it may come of facts that were not asked for at the same moment.
    pub(super) fn may_be_overtaken(&self) -> bool {
        matches!(
            self,
            Outcome::Missing { .. } | Outcome::Filtered { .. } | Outcome::Unknown
        )
    }

    /// That of the failure of a program that asked for a user who is not stored.
    pub(super) fn kind(&self) -> Kind {
        match self {
            Outcome::Unanswered { .. } => Kind::Unavailable,
            _ => Kind::Data,
        }
    }

    pub(in crate::control_center) fn word(&self) -> &'static str {
        match self {
            Outcome::Stored => "Found",
            Outcome::OnItsWay => "On its way",
            Outcome::DeadLettered(_) => "Dead-lettered",
            Outcome::KeptApart(_) => "Kept apart",
            Outcome::NotPublished => "Landed, not published",
            Outcome::Missing { .. } => "Missing",
            Outcome::Filtered { .. } => "Filtered",
            Outcome::Unknown => "Unknown",
            Outcome::Unanswered { .. } => "Not to be told now",
        }
    }

    /// For the look of a page.
    pub(in crate::control_center) fn mood(&self) -> &'static str {
        match self {
            Outcome::Stored => "good",
            Outcome::OnItsWay
            | Outcome::NotPublished
            | Outcome::Filtered { .. }
            | Outcome::Unknown => "warn",
            Outcome::DeadLettered(_)
            | Outcome::KeptApart(_)
            | Outcome::Missing { .. }
            | Outcome::Unanswered { .. } => "bad",
        }
    }

    pub(super) fn sentence(&self, position: Option<Position>) -> String {
        let place = position.map_or_else(|| "its place".to_owned(), |it| it.to_string());
        let rest = match self {
            Outcome::Stored => "it is stored in created_users.".to_owned(),
            Outcome::OnItsWay => {
                format!("it is published at {place}, and transform-store has not come so far yet.")
            }
            Outcome::DeadLettered(why) => {
                format!("its record cannot be used, and went to the dead letters: {why}.")
            }
            Outcome::KeptApart(why) => {
                format!("the API's record cannot be used, and was not landed as a user: {why}.")
            }
            Outcome::NotPublished => {
                "it is landed in PostgreSQL, and Kafka has not acknowledged its event.".to_owned()
            }
            Outcome::Missing { cause } => match cause {
                Missing::NeverSeen => {
                    "no server knows this id: neither landed nor on the topic, stored or dead-lettered.".to_owned()
                }
                Missing::NotOnTopic => {
                    format!("it is marked as published at {place}, and its record is not there.")
                }
                Missing::RemovedUnread => format!(
                    "its record at {place} was removed by retention before transform-store had read it."
                ),
                Missing::NotStored => format!(
                    "transform-store has settled its record at {place}, its filter keeps the user, and there is no row."
                ),
                Missing::NoLetter => format!(
                    "its record at {place} cannot be used and is settled, and there is no dead letter of it."
                ),
            },
            Outcome::Filtered { by_the_filter_told: true } => format!(
                "the filter leaves this user out; its record at {place} is settled."
            ),
            Outcome::Filtered { by_the_filter_told: false } => format!(
                "its record at {place} is settled, and there is neither a row nor a dead letter: a filter of transform-store has left it \
                 out, or its row was removed since."
            ),
            Outcome::Unknown => {
                "it is not stored, and what would tell why is no longer on the topic, or is more than was looked at.".to_owned()
            }
            Outcome::Unanswered { server } => {
                format!("{server} did not answer, and without it nobody can tell.")
            }
        };
        format!("{}: {rest}", self.word())
    }

    /// What to do next.
    pub(super) fn next(&self) -> Option<String> {
        let text = match self {
            Outcome::Stored => return None,
            Outcome::OnItsWay => "run `transform-store`, or start the DAG sparking_flow",
            Outcome::DeadLettered(_) => {
                "mend what the reason says, then replay it from the dead letters"
            }
            Outcome::KeptApart(_) => {
                "look at kept_apart_users in PostgreSQL; a record that the API mends lands with the next `fetch-publish`"
            }
            Outcome::NotPublished => {
                "run `fetch-publish`, which publishes what is landed, or start the DAG user_automation"
            }
            Outcome::Missing { cause } => match cause {
                Missing::NeverSeen => {
                    "check the id; `streamflow reconcile --seed S --users N` tells whether the API gives it"
                }
                Missing::NotOnTopic | Missing::RemovedUnread => {
                    "remove its row of published_users and run `fetch-publish`: it is published again"
                }
                Missing::NotStored | Missing::NoLetter => {
                    "read the topic again with `transform-store --group-id` and a new name; `streamflow reconcile` tells how many there are"
                }
            },
            Outcome::Filtered { .. } => {
                "`streamflow reconcile` with the filters of the jobs tells a filtered user from a lost one"
            }
            Outcome::Unknown => "`streamflow reconcile` reads everything that is left",
            Outcome::Unanswered { .. } => {
                "bring the server up: `streamflow doctor` says what is wrong"
            }
        };
        Some(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Published, read and stored.
    fn stored() -> Evidence {
        Evidence {
            stored: Some(true),
            landed: Some(Landed::Published),
            kept_apart: None,
            record: Some(Found::Here { usable: true }),
            settled: Some(true),
            letter: None,
            letters_all_seen: true,
            kept_by_filter: None,
        }
    }

    fn why() -> Option<Why> {
        Some(Why {
            reason: "wrong_type".to_owned(),
            field: Some("street_number".to_owned()),
        })
    }

    fn not_stored() -> Evidence {
        Evidence {
            stored: Some(false),
            ..stored()
        }
    }

    /// No server has it.
    fn nobody() -> Evidence {
        Evidence {
            landed: Some(Landed::No),
            record: Some(Found::Nowhere { all_seen: true }),
            settled: None,
            ..not_stored()
        }
    }

    fn cause(known: Evidence) -> Missing {
        match decide(&known) {
            Outcome::Missing { cause } => cause,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_row_is_enough_to_be_found() {
        assert_eq!(decide(&stored()), Outcome::Stored);
        let alone = Evidence {
            stored: Some(true),
            landed: None,
            record: None,
            ..nobody()
        };
        assert_eq!(decide(&alone), Outcome::Stored);
        let stored_after_a_letter = Evidence {
            letter: why(),
            ..stored()
        };
        assert_eq!(decide(&stored_after_a_letter), Outcome::Stored);
    }

    #[test]
    fn before_the_committed_offset_reaches_it_a_user_is_on_its_way() {
        for usable in [true, false] {
            let known = Evidence {
                settled: Some(false),
                record: Some(Found::Here { usable }),
                ..not_stored()
            };
            assert_eq!(decide(&known), Outcome::OnItsWay);
        }
    }

    #[test]
    fn a_dead_letter_says_why() {
        let known = Evidence {
            letter: why(),
            record: Some(Found::Here { usable: false }),
            ..not_stored()
        };
        let outcome = decide(&known);
        assert_eq!(outcome, Outcome::DeadLettered(why().unwrap()));
        assert!(
            outcome
                .sentence(None)
                .contains("wrong_type (street_number)")
        );
    }

    #[test]
    fn what_is_kept_apart_is_not_landed() {
        let known = Evidence {
            kept_apart: why(),
            ..nobody()
        };
        assert_eq!(decide(&known), Outcome::KeptApart(why().unwrap()));
        // Another person under the same id: the one that landed goes on.
        let conflicting = Evidence {
            kept_apart: why(),
            ..stored()
        };
        assert_eq!(decide(&conflicting), Outcome::Stored);
    }

    #[test]
    fn landed_and_not_published() {
        let known = Evidence {
            landed: Some(Landed::Unpublished),
            ..nobody()
        };
        assert_eq!(decide(&known), Outcome::NotPublished);
        // Also while Kafka is down.
        let known = Evidence {
            record: None,
            ..known
        };
        assert_eq!(decide(&known), Outcome::NotPublished);
    }

    #[test]
    fn each_way_to_be_missing_has_its_cause() {
        assert_eq!(cause(nobody()), Missing::NeverSeen);
        let not_there = Evidence {
            record: Some(Found::NotThere),
            ..not_stored()
        };
        assert_eq!(cause(not_there), Missing::NotOnTopic);
        let unread = Evidence {
            record: Some(Found::Removed),
            settled: Some(false),
            ..not_stored()
        };
        assert_eq!(cause(unread), Missing::RemovedUnread);
        let kept = Evidence {
            kept_by_filter: Some(true),
            ..not_stored()
        };
        assert_eq!(cause(kept), Missing::NotStored);
        let no_letter = Evidence {
            record: Some(Found::Here { usable: false }),
            ..not_stored()
        };
        assert_eq!(cause(no_letter), Missing::NoLetter);
    }

    #[test]
    fn settled_without_a_row_and_without_a_letter_is_filtered() {
        let told = |kept_by_filter| {
            decide(&Evidence {
                kept_by_filter,
                ..not_stored()
            })
        };
        let filtered = |by_the_filter_told| Outcome::Filtered { by_the_filter_told };
        assert_eq!(told(None), filtered(false));
        assert_eq!(told(Some(false)), filtered(true));
    }

    #[test]
    fn past_retention_nobody_knows() {
        let removed = Evidence {
            record: Some(Found::Removed),
            ..not_stored()
        };
        assert_eq!(decide(&removed), Outcome::Unknown);
        let too_many = Evidence {
            record: Some(Found::Nowhere { all_seen: false }),
            ..nobody()
        };
        assert_eq!(decide(&too_many), Outcome::Unknown);
        let letters_removed = Evidence {
            record: Some(Found::Here { usable: false }),
            letters_all_seen: false,
            ..not_stored()
        };
        assert_eq!(decide(&letters_removed), Outcome::Unknown);
    }

    #[test]
    fn a_letter_that_was_not_looked_at_may_exist() {
        let told = |kept_by_filter| {
            decide(&Evidence {
                kept_by_filter,
                letters_all_seen: false,
                ..not_stored()
            })
        };
        assert_eq!(told(None), Outcome::Unknown);
        assert_eq!(told(Some(true)), Outcome::Unknown);
        let filtered = Outcome::Filtered {
            by_the_filter_told: true,
        };
        assert_eq!(told(Some(false)), filtered);
    }

    #[test]
    fn what_may_come_of_facts_of_different_moments_is_looked_at_twice() {
        let not_on_topic = Outcome::Missing {
            cause: Missing::NotOnTopic,
        };
        let filtered = Outcome::Filtered {
            by_the_filter_told: true,
        };
        for outcome in [not_on_topic, filtered, Outcome::Unknown] {
            assert!(outcome.may_be_overtaken(), "{outcome:?}");
        }
        for outcome in [Outcome::Stored, Outcome::OnItsWay, Outcome::NotPublished] {
            assert!(!outcome.may_be_overtaken(), "{outcome:?}");
        }
    }

    #[test]
    fn a_server_that_did_not_answer_is_another_failure_than_a_user_that_is_not_stored() {
        let unanswered = Outcome::Unanswered { server: "Kafka" };
        assert_eq!(unanswered.kind(), Kind::Unavailable);
        assert_eq!(Outcome::OnItsWay.kind(), Kind::Data);
    }

    #[test]
    fn a_server_that_would_tell_is_named() {
        let without = |known: Evidence| match decide(&known) {
            Outcome::Unanswered { server } => server,
            other => panic!("{other:?}"),
        };
        let cassandra = Evidence {
            stored: None,
            ..stored()
        };
        assert_eq!(without(cassandra), "Cassandra");
        let kafka = Evidence {
            record: None,
            settled: None,
            ..not_stored()
        };
        assert_eq!(without(kafka), "Kafka");
        let group = Evidence {
            settled: None,
            ..not_stored()
        };
        assert_eq!(without(group), "Kafka");
        let postgres = Evidence {
            landed: None,
            ..nobody()
        };
        assert_eq!(without(postgres), "PostgreSQL");
        let nothing_but_cassandra = Evidence {
            record: None,
            ..nobody()
        };
        assert_eq!(without(nothing_but_cassandra), "Kafka");
    }
}
