//! The one error type of the programs: what failed, where, why, what to do next, and the exit code that says which kind it was.

use std::fmt;

/// The kinds of failure, each with its exit code (`sysexits.h` where it has one).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Input that cannot be used: an API's answer, a record, a file.
    Data,
    /// A server that cannot be reached, or does not answer, after the retries.
    Unavailable,
    /// A state that the program's own logic excludes.
    Bug,
    /// Input or output on this machine.
    Io,
    /// The server knows us and says no.
    Denied,
    /// A setting, topic, table or version that does not fit.
    Configuration,
}

impl Kind {
    pub fn exit_code(self) -> u8 {
        match self {
            Kind::Data => 65,
            Kind::Unavailable => 69,
            Kind::Bug => 70,
            Kind::Io => 74,
            Kind::Denied => 77,
            Kind::Configuration => 78,
        }
    }
}

/// A failure that ends a program.
///
/// `Display` prints the message, every cause below it, and on a line of its own what to do.
pub struct Error {
    kind: Kind,
    message: String,
    hint: Option<String>,
    cause: Option<anyhow::Error>,
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            hint: None,
            cause: None,
        }
    }

    pub fn data(message: impl Into<String>) -> Self {
        Self::new(Kind::Data, message)
    }

    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(Kind::Unavailable, message)
    }

    pub fn bug(message: impl Into<String>) -> Self {
        Self::new(Kind::Bug, message)
    }

    pub fn io(message: impl Into<String>) -> Self {
        Self::new(Kind::Io, message)
    }

    pub fn denied(message: impl Into<String>) -> Self {
        Self::new(Kind::Denied, message)
    }

    pub fn configuration(message: impl Into<String>) -> Self {
        Self::new(Kind::Configuration, message)
    }

    /// What the operator can do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    #[must_use]
    pub fn cause(mut self, cause: impl Into<anyhow::Error>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        let mut last = self.message.clone();
        for cause in self.cause.iter().flat_map(anyhow::Error::chain) {
            let text = cause.to_string();
            // Some libraries repeat the text of the cause in their own: say it once.
            if !last.contains(&text) {
                write!(f, ": {text}")?;
            }
            last = text;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n  what to do: {hint}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {self}", self.kind)
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_each_cause_once_and_the_hint_on_its_own_line() {
        let cause = anyhow::anyhow!("connection refused").context("connect: connection refused");
        let error = Error::unavailable("Kafka did not answer")
            .cause(cause)
            .hint("start it");
        assert_eq!(
            error.to_string(),
            "Kafka did not answer: connect: connection refused\n  what to do: start it"
        );
        assert_eq!(error.kind().exit_code(), 69);
    }
}
