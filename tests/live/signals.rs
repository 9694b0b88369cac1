//! SIGTERM: what is in flight is finished, and the exit code is 0.

use std::time::{Duration, Instant};

use crate::api::Api;
use crate::event::{of_many_countries, records};
use crate::process::{Finished, LIMIT, Running};
use crate::servers::until;
use crate::world::World;

fn terminate(running: Running) -> Finished {
    let asked = Instant::now();
    running.terminate();
    let done = running.finish().exits(0);
    let took = asked.elapsed();
    assert!(took < Duration::from_secs(10), "it took {took:?}");
    done
}

#[test]
fn a_run_that_follows_commits_and_the_next_repeats_nothing() {
    let Some(world) = World::shared() else { return };
    for (program, more) in [("transform-store", 0), ("aggregate", 400)] {
        world.produce(&records(300).1);
        let mut following = world.spawn(program, &["--follow"]);
        following.wait_for_log("takes over partitions");
        world.produce(&records(100).1);
        until("all is committed", LIMIT, || {
            (world.committed_records(program) == 400 + more).then_some(())
        });
        let done = terminate(following);
        assert_eq!(done.number("consumed"), 400 + more, "{program}");
        assert_eq!(world.committed_records(program), 400 + more);
        let done = world.run(program, &[]).exits(0);
        assert_eq!(done.number("consumed"), 0, "{program}");
    }
    assert_eq!(world.counted(), 800);
}

/// Stopped in the middle: what was consumed before and after adds up, so nothing is repeated and nothing left out.
#[test]
fn a_run_that_is_stopped_in_the_middle_leaves_the_rest_to_the_next() {
    const USERS: u64 = 20_000;
    let Some(world) = World::own() else { return };
    let (ids, records) = of_many_countries(USERS as usize);
    world.produce(&records);
    let stored = || world.user_count() as u64;
    let counted = || world.counted() as u64;
    let jobs: [(&str, &dyn Fn() -> u64); 2] =
        [("transform-store", &stored), ("aggregate", &counted)];
    for (program, progress) in jobs {
        let running = world.spawn(program, &[]);
        until("progress", LIMIT, || (progress() > 500).then_some(()));
        let done = terminate(running);
        let first = done.number("consumed");
        assert!((500..USERS).contains(&first), "{program}: in the middle");
        assert_eq!(done.summary["interrupted"], true, "{program}");
        assert_eq!(world.committed_records(program), first, "{program}");
        assert_eq!(progress(), first, "{program}");
        let done = world.run(program, &[]).exits(0);
        assert_eq!(first + done.number("consumed"), USERS, "{program}");
        assert_eq!(done.summary.get("interrupted"), None, "{program}");
    }
    assert_eq!(counted(), USERS);
    let users = world.users();
    assert!(ids.iter().all(|id| users.contains_key(id)));
}

#[test]
fn a_fetch_that_is_stopped_publishes_the_rest_in_the_next_run() {
    let Some(world) = World::own() else { return };
    let api = Api::start();
    let arguments = [
        "--users",
        "4000",
        "--seed",
        "stop",
        "--page-size",
        "100",
        "--api-url",
        &api.url(),
    ];
    let running = world.spawn(
        "fetch-publish",
        &[&arguments[..], &["--rate", "2000"]].concat(),
    );
    until("some are landed", LIMIT, || {
        (world.sql_number("SELECT count(*) FROM landed_users") > 300).then_some(())
    });
    let first = terminate(running);
    let fetched = first.number("fetched");
    assert!(fetched < 4000, "it was stopped before its end");
    let landed = world.landed();
    assert_eq!(landed.len() as u64, fetched);

    let second = world.run("fetch-publish", &arguments).exits(0);
    assert_eq!(second.number("already_landed"), fetched);
    assert_eq!(first.number("published") + second.number("published"), 4000);
    assert!(world.landed().iter().all(|user| user.published.is_some()));
    assert_eq!(world.records().len(), 4000, "nothing is published twice");
}
