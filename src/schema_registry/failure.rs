//! A question that got no answer, or not the one that was hoped for.

use std::time::Duration;

use crate::config::Server;
use crate::error::{Error, Kind};

/// The texts tell what kind of answer it was, never what was in it, but for a refused schema.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Miss {
    /// With the cause as a text, without the address, which may hold a password.
    #[error("{0}")]
    Unreachable(String),
    #[error("it did not answer in time")]
    TimedOut,
    /// Connected, and no answer of HTTP came.
    #[error("{0}")]
    NoHttp(String),
    #[error("the answer broke off")]
    BrokenOff,
    #[error("the answer is larger than {limit_bytes} bytes")]
    TooLarge { limit_bytes: usize },
    #[error("the answer is not that of a Schema Registry (status {status})")]
    Status { status: u16 },
    #[error("the answer is not that of a Schema Registry")]
    NotUnderstood,
    #[error("status {status}")]
    Denied { status: u16 },
    #[error("{0}")]
    Incompatible(String),
    #[error("{0}")]
    Refused(String),
}

impl Miss {
    /// Whether the same question can have another answer later, or from another address of the registry.
    pub(super) fn is_passing(&self) -> bool {
        !matches!(
            self,
            Miss::Denied { .. } | Miss::Incompatible(_) | Miss::Refused(_)
        )
    }

    /// `patience` is the flag that sets how long was tried.
    pub(super) fn into_error(self, server: &Server, within: Duration, patience: &str) -> Error {
        let seconds = within.as_secs_f64();
        let (flag, variable) = (server.flag, server.variable);
        let (kind, message, hint) = match &self {
            Miss::Unreachable(_) | Miss::TimedOut => (
                Kind::Unavailable,
                format!("{server} did not answer within {seconds} s"),
                format!(
                    "check that it runs there, or say where it is with {flag} or {variable}; {patience} sets how long to try"
                ),
            ),
            Miss::NoHttp(_)
            | Miss::BrokenOff
            | Miss::TooLarge { .. }
            | Miss::Status { .. }
            | Miss::NotUnderstood => (
                Kind::Unavailable,
                format!("{server} gave no answer that can be used within {seconds} s"),
                format!(
                    "check that {flag} or {variable} leads to a Schema Registry, with its path where it has one, and look at its log; \
                     {patience} sets how long to try"
                ),
            ),
            Miss::Denied { .. } => return server.denied().cause(self),
            Miss::Incompatible(_) | Miss::Refused(_) => (
                Kind::Configuration,
                format!("{server} refuses the request"),
                "look at the registry's log".to_owned(),
            ),
        };
        Error::new(kind, message).cause(self).hint(hint)
    }
}
