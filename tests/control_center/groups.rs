//! `/groups`, `/groups/{group}` and the reset.

use std::time::Duration;

use serde_json::Value;

use crate::center::Center;
use crate::event::records;
use crate::servers::until;
use crate::world::World;

/// A world whose transform-store has read ten records.
fn read() -> Option<(World, String)> {
    let world = World::shared()?;
    let (_, mut given) = records(10);
    given.iter_mut().for_each(|it| it.partition = Some(2));
    world.produce(&given);
    world.run("transform-store", &[]).exits(0);
    let group = world.group("transform-store");
    Some((world, group))
}

fn field<'a>(page: &'a str, name: &str) -> &'a str {
    let begin = format!("name=\"{name}\" value=\"");
    let value = page.split(&begin).nth(1).expect("the field");
    value.split('"').next().expect("its end")
}

/// The steps of a preview, by partition.
fn steps(preview: &Value) -> Vec<(i64, Value, i64, Value)> {
    let steps = preview["steps"].as_array().expect("steps");
    let step = |it: &Value| {
        let number = |name: &str| it[name].as_i64().expect("a number");
        (
            number("partition"),
            it["old"].clone(),
            number("new"),
            it["asked"].clone(),
        )
    };
    steps.iter().map(step).collect()
}

fn form<'a>(page: &'a str, topic: &'a str, to: &'a str) -> [(&'a str, &'a str); 4] {
    [
        ("topic", topic),
        ("to", to),
        ("old", field(page, "old")),
        ("new", field(page, "new")),
    ]
}

#[test]
fn a_group_is_listed_with_its_topics_and_lag() {
    let Some((world, group)) = read() else { return };
    world.produce(&records(3).1);
    let center = Center::of(&world, &[]);
    let all = center.json(&format!("/groups?text={group}"));
    let row = &all["groups"][0];
    assert_eq!(row["name"], group.as_str(), "{all}");
    assert_eq!(
        (&row["state"], &row["members"]),
        (&"Empty".into(), &0.into())
    );
    assert_eq!(row["job"], "transform-store");
    assert_eq!(row["lag"]["topics"][0], world.topic.as_str());
    assert_eq!(row["lag"]["total"], 3);
    let page = center.page(&format!("/groups?text={group}"));
    assert!(page.contains(&format!("/groups/{group}")), "{page}");
    let one = center.json(&format!("/groups/{group}"));
    let partitions = one["lag"]["partitions"].as_array().expect("partitions");
    let second = partitions.iter().find(|it| it["partition"] == 2);
    assert_eq!(second.expect("partition 2")["committed"], 10, "{one}");
    center
        .get("/groups/nobody-has-this")
        .is(404)
        .says(&["/groups", "first run"]);
}

#[test]
fn a_reset_is_previewed_done_and_read_back() {
    let Some((world, group)) = read() else { return };
    let center = Center::of(&world, &[]);
    let address = format!("/groups/{group}/reset");
    center
        .get(&address)
        .is(200)
        .says(&["stores the same rows once more", "Preview"]);
    let address = format!("{address}?topic={}&to=offsets&offsets=2:4,0:7", world.topic);
    let preview = center.json(&address);
    assert_eq!(
        steps(&preview),
        [
            (0, steps(&preview)[0].1.clone(), 0, 7.into()),
            (2, 10.into(), 4, Value::Null)
        ],
        "what the topic does not have is clamped"
    );
    assert_eq!(world.committed("transform-store").get(&2), Some(&10));
    let page = center.page(&address);
    assert!(
        page.contains("7 is not there") && page.contains("−6"),
        "{page}"
    );
    let done = center
        .post(
            &format!("/groups/{group}/reset"),
            &form(&page, &world.topic, "offsets"),
        )
        .is(303);
    assert_eq!(world.committed("transform-store").get(&2), Some(&4));
    center
        .get(done.header("location"))
        .is(200)
        .says(&["was reset", "Before", ">10<", ">4<"]);
    let written = world.sql_number(&format!(
        "SELECT count(*) FROM control_center_audit WHERE action = 'reset group' AND target = '{group}'"
    ));
    assert_eq!(written, 1);
    let again = world.run("transform-store", &[]).exits(0);
    assert_eq!(again.number("stored"), 6, "read again from there");
}

#[test]
fn each_way_of_saying_where_to_has_its_offsets() {
    let Some((world, group)) = read() else { return };
    let center = Center::of(&world, &[]);
    let new_of = |rest: &str| {
        let address = format!("/groups/{group}/reset?topic={}&{rest}", world.topic);
        let steps = steps(&center.json(&address));
        steps.iter().find(|it| it.0 == 2).map(|it| it.2)
    };
    assert_eq!(new_of("to=earliest"), Some(0));
    assert_eq!(new_of("to=latest"), Some(10));
    assert_eq!(new_of("to=shift&shift=-3"), Some(7));
    assert_eq!(new_of("to=shift&shift=-300"), Some(0));
    // The records are all of the new year.
    assert_eq!(new_of("to=time&time=2025-12-31"), Some(0));
    assert_eq!(new_of("to=time&time=2026-01-01T00:00:01Z"), Some(10));
    for (rest, says) in [
        ("to=time&time=soon", "the time cannot be read"),
        ("to=offsets&offsets=2:-1", "the offsets cannot be read"),
        ("to=offsets&offsets=77:1", "no partition 77"),
        ("to=shift&shift=99999999999999999999", "the shift"),
        ("to=elsewhere", "elsewhere"),
    ] {
        let address = format!("/groups/{group}/reset?topic={}&{rest}", world.topic);
        center.get(&address).is(400).says(&[says]);
    }
    for topic in ["no_such_topic", "a\u{0}b"] {
        let form = [("topic", topic), ("old", "2:10"), ("new", "2:0")];
        center
            .post(&format!("/groups/{group}/reset"), &form)
            .is(404)
            .says(&["there is no topic"]);
    }
}

#[test]
fn a_group_with_a_member_is_not_reset_and_the_member_is_named() {
    let Some((world, group)) = read() else { return };
    let center = Center::of(&world, &[]);
    let page = center.page(&format!(
        "/groups/{group}/reset?topic={}&to=earliest",
        world.topic
    ));
    let member = world.join("transform-store");
    let form = form(&page, &world.topic, "earliest");
    until("a member", Duration::from_secs(30), || {
        let _ = member.poll(Duration::from_millis(100));
        let one = center.json(&format!("/groups/{group}"));
        (!one["group"]["members"].as_array()?.is_empty()).then_some(())
    });
    let before = world.committed("transform-store");
    center
        .post(&format!("/groups/{group}/reset"), &form)
        .is(409)
        .says(&["has members", "rdkafka", "stop the job"]);
    let page = center.page(&format!(
        "/groups/{group}/reset?topic={}&to=earliest",
        world.topic
    ));
    assert!(page.contains("cannot be reset") && !page.contains("<button class=\"danger\">"));
    assert_eq!(world.committed("transform-store"), before);
}

#[test]
fn of_a_group_of_the_newer_protocol_it_is_said_that_nothing_is_told_and_a_reset_is_refused() {
    let Some((world, _)) = read() else { return };
    let center = Center::of(&world, &[]);
    let group = format!("newer-{}", world.topic);
    let arguments = [
        "--follow",
        "--group-id",
        &group,
        "--kafka-option",
        "group.protocol=consumer",
    ];
    let member = world.spawn("transform-store", &arguments);
    let path = format!("/groups/{group}");
    until("what it has committed", Duration::from_secs(60), || {
        let one = center.get_with(&path, &[("accept", "application/json")]);
        let one: Value = serde_json::from_str(&one.text).ok()?;
        let partitions = one["lag"]["partitions"].as_array()?;
        partitions
            .iter()
            .any(|it| it["committed"] == 10)
            .then_some(())
    });
    let page = center.page(&path);
    assert!(
        page.contains("not told (KIP-848)") && page.contains("--describe --members"),
        "{page}"
    );
    let page = center.page(&format!("/groups?text={group}"));
    assert!(page.contains("not told (KIP-848)"), "{page}");
    let reset = format!("{path}/reset");
    let page = center.page(&format!("{reset}?topic={}&to=earliest", world.topic));
    center
        .post(&reset, &form(&page, &world.topic, "earliest"))
        .is(409)
        .says(&["has members", "stop the job"]);
    member.terminate();
    member.finish().exits(0);
    let one = center.json(&path);
    let partitions = one["lag"]["partitions"].as_array().expect("partitions");
    assert!(partitions.iter().any(|it| it["committed"] == 10), "{one}");
}

#[test]
fn offsets_that_changed_since_the_preview_are_not_overwritten() {
    let Some((world, group)) = read() else { return };
    let center = Center::of(&world, &[]);
    let page = center.page(&format!(
        "/groups/{group}/reset?topic={}&to=earliest",
        world.topic
    ));
    world.commit(&group, 2, 8);
    center
        .post(
            &format!("/groups/{group}/reset"),
            &form(&page, &world.topic, "earliest"),
        )
        .is(409)
        .says(&["Nothing was changed", "the preview as it is now", "2:8"]);
    assert_eq!(world.committed("transform-store").get(&2), Some(&8));
}

#[test]
fn read_only_offers_no_reset_and_makes_none() {
    let Some((world, group)) = read() else { return };
    let center = Center::of(&world, &["--read-only"]);
    let address = format!("/groups/{group}/reset?topic={}&to=earliest", world.topic);
    let page = center.page(&address);
    assert!(!page.contains("method=\"post\""), "{page}");
    center
        .post(
            &format!("/groups/{group}/reset"),
            &[("topic", &world.topic), ("old", "2:10"), ("new", "2:0")],
        )
        .is(403);
    assert_eq!(world.committed("transform-store").get(&2), Some(&10));
}
