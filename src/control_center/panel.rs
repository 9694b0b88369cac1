//! A part of a page that comes from one server: what it gave, or why it gave nothing. The rest of the page is there all the same.

use serde::{Serialize, Serializer};

use crate::error::{Error, Result};

#[derive(Debug, Clone)]
pub enum Panel<T> {
    Shown(T),
    Missing(Trouble),
}

/// Why a panel is empty, and what to do.
#[derive(Debug, Clone, Serialize)]
pub struct Trouble {
    pub message: String,
    pub hint: String,
}

impl From<&Error> for Trouble {
    fn from(error: &Error) -> Self {
        let text = error.to_string();
        let (message, hint) = text
            .split_once("\n  what to do: ")
            .unwrap_or((&text, "see the log of the control center"));
        Self {
            message: message.to_owned(),
            hint: hint.to_owned(),
        }
    }
}

impl<T> Panel<T> {
    pub fn of(found: Result<T>) -> Self {
        match found {
            Ok(found) => Panel::Shown(found),
            Err(error) => Panel::Missing(Trouble::from(&error)),
        }
    }

    pub fn trouble(&self) -> Option<&Trouble> {
        match self {
            Panel::Shown(_) => None,
            Panel::Missing(trouble) => Some(trouble),
        }
    }

    pub fn shown(&self) -> Option<&T> {
        match self {
            Panel::Shown(it) => Some(it),
            Panel::Missing(_) => None,
        }
    }
}

/// What is shown as it is, or an object with the one field `error`.
impl<T: Serialize> Serialize for Panel<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Missing<'a> {
            error: &'a Trouble,
        }
        match self {
            Panel::Shown(it) => it.serialize(serializer),
            Panel::Missing(error) => Missing { error }.serialize(serializer),
        }
    }
}
