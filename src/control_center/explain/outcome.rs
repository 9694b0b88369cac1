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
mod tests;
