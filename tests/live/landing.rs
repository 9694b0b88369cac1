//! The landing: each record once, whatever comes a second time, however it comes.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::api::Api;
use crate::event::NEW_YEAR_MS;
use crate::process::Finished;
use crate::recorded::{PAGE_SIZE, RecordedApi};
use crate::tables::LandedUser;
use crate::world::World;

const COUNTS: [&str; 6] = [
    "fetched",
    "landed",
    "already_landed",
    "conflicting",
    "rejected",
    "published",
];

fn ids(count: usize) -> Vec<Uuid> {
    (0..count).map(|_| Uuid::new_v4()).collect()
}

fn user(id: Uuid, name: &str, age: u32) -> String {
    let date = "1980-01-01T00:00:00.000Z";
    json!({
        "gender": "female",
        "name": {"title": "Ms", "first": name, "last": "Löve"},
        "location": {"street": {"number": 1, "name": "A"}, "city": "B", "state": "C", "country": "D", "postcode": "E"},
        "email": "a@example.com",
        "login": {"uuid": id, "username": "u"},
        "dob": {"date": date, "age": age},
        "registered": {"date": date, "age": 3},
        "phone": "1",
        "picture": {"medium": "https://example.com/1.jpg"},
        "nat": "GB",
    })
    .to_string()
}

fn all_new(ids: &[Uuid]) -> Vec<String> {
    ids.iter().map(|&id| user(id, "Ada", 40)).collect()
}

/// Fetches all of them, in pages of [`PAGE_SIZE`].
fn fetch(world: &World, records: &[String]) -> Finished {
    let records: Vec<_> = records
        .iter()
        .map(|it| (String::new(), it.clone()))
        .collect();
    let api = RecordedApi::start(&records);
    let (users, page_size) = (records.len().to_string(), PAGE_SIZE.to_string());
    let arguments = [
        "--users",
        &users,
        "--page-size",
        &page_size,
        "--seed",
        "s",
        "--api-url",
        &api.url,
    ];
    world.run("fetch-publish", &arguments)
}

fn ids_and_raws(landed: &[LandedUser]) -> Vec<(Uuid, String)> {
    landed.iter().map(|it| (it.id, it.raw.clone())).collect()
}

#[test]
fn a_record_that_comes_again_lands_once_and_another_one_is_kept_apart_once() {
    let Some(world) = World::own() else { return };
    let known = ids(2 * PAGE_SIZE);
    let new = ids(PAGE_SIZE);
    let mut records = all_new(&known);
    // Known and new ones in turns: the same, with another age, in another order of names, and another person.
    for (place, (&known, &new)) in known.iter().zip(&new).enumerate() {
        records.push(match place % 4 {
            0 => user(known, "Ada", 40),
            1 => user(known, "Ada", 41),
            2 => {
                let user = user(known, "Ada", 42);
                format!(
                    r#"{{ "nat": "GB",{}"#,
                    user.trim_start_matches('{').replace(r#","nat":"GB""#, "")
                )
            }
            _ => user(known, "Eve", 40),
        });
        records.push(user(new, "Ada", 40));
    }
    // New ones that come twice within their page: the same, and another person.
    let twice = ids(2);
    let once = ids(PAGE_SIZE - 5);
    records.extend(all_new(&once));
    records.push(user(twice[0], "Ada", 40));
    records.push(user(twice[1], "Ada", 40));
    records.push(user(twice[0], "Ada", 41));
    records.push(user(twice[1], "Eve", 40));
    records.push(user(twice[1], "Eve", 41));

    let done = fetch(&world, &records).exits(0);
    let conflicting_with_known = PAGE_SIZE as u64 / 4;
    let landed = (known.len() + new.len() + once.len() + twice.len()) as u64;
    let conflicting = conflicting_with_known + 2;
    let all = records.len() as u64;
    let already_landed = all - landed - conflicting;
    assert_eq!(
        done.numbers(COUNTS),
        [all, landed, already_landed, conflicting, 0, landed]
    );
    let expected: Vec<Uuid> = [&known[..], &new, &once, &twice].concat();
    let in_postgres = world.landed();
    let expected: Vec<_> = expected
        .iter()
        .map(|&id| (id, user(id, "Ada", 40)))
        .collect();
    assert_eq!(ids_and_raws(&in_postgres), expected, "in their order");
    let kept_apart = world.kept_apart();
    // One person of the two with one id and two ages.
    assert_eq!(kept_apart.len() as u64, conflicting - 1);
    for kept in &kept_apart {
        assert_eq!(kept.reason, "conflicting");
        assert_eq!(kept.field.as_deref(), Some("login.uuid"));
        let raw: Value = serde_json::from_str(&kept.raw).expect("JSON");
        assert_eq!(raw["name"]["first"], "Eve");
        assert_eq!(raw["login"]["uuid"], json!(kept.id));
    }

    let again = fetch(&world, &records).exits(0);
    let already_landed = landed + already_landed;
    assert_eq!(
        again.numbers(COUNTS),
        [all, 0, already_landed, conflicting, 0, 0]
    );
    assert_eq!(world.landed(), in_postgres);
    assert_eq!(world.kept_apart(), kept_apart);
    assert_eq!(world.records().len() as u64, landed);
}

#[test]
fn two_that_land_the_same_pages_at_once_land_each_user_once() {
    let Some(world) = World::own() else { return };
    let api = Api::start();
    let url = api.url();
    let arguments = ["--users", "3000", "--seed", "same", "--api-url", &url];
    let arguments = [&arguments[..], &["--page-size", "100"]].concat();
    let start = || world.spawn("fetch-publish", &arguments);
    let (one, two, three) = (start(), start(), start());
    let done = [one, two, three].map(|it| it.finish().exits(0));
    let sum = |name: &str| done.iter().map(|it| it.number(name)).sum::<u64>();
    assert_eq!(
        COUNTS.map(sum),
        [9000, 3000, 6000, 0, 0, 3000],
        "of all three"
    );
    let landed = world.landed();
    assert_eq!(landed.len(), 3000);
    assert!(landed.iter().all(|it| it.published.is_some()));
    assert_eq!(world.records().len(), 3000);
}

#[test]
fn a_page_that_breaks_off_leaves_nothing() {
    let Some(world) = World::own() else { return };
    let ids = ids(3 * PAGE_SIZE);
    let mut records = all_new(&ids);
    // Kept apart in the transaction of its page, too.
    records[PAGE_SIZE] = r#"{"login":{}}"#.to_owned();
    let broken = ids[2 * PAGE_SIZE - 1];
    world.sql(&format!(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'refused'; END $$; \
         CREATE TRIGGER refuse BEFORE INSERT ON landed_users FOR EACH ROW WHEN (NEW.id = '{broken}') EXECUTE FUNCTION refuse()"
    ));
    let done = fetch(&world, &records);
    assert_ne!(done.code, 0);
    let expected =
        |ids: &[Uuid]| -> Vec<_> { ids.iter().map(|&id| (id, user(id, "Ada", 40))).collect() };
    assert_eq!(
        ids_and_raws(&world.landed()),
        expected(&ids[..PAGE_SIZE]),
        "the page before"
    );
    assert_eq!(world.kept_apart(), []);

    world.sql("DROP TRIGGER refuse ON landed_users");
    let done = fetch(&world, &records).exits(0);
    let page = PAGE_SIZE as u64;
    assert_eq!(
        done.numbers(["landed", "already_landed", "rejected"]),
        [2 * page - 1, page, 1]
    );
    let rest = [&ids[..PAGE_SIZE], &ids[PAGE_SIZE + 1..]].concat();
    assert_eq!(ids_and_raws(&world.landed()), expected(&rest));
    assert_eq!(world.kept_apart().len(), 1);
}

#[test]
fn who_lands_by_hand_meanwhile_disturbs_nobody() {
    let Some(world) = World::own() else { return };
    let ids = ids(4 * PAGE_SIZE);
    // Numbers are drawn by somebody else, too.
    world.sql(
        "CREATE FUNCTION draw() RETURNS trigger LANGUAGE plpgsql AS $$ \
         BEGIN PERFORM nextval('landed_users_sequence_seq'); RETURN NEW; END $$; \
         CREATE TRIGGER draw BEFORE INSERT ON landed_users FOR EACH ROW \
         WHEN (NEW.raw::json ->> 'gender' = 'female' AND NEW.id::text < '4') EXECUTE FUNCTION draw()",
    );
    let records = all_new(&ids);
    let done = fetch(&world, &records).exits(0);
    assert_eq!(done.numbers(["landed", "published"]), [200, 200]);
    let landed = world.landed();
    let expected: Vec<_> = ids.iter().map(|&id| (id, user(id, "Ada", 40))).collect();
    assert_eq!(ids_and_raws(&landed), expected);
    let (first, last) = (landed[0].sequence, landed[199].sequence);
    assert!(last - first > 199, "there are gaps");
    let topic = world.records();
    assert_eq!(topic.len(), 200);
    for user in &landed {
        let (partition, offset) = user.published.expect("published");
        let record = topic
            .iter()
            .find(|it| (it.partition, it.offset) == (partition, offset));
        let record = record.expect("it is where the mark says");
        assert_eq!(record.key_text(), user.id.to_string());
        assert!(record.timestamp_ms > NEW_YEAR_MS);
        let sequence = record.header("sequence").expect("a sequence");
        assert!(sequence.ends_with(&user.sequence.to_string()), "{sequence}");
    }
}

#[test]
fn a_landing_of_the_version_before_is_taken_over() {
    let Some(world) = World::own() else { return };
    let api = Api::start();
    let url = api.url();
    let fetch = |users: &str| {
        let arguments = ["--users", users, "--seed", "old", "--api-url", &url];
        world.run("fetch-publish", &arguments).exits(0)
    };
    fetch("100");
    let before = world.landed();

    // As V4 left it, landed by its own function.
    let sql = include_str!("../../sql/V2__published_users.sql");
    let function = sql
        .rfind("CREATE FUNCTION land_users")
        .expect("it is there");
    world.sql(
        "CREATE TABLE fetched AS SELECT id, raw, sequence FROM landed_users; TRUNCATE landed_users; \
         ALTER TABLE landed_users ADD COLUMN fingerprint bytea NOT NULL; \
         ALTER TABLE landed_users ALTER COLUMN raw TYPE json USING raw::json; \
         DELETE FROM refinery_schema_history WHERE version > 4",
    );
    world.sql(&sql[function..]);
    world.sql(
        "SELECT land_users('old', 1, array_agg(id ORDER BY sequence), array_agg(raw::text ORDER BY sequence), \
         array_agg(sha256(convert_to(raw::text, 'UTF8')) ORDER BY sequence)) FROM fetched; DROP TABLE fetched",
    );
    assert_eq!(ids_and_raws(&world.landed()), ids_and_raws(&before));

    let init = world.run("streamflow", &["init"]).exits(0);
    init.says(&["V5__", "V6__", "made"]);
    let raw = "SELECT data_type FROM information_schema.columns WHERE table_name = 'landed_users' AND column_name = 'raw'";
    assert_eq!(world.sql_text(raw), "text");
    let columns = "SELECT count(*) FROM information_schema.columns WHERE table_name = 'landed_users' AND column_name = 'fingerprint'";
    assert_eq!(world.sql_number(columns), 0);
    let done = fetch("120");
    assert_eq!(done.numbers(COUNTS), [120, 20, 100, 0, 0, 120]);
    let after = world.landed();
    assert_eq!(ids_and_raws(&after[..100]), ids_and_raws(&before));
    assert!(after.iter().all(|it| it.published.is_some()));
}
