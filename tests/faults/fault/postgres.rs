//! PostgreSQL ends in the middle of landing and of publishing, and two runs use it at once.

use crate::fault::servers;
use crate::ground::Ground;
use crate::process::LIMIT;
use crate::stack::{Server, Signal};

pub fn restarted(ground: &mut Ground) {
    servers::ends(ground, Server::Postgres, Signal::End, 5);
}

pub fn killed(ground: &mut Ground) {
    servers::ends(ground, Server::Postgres, Signal::Kill, 5);
}

pub fn two_at_once(ground: &mut Ground) {
    const USERS: u32 = 5_000;
    let mut pipeline = ground.pipeline();
    for _ in ground.rounds(1, 5) {
        let (same, other) = (pipeline.next_seed(USERS), pipeline.next_seed(USERS));
        let runs = [&same, &same, &other].map(|seed| pipeline.fetch_again(seed, USERS));
        let mut landed = 0;
        for run in runs {
            let done = run.finish_within(LIMIT * 2).exits(0);
            assert_eq!(done.number("fetched"), u64::from(USERS));
            landed += done.number("landed") + done.number("conflicting");
        }
        assert_eq!(landed, u64::from(2 * USERS));
    }
    pipeline.settle_and_check();
}
