//! Faults on the real servers while the jobs run, and afterwards the question whether anything is lost, made up or counted wrong.
//!
//! `make test-faults` starts the servers of a stack of its own and runs this. A fault is a function of [`ground::Ground`]; it takes a
//! [`pipeline::Pipeline`] (a database, a topic and a keyspace of its own), breaks something while the jobs are at work, lets them finish as
//! Airflow's retries would, and asks `streamflow reconcile`. What is chosen at random comes from a seed, which is printed.
// Shared with the live tests: of each, the faults need a part.
#[allow(dead_code)]
#[path = "../live/api.rs"]
mod api;
#[allow(dead_code)]
#[path = "../live/event.rs"]
mod event;
#[allow(dead_code)]
#[path = "../live/process.rs"]
mod process;
#[allow(dead_code)]
#[path = "../live/proxy.rs"]
mod proxy;
#[allow(dead_code)]
#[path = "../live/scrape.rs"]
mod scrape;
#[allow(dead_code)]
#[path = "../live/servers.rs"]
mod servers;
#[allow(dead_code)]
#[path = "../live/tables.rs"]
mod tables;
#[allow(dead_code)]
#[path = "../live/topic.rs"]
mod topic;
#[allow(dead_code)]
#[path = "../live/world.rs"]
mod world;

mod fault;
mod ground;
mod job;
mod pipeline;
mod report;
mod stack;
mod stall;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use ground::{Ground, Size};

/// Set by `local/test-faults`, which explains them.
struct Settings {
    seed: u64,
    only: Vec<String>,
    size: Size,
}

impl Settings {
    fn from_environment() -> Self {
        let variable = |name| std::env::var(name).unwrap_or_default();
        let seed = variable("STREAMFLOW_FAULTS_SEED");
        let only = variable("STREAMFLOW_FAULTS_ONLY");
        Self {
            seed: seed.parse().unwrap_or(1),
            only: only
                .split(',')
                .filter(|it| !it.is_empty())
                .map(str::to_owned)
                .collect(),
            size: match variable("STREAMFLOW_FAULTS_SIZE").as_str() {
                "full" => Size::Full,
                _ => Size::Short,
            },
        }
    }

    fn want(&self, fault: &fault::Fault) -> bool {
        match self.only.is_empty() {
            true => fault.is_short || self.size == Size::Full,
            false => self.only.iter().any(|part| fault.name.contains(part)),
        }
    }
}

/// One test of all faults: they break servers that all of them use, so they come one after the other.
#[test]
fn nothing_is_lost_made_up_or_counted_wrong() {
    // It breaks servers, so it is not enough that there are some.
    if std::env::var_os("STREAMFLOW_FAULTS_SIZE").is_none() {
        println!("skipped: needs servers to break (make test-faults)");
        return;
    }
    let settings = Settings::from_environment();
    println!("seed {}", settings.seed);
    let begun = Instant::now();
    let mut rows = Vec::new();
    for fault in fault::all().iter().filter(|fault| settings.want(fault)) {
        let time = begun.elapsed().as_secs();
        println!("\n[{time:>5} s] {}: {}", fault.name, fault.what);
        let mut ground = Ground::new(settings.size, settings.seed, fault.name);
        let outcome = catch_unwind(AssertUnwindSafe(|| (fault.run)(&mut ground)));
        // Whatever the fault has left broken: the next one finds all servers well.
        let mended = catch_unwind(AssertUnwindSafe(|| ground.mend()));
        let outcome = outcome.and(mended);
        let row = report::Row::of(fault, ground, outcome);
        println!("{}", row.line());
        rows.push(row);
    }
    assert!(!rows.is_empty(), "no fault has such a name");
    assert_eq!(report::tell(&rows, begun.elapsed()), 0, "faults failed");
}
