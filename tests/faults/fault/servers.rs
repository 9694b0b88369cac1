//! What can happen to any server while all jobs run.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::ground::Ground;
use crate::job::CONSUMING;
use crate::pipeline::Pipeline;
use crate::stack::{Server, Signal};

/// It ends, and is started again by the stack.
pub fn ends(ground: &mut Ground, server: Server, signal: Signal, rounds: u32) {
    disturbed(ground, rounds, || {
        server.signal(signal);
        server.is_back();
    });
}

/// Requests time out, at the server, too, when it goes on.
pub fn stands_still(ground: &mut Ground, server: Server) {
    disturbed(ground, 2, || {
        server.signal(Signal::Stop);
        std::thread::sleep(Duration::from_secs(20));
        server.signal(Signal::Continue);
        server.is_back();
    });
}

fn disturbed(ground: &mut Ground, rounds: u32, disturb: impl Fn()) {
    ground.disturbs_servers();
    let mut pipeline = ground.pipeline();
    for _ in ground.rounds(1, rounds) {
        let users = ground.choose(10_000, 20_000);
        while_all_jobs_run(&mut pipeline, users, || {
            ground.pause(100, 2_000);
            disturb();
        });
    }
    pipeline.settle_and_check();
}

/// All three jobs at work, restarted when they end, while something is done to a server; then everything to its end.
fn while_all_jobs_run(pipeline: &mut Pipeline, users: u32, disturb: impl FnOnce()) {
    let seed = pipeline.next_seed(users);
    let over = AtomicBool::new(false);
    let (pipeline, over) = (&*pipeline, &over);
    std::thread::scope(|scope| {
        scope.spawn(|| pipeline.complete(|| pipeline.fetch_again(&seed, users)));
        for job in CONSUMING {
            scope.spawn(move || {
                // At least once more after the disturbance.
                loop {
                    let last = over.load(Ordering::Relaxed);
                    pipeline.complete(|| pipeline.start(job, &[]));
                    if last {
                        break;
                    }
                }
            });
        }
        let disturbed = catch_unwind(AssertUnwindSafe(disturb));
        over.store(true, Ordering::Relaxed);
        if let Err(panic) = disturbed {
            resume_unwind(panic);
        }
    });
}
