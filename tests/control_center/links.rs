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
    assert!(visited.len() > 5, "only {} pages", visited.len());
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
