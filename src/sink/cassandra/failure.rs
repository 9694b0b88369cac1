//! What a failed request means: once, for all statements.

use scylla::errors::{DbError, ExecutionError, PrepareError, RequestAttemptError};

use crate::error::Error;

#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(super) enum Verdict {
    /// The server is busy, slow or away: the same request may succeed later.
    Again,
    /// The request is larger than the server takes.
    TooLarge,
    Denied,
    /// The schema or the request does not fit the server.
    Unfit,
}

pub(super) fn judge(error: &ExecutionError) -> Verdict {
    match error {
        ExecutionError::LastAttemptError(attempt)
        | ExecutionError::PrepareError(PrepareError::AllAttemptsFailed {
            first_attempt: attempt,
        }) => judge_answer(attempt),
        ExecutionError::BadQuery(_) | ExecutionError::UseKeyspaceError(_) => Verdict::Unfit,
        _ => Verdict::Again,
    }
}

fn judge_answer(attempt: &RequestAttemptError) -> Verdict {
    let RequestAttemptError::DbError(error, text) = attempt else {
        return Verdict::Again;
    };
    match error {
        DbError::Invalid if text.contains("too large") => Verdict::TooLarge,
        DbError::Unauthorized | DbError::AuthenticationError => Verdict::Denied,
        DbError::SyntaxError
        | DbError::Invalid
        | DbError::ConfigError
        | DbError::AlreadyExists { .. }
        | DbError::FunctionFailure { .. } => Verdict::Unfit,
        _ => Verdict::Again,
    }
}

/// Whether the same request may succeed later.
pub(super) fn is_passing(error: &ExecutionError) -> bool {
    judge(error) == Verdict::Again
}

pub(super) fn failed(what: &str, cause: ExecutionError) -> Error {
    let message = format!("Cassandra did not {what}");
    match judge(&cause) {
        Verdict::Again => Error::unavailable(message).cause(cause).hint(
            "run the job again when the cluster is well: it goes on from the committed offsets",
        ),
        Verdict::TooLarge => Error::configuration(message)
            .cause(cause)
            .hint("raise batch_size_fail_threshold in cassandra.yaml"),
        Verdict::Denied => Error::denied(message)
            .cause(cause)
            .hint("grant this user MODIFY and SELECT on the keyspace"),
        Verdict::Unfit => Error::configuration(message)
            .cause(cause)
            .hint("make or update the tables with `streamflow init`"),
    }
}
