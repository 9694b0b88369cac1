//! What the command line does with the code of the pages: dead letters, and following a topic.

mod bench;
mod tail;

pub(crate) use bench::{Listed, Workbench, write_down};
pub(crate) use tail::{Following, tail};

pub(crate) use super::decoding::Line;
pub(crate) use super::letters::{DEFAULT_LIMIT, Filter, MAX_LIMIT, Plan, Scope, Whole};
pub(crate) use super::moment::Moment;
pub(crate) use super::panel::Panel;
