use std::collections::BTreeSet;

use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::center::Center;
use crate::event::{NEW_YEAR_MS, event, record, records};
use crate::servers::wait;
use crate::topic::Given;
use crate::world::World;

fn messages(world: &World) -> String {
    format!(
        "/clusters/controlcenter.cluster/topics/{}/messages",
        world.topic
    )
}

fn places(page: &Value) -> Vec<(i64, i64)> {
    let records = page["page"]["records"].as_array();
    let records = records.unwrap_or_else(|| panic!("no records: {page}"));
    let place = |it: &Value| {
        (
            it["partition"].as_i64().expect("a partition"),
            it["offset"].as_i64().expect("an offset"),
        )
    };
    records.iter().map(place).collect()
}

/// All records of a page and of those that its link leads to.
fn walk(center: &Center, first: &str, link: &str) -> Vec<(i64, i64)> {
    let (mut all, mut next) = (Vec::new(), Some(first.to_owned()));
    let mut pages = 0;
    while let Some(path) = next {
        let page = center.json(&path);
        all.extend(places(&page));
        next = page["page"][link].as_str().map(str::to_owned);
        pages += 1;
        assert!(pages < 60, "it goes on for ever: {path}");
    }
    all
}

fn sent(places: &[(i32, i64)]) -> BTreeSet<(i64, i64)> {
    places.iter().map(|&(p, o)| (i64::from(p), o)).collect()
}

#[track_caller]
fn each_once(walked: &[(i64, i64)], sent: &BTreeSet<(i64, i64)>) {
    let set: BTreeSet<_> = walked.iter().copied().collect();
    assert_eq!(set.len(), walked.len(), "some came twice");
    assert_eq!(&set, sent);
}

/// Over three partitions of which one has far more than the others.
fn uneven(count: usize) -> Vec<Given> {
    let (_, mut given) = records(count);
    for (number, it) in given.iter_mut().enumerate() {
        it.partition = Some(if number % 10 == 0 {
            (number / 10 % 2) as i32
        } else {
            2
        });
        it.timestamp_ms = Some(NEW_YEAR_MS + number as i64 * 1_000);
    }
    given
}

#[test]
fn records_come_newest_first_over_all_partitions_and_each_once() {
    let Some(world) = World::shared() else { return };
    let places_sent = world.produce(&uneven(180));
    let center = Center::of(&world, &[]);
    let path = messages(&world);
    let walked = walk(&center, &path, "older");
    each_once(&walked, &sent(&places_sent));
    let newest_first: Vec<(i64, i64)> = places_sent
        .iter()
        .rev()
        .map(|&(p, o)| (i64::from(p), o))
        .collect();
    assert_eq!(walked, newest_first);
    let page = center.json(&path);
    assert_eq!(page["page"]["records"].as_array().map(Vec::len), Some(50));
    assert_eq!(page["page"]["offsets"], 180, "{page}");
    center.get(&path).is(200).says(&[
        "of 180 offsets, shown 50, newest first",
        "Older",
        "Download",
    ]);
    // Back again, from the beginning on.
    let walked = walk(&center, &format!("{path}?offset=0"), "newer");
    each_once(&walked, &sent(&places_sent));
    let only = walk(&center, &format!("{path}?partition=1"), "older");
    assert!(
        only.iter().all(|it| it.0 == 1) && !only.is_empty(),
        "{only:?}"
    );
}

#[test]
fn reading_begins_at_an_offset_or_a_time() {
    let Some(world) = World::shared() else { return };
    world.produce(&uneven(100));
    let center = Center::of(&world, &[]);
    let path = messages(&world);
    let page = center.json(&format!("{path}?partition=2&offset=30"));
    assert_eq!(places(&page)[0], (2, 30), "{page}");
    assert!(page["page"]["older"].is_string(), "{page}");
    // 2026-01-01T00:01:30Z is that of the record number 90.
    for time in [
        "2026-01-01T00:01:30",
        "2026-01-01T00:01:29.5",
        "2026-01-01T01:01:30%2B01:00",
    ] {
        let page = center.json(&format!("{path}?time={time}"));
        assert_eq!(places(&page).len(), 10, "{page}");
        assert_eq!(page["page"]["records"][0]["at"], "2026-01-01T00:01:30.000Z");
    }
    let beyond = center.json(&format!("{path}?offset=9223372036854775807"));
    assert!(places(&beyond).is_empty(), "{beyond}");
    assert!(beyond["page"]["older"].is_string(), "{beyond}");
    let later = center.json(&format!("{path}?time=2099-01-01T00:00"));
    assert!(places(&later).is_empty(), "{later}");
    for (query, why) in [
        ("offset=-1", "is no offset"),
        ("offset=9223372036854775808", "is no offset"),
        ("time=yesterday", "is no time"),
        ("partition=x", "is no partition"),
        ("partition=77", "has no partition 77"),
        ("before=0:x", "is no place"),
        ("offset=1&time=2026-01-01T00:00", "cannot both be given"),
    ] {
        center.get(&format!("{path}?{query}")).is(400).says(&[why]);
    }
}

#[test]
fn a_text_is_searched_in_what_is_shown() {
    let Some(world) = World::shared() else { return };
    let (ids, given) = records(300);
    world.produce(&given);
    let center = Center::of(&world, &[]);
    let path = messages(&world);
    let page = center.json(&format!("{path}?text={}", ids[7]));
    assert_eq!(places(&page).len(), 1, "{page}");
    assert_eq!(page["page"]["scanned"], 300, "{page}");
    for personal in ["First7", "user7%40example.com", "Long%20Street", "017684"] {
        let page = center.json(&format!("{path}?text={personal}"));
        assert!(places(&page).is_empty(), "{personal}: {page}");
    }
    let many = format!("{path}?text=united%20KINGDOM");
    assert_eq!(walk(&center, &many, "older").len(), 300);
    center.get(&format!("{path}?text=nobody")).is(200).says(&[
        "Looked at 300 of 300 offsets, shown 0",
        "No record with this text",
    ]);
}

#[test]
fn gaps_of_transactions_and_partitions_without_records_are_passed() {
    let Some(world) = World::shared() else { return };
    let (_, mut given) = records(30);
    given.iter_mut().for_each(|it| it.partition = Some(0));
    let mut expected = sent(&world.produce(&given[..10]));
    world.produce_in_a_transaction(&given[10..20], true);
    expected.extend((10..20).map(|offset| (0, offset)));
    expected.extend(sent(&world.produce(&given[20..])));
    let center = Center::of(&world, &[]);
    let path = messages(&world);
    each_once(&walk(&center, &path, "older"), &expected);
    each_once(
        &walk(&center, &format!("{path}?offset=0"), "newer"),
        &expected,
    );
    // The transaction's end has an offset, too.
    let gap = (0..=30).find(|&offset| !expected.contains(&(0, offset)));
    let gap = gap.expect("an offset without a record");
    center
        .get(&format!("{path}/0/{gap}"))
        .is(404)
        .says(&[&format!("no record is left at offset {gap}"), "0 to 30"]);
    center.get(&format!("{path}/0/{}", gap - 1)).is(200);
}

#[test]
fn large_records_are_shown_in_part_and_none_is_left_out() {
    let Some(world) = World::shared() else { return };
    let given: Vec<Given> = (0..24)
        .map(|number| Given {
            value: Some(
                json!({"n": number, "big": "a".repeat(990_000)})
                    .to_string()
                    .into_bytes(),
            ),
            partition: Some(0),
            timestamp_ms: Some(NEW_YEAR_MS + number),
            ..Given::default()
        })
        .collect();
    let expected = sent(&world.produce(&given));
    let center = Center::of(&world, &[]);
    let path = messages(&world);
    let walked = walk(&center, &path, "older");
    each_once(&walked, &expected);
    assert_eq!(walked[0], (0, 23), "the newest first");
    each_once(
        &walk(&center, &format!("{path}?text=%22big%22"), "older"),
        &expected,
    );
    let page = center.page(&format!("{path}/0/3"));
    assert!(page.contains("966.8 KiB") && page.contains("Cut off after 64 KiB"));
    assert!(page.len() < 400_000, "{} bytes", page.len());
    assert!(center.page(&path).len() < 100_000);
}

#[test]
fn a_record_has_an_address_that_stays() {
    let Some(world) = World::shared() else { return };
    let (ids, given) = records(20);
    let mut given = given;
    given.iter_mut().for_each(|it| it.partition = Some(1));
    given[5].sequence = Some(format!("{}/5", Uuid::nil()));
    world.produce(&given);
    world.remove_records_before(1, 3);
    let center = Center::of(&world, &[]);
    let path = messages(&world);
    let (explain, previous) = (
        format!("/explain?user_id={}", ids[5]),
        format!("{path}/1/4\""),
    );
    center.get(&format!("{path}/1/5")).is(200).says(&[
        &ids[5].to_string(),
        &explain,
        &previous,
        "streamflow-sequence",
        "JSON",
        "stores it as the user",
        "2026-01-01 00:00:00 UTC",
        "Hex",
    ]);
    let first = center.json(&format!("{path}/1/3"));
    assert!(first["record"]["previous"].is_null(), "{first}");
    assert_eq!(first["record"]["next"], 4, "{first}");
    assert_eq!(first["record"]["value"]["id"], ids[3].to_string());
    for (place, why) in [
        ("1/2", "offset 2 of partition 1 has gone"),
        ("1/20", "offset 20 of partition 1 is not there yet"),
        ("0/0", "partition 0 has no records now"),
        ("99/0", "has no partition 99"),
        ("1/x", "there is no such record"),
        ("1/99999999999999999999", "there is no such record"),
    ] {
        center.get(&format!("{path}/{place}")).is(404).says(&[why]);
    }
    center
        .get(&format!("{path}/1/2"))
        .says(&["It has the offsets 3 to 19"]);
    // What has just come is there at once.
    let (partition, offset) = world.produce(&[record(&event(Uuid::new_v4(), 1))])[0];
    center.get(&format!("{path}/{partition}/{offset}")).is(200);
}

#[test]
fn what_cannot_be_read_says_why() {
    let Some(world) = World::shared() else { return };
    let value = |value: &[u8]| Given {
        value: Some(value.to_vec()),
        partition: Some(0),
        ..Given::default()
    };
    world.produce(&[
        value(b"{\"first_name\": \"Ada\""),
        value(b"Ada \xff\xfe Lovelace"),
        value(&[0, 0, 0, 0, 7, b'A']),
        value(br#"{"id":"not-a-uuid"}"#),
        Given {
            value: None,
            key: Some(b"k".to_vec()),
            partition: Some(0),
            ..Given::default()
        },
    ]);
    let center = Center::of(&world, &[]);
    let path = messages(&world);
    for (offset, parts) in [
        (0, ["Not read as JSON", "EOF", "they reject it"]),
        (1, ["Not read as UTF-8", "the byte at 4", "they reject it"]),
        (
            2,
            ["Not read as schema 7", "Schema Registry", "they reject it"],
        ),
        (3, ["JSON", "not-a-uuid", "they reject it"]),
        (4, ["no bytes", "null", "they reject it"]),
    ] {
        let answer = center.get(&format!("{path}/0/{offset}")).is(200);
        answer.says(&parts);
        assert!(!answer.text.contains("Ada"), "{}", answer.text);
    }
    center.page(&path);
}

const SCRIPT: &str = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>";

#[test]
fn markup_and_strange_characters_are_only_ever_text() {
    let Some(world) = World::shared() else { return };
    let bidi = "safe\u{202e}gnp.exe\u{2066}\u{0}";
    let many: serde_json::Map<String, Value> = (0..10_000)
        .map(|number| (format!("key{number}"), json!(number)))
        .collect();
    let mut hostile = event(Uuid::new_v4(), 1);
    for (_, value) in hostile.as_object_mut().expect("an object") {
        *value = json!(SCRIPT);
    }
    hostile[SCRIPT] = json!(bidi);
    let exact =
        r#"{"big":9223372036854775808,"bigger":123456789012345678901234567890,"small":1.10}"#;
    let values = [
        hostile.to_string(),
        json!({ "text": bidi }).to_string(),
        exact.to_owned(),
        Value::Object(many).to_string(),
        SCRIPT.to_owned(),
    ];
    let producer: FutureProducer = world
        .base
        .servers
        .kafka_client()
        .create()
        .expect("a producer");
    for value in &values {
        let headers = OwnedHeaders::new().insert(Header {
            key: SCRIPT,
            value: Some(SCRIPT),
        });
        let message = FutureRecord::to(&world.topic)
            .key(SCRIPT)
            .payload(value)
            .partition(0)
            .headers(headers);
        let delivery = producer.send_result(message).map_err(|(error, _)| error);
        wait(delivery.expect("room"))
            .expect("an answer")
            .expect("acknowledged");
    }
    world.produce(&[Given {
        key: Some(b"\xff\xfe<script>".to_vec()),
        value: Some(b"\xff<script>alert(1)</script>".to_vec()),
        partition: Some(0),
        foreign_header: Some(b"\xff<script>".to_vec()),
        ..Given::default()
    }]);
    let center = Center::of(&world, &[]);
    let path = messages(&world);
    let topic = path.trim_end_matches("/messages").to_owned();
    let searched = format!("{path}?text=%3Cscript%3E%22%27");
    let mut pages = vec![
        path.clone(),
        topic.clone(),
        format!("{topic}/tail?text=%3Cscript%3E"),
        searched,
    ];
    pages.extend((0..6).map(|offset| format!("{path}/0/{offset}")));
    for page in pages {
        let answer = center.get(&page).is(200);
        for markup in ["<script>", "<img", "<SCRIPT"] {
            // Our own have attributes.
            assert!(!answer.text.contains(markup), "{page}: {}", answer.text);
        }
        for hidden in ['\u{202e}', '\u{2066}', '\u{0}'] {
            assert!(!answer.text.contains(hidden), "{page}");
        }
        assert!(answer.text.len() < 1_000_000, "{page}");
    }
    center
        .get(&format!("{path}/0/1"))
        .says(&["safe\\u{202e}gnp.exe"]);
    let numbers = [
        "9223372036854775808",
        "123456789012345678901234567890",
        "1.10",
    ];
    center.get(&format!("{path}/0/2")).says(&numbers);
    center.get(&format!("{path}.jsonl")).says(&[exact]);
    let json = center.get_with(&format!("{path}/0/2"), &[("accept", "application/json")]);
    json.says(&[exact]);
    let keys = center.json(&format!("{path}/0/3"));
    let value = keys["record"]["value"].as_object();
    assert_eq!(value.map(serde_json::Map::len), Some(10_000));
}

#[test]
fn personal_data_is_masked_at_every_way_out() {
    let Some(world) = World::shared() else { return };
    let id = Uuid::new_v4();
    let event = event(id, 77);
    let given = Given {
        key: Some(b"user77@example.com".to_vec()),
        partition: Some(0),
        foreign_header: Some(b"note".to_vec()),
        ..record(&event)
    };
    let broken = event.to_string().into_bytes();
    let broken = Given {
        value: Some(broken[..broken.len() - 1].to_vec()),
        ..given.clone()
    };
    world.produce(&[given, broken]);
    let center = Center::of(&world, &[]);
    let path = messages(&world);
    let topic = path.trim_end_matches("/messages").to_owned();
    let personal = [
        "First77",
        "Last77",
        "user77",
        "Long Street",
        "017684",
        "Exampleton",
        "EX1",
        "portraits",
    ];
    let in_hex = hex_rows("First77");
    for page in [
        path.clone(),
        format!("{path}.jsonl"),
        format!("{path}/0/0"),
        format!("{path}/0/1"),
        format!("{topic}/tail"),
        topic,
    ] {
        for accept in ["text/html", "application/json"] {
            let answer = center.get_with(&page, &[("accept", accept)]).is(200);
            for part in personal {
                assert!(
                    !answer.text.contains(part),
                    "{part} at {page}: {}",
                    answer.text
                );
            }
            assert!(!answer.text.contains(&in_hex), "{page}");
        }
    }
    center
        .get(&format!("{path}.jsonl"))
        .says(&[&id.to_string(), "•••"]);
    // Without accounts nobody is an admin.
    for page in [path.clone(), format!("{path}/0/0"), format!("{path}.jsonl")] {
        center
            .get(&format!("{page}?reveal=true"))
            .is(403)
            .says(&["takes the role admin"]);
    }
}

fn hex_rows(text: &str) -> String {
    let bytes: Vec<String> = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    bytes.join(" ")
}

#[test]
fn the_download_has_the_records_of_the_page() {
    let Some(world) = World::shared() else { return };
    world.produce(&uneven(70));
    let center = Center::of(&world, &[]);
    let path = messages(&world);
    let page = center.json(&path);
    let link = page["page"]["download"].as_str().expect("a link");
    // What comes meanwhile changes nothing.
    world.produce(&uneven(5));
    let answer = center.get(link).is(200);
    assert_eq!(answer.header("content-type"), "application/x-ndjson");
    assert!(answer.header("content-disposition").contains(".jsonl"));
    let line = |line: &str| -> (i64, i64) {
        let record: Value = serde_json::from_str(line).expect("JSON");
        (
            record["partition"].as_i64().expect("one"),
            record["offset"].as_i64().expect("one"),
        )
    };
    let lines: Vec<(i64, i64)> = answer.text.lines().map(line).collect();
    assert_eq!(lines, places(&page));
}
