use serde_json::{Value, json};
use uuid::Uuid;

use crate::center::Center;
use crate::event::{event, record};
use crate::registry::{Registry, registry};
use crate::world::World;

fn avro(fields: &[Value]) -> String {
    json!({"type": "record", "name": "User", "fields": fields}).to_string()
}

fn optional(name: &str) -> Value {
    json!({"name": name, "type": ["null", "string"], "default": null})
}

/// A subject of the world's topic with two versions.
fn with_versions(world: &World, registry: &Registry) -> String {
    let subject = format!("{}-value", world.topic);
    let fields = ["id", "first_name", "last_name", "cell"].map(optional);
    registry.register(&subject, "AVRO", &avro(&fields[..3]));
    registry.register(&subject, "AVRO", &avro(&fields));
    subject
}

#[test]
fn subjects_versions_and_what_changed_between_them() {
    let Some(world) = World::shared() else { return };
    let Some(registry) = registry() else { return };
    let subject = with_versions(&world, registry);
    let center = Center::of(&world, &["--schema-registry-url", &registry.url]);
    let listed = center.json(&format!("/schemas?q={}", world.topic));
    let ours = &listed["subjects"]["subjects"][0];
    assert_eq!(ours["name"], subject, "{listed}");
    assert_eq!(
        (
            &ours["versions"],
            &ours["newest"]["version"],
            &ours["newest"]["kind"]
        ),
        (&json!(2), &json!(2), &json!("Avro"))
    );
    center
        .get("/schemas")
        .is(200)
        .says(&[&subject, "ours", "Compatibility"]);
    center
        .get("/schemas?q=no-subject-has-this")
        .is(200)
        .says(&["No subject has this in its name", "streamflow init"]);

    let page = center.get(&format!("/schemas/{subject}")).is(200);
    page.says(&[
        "Version 2",
        "Version 1",
        "&#34;cell&#34;",
        "diff?from=1&amp;to=2",
    ]);
    let diff = center.json(&format!("/schemas/{subject}/diff?from=1&to=2"));
    assert_eq!(diff["changes"][0]["is"], "added", "{diff}");
    assert_eq!(diff["changes"][0]["field"]["name"], "cell");
    let added = |line: &Value| {
        line["sign"] == "+" && line["text"].as_str().is_some_and(|it| it.contains("cell"))
    };
    assert!(
        diff["lines"]
            .as_array()
            .is_some_and(|lines| lines.iter().any(added)),
        "{diff}"
    );
    center
        .get(&format!("/schemas/{subject}/diff"))
        .is(200)
        .says(&["<ins>", "added", "cell"]);
    center
        .get(&format!("/schemas/{subject}/diff?from=1&to=9"))
        .is(404)
        .says(&["no version 9"]);
    center
        .get(&format!("/schemas/{subject}/diff?from=one"))
        .is(400);
}

#[test]
fn drift_tells_what_never_arrives_and_what_nobody_stores() {
    let Some(world) = World::shared() else { return };
    let Some(registry) = registry() else { return };
    let subject = with_versions(&world, registry);
    let mut strange = event(Uuid::new_v4(), 1);
    strange["loyalty<script>alert(1)</script>"] = json!("gold");
    strange["shoe_size"] = json!(42);
    world.produce(&[record(&event(Uuid::new_v4(), 2)), record(&strange)]);
    let center = Center::of(&world, &["--schema-registry-url", &registry.url]);
    let page = center.get(&format!("/schemas/{subject}")).is(200);
    page.says(&[
        "never arrives",
        "arrives, and nobody stores it",
        "shoe_size",
    ]);
    assert!(!page.text.contains("<script>alert"));
    let facts = center.json(&format!("/schemas/{subject}"));
    let remark = |name: &str| {
        let fields = facts["drift"]["fields"].as_array().expect("fields");
        let field = fields
            .iter()
            .find(|it| it["field"] == name)
            .unwrap_or_else(|| panic!("{name}: {facts}"));
        (
            field["arrived"].clone(),
            field["remark"].as_str().unwrap_or_default().to_owned(),
        )
    };
    assert_eq!(remark("id"), (json!(2), String::new()));
    assert_eq!(remark("cell"), (json!(0), "never arrives".to_owned()));
    assert_eq!(
        remark("shoe_size"),
        (json!(1), "arrives, and nobody stores it".to_owned())
    );
    assert_eq!(
        remark("street_number").1,
        "arrives, and the schema has no such field"
    );
    assert!(
        !page.text.contains("Long Street"),
        "names of fields only, no values"
    );
}

#[test]
fn hostile_names_and_a_registry_that_is_away() {
    let Some(world) = World::shared() else { return };
    let Some(registry) = registry() else { return };
    let center = Center::of(&world, &["--schema-registry-url", &registry.url]);
    for name in [
        "%3Cscript%3Ealert(1)%3C%2Fscript%3E",
        "a%2F..%2Fb",
        "%2E%2E",
        ".",
        "no%20such",
        "%E2%80%AE",
    ] {
        let answer = center.get(&format!("/schemas/{name}"));
        assert!(
            matches!(answer.status, 404 | 200),
            "{name}: {} {}",
            answer.status,
            answer.text
        );
        assert!(!answer.text.contains("<script>alert"), "{name}");
    }
    let slashes = format!("{}/a.b-value", world.topic);
    registry.register(
        &slashes.replace('/', "%2F"),
        "AVRO",
        &avro(&[optional("id")]),
    );
    center
        .get(&format!("/schemas/{}", slashes.replace('/', "%2F")))
        .is(200)
        .says(&["Version 1"]);

    let center = Center::of(&world, &["--schema-registry-url", "http://127.0.0.1:1"]);
    center.get("/schemas").is(200).says(&[
        "the Schema Registry at http://127.0.0.1:1/ did not answer",
        "What to do",
    ]);
    center
        .get("/schemas/any-value")
        .is(200)
        .says(&["did not answer"]);
    let center = Center::of(&world, &[]);
    center
        .get("/schemas")
        .is(200)
        .says(&["no Schema Registry is given", "SCHEMA_REGISTRY_URL"]);
}
