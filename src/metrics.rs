//! What a job tells about itself while it runs: numbers for Prometheus, and whether it is well.
//!
//! A [`Watch`] is handed to whoever has something to tell. Where no address is given it holds nothing, and to tell it something costs a
//! comparison. The pipeline knows none of this: [`Watched`] stands around its source and its work, and looks at their numbers ten times a
//! second. What is decided ([`health`], [`lag`]) is decided without I/O and without a clock.

mod gauges;
mod health;
mod lag;
mod numbers;
mod process;
mod requests;
mod server;
mod told;
mod watch;
mod watched;

pub(crate) use numbers::{END_TO_END, end_to_end_bounds};
pub(crate) use process::encode as encode_process;

pub use lag::{Offsets, Standing};
pub use requests::{Request, Requests};
pub use server::serve;
pub use watch::Watch;
pub use watched::Watched;

/// What a job has to tell.
#[derive(Debug, Clone, Copy)]
pub struct Subject {
    pub job: &'static str,
    /// What becomes of a record, in the words of the job's last line.
    pub outcomes: &'static [&'static str],
    pub operations: &'static [Operation],
    /// The labels of the servers that it asks.
    pub servers: &'static [&'static str],
    /// Whether it consumes partitions of a topic.
    pub consumes: bool,
}

/// A request whose size and time are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    Fetch,
    Land,
    Publish,
    Store,
    WriteSummary,
}

impl Operation {
    /// Its part of a metric's name.
    fn as_str(self) -> &'static str {
        match self {
            Operation::Fetch => "fetch",
            Operation::Land => "land",
            Operation::Publish => "publish",
            Operation::Store => "store",
            Operation::WriteSummary => "summary_write",
        }
    }

    fn describe(self) -> &'static str {
        match self {
            Operation::Fetch => "one page of the API",
            Operation::Land => "one page that is landed in PostgreSQL",
            Operation::Publish => "one chunk that is sent to Kafka, up to its last acknowledgement",
            Operation::Store => "one request that stores rows in Cassandra",
            Operation::WriteSummary => "one write of a summary to Cassandra",
        }
    }
}
