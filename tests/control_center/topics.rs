use rdkafka::consumer::{BaseConsumer, Consumer};
use std::time::Duration;

use crate::center::{Center, without};
use crate::event::records;
use crate::registry::registry;
use crate::servers::until;
use crate::world::World;

const TOPICS: &str = "/clusters/controlcenter.cluster/topics";

#[test]
fn all_topics_are_listed_and_those_of_kafka_itself_on_wish() {
    let Some(world) = World::shared() else { return };
    let center = Center::of(&world, &[]);
    let page = center.page(TOPICS);
    assert!(page.contains(&format!("{TOPICS}/{}\"", world.topic)));
    assert!(page.contains(&format!("{TOPICS}/{}\"", world.dead_letter_topic())));
    assert!(!page.contains("__consumer_offsets"), "{page}");
    // Somebody has committed something.
    world.commit(&world.group("transform-store"), 0, 0);
    until("Kafka's own topic", Duration::from_secs(10), || {
        let all = center.json(&format!("{TOPICS}?internal=true"));
        let topics = all["topics"].as_array()?;
        let has = |name: &str| topics.iter().any(|it| it["name"] == name);
        (has("__consumer_offsets") && has(&world.topic)).then_some(())
    });
    let named = center.json(&format!("{TOPICS}?name={}", world.topic));
    assert_eq!(named["topics"].as_array().map(Vec::len), Some(2), "{named}");
    center.get("/clusters/another/topics").is(404);
}

#[test]
fn a_topic_has_its_offsets_its_settings_and_the_groups_that_read_it() {
    let Some(world) = World::shared() else { return };
    let (_, mut given) = records(5);
    given.iter_mut().for_each(|it| it.partition = Some(1));
    world.produce(&given);
    world.commit(&world.group("transform-store"), 1, 3);
    let center = Center::of(&world, &[]);
    let path = format!("{TOPICS}/{}", world.topic);
    let view = center.json(&path);
    let partition = &view["topic"]["partitions"][1];
    assert_eq!(partition["first_offset"], 0, "{view}");
    assert_eq!(partition["latest_offset"], 5, "{view}");
    let details = &view["details"];
    assert_eq!(details["size"]["sampled"], 5, "{details}");
    assert!(
        details["size"]["estimate"].as_u64() > Some(1_000),
        "{details}"
    );
    let settings = details["settings"].as_array().expect("settings");
    let setting = |name: &str| settings.iter().find(|it| it["name"] == name).expect(name);
    assert_eq!(setting("retention.ms")["is_default"], false, "{settings:?}");
    assert_eq!(setting("retention.ms")["set_by"], "the topic");
    assert_eq!(
        setting("min.compaction.lag.ms")["is_default"],
        true,
        "{settings:?}"
    );
    let groups = details["groups"]["reading"].as_array().expect("groups");
    let group = world.group("transform-store");
    let ours = groups.iter().find(|it| it["name"] == group.as_str());
    assert_eq!(ours.expect("the group")["lag"], 2, "{groups:?}");
    center.get(&path).is(200).says(&[
        "Size, estimated",
        "not the default",
        &group,
        "Under-replicated",
    ]);
}

#[test]
fn the_schema_of_a_topic_is_that_of_the_registry() {
    let (Some(world), Some(registry)) = (World::shared(), registry()) else {
        return;
    };
    let subject = format!("{}-value", world.topic);
    let schema = r#"{"type":"record","name":"U","doc":"<b>of a user</b>","fields":[]}"#;
    let id = registry.register(&subject, "AVRO", schema);
    let center = Center::with(&world, &[], &[("SCHEMA_REGISTRY_URL", &registry.url)]);
    let path = format!("{TOPICS}/{}", world.topic);
    for page in [center.page(&path), center.page(&format!("{path}/schema"))] {
        assert!(
            page.contains(&subject) && page.contains(&format!("<dd>{id}</dd>")),
            "{page}"
        );
        assert!(!page.contains("<b>of a user"), "{page}");
    }
    let other = format!("{TOPICS}/{}/schema", world.dead_letter_topic());
    center
        .get(&other)
        .is(200)
        .says(&["The registry has no subject"]);
    let without = Center::of(&world, &[]);
    without
        .get(&format!("{path}/schema"))
        .is(200)
        .says(&["No Schema Registry is given", "SCHEMA_REGISTRY_URL"]);
}

#[test]
fn names_that_no_topic_has_are_not_found() {
    let Some(world) = World::shared() else { return };
    let center = Center::of(&world, &[]);
    // Dots are parts of a name.
    let letters = world.dead_letter_topic();
    for page in ["", "/messages", "/tail", "/schema", "/messages.jsonl"] {
        center.get(&format!("{TOPICS}/{letters}{page}")).is(200);
        for name in [
            "no_such_topic",
            "a%2Fb",
            "..%2F..%2Fetc",
            "%3Cscript%3Ealert(1)%3C%2Fscript%3E",
            "%C3%BC",
            "a%20b",
            "%00",
        ] {
            let answer = center.get(&format!("{TOPICS}/{name}{page}")).is(404);
            answer.says(&["there is no topic", "What to do"]);
            assert!(!answer.text.contains("<script>alert"), "{}", answer.text);
        }
        center.get(&format!("{TOPICS}/%FF{page}")).is(400);
    }
    center
        .get(&format!("{TOPICS}/no_such_topic/messages/0/0"))
        .is(404);
    center.get(&format!("{TOPICS}/a%2Fb/tail/events")).is(404);
}

#[test]
fn the_addresses_of_the_tutorials_lead_to_the_pages() {
    let Some(world) = World::shared() else { return };
    let center = Center::of(&world, &["--cluster-name", "own.name"]);
    let topic = &world.topic;
    for cluster in ["own.name", "controlcenter.cluster"] {
        let theirs = format!("/clusters/{cluster}/management/topics");
        for (address, ours) in [
            (theirs.clone(), String::new()),
            (format!("{theirs}/{topic}"), format!("/{topic}")),
            (format!("{theirs}/{topic}/overview"), format!("/{topic}")),
            (
                format!("{theirs}/{topic}/message-viewer"),
                format!("/{topic}/messages"),
            ),
            (
                format!("{theirs}/{topic}/schema"),
                format!("/{topic}/schema"),
            ),
            (
                format!("{theirs}/{topic}/schema/value"),
                format!("/{topic}/schema"),
            ),
            (format!("{theirs}/{topic}/config"), format!("/{topic}")),
        ] {
            let answer = center.get(&address).is(307);
            let to = format!("/clusters/own.name/topics{ours}");
            assert_eq!(answer.header("location"), to, "{address}");
            center.get(&to).is(200);
        }
    }
    center
        .get("/clusters/MkU3OEVBNTcwNTJENDM2Qk/management/topics")
        .is(404);
    center
        .get("/clusters/own.name/management/topics/%2F%2Fevil.example")
        .is(404);
}

#[test]
fn without_kafka_each_page_of_a_topic_is_there_and_says_so() {
    let Some(world) = World::shared() else { return };
    let nowhere = without("KAFKA_BOOTSTRAP_SERVERS");
    let variables: Vec<(&str, &str)> = nowhere
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let center = Center::with(&world, &[], &variables);
    let path = format!("{TOPICS}/{}", world.topic);
    for page in ["", "/messages", "/messages/0/0", "/tail", "/schema"] {
        center
            .get(&format!("{path}{page}"))
            .is(200)
            .says(&["Kafka at 127.0.0.1:1 does not answer", "What to do"]);
    }
    center.get(TOPICS).is(200).says(&["does not answer"]);
    for page in ["/messages.jsonl", "/tail/events"] {
        center
            .get(&format!("{path}{page}"))
            .is(502)
            .says(&["does not answer"]);
    }
}

#[test]
fn looking_around_commits_nothing_and_joins_no_group() {
    let Some(world) = World::shared() else { return };
    let (ids, given) = records(10);
    let places = world.produce(&given);
    let center = Center::of(&world, &[]);
    let path = format!("{TOPICS}/{}", world.topic);
    let (partition, offset) = places[0];
    for page in [
        String::new(),
        "/messages".to_owned(),
        format!("/messages?text={}", ids[0]),
        "/messages.jsonl".to_owned(),
        format!("/messages/{partition}/{offset}"),
        "/tail".to_owned(),
        "/schema".to_owned(),
    ] {
        center.get(&format!("{path}{page}")).is(200);
    }
    assert!(world.committed("transform-store").is_empty());
    assert!(world.committed("aggregate").is_empty());
    let client: BaseConsumer = world
        .base
        .servers
        .kafka_client()
        .create()
        .expect("a consumer");
    let groups = client
        .fetch_group_list(Some("streamflow-reads-alone"), Duration::from_secs(10))
        .expect("the groups");
    let has_members = groups.groups().iter().any(|it| !it.members().is_empty());
    assert!(!has_members);
}
