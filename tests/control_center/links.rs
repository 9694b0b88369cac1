//! Every link leads somewhere, and following them changes nothing.

use std::collections::BTreeMap;

use crate::center::Center;
use crate::crawl::crawl;
use crate::topic::Given;
use crate::world::World;

#[test]
fn no_link_is_dead_and_looking_changes_nothing() {
    let Some(world) = World::own() else { return };
    let record = |value: &str| Given {
        key: Some(b"a key".to_vec()),
        value: Some(value.as_bytes().to_vec()),
        ..Given::default()
    };
    world.produce(&[record("no JSON"), record("{}")]);
    world.run("transform-store", &["--until-latest"]).exits(0);
    let center = Center::of(&world, &[]);
    let before = State::of(&world);
    let visited = crawl(
        &world,
        &center,
        &["/", "/login", "/settings", "/assets/style.css"],
        &[],
    );
    let dead: Vec<String> = visited
        .iter()
        .filter(|it| !matches!(it.answer.status, 200 | 303 | 307 | 308))
        .map(|it| {
            format!(
                "{} (linked at {}): {}\n{}",
                it.address, it.from, it.answer.status, it.answer.text
            )
        })
        .collect();
    assert!(dead.is_empty(), "{}", dead.join("\n"));
    let topic = format!("/clusters/controlcenter.cluster/topics/{}", world.topic);
    let letter = world
        .dead_letters()
        .first()
        .map(|it| (it.partition, it.offset))
        .expect("a dead letter");
    for linked in [
        "/clusters".to_owned(),
        "/clusters/controlcenter.cluster".to_owned(),
        "/clusters/controlcenter.cluster/topics".to_owned(),
        topic.clone(),
        format!("{topic}/messages"),
        format!("{topic}/tail"),
        format!("{topic}/schema"),
        "/groups".to_owned(),
        format!("/groups/{}", world.group("transform-store")),
        "/dead-letters".to_owned(),
        format!("/dead-letters/{}/{}", letter.0, letter.1),
        "/runs".to_owned(),
        "/explain".to_owned(),
        "/reconcile".to_owned(),
        "/schemas".to_owned(),
        "/tables/created_users".to_owned(),
        "/tables/user_summaries".to_owned(),
        "/throughput".to_owned(),
        "/health".to_owned(),
    ] {
        assert!(
            visited
                .iter()
                .any(|it| it.address == linked && it.answer.status == 200),
            "no way to {linked}"
        );
    }
    assert!(visited.len() > 40, "only {} pages", visited.len());
    assert_eq!(State::of(&world), before);
}

/// What a look must not change.
#[derive(Debug, PartialEq, Eq)]
struct State {
    records: u64,
    dead_letters: usize,
    committed: BTreeMap<i32, i64>,
    deeds: i64,
}

impl State {
    fn of(world: &World) -> Self {
        let url = world.base.servers.database(&world.base.database);
        let deeds = crate::servers::wait(async {
            let client = crate::servers::connect(&url).await?;
            client
                .query_one("SELECT count(*) FROM control_center_audit", &[])
                .await
        });
        Self {
            records: world.record_count(),
            dead_letters: world.dead_letters().len(),
            committed: world.committed("transform-store"),
            deeds: deeds.expect("the audit log").get(0),
        }
    }
}
