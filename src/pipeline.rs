//! How records move, whatever they are: read in order, worked on, settled, and only then committed.
//!
//! The deciding parts ([`watermark`], [`batch`], [`bounds`], [`sequence`], [`max_dead_letters`]) are functions from values to values. [`consume`] is the one
//! loop; a [`source::Source`] feeds it, and a [`work::Work`] does the job's part: [`store`] writes each record, [`fold`] counts them.

pub mod batch;
pub mod bounds;
pub mod consume;
pub mod dead_letter;
pub mod fold;
pub mod max_dead_letters;
pub mod offsets;
pub mod outcome;
pub mod record;
pub mod retry;
pub mod sequence;
pub mod source;
pub mod store;
pub mod tally;
pub mod watermark;
pub mod work;
