//! Records that cannot be used, come again, or come late.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::event::{NEW_YEAR_MS, event, record};
use crate::ground::Ground;
use crate::job::{CONSUMING, Job};
use crate::process::LIMIT;
use crate::topic::Given;

/// One of each kind.
fn bad_values() -> Vec<Option<Vec<u8>>> {
    let good = event(Uuid::new_v4(), 1);
    let with = |field: &str, value: Value| {
        let mut event = good.clone();
        event[field] = value;
        Some(event.to_string().into_bytes())
    };
    vec![
        None,
        Some(Vec::new()),
        Some(b"{\"id\": ".to_vec()),
        Some(b"\xff\xfe\xfd".to_vec()),
        Some(b"[]".to_vec()),
        Some(b"null".to_vec()),
        Some(b"\0\0\0".to_vec()),
        Some("[".repeat(10_000).into_bytes()),
        with("id", Value::Null),
        with("id", json!("7")),
        with("first_name", json!("  ")),
        with("last_name", json!(7)),
        with("dob", json!("1990-02-30T00:00:00.000Z")),
        with("city", json!("x".repeat(100_000))),
        with("street_number", json!(1.5)),
    ]
}

pub fn bad_records(count: usize) -> Vec<Given> {
    let values = bad_values();
    let given = |value: &Option<Vec<u8>>| Given {
        value: value.clone(),
        ..Given::default()
    };
    values.iter().cycle().take(count).map(given).collect()
}

pub fn poison(ground: &mut Ground) {
    let mut pipeline = ground.pipeline();
    for count in [15, ground.choose(1_500, 15_000)] {
        ground.round();
        let before = pipeline.world.dead_letters().len();
        pipeline.world.produce(&bad_records(count));
        pipeline.fill(1_000);
        pipeline.settle();
        // Of both jobs.
        let letters = pipeline.world.dead_letters().len() - before;
        assert_eq!(letters, 2 * count);
    }
    pipeline.check();
}

pub fn too_many_dead_letters(ground: &mut Ground) {
    let mut pipeline = ground.pipeline();
    ground.round();
    pipeline.fill(2_000);
    pipeline.world.produce(&bad_records(300));
    for job in CONSUMING {
        let run = pipeline.start(job, &["--max-dead-letters", "5%"]);
        let done = run.finish_within(LIMIT).exits(65);
        done.says(&["dead letters", "--max-dead-letters"]);
    }
    pipeline.settle_and_check();
}

pub fn offsets_reset(ground: &mut Ground) {
    let mut pipeline = ground.pipeline();
    for _ in ground.rounds(1, 3) {
        pipeline.fill(ground.choose(5_000, 20_000));
        for job in CONSUMING {
            pipeline.complete(|| pipeline.start(job, &[]));
            pipeline.world.forget_group(job.program());
        }
    }
    pipeline.settle_and_check();
}

pub fn published_twice(ground: &mut Ground) {
    let mut pipeline = ground.pipeline();
    for _ in ground.rounds(1, 3) {
        pipeline.fill(ground.choose(5_000, 20_000));
        for job in CONSUMING {
            pipeline.complete(|| pipeline.start(job, &[]));
        }
        pipeline.world.sql("TRUNCATE published_users");
    }
    pipeline.settle_and_check();
    let landed = pipeline.landed();
    let counted = pipeline.world.counted().unsigned_abs();
    assert_eq!(counted, landed, "each user counts once");
}

pub fn old_after_new(ground: &mut Ground) {
    let pipeline = ground.pipeline();
    for _ in ground.rounds(1, 3) {
        let ids: Vec<Uuid> = (0..1_000).map(|_| Uuid::new_v4()).collect();
        let at = |name: &str, timestamp_ms: i64| -> Vec<Given> {
            let one = |(number, &id): (usize, &Uuid)| {
                let mut event = event(id, number);
                event["first_name"] = json!(name);
                Given {
                    timestamp_ms: Some(timestamp_ms),
                    ..record(&event)
                }
            };
            ids.iter().enumerate().map(one).collect()
        };
        pipeline.world.produce(&at("New", NEW_YEAR_MS + 1_000));
        pipeline.complete(|| pipeline.start(Job::TransformStore, &[]));
        pipeline.world.produce(&at("Old", NEW_YEAR_MS));
        pipeline.complete(|| pipeline.start(Job::TransformStore, &[]));
        let users = pipeline.world.users();
        for id in &ids {
            assert_eq!(users[id].first_name, "New");
        }
    }
    pipeline.settle_and_check();
}
