//! Every outcome of an explanation, made for real, on the page and on the command line.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::api::Api;
use crate::center::{Center, without};
use crate::event::{NEW_YEAR_MS, event, record};
use crate::logins::{accounts, log_in};
use crate::process::Finished;
use crate::tables_of::LandedUser;
use crate::topic::Given;
use crate::world::World;

impl World {
    fn fetch(&self, api: &Api, users: &str) -> Vec<LandedUser> {
        let arguments = ["--users", users, "--seed", "s", "--api-url", &api.url()];
        self.run("fetch-publish", &arguments).exits(0);
        self.landed()
    }

    fn explain(&self, id: Uuid, more: &[&str]) -> Finished {
        let (store, aggregate) = (self.group("transform-store"), self.group("aggregate"));
        let id = id.to_string();
        let mut all = vec!["explain", &id, "--transform-store-group-id", &store];
        all.extend(["--aggregate-group-id", &aggregate]);
        all.extend(more);
        self.run("streamflow", &all)
    }

    fn land(&self, id: Uuid) {
        self.sql(&format!(
            "INSERT INTO landed_users (id, raw, seed, page) VALUES ('{id}', '{{}}', 'by-hand', 7)"
        ));
    }
}

fn address(id: Uuid) -> String {
    format!("/explain?user_id={id}")
}

fn outcome(center: &Center, address: &str) -> Value {
    center.json(address)["outcome"].clone()
}

#[test]
fn every_outcome_is_told_on_the_page_and_on_the_command_line() {
    let Some(world) = World::own() else { return };
    let api = Api::start();
    let landed = world.fetch(&api, "12");
    let [first, second, third, ..] = &landed[..] else {
        panic!("twelve users")
    };
    let center = Center::of(&world, &[]);

    // Published, and not read yet.
    let page = center.page(&address(first.id));
    assert!(
        page.contains("On its way: it is published at partition"),
        "{page}"
    );
    assert!(page.contains("run `transform-store`") && page.contains("sparking_flow"));
    assert_eq!(outcome(&center, &address(first.id))["is"], "on_its_way");
    world
        .explain(first.id, &[])
        .exits(65)
        .says(&["On its way", "seed s, page 1"]);

    // A record that cannot be used, under an id of its own.
    let rejected = Uuid::new_v4();
    let mut bad = event(rejected, 1);
    bad["street_number"] = json!("a text");
    world.produce(&[record(&bad)]);
    for program in ["transform-store", "aggregate"] {
        world.run(program, &[]).exits(0);
    }

    // Stored.
    let center = Center::of(&world, &[]);
    let facts = center.json(&address(first.id));
    assert_eq!(facts["outcome"]["is"], "stored", "{facts}");
    let (partition, offset) = first.published.expect("published");
    assert_eq!(facts["landing"]["landed"]["sequence"], first.sequence);
    assert_eq!(facts["landing"]["landed"]["seed"], "s");
    assert_eq!(
        facts["landing"]["landed"]["published"]["partition"],
        partition
    );
    assert_eq!(facts["topic"]["published"]["is"], "here");
    assert_eq!(facts["topic"]["published"]["is_of_this_user"], true);
    assert_eq!(
        facts["row"]["written_by"],
        json!({"partition": partition, "offset": offset})
    );
    for (place, job) in ["transform-store", "aggregate"].iter().enumerate() {
        let group = &facts["groups"][place];
        assert_eq!(
            (&group["job"], &group["passed"]),
            (&json!(job), &json!(true))
        );
    }
    assert!(
        facts["steps"].as_array().is_some_and(|it| it.len() == 2),
        "{facts}"
    );
    center.get(&address(first.id)).is(200).says(&[
        "Found: it is stored in created_users.",
        "Time between the hops",
        "/groups/",
        "/runs",
    ]);
    world
        .explain(first.id, &[])
        .exits(0)
        .says(&["Found: it is stored", "beyond it"]);
    let told = world.explain(first.id, &["--json"]).exits(0);
    assert_eq!(
        (&told.summary["job"], &told.summary["outcome"]["is"]),
        (&json!("explain"), &json!("stored"))
    );

    // Dead-lettered.
    let facts = center.json(&address(rejected));
    let told = json!({"is": "dead_lettered", "reason": "wrong_type", "field": "street_number"});
    assert_eq!(facts["outcome"], told, "{facts}");
    let jobs: Vec<&Value> = facts["letters"]["letters"]
        .as_array()
        .expect("letters")
        .iter()
        .map(|it| &it["job"])
        .collect();
    assert!(jobs.contains(&&json!("transform-store")), "{jobs:?}");
    center
        .get(&address(rejected))
        .says(&["Dead-lettered", "wrong_type", "/dead-letters/"]);
    world
        .explain(rejected, &[])
        .exits(65)
        .says(&["Dead-lettered", "wrong_type (street_number)"]);

    // Settled without a row: filtered, unless the filter is told and keeps the user.
    world.cql(&format!(
        "DELETE FROM KEYSPACE.created_users WHERE id = {}",
        second.id
    ));
    let of = |more: &str| outcome(&center, &format!("{}{more}", address(second.id)));
    assert_eq!(
        of(""),
        json!({"is": "filtered", "by_the_filter_told": false})
    );
    assert_eq!(
        of("&nationalities=zz"),
        json!({"is": "filtered", "by_the_filter_told": true})
    );
    assert_eq!(
        of("&min_age=0"),
        json!({"is": "missing", "cause": "not_stored"})
    );
    world
        .explain(second.id, &["--min-age", "0"])
        .exits(65)
        .says(&["Missing", "--group-id"]);

    // Landed, and not published.
    let unpublished = Uuid::new_v4();
    world.land(unpublished);
    assert_eq!(
        outcome(&center, &address(unpublished))["is"],
        "not_published"
    );
    world
        .explain(unpublished, &[])
        .exits(65)
        .says(&["Landed, not published", "fetch-publish"]);

    // Marked as published where another's record lies.
    let lost = Uuid::new_v4();
    world.land(lost);
    world.sql(&format!(
        "INSERT INTO published_users (sequence, kafka_partition, kafka_offset) SELECT sequence, {partition}, {offset} FROM landed_users \
         WHERE id = '{lost}'"
    ));
    assert_eq!(
        outcome(&center, &address(lost)),
        json!({"is": "missing", "cause": "not_on_topic"})
    );
    center
        .get(&address(lost))
        .says(&["a record of another user"]);

    // Kept apart.
    let apart = Uuid::new_v4();
    world.sql(&format!(
        "INSERT INTO kept_apart_users (reason, field, id, raw, fingerprint, seed, page) \
         VALUES ('missing_field', 'name.first', '{apart}', '{{}}', sha256('{apart}'), 's', 3)"
    ));
    let told = json!({"is": "kept_apart", "reason": "missing_field", "field": "name.first"});
    assert_eq!(outcome(&center, &address(apart)), told);
    world
        .explain(apart, &[])
        .exits(65)
        .says(&["Kept apart", "missing_field (name.first)"]);

    // Nobody knows it.
    let nobody = Uuid::new_v4();
    assert_eq!(
        outcome(&center, &address(nobody)),
        json!({"is": "missing", "cause": "never_seen"})
    );
    world
        .explain(nobody, &[])
        .exits(65)
        .says(&["Missing: no server knows this id"]);

    // Its record is removed by retention, and so nobody can tell.
    world.cql(&format!(
        "DELETE FROM KEYSPACE.created_users WHERE id = {}",
        third.id
    ));
    let (partition, offset) = third.published.expect("published");
    world.remove_records_before(partition, offset + 1);
    let center = Center::of(&world, &[]);
    let facts = center.json(&address(third.id));
    assert_eq!(facts["outcome"]["is"], "unknown", "{facts}");
    assert_eq!(facts["topic"]["published"]["is"], "removed");
    world
        .explain(third.id, &[])
        .exits(65)
        .says(&["Unknown", "removed by retention"]);
}

#[test]
fn what_cleaning_changed_is_told_and_what_is_personal_is_hidden() {
    let Some(world) = World::shared() else { return };
    let id = Uuid::new_v4();
    let mut event = event(id, 5);
    event["first_name"] = json!("  Zebediah ");
    event["gender"] = json!("FEMALE");
    event["email"] = json!("Zeb@Example.com");
    // Twice, as a crash between the acknowledgement and the mark leaves it.
    world.produce(&[record(&event), record(&event)]);
    world.run("transform-store", &[]).exits(0);
    let accounts = accounts();
    let center = Center::with(
        &world,
        &[],
        &[("STREAMFLOW_CONTROL_CENTER_ACCOUNTS", &accounts)],
    );
    let viewer = log_in(&center, "vi");
    let admin = log_in(&center, "ada");

    let page = center
        .get_with(&address(id), &[("cookie", &viewer)])
        .is(200);
    page.says(&[
        "changed by cleaning",
        "•••",
        "Records of this id",
        "All of live_",
    ]);
    for personal in ["Zebediah", "example.com", "Long Street", "017684"] {
        assert!(!page.text.contains(personal), "{personal}");
    }
    assert!(
        !page.text.contains("reveal=true"),
        "no link that would be refused"
    );
    let json = center
        .get_with(
            &address(id),
            &[("cookie", &viewer), ("accept", "application/json")],
        )
        .is(200);
    assert!(!json.text.contains("Zebediah") && !json.text.contains("Long Street"));
    let facts: Value = serde_json::from_str(&json.text).expect("JSON");
    let changed: Vec<&str> = facts["fields"]
        .as_array()
        .expect("fields")
        .iter()
        .filter(|it| it["changed"] == true)
        .filter_map(|it| it["name"].as_str())
        .collect();
    assert_eq!(changed, ["first_name", "gender", "email"]);
    assert_eq!(facts["topic"]["records"].as_array().map(Vec::len), Some(2));

    let revealing = format!("{}&reveal=true", address(id));
    center.get_with(&revealing, &[("cookie", &viewer)]).is(403);
    let page = center.get_with(&revealing, &[("cookie", &admin)]).is(200);
    page.says(&["Zebediah", "zeb@example.com", "Long Street"]);
    center
        .get_with("/audit", &[("cookie", &admin)])
        .is(200)
        .says(&["reveal", &id.to_string()]);

    // Somebody has changed the row.
    world.cql(&format!(
        "UPDATE KEYSPACE.created_users USING TIMESTAMP {} SET gender = 'x' WHERE id = {id}",
        (NEW_YEAR_MS + 1) * 1000
    ));
    center
        .get_with(&address(id), &[("cookie", &viewer)])
        .is(200)
        .says(&["the table has something else"]);

    let told = world.explain(id, &[]);
    assert!(!told.texts().contains("Zebediah"), "{}", told.texts());
    world.explain(id, &["--reveal"]).says(&["Zebediah"]);
}

#[test]
fn a_server_that_is_down_takes_only_its_own_facts_away() {
    let Some(world) = World::own() else { return };
    let api = Api::start();
    let id = world.fetch(&api, "3")[0].id;
    world.run("transform-store", &[]).exits(0);
    for (variable, outcome, missed, there) in [
        ("DATABASE_URL", "stored", "landing", ["topic", "row"]),
        (
            "KAFKA_BOOTSTRAP_SERVERS",
            "stored",
            "topic",
            ["landing", "row"],
        ),
        (
            "CASSANDRA_CONTACT_POINTS",
            "unanswered",
            "row",
            ["landing", "topic"],
        ),
    ] {
        let nowhere = without(variable);
        let variables: Vec<(&str, &str)> = nowhere
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let center = Center::with(&world, &[], &variables);
        center.get(&address(id)).is(200).says(&["What to do"]);
        let facts = center.json(&address(id));
        assert_eq!(facts["outcome"]["is"], outcome, "{variable}: {facts}");
        assert!(
            facts[missed]["error"]["message"].is_string(),
            "{variable}: {facts}"
        );
        for part in there {
            assert!(
                facts[part].is_object() && facts[part]["error"].is_null(),
                "{variable} {part}: {facts}"
            );
        }
        let (store, id) = (world.group("transform-store"), id.to_string());
        let arguments = ["explain", &id, "--transform-store-group-id", &store];
        world
            .run_with("streamflow", &arguments, &variables)
            .exits(69);
    }
}

#[test]
fn an_id_that_is_none_is_refused_and_the_form_shows_some() {
    let Some(world) = World::own() else { return };
    let center = Center::of(&world, &[]);
    center
        .get("/explain")
        .is(200)
        .says(&["No user has landed yet", "fetch-publish"]);
    let id = Uuid::new_v4();
    world.land(id);
    center.get("/explain").is(200).says(&[&address(id)]);
    for hostile in [
        "%3Cscript%3Ealert(1)%3C/script%3E",
        "%00",
        "..%2F..",
        "1",
        "%F0%9F%98%80",
        "%E2%80%AE",
    ] {
        let answer = center.get(&format!("/explain?user_id={hostile}")).is(400);
        answer.says(&[
            "this is no id of a user",
            "0b8a1c5e-35c1-4d5c-8b8f-6b8f3a1d2c3e",
        ]);
        assert!(!answer.text.contains("<script>alert"));
    }
    center
        .get(&format!("/explain?user_id={id}&min_age=old"))
        .is(400)
        .says(&["no number of years"]);
    world.run("streamflow", &["explain", "no-id"]).exits(2);
}

#[test]
fn a_long_topic_is_searched_further_on_request_where_the_record_is_known() {
    let Some(world) = World::own() else { return };
    let id = Uuid::new_v4();
    let [first, place] = [0, 1].map(|_| {
        let record = Given {
            partition: Some(0),
            ..record(&event(id, 1))
        };
        world.produce(&[record])[0]
    });
    world.land(id);
    world.sql(&format!(
        "INSERT INTO published_users (sequence, kafka_partition, kafka_offset) SELECT sequence, {}, {} FROM landed_users WHERE id = '{id}'",
        place.0, place.1
    ));
    let other = Given {
        value: Some(b"{}".to_vec()),
        partition: Some(0),
        ..Given::default()
    };
    world.produce(&vec![other; 60_000]);
    let center = Center::of(&world, &[]);
    let page = center.get(&address(id)).is(200);
    let further =
        format!("/explain?user_id={id}&#38;min_age=&#38;nationalities=&#38;thorough=true");
    page.says(&["Look further", &further]);
    let facts = center.json(&address(id));
    assert_eq!(facts["topic"]["published"]["is_of_this_user"], true);
    assert_eq!(facts["topic"]["records"], json!([]), "{facts}");

    let facts = center.json(&format!("{}&thorough=true", address(id)));
    assert_eq!(facts["topic"]["searched"]["left"], 0, "{facts}");
    let found = &facts["topic"]["records"][0];
    assert_eq!(
        (&found["partition"], &found["offset"]),
        (&json!(first.0), &json!(first.1))
    );
    let page = center.page(&format!("{}&thorough=true", address(id)));
    assert!(!page.contains("Look further"), "{page}");
}

#[test]
fn a_viewer_cannot_find_out_an_age_by_the_filter() {
    let Some(world) = World::shared() else { return };
    let accounts = accounts();
    let center = Center::with(
        &world,
        &[],
        &[("STREAMFLOW_CONTROL_CENTER_ACCOUNTS", &accounts)],
    );
    let id = Uuid::new_v4();
    let asked = format!("{}&min_age=40", address(id));
    for (name, status) in [("vi", 403), ("oz", 200), ("ada", 200)] {
        let cookie = log_in(&center, name);
        let headers = [("cookie", cookie.as_str())];
        let answer = center.get_with(&asked, &headers).is(status);
        if status == 403 {
            answer.says(&["takes the role operator"]);
        }
        let form = center.get_with("/explain", &headers).is(200);
        assert_eq!(form.text.contains("youngest age"), status == 200, "{name}");
        let by_country = format!("{}&nationalities=gb", address(id));
        center.get_with(&by_country, &headers).is(200);
    }
}

#[test]
fn hostile_bytes_of_a_record_and_of_its_letter_stay_text() {
    let Some(world) = World::shared() else { return };
    let id = Uuid::new_v4();
    let hostile = format!("<script>alert('{id}')</script>\u{202e}\u{0}");
    world.produce(&[Given {
        key: Some(id.to_string().into_bytes()),
        value: Some(hostile.into_bytes()),
        timestamp_ms: Some(NEW_YEAR_MS),
        foreign_header: Some(b"<img src=x>\xff".to_vec()),
        ..Given::default()
    }]);
    world.run("transform-store", &[]).exits(0);
    let center = Center::of(&world, &[]);
    let page = center.get(&address(id)).is(200);
    page.says(&["Dead-lettered", "invalid_json"]);
    for bad in ["<script>alert", "<img", "\u{202e}", "\u{0}"] {
        assert!(!page.text.contains(bad), "{bad:?}");
    }
}
