//! `streamflow reconcile`: silent when all is well, and loud about each kind of damage.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::Offset;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::topic_partition_list::TopicPartitionList;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::api::Api;
use crate::event::{event, record, records};
use crate::formats::init;
use crate::process::{Finished, LIMIT};
use crate::registry::registry;
use crate::servers::{Servers, until, wait};
use crate::topic::{Found, Given};
use crate::world::World;

impl World {
    fn reconcile(&self, arguments: &[&str]) -> Finished {
        let groups = ["transform-store", "aggregate"].map(|program| self.group(program));
        let mut all = vec![
            "reconcile",
            "--transform-store-group-id",
            &groups[0],
            "--aggregate-group-id",
            &groups[1],
        ];
        all.extend(arguments);
        self.run("streamflow", &all)
    }

    /// Users of the API, some of which are published twice, and records of others.
    fn fill(&self, api: &Api, others: &[Given]) {
        self.produce(others);
        let fetch = |users: &str| {
            let arguments = ["--users", users, "--seed", "s", "--api-url", &api.url()];
            self.run("fetch-publish", &arguments).exits(0);
        };
        fetch("300");
        // As a crash leaves them between the acknowledgement and the mark.
        self.sql("DELETE FROM published_users WHERE sequence > 260");
        fetch("300");
    }

    fn store_and_count(&self, arguments: &[&str]) {
        for program in ["transform-store", "aggregate"] {
            self.run(program, arguments).exits(0);
        }
    }

    fn landing_id(&self) -> String {
        self.sql_text("SELECT id::text FROM landing")
    }

    /// A dead letter once more, with another origin.
    fn produce_letter(&self, letter: &Found, origin_offset: i64) {
        let client = self.base.servers.kafka_client();
        let producer: BaseProducer = client.create().expect("a producer");
        let mut headers = OwnedHeaders::new();
        let origin_offset = origin_offset.to_string();
        for (key, value) in &letter.headers {
            let is_offset = key == "streamflow-origin-offset";
            let value = Some(if is_offset { &origin_offset } else { value });
            headers = headers.insert(Header { key, value });
        }
        let topic = self.dead_letter_topic();
        let mut copy = BaseRecord::<[u8], [u8]>::to(&topic).headers(headers);
        copy.payload = letter.value.as_deref();
        producer
            .send(copy)
            .map_err(|(error, _)| error)
            .expect("room for a record");
        producer
            .flush(Duration::from_secs(20))
            .expect("acknowledged");
    }
}

/// Records of another producer, the first ones of which cannot be used.
fn others(good: usize) -> Vec<Given> {
    let bad = [&b"no JSON"[..], b"", b"{}", b"\xff"];
    let mut others = records(bad.len() + good).1;
    for (record, bytes) in others.iter_mut().zip(bad) {
        record.value = Some(bytes.to_vec());
    }
    others
}

fn numbers(done: &Finished, hop: &str) -> [u64; 8] {
    let columns = [
        "expected",
        "found",
        "missing",
        "unexpected",
        "different",
        "repeated",
        "open",
        "unknown",
    ];
    columns.map(|column| {
        let number = &done.summary["hops"][hop][column];
        number
            .as_u64()
            .unwrap_or_else(|| panic!("{hop} {column} in {}", done.stdout))
    })
}

#[test]
fn after_good_runs_all_agrees() {
    let Some(world) = World::own() else { return };
    let api = Api::start();
    world.fill(&api, &others(46));
    let before = world.reconcile(&[]).exits(0);
    assert_eq!(
        numbers(&before, "landed_topic"),
        [300, 300, 0, 0, 0, 40, 0, 0]
    );
    assert_eq!(numbers(&before, "topic_table"), [0, 0, 0, 0, 0, 40, 346, 0]);

    world.store_and_count(&[]);
    let asked = ["--seed", "s", "--users", "300", "--api-url", &api.url()];
    let done = world.reconcile(&asked).exits(0);
    assert_eq!(done.summary["job"], "reconcile");
    assert_eq!(done.summary["agrees"], true);
    assert_eq!(done.summary["differences"], json!({}));
    assert_eq!(done.summary["records_of_others"], 50);
    assert_eq!(numbers(&done, "api_landed"), [300, 300, 0, 0, 0, 0, 0, 0]);
    assert_eq!(
        numbers(&done, "landed_topic"),
        [300, 300, 0, 0, 0, 40, 0, 0]
    );
    assert_eq!(numbers(&done, "topic_table"), [346, 346, 0, 0, 0, 40, 0, 0]);
    assert_eq!(
        numbers(&done, "rejected_dead_letters"),
        [8, 8, 0, 0, 0, 0, 0, 0]
    );
    let [expected, found, rest @ ..] = numbers(&done, "topic_summaries");
    assert!(expected > 50 && expected == found, "{}", done.stdout);
    assert_eq!(rest, [0, 0, 0, 40, 0, 0]);
    let [expected, found, rest @ ..] = numbers(&done, "offsets");
    assert!(
        expected == 18 && found == 18 && rest == [0; 6],
        "{}",
        done.stdout
    );
    for line in [
        "API → landed",
        "topic → created_users",
        "50 records of the topic are of other producers",
    ] {
        done.says(&[line]);
    }

    // A user of another seed was never fetched.
    let asked = ["--seed", "t", "--users", "2", "--api-url", &api.url()];
    let done = world.reconcile(&asked).exits(65);
    assert_eq!(done.summary["differences"], json!({"not_landed": 2}));
}

#[test]
fn filters_must_be_those_of_the_jobs() {
    let Some(world) = World::own() else { return };
    let (ids, given) = records(40);
    world.produce(&given);
    let filters = ["--min-age", "30", "--nationalities", "fr"];
    world.store_and_count(&filters);
    let stored = world.users();
    assert!((1..40).contains(&stored.len()));
    let done = world.reconcile(&filters).exits(0);
    let all = stored.len() as u64;
    assert_eq!(numbers(&done, "topic_table"), [all, all, 0, 0, 0, 0, 0, 0]);

    let done = world.reconcile(&["--show", "100"]).exits(65);
    assert_eq!(done.summary["differences"]["not_stored"], 40 - all);
    assert!(done.summary["differences"]["other_number"].as_u64() > Some(0));
    let left_out = ids.iter().filter(|id| !stored.contains_key(id));
    for id in left_out {
        done.says(&[&id.to_string()]);
    }
    let done = world.reconcile(&["--min-age", "150"]).exits(65);
    assert_eq!(done.summary["differences"]["stored_though_left_out"], all);
}

/// One damage after the other: each is found as what it is, beside those that were there before.
#[test]
fn every_damage_is_found_and_named() {
    let Some(world) = World::own() else { return };
    let api = Api::start();
    world.fill(&api, &others(0));
    world.store_and_count(&[]);
    let landed = world.landed();
    let mut found: BTreeMap<&str, u64> = BTreeMap::new();
    let mut expect = |kind: &'static str, hop: &str, column: &str, named: &[&str]| {
        *found.entry(kind).or_default() += 1;
        let done = world.reconcile(&["--show", "1000"]).exits(65);
        assert_eq!(done.summary["differences"], json!(found), "{}", done.stdout);
        assert_eq!(done.summary["agrees"], false);
        let of_hop = &done.summary["hops"][hop][column];
        assert!(
            of_hop.as_u64() >= Some(1),
            "{hop} {column}: {}",
            done.stdout
        );
        done.says(&[kind, "what to do: ", "docs/operations.md"]);
        let section = done
            .stdout
            .split(&format!(" {kind}\n"))
            .nth(1)
            .expect("its section");
        let section = section.split("\n\n").next().expect("its lines");
        for text in named {
            assert!(section.contains(text), "{text} in {section}");
        }
    };

    let deleted = landed[0].id;
    world.cql(&format!(
        "DELETE FROM KEYSPACE.created_users WHERE id = {deleted}"
    ));
    expect(
        "not_stored",
        "topic_table",
        "missing",
        &[&deleted.to_string(), "partition", "offset"],
    );

    let phantom = Uuid::new_v4();
    world.cql(&format!("INSERT INTO KEYSPACE.created_users (id, first_name, last_name) VALUES ({phantom}, 'A', 'B')"));
    expect(
        "never_published",
        "topic_table",
        "unexpected",
        &[&phantom.to_string()],
    );

    let changed = landed[1].id;
    world.cql(&format!(
        "UPDATE KEYSPACE.created_users SET phone = '1' WHERE id = {changed}"
    ));
    expect(
        "other_columns",
        "topic_table",
        "different",
        &[&changed.to_string()],
    );

    let rewritten = world.user(landed[2].id).expect("stored");
    world.cql(&format!(
        "UPDATE KEYSPACE.created_users SET first_name = '{}' WHERE id = {}",
        rewritten.first_name.replace('\'', "''"),
        rewritten.id
    ));
    expect(
        "other_write_time",
        "topic_table",
        "different",
        &[&rewritten.id.to_string()],
    );

    let forgotten = &landed[3];
    world.sql(&format!(
        "DELETE FROM landed_users WHERE sequence = {}",
        forgotten.sequence
    ));
    expect(
        "never_landed",
        "landed_topic",
        "unexpected",
        &[&forgotten.id.to_string(), "landed as 4"],
    );

    let misplaced = &landed[4];
    world.sql(&format!(
        "UPDATE published_users SET kafka_offset = 1000000 WHERE sequence = {}",
        misplaced.sequence
    ));
    expect(
        "not_on_topic",
        "landed_topic",
        "missing",
        &[&misplaced.id.to_string(), "offset 1000000"],
    );

    let renamed = &landed[5];
    let new_id = Uuid::new_v4();
    world.sql(&format!(
        "UPDATE landed_users SET id = '{new_id}' WHERE sequence = {}",
        renamed.sequence
    ));
    expect(
        "other_id_on_topic",
        "landed_topic",
        "different",
        &[&new_id.to_string()],
    );

    let produce = |bytes: Option<&[u8]>, sequence: Option<String>| {
        let id = Uuid::new_v4();
        let mut given = record(&event(id, 1));
        given.sequence = sequence;
        if let Some(bytes) = bytes {
            given.value = Some(bytes.to_vec());
        }
        (id, world.produce(&[given])[0])
    };
    let sequence = format!("{}/123456789", world.landing_id());
    let (id, _) = produce(None, Some(sequence));
    expect(
        "never_landed",
        "landed_topic",
        "unexpected",
        &[&id.to_string(), "landed as 123456789"],
    );

    let (id, _) = produce(None, Some(format!("{}/1", Uuid::new_v4())));
    expect(
        "other_landing",
        "landed_topic",
        "unexpected",
        &[&id.to_string()],
    );

    world.store_and_count(&[]);
    let (id, (partition, offset)) = produce(None, None);
    world.commit(&world.group("transform-store"), partition, offset + 1);
    expect(
        "not_stored",
        "topic_table",
        "missing",
        &[&id.to_string(), &format!("offset {offset}")],
    );

    let (_, (partition, offset)) = produce(Some(b"no JSON"), None);
    world.commit(&world.group("transform-store"), partition, offset + 1);
    let place = format!("partition {partition}, offset {offset}, letter of transform-store");
    expect("no_letter", "rejected_dead_letters", "missing", &[&place]);

    world.run("aggregate", &[]).exits(0);
    let number = format!(
        "WHERE group_id = '{}' AND topic = '{}' AND kafka_partition = 0 AND dimension = 'gender' AND value =",
        world.group("aggregate"),
        world.topic
    );
    world.cql(&format!(
        "UPDATE KEYSPACE.user_summaries SET users = 100000 {number} 'male'"
    ));
    expect(
        "other_number",
        "topic_summaries",
        "different",
        &["gender \"male\": 100000 instead of"],
    );
    world.cql(&format!(
        "DELETE FROM KEYSPACE.user_summaries {number} 'female'"
    ));
    expect(
        "not_counted",
        "topic_summaries",
        "missing",
        &["gender \"female\": 0 instead of"],
    );
    world.cql(&format!(
        "UPDATE KEYSPACE.user_summaries SET users = 3 {number} 'nobody'"
    ));
    expect(
        "counted_without_record",
        "topic_summaries",
        "unexpected",
        &["gender \"nobody\": 3 instead of 0"],
    );

    let letter = world.dead_letters().into_iter().next().expect("a letter");
    world.produce_letter(&letter, 1_000_000);
    expect(
        "no_origin",
        "rejected_dead_letters",
        "unexpected",
        &["offset 1000000"],
    );

    // Both at once: what is beyond the end is beyond the summary, too.
    let end = world.committed("aggregate")[&0];
    world.commit(&world.group("aggregate"), 0, end + 1);
    found.insert("beyond_summary", 1);
    found.insert("beyond_end", 1);
    let done = world.reconcile(&[]).exits(65);
    assert_eq!(done.summary["differences"], json!(found), "{}", done.stdout);
    assert_eq!(done.summary["hops"]["offsets"]["different"], 2);
    done.says(&["partition 0, offset", "the group of aggregate"]);
}

#[test]
fn what_retention_has_removed_is_unknown_and_no_difference() {
    let Some(world) = World::own() else { return };
    let api = Api::start();
    world.fill(&api, &others(0));
    world.store_and_count(&[]);
    let admin = world.base.servers.kafka_admin();
    let mut list = TopicPartitionList::new();
    for (partition, end) in world.committed("transform-store") {
        let half = Offset::Offset(end / 2);
        list.add_partition_offset(&world.topic, partition, half)
            .expect("an offset");
    }
    wait(admin.delete_records(&list, &Servers::admin_options())).expect("records removed");
    let done = world.reconcile(&[]).exits(0);
    for hop in [
        "landed_topic",
        "topic_table",
        "rejected_dead_letters",
        "topic_summaries",
    ] {
        assert!(numbers(&done, hop)[7] > 0, "{hop}: {}", done.stdout);
    }
    // What is left is still looked at.
    let phantom = Uuid::new_v4();
    world.cql(&format!("INSERT INTO KEYSPACE.created_users (id, first_name, last_name) VALUES ({phantom}, 'A', 'B')"));
    let done = world.reconcile(&[]).exits(65);
    assert_eq!(done.summary["differences"], json!({"never_published": 1}));
}

#[test]
fn records_of_a_schema_registry_are_read_as_the_jobs_read_them() {
    let Some(registry) = registry() else { return };
    let Some(world) = World::own() else { return };
    let api = Api::start();
    init(&world, registry, "avro");
    let with_registry = ["--schema-registry-url", &registry.url];
    let url = api.url();
    let mut fetch = vec![
        "--users",
        "100",
        "--value-format",
        "avro",
        "--api-url",
        &url,
    ];
    fetch.extend(with_registry);
    world.run("fetch-publish", &fetch).exits(0);
    let mut plain = others(6);
    // In the wire format, by a schema that nobody knows.
    plain[0].value = Some([&[0][..], &4_000_000u32.to_be_bytes(), b"text"].concat());
    world.produce(&plain);
    world.store_and_count(&with_registry);
    let done = world.reconcile(&with_registry).exits(0);
    assert_eq!(numbers(&done, "topic_table")[..2], [106, 106]);
    assert_eq!(numbers(&done, "rejected_dead_letters")[..2], [8, 8]);
    let done = world.reconcile(&[]).exits(78);
    done.says(&["none is given", "--schema-registry-url"]);
}

/// Whatever moves while it reads is open.
#[test]
fn running_jobs_are_no_difference() {
    let Some(world) = World::own() else { return };
    let api = Api::start();
    let services = ["transform-store", "aggregate"].map(|it| world.spawn(it, &["--follow"]));
    let url = api.url();
    let arguments = [
        "--duration",
        "25s",
        "--rate",
        "400",
        "--page-size",
        "20",
        "--seed",
        "live",
        "--api-url",
        &url,
    ];
    let mut fetching = world.spawn("fetch-publish", &arguments);
    let mut rounds = 0;
    while !fetching.has_ended() {
        let done = world.reconcile(&[]).exits(0);
        assert_eq!(done.summary["agrees"], true);
        rounds += 1;
    }
    fetching.finish().exits(0);
    assert!(rounds >= 3, "{rounds} rounds");
    for program in ["transform-store", "aggregate"] {
        until("all is committed", LIMIT, || {
            (world.committed_records(program) == world.record_count()).then_some(())
        });
    }
    for service in services {
        service.terminate();
        service.finish().exits(0);
    }
    let done = world.reconcile(&[]).exits(0);
    let [expected, found, ..] = numbers(&done, "topic_table");
    assert_eq!(expected, found);
    assert!(found > 1_000, "{}", done.stdout);
    assert_eq!(done.summary["hops"]["offsets"]["open"], Value::from(0));
}
