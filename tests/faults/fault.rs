//! All faults, in the order in which they are made.

mod api;
mod cassandra;
mod clock;
mod disk;
mod groups;
mod kafka;
mod kills;
mod moments;
mod postgres;
mod records;
mod servers;

use crate::ground::Ground;

pub struct Fault {
    pub name: &'static str,
    pub what: &'static str,
    /// Whether it is part of the short run.
    pub is_short: bool,
    pub run: fn(&mut Ground),
}

/// `name, what, short or long, function`
macro_rules! faults {
    ($($name:literal, $what:literal, $length:ident, $run:path;)*) => {
        pub fn all() -> Vec<Fault> {
            vec![$(Fault { name: $name, what: $what, is_short: $length, run: $run },)*]
        }
    };
}

const SHORT: bool = true;
const LONG: bool = false;

faults! {
    "kill-any", "SIGKILL of all three jobs at random times, side by side", SHORT, kills::at_random_times;
    "kill-members", "SIGKILL of members of a group that read the same topic", SHORT, kills::of_members;
    "kill-landed", "SIGKILL between land and publish", SHORT, moments::landed_and_not_published;
    "kill-published", "SIGKILL between publish and mark", SHORT, moments::published_and_not_marked;
    "kill-stored", "SIGKILL between store and its acknowledgement", SHORT, moments::stored_and_not_known;
    "kill-settled", "SIGKILL between store and commit", LONG, moments::stored_and_not_committed;
    "kill-dead-letter", "SIGKILL between dead letter and commit", SHORT, moments::dead_letter_and_not_committed;
    "kill-summary", "SIGKILL between summary and its acknowledgement", SHORT, moments::summary_and_not_known;
    "kill-counted", "SIGKILL between summary and commit", LONG, moments::summary_and_not_committed;
    "sigterm", "SIGTERM in the middle of a batch: exit code 0 within 10 s, and nothing is repeated", SHORT, kills::in_order;
    "kafka-killed", "SIGKILL of Kafka while all jobs run", SHORT, kafka::killed;
    "kafka-restarted", "Kafka ends in order and comes back while all jobs run", LONG, kafka::restarted;
    "kafka-stands-still", "Kafka stands still for 20 s while all jobs run", LONG, kafka::stands_still;
    "kafka-topic-made-anew", "the topic is deleted and made again: said, and not taken for the old one", LONG, kafka::topic_made_anew;
    "kafka-letters-refused", "the topic of the dead letters takes no letter: the run fails, no record is skipped", LONG, kafka::letters_refused;
    "kafka-disk-full", "Kafka's disk is full", LONG, disk::of_kafka;
    "cassandra-killed", "SIGKILL of Cassandra while all jobs run", LONG, cassandra::killed;
    "cassandra-stands-still", "Cassandra stands still for 20 s while all jobs run", LONG, cassandra::stands_still;
    "cassandra-slow", "each answer of Cassandra comes later", LONG, cassandra::slow;
    "cassandra-unavailable", "too few replicas for the consistency level", LONG, cassandra::unavailable;
    "cassandra-large-rows", "rows as large as the limit of a batch", SHORT, cassandra::large_rows;
    "cassandra-column-missing", "the table lacks a column: said, and nothing is skipped", SHORT, cassandra::column_missing;
    "cassandra-disk-full", "Cassandra's disk is full", LONG, disk::of_cassandra;
    "backlog", "a backlog of a million records, and a Cassandra that stands still: bounded memory", LONG, cassandra::backlog;
    "postgres-restarted", "PostgreSQL ends in order in the middle of landing and of publishing", SHORT, postgres::restarted;
    "postgres-killed", "SIGKILL of PostgreSQL in the middle of landing and of publishing", LONG, postgres::killed;
    "two-at-once", "two runs of fetch-publish at once, for the same users and for others", SHORT, postgres::two_at_once;
    "api-troubles", "the API: 429, 500, hanging, cut off, truncated, wrong shape, empty", SHORT, api::troubles;
    "members", "members of a group come and go every 2 s, by the classic protocol", LONG, groups::classic;
    "members-cooperative", "the same with cooperative rebalances", LONG, groups::cooperative;
    "members-consumer", "the same by the protocol of KIP-848", LONG, groups::consumer;
    "slow-sink", "a sink slower than max.poll.interval.ms", LONG, groups::slower_than_the_poll_interval;
    "poison", "records of every bad kind, alone and in thousands", SHORT, records::poison;
    "poison-limit", "too large a share of dead letters stops the job", SHORT, records::too_many_dead_letters;
    "offsets-reset", "the group's offsets go back to 0", SHORT, records::offsets_reset;
    "published-twice", "every record is published again", SHORT, records::published_twice;
    "old-after-new", "older records of the same users come after newer ones", SHORT, records::old_after_new;
    "clock", "the machine's clock an hour ahead and behind", LONG, clock::an_hour_off;
}
