//! Kafka ends, stands still, forgets, or takes nothing.

use std::time::{Duration, Instant};

use rdkafka::admin::{AlterConfig, ResourceSpecifier};

use crate::fault::servers;
use crate::ground::Ground;
use crate::job::{CONSUMING, Job};
use crate::process::LIMIT;
use crate::servers::{Servers, wait};
use crate::stack::{Server, Signal};
use crate::topic::Given;

pub fn killed(ground: &mut Ground) {
    servers::ends(ground, Server::Kafka, Signal::Kill, 4);
}

pub fn restarted(ground: &mut Ground) {
    servers::ends(ground, Server::Kafka, Signal::End, 3);
}

pub fn stands_still(ground: &mut Ground) {
    servers::stands_still(ground, Server::Kafka);
}

/// Both jobs refuse offsets that the new topic does not have, and say so; under another group they read it from its beginning.
pub fn topic_made_anew(ground: &mut Ground) {
    let mut pipeline = ground.pipeline();
    for _ in ground.rounds(1, 1) {
        pipeline.fill(2_000);
        for job in CONSUMING {
            pipeline.complete(|| pipeline.start(job, &[]));
        }
        let services = CONSUMING.map(|job| {
            let mut service = pipeline.start(job, &["--follow"]);
            service.wait_for_log("takes over partitions");
            service
        });
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
        for job in CONSUMING {
            let done = pipeline.start(job, &[]).finish_within(LIMIT);
            let done = done.exits(78);
            done.says(&["offset"]);
        }
    }
}

/// Fewer replicas in step than the topic asks for: a letter is refused again and again.
pub fn letters_refused(ground: &mut Ground) {
    let mut pipeline = ground.pipeline();
    for _ in ground.rounds(1, 1) {
        pipeline.fill(2_000);
        let world = &pipeline.world;
        let bad = Given {
            value: Some(b"no JSON".to_vec()),
            ..Given::default()
        };
        world.produce(&vec![bad; 20]);
        let letters = world.dead_letter_topic();
        let replicas_in_step = |number| {
            let resource = ResourceSpecifier::Topic(&letters);
            let change = AlterConfig::new(resource).set("min.insync.replicas", number);
            let admin = world.base.servers.kafka_admin();
            let done = wait(admin.alter_configs(&[change], &Servers::admin_options()));
            done.expect("an answer").pop().expect("one").expect("done");
        };
        replicas_in_step("2");
        for job in CONSUMING {
            let done = pipeline.start(job, &[]).finish_within(LIMIT);
            let done = done.exits(69);
            done.says(&[&letters]);
        }
        assert_eq!(world.dead_letters().len(), 0);
        assert!(
            pipeline.backlog(Job::TransformStore) >= 20,
            "no bad record is skipped"
        );
        replicas_in_step("1");
    }
    pipeline.settle_and_check();
}
