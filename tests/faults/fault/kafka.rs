//! Kafka ends, stands still, forgets, or takes nothing.

use std::time::{Duration, Instant};

use crate::fault::records::bad_records;
use crate::fault::servers;
use crate::ground::Ground;
use crate::job::{CONSUMING, Job};
use crate::process::LIMIT;
use crate::stack::{Server, Signal};

pub fn killed(ground: &mut Ground) {
    servers::ends(ground, Server::Kafka, Signal::Kill, 4);
}

pub fn restarted(ground: &mut Ground) {
    servers::ends(ground, Server::Kafka, Signal::End, 3);
}

pub fn stands_still(ground: &mut Ground) {
    servers::stands_still(ground, Server::Kafka);
}

/// Services end and say why. The next runs do not take the new topic for the old one.
pub fn topic_made_anew(ground: &mut Ground) {
    let mut pipeline = ground.pipeline();
    ground.round();
    pipeline.fill(2_000);
    for job in CONSUMING {
        pipeline.complete(|| pipeline.start(job, &[]));
    }
    let services = pipeline.at_work(&["--follow"]);
    let world = &pipeline.world;
    world.delete_topics(&[&world.topic]);
    std::thread::sleep(Duration::from_secs(2));
    world
        .run("streamflow", &["init", "--retention", "36500d"])
        .exits(0);
    for service in services {
        let (job, asked) = (service.job, Instant::now());
        let done = service.finish_within(Duration::from_secs(90));
        println!(
            "{}: exit code {} after {:?}",
            job.program(),
            done.code,
            asked.elapsed()
        );
        assert!([69, 78].contains(&done.code), "{}", done.texts());
    }
    // Kafka has forgotten the group's offsets with the topic, the summaries have not.
    let run = |job| pipeline.start(job, &[]).finish_within(LIMIT);
    assert_eq!(run(Job::TransformStore).exits(0).number("consumed"), 0);
    run(Job::Aggregate).exits(78).says(&["offset"]);
}

/// The topic is gone: a letter cannot be delivered, however often it is tried.
pub fn letters_refused(ground: &mut Ground) {
    let mut pipeline = ground.pipeline();
    ground.round();
    pipeline.fill(2_000);
    let services = pipeline.at_work(&["--follow"]);
    let world = &pipeline.world;
    let letters = world.dead_letter_topic();
    world.delete_topics(&[&letters]);
    world.produce(&bad_records(20));
    for service in services {
        let job = service.job;
        let done = service.finish_within(LIMIT);
        assert!([69, 78].contains(&done.code), "{}", done.texts());
        done.says(&[&letters]);
        assert!(pipeline.backlog(job) >= 20, "no bad record is skipped");
    }
    world
        .run("streamflow", &["init", "--retention", "36500d"])
        .exits(0);
    pipeline.settle_and_check();
}
