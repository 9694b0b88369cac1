//! Users through a real Schema Registry, in each format and in all of them on one topic.

use std::collections::BTreeMap;

use serde_json::Value;
use streamflow::user::event::UserCreated;
use streamflow::user::format::{Encoder, SchemaFormat};
use streamflow::user::row::CreatedUser;
use uuid::Uuid;

use crate::api::Api;
use crate::event::{event, record};
use crate::registry::{Registry, registry};
use crate::tables::Totals;
use crate::topic::Given;
use crate::world::World;

const FORMATS: [&str; 3] = ["avro", "json-schema", "protobuf"];

pub fn subject(world: &World) -> String {
    format!("{}-value", world.topic)
}

/// Registers the schema of a format for the world's topic, as an operator does.
#[track_caller]
pub fn init(world: &World, registry: &Registry, format: &str) -> String {
    let arguments = [
        "init",
        "--value-format",
        format,
        "--schema-registry-url",
        &registry.url,
    ];
    world.run("streamflow", &arguments).exits(0).stdout
}

/// The record of an event in a format of the registry.
pub fn framed(event: &Value, format: SchemaFormat, schema_id: u32) -> Given {
    let given = record(event);
    let value = given.value.expect("a value");
    let event = UserCreated::decode(&value).expect("an event");
    let encoder = Encoder::Registered { format, schema_id };
    let value = encoder
        .encode(&event)
        .expect("an event that can be encoded");
    Given {
        value: Some(value),
        ..given
    }
}

/// Users of some seeds, each seed published in a format, all the way to the tables.
fn through(
    registry: &Registry,
    api: &Api,
    seeds: &[(&str, &str)],
) -> (BTreeMap<Uuid, CreatedUser<'static>>, Totals) {
    let world = World::own().expect("servers");
    for (number, (seed, format)) in seeds.iter().enumerate() {
        let url = registry.url.as_str();
        init(&world, registry, format);
        if number == 0 && seeds.len() > 1 {
            // Formats are never compatible: who wants to mix them has to say so.
            registry.set_compatibility(&subject(&world), "NONE");
        }
        let arguments = [
            "--users",
            "200",
            "--seed",
            seed,
            "--value-format",
            format,
            "--api-url",
            &api.url(),
        ];
        let variables = [("SCHEMA_REGISTRY_URL", url)];
        let done = world
            .run_with("fetch-publish", &arguments, &variables)
            .exits(0);
        assert_eq!(
            done.numbers(["landed", "published"]),
            [200, 200],
            "{format}"
        );
    }
    let first_bytes: Vec<bool> = world
        .records()
        .iter()
        .map(|it| it.value.as_ref().expect("a value")[0] == 0)
        .collect();
    let framed = first_bytes.iter().filter(|&&framed| framed).count();
    let in_formats = seeds.iter().filter(|(_, format)| *format != "json").count();
    assert_eq!(
        (first_bytes.len(), framed),
        (200 * seeds.len(), 200 * in_formats)
    );
    let all = 200 * seeds.len() as u64;
    let variables = [("SCHEMA_REGISTRY_URL", registry.url.as_str())];
    let done = world.run_with("transform-store", &[], &variables).exits(0);
    assert_eq!(
        done.numbers(["consumed", "stored", "dead_lettered"]),
        [all, all, 0]
    );
    let done = world.run_with("aggregate", &[], &variables).exits(0);
    assert_eq!(
        done.numbers(["consumed", "counted", "dead_lettered"]),
        [all, all, 0]
    );
    (world.users(), world.totals())
}

#[test]
fn the_same_users_are_the_same_rows_and_numbers_in_every_format() {
    let Some(registry) = registry() else { return };
    if World::shared().is_none() {
        return;
    }
    let api = Api::start();
    let expected = through(registry, &api, &[("one", "json")]);
    assert_eq!(expected.0.len(), 200);
    for format in FORMATS {
        let found = through(registry, &api, &[("one", format)]);
        assert!(found == expected, "{format}");
    }
}

#[test]
fn a_topic_with_all_formats_mixed_is_the_same_rows_and_numbers() {
    let Some(registry) = registry() else { return };
    if World::shared().is_none() {
        return;
    }
    let api = Api::start();
    let seeds = ["one", "two", "three", "four"];
    let plain = seeds.map(|seed| (seed, "json"));
    let expected = through(registry, &api, &plain);
    let mixed = [
        ("one", "avro"),
        ("two", "json"),
        ("three", "protobuf"),
        ("four", "json-schema"),
    ];
    let found = through(registry, &api, &mixed);
    assert_eq!(found.0.len(), 800);
    assert!(found == expected);
}

#[test]
fn init_registers_the_schema_and_can_be_repeated_and_doctor_tells_of_it() {
    let (Some(registry), Some(world)) = (registry(), World::shared()) else {
        return;
    };
    let subject = subject(&world);
    let url = [
        "--schema-registry-url",
        registry.url.as_str(),
        "--value-format",
        "avro",
    ];
    let doctor = [&["doctor"], &url[..]].concat();
    let done = world.run("streamflow", &doctor).exits(78);
    done.says(&[
        "ok   Schema Registry",
        "FAIL subject",
        &subject,
        "streamflow init",
    ]);
    let publish = [&["--users", "1"], &url[..]].concat();
    let done = world.run("fetch-publish", &publish).exits(78);
    done.says(&[&subject, "streamflow init", "--value-format"]);

    let said = init(&world, registry, "avro");
    let line = said
        .lines()
        .find(|line| line.contains("schema registered, id "));
    let id = line
        .and_then(|line| line.rsplit(' ').next())
        .expect("an id");
    assert!(
        said.contains("compatibility BACKWARD_TRANSITIVE set"),
        "{said}"
    );
    let again = init(&world, registry, "avro");
    assert!(
        again.contains(&format!("schema is there, id {id}")),
        "{again}"
    );
    assert!(
        again.contains("BACKWARD_TRANSITIVE, which stays"),
        "{again}"
    );
    assert_eq!(registry.versions(&subject), 1);
    assert_eq!(registry.compatibility(&subject), "BACKWARD_TRANSITIVE");

    let done = world.run("streamflow", &doctor).exits(0);
    done.says(&[
        "registered with id",
        id,
        "compatibility BACKWARD_TRANSITIVE",
    ]);
}

#[test]
fn an_incompatible_schema_is_refused_with_what_to_do() {
    let (Some(registry), Some(world)) = (registry(), World::shared()) else {
        return;
    };
    let refused = |format: &str| {
        let arguments = [
            "init",
            "--value-format",
            format,
            "--schema-registry-url",
            &registry.url,
        ];
        let done = world.run("streamflow", &arguments).exits(78);
        done.says(&[
            "refuses the schema",
            &subject(&world),
            "not compatible",
            "what to do: ",
            "--value-format",
            "--topic",
        ]);
    };
    let subject = subject(&world);
    registry.set_compatibility(&subject, "BACKWARD_TRANSITIVE");
    let other = r#"{"type":"record","name":"UserCreated","namespace":"streamflow","fields":[{"name":"id","type":"long"}]}"#;
    registry.register(&subject, "AVRO", other);
    refused("avro");
    refused("protobuf");
    refused("json-schema");
    assert_eq!(registry.versions(&subject), 1);
}

/// The registry takes a field that is added, and both versions of the program read both versions of the records.
#[test]
fn a_field_can_be_added_in_every_format() {
    let (Some(registry), Some(world)) = (registry(), World::shared()) else {
        return;
    };
    let added = [
        (
            SchemaFormat::Avro,
            "\"fields\": [",
            r#"{"name": "cell", "type": ["null", "string"], "default": null},"#,
        ),
        (
            SchemaFormat::JsonSchema,
            "\"properties\": {",
            r#""cell": {"type": ["string", "null"]},"#,
        ),
        (
            SchemaFormat::Protobuf,
            "nationality = 17;",
            "\n optional string cell = 18;",
        ),
    ];
    for (format, after, addition) in added {
        let subject = format!("{}-{format:?}", world.topic);
        registry.set_compatibility(&subject, "BACKWARD_TRANSITIVE");
        let older = registry.register(&subject, format.schema_type(), format.schema());
        let schema = format
            .schema()
            .replacen(after, &format!("{after}{addition}"), 1);
        let newer = registry.register(&subject, format.schema_type(), &schema);
        assert_ne!(older, newer, "{format:?}");
        assert_eq!(registry.versions(&subject), 2);
    }
}

#[test]
fn a_registry_that_is_given_and_not_needed_changes_nothing() {
    let (Some(registry), Some(world)) = (registry(), World::shared()) else {
        return;
    };
    let id = Uuid::new_v4();
    world.produce(&[record(&event(id, 3))]);
    let variables = [("SCHEMA_REGISTRY_URL", registry.url.as_str())];
    for program in ["transform-store", "aggregate"] {
        let done = world.run_with(program, &[], &variables).exits(0);
        assert_eq!(done.number("consumed"), 1);
    }
    assert_eq!(world.user(id).expect("stored").first_name, "First3");
    let done = world.run_with("streamflow", &["init"], &variables).exits(0);
    assert!(!done.stdout.contains("Registry"), "{}", done.stdout);
}
