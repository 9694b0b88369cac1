//! What is remembered of each reading: small entries, which meet their counterparts under the same key.

use std::hash::Hash;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::digest::Digest;
use super::spans::Position;

/// Something that is remembered under a key.
pub(super) trait Entry: Serialize + DeserializeOwned {
    type Key: Serialize + DeserializeOwned + Ord + Hash;
}

/// What was found of a user, under the id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum UserEntry {
    /// The API gives this record.
    Given { fingerprint: Digest },
    /// A row of `landed_users`.
    Landed {
        /// Only beside what the API gives.
        fingerprint: Option<Digest>,
        published: Option<Position>,
    },
    /// A row of `kept_apart_users`.
    KeptApart { fingerprint: Digest },
    /// A record of the topic that holds a user.
    OnTopic {
        position: Position,
        timestamp_ms: i64,
        reading: Reading,
        /// Below the offset that the group of `transform-store` has committed.
        settled: bool,
    },
    /// A row of `created_users`; no digest where it lacks a column without which no user is stored.
    Stored {
        digest: Option<Digest>,
        written_us: Option<i64>,
    },
}

/// What the jobs make of a record that holds a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Reading {
    /// A row with these columns.
    Kept(Digest),
    Filtered,
}

impl Entry for UserEntry {
    type Key = Uuid;
}

/// What was found of a number of landing, under that number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum LandingEntry {
    Landed {
        id: Uuid,
        published: Option<Position>,
    },
    /// A record of the topic with this number; no id where neither value nor key has one.
    OnTopic {
        id: Option<Uuid>,
        position: Position,
    },
}

impl Entry for LandingEntry {
    type Key = i64;
}

/// What was found of a rejected record, under its place on the topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum LetterEntry {
    Rejected {
        digest: Digest,
        transform_store: Due,
        aggregate: Due,
    },
    Letter {
        job: LetterJob,
        digest: Digest,
    },
}

/// Whether a job must have written a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Due {
    Yes,
    /// The job has not come so far.
    NotYet,
    /// It has left the record out as a repetition.
    No,
    /// What would tell has been removed by retention.
    Unknown,
}

/// Who writes letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum LetterJob {
    TransformStore,
    Aggregate,
}

impl LetterJob {
    pub(super) const ALL: [LetterJob; 2] = [LetterJob::TransformStore, LetterJob::Aggregate];

    /// The text of the header.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            LetterJob::TransformStore => "transform-store",
            LetterJob::Aggregate => "aggregate",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|job| job.as_str() == text)
    }
}

impl Entry for LetterEntry {
    type Key = Position;
}
