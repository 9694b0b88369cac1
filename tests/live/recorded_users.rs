//! Every recorded user ends in the table with the right values, or apart with the right reason.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use uuid::Uuid;

use crate::end_to_end::{assert_is_of, row_of};
use crate::recorded::{PAGE_SIZE, Recorded, RecordedApi};
use crate::world::World;

/// What must become of the records when the first person under an id stays. Told without the project's own functions.
#[derive(Default)]
struct Expected {
    /// The first record of each id, in their order.
    landed: Vec<(Uuid, String)>,
    already_landed: usize,
    conflicting: Vec<(Uuid, String)>,
    without_id: Vec<String>,
}

impl Expected {
    fn of(records: &[(String, String)]) -> Self {
        let mut expected = Self::default();
        let mut people: BTreeMap<Uuid, Value> = BTreeMap::new();
        for (_, raw) in records {
            let mut person: Value = serde_json::from_str(raw).expect("JSON");
            let id = person
                .pointer("/login/uuid")
                .and_then(Value::as_str)
                .map(|id| id.parse::<Uuid>().expect("a UUID"));
            let Some(id) = id else {
                expected.without_id.push(raw.clone());
                continue;
            };
            for moment in ["dob", "registered"] {
                // It follows the clock.
                if let Some(moment) = person.get_mut(moment).and_then(Value::as_object_mut) {
                    moment.remove("age");
                }
            }
            match people.get(&id) {
                None => {
                    expected.landed.push((id, raw.clone()));
                    people.insert(id, person);
                }
                Some(known) if *known == person => expected.already_landed += 1,
                Some(_) => expected.conflicting.push((id, raw.clone())),
            }
        }
        expected
    }
}

fn ids_in(records: &[(String, String)], files: &str) -> BTreeSet<Uuid> {
    let of_files = records.iter().filter(|(file, _)| file.contains(files));
    let id = |raw: &str| {
        let record: Value = serde_json::from_str(raw).ok()?;
        record.pointer("/login/uuid")?.as_str()?.parse().ok()
    };
    of_files.filter_map(|(_, raw)| id(raw)).collect()
}

#[test]
fn every_recorded_user_arrives_or_is_kept_apart_with_the_reason() {
    let test = "every_recorded_user_arrives_or_is_kept_apart_with_the_reason";
    let Some(recorded) = Recorded::read(test) else {
        return;
    };
    let Some(world) = World::own() else { return };
    let records = &recorded.records;
    let api = RecordedApi::start(records);
    let (users, page_size) = (records.len().to_string(), PAGE_SIZE.to_string());
    let arguments = [
        "--users",
        &users,
        "--page-size",
        &page_size,
        "--seed",
        "recorded",
        "--api-url",
        &api.url,
    ];
    let names = [
        "fetched",
        "landed",
        "already_landed",
        "conflicting",
        "rejected",
        "published",
    ];
    let expected = Expected::of(records);
    let [all, landed, conflicting, without_id] = [
        records.len(),
        expected.landed.len(),
        expected.conflicting.len(),
        expected.without_id.len(),
    ]
    .map(|number| number as u64);
    let already_landed = expected.already_landed as u64;

    let done = world.run("fetch-publish", &arguments).exits(0);
    assert_eq!(
        done.numbers(names),
        [all, landed, already_landed, conflicting, without_id, landed]
    );
    assert_eq!(all, landed + already_landed + conflicting + without_id);
    let in_postgres = world.landed();
    let raws = in_postgres
        .iter()
        .map(|it| (it.id, it.raw.clone()))
        .collect::<Vec<_>>();
    assert_eq!(
        raws, expected.landed,
        "the first of each id, as it came, in order"
    );

    let kept_apart = world.kept_apart();
    for (id, raw) in &expected.conflicting {
        let kept = kept_apart
            .iter()
            .find(|it| it.id == Some(*id) && it.raw == *raw);
        let kept = kept.expect("another person under a known id is kept apart");
        assert_eq!(kept.reason, "conflicting");
    }
    for raw in &expected.without_id {
        let kept = kept_apart.iter().find(|it| it.raw == *raw);
        let kept = kept.expect("a record without an id is kept apart");
        assert_eq!(kept.reason, "missing_field");
        assert_eq!(kept.field.as_deref(), Some("login.uuid"));
    }
    assert_eq!(kept_apart.len() as u64, conflicting + without_id);

    // Two versions of the API give two people under the ids of one seed.
    let old = ids_in(records, "v1_3-seed-abc");
    let shared: BTreeSet<Uuid> = ids_in(records, "v1_4-seed-abc")
        .intersection(&old)
        .copied()
        .collect();
    assert_eq!(shared.len(), 40);
    for id in &shared {
        assert!(
            expected
                .conflicting
                .iter()
                .any(|(conflicting, _)| conflicting == id)
        );
    }

    let done = world.run("transform-store", &[]).exits(0);
    let [consumed, stored, filtered, dead_lettered] =
        done.numbers(["consumed", "stored", "filtered", "dead_lettered"]);
    assert_eq!((consumed, filtered), (landed, 0));
    assert_eq!(consumed, stored + dead_lettered);
    let rows = world.users();
    let letters = world.dead_letters();
    assert_eq!(
        (rows.len() as u64, letters.len() as u64),
        (stored, dead_lettered)
    );
    for (id, raw) in &expected.landed {
        match row_of(raw) {
            Ok(row) => {
                assert_eq!(rows.get(id), Some(&row));
                assert_is_of(&row, raw);
            }
            Err(rejection) => {
                let letter = letters.iter().find(|it| it.key_text() == id.to_string());
                let letter = letter.expect("what is not stored is a dead letter");
                assert_eq!(letter.header("reason"), Some(rejection.reason.as_str()));
                assert_eq!(letter.header("field"), rejection.field.as_deref());
            }
        }
    }
    let sound = records
        .iter()
        .filter(|(file, _)| file.starts_with("dev-v1_"));
    for (file, raw) in sound {
        let record: Value = serde_json::from_str(raw).expect("JSON");
        let id: Uuid = record["login"]["uuid"]
            .as_str()
            .expect("an id")
            .parse()
            .expect("a UUID");
        assert!(rows.contains_key(&id), "{file}: nothing is wrong with it");
    }

    let done = world.run("aggregate", &[]).exits(0);
    assert_eq!(
        done.numbers(["consumed", "counted", "dead_lettered"]),
        [landed, stored, dead_lettered]
    );
    let totals = world.totals();
    assert_eq!(world.counted() as u64, stored);

    let done = world.run("fetch-publish", &arguments).exits(0);
    let known = landed + already_landed;
    assert_eq!(
        done.numbers(names),
        [all, 0, known, conflicting, without_id, 0]
    );
    assert_eq!(world.kept_apart(), kept_apart);
    assert_eq!(world.landed(), in_postgres);
    assert_eq!(
        world
            .run("transform-store", &[])
            .exits(0)
            .number("consumed"),
        0
    );
    assert_eq!(world.run("aggregate", &[]).exits(0).number("consumed"), 0);
    assert_eq!(world.users(), rows);
    assert_eq!(world.totals(), totals);
}
