//! Users of the bundled API all the way to Cassandra.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;
use streamflow::rejection::Rejection;
use streamflow::user::api::RandomUser;
use streamflow::user::clean::clean;
use streamflow::user::event::UserCreated;
use streamflow::user::row::CreatedUser;
use unicode_normalization::UnicodeNormalization;
use uuid::Uuid;

use crate::api::Api;
use crate::tables::{LandedUser, summary_of};
use crate::world::World;

/// The row that a raw record must become, by the project's own functions.
pub fn row_of(raw: &str) -> Result<CreatedUser<'static>, Rejection> {
    let (id, user) = RandomUser::decode(raw.as_bytes())?;
    let value = UserCreated::of(id, user).encode()?;
    Ok(clean(UserCreated::decode(&value)?)?.into_owned())
}

/// Compares columns with the raw record directly, without the project's own functions.
#[track_caller]
pub fn assert_is_of(row: &CreatedUser<'_>, raw: &str) {
    let raw: Value = serde_json::from_str(raw).expect("JSON");
    let text = |pointer: &str| -> Option<String> {
        let text = raw.pointer(pointer)?.as_str()?.trim().nfc().collect();
        Some(text).filter(|text: &String| !text.is_empty())
    };
    let lower = |pointer: &str| text(pointer).map(|text| text.to_lowercase());
    let time = |pointer: &str| {
        let text = text(pointer)?;
        Some(text.parse::<Timestamp>().expect("a time").as_millisecond())
    };
    assert_eq!(
        Some(row.id.to_string()),
        lower("/login/uuid"),
        "the id is login.uuid"
    );
    assert_eq!(
        Some(row.first_name.to_string()),
        text("/name/first"),
        "first_name"
    );
    assert_eq!(
        Some(row.last_name.to_string()),
        text("/name/last"),
        "last_name"
    );
    assert_eq!(row.gender.as_deref(), lower("/gender").as_deref(), "gender");
    assert_eq!(row.email.as_deref(), lower("/email").as_deref(), "email");
    assert_eq!(
        row.username.as_deref(),
        text("/login/username").as_deref(),
        "username"
    );
    assert_eq!(row.phone.as_deref(), text("/phone").as_deref(), "phone");
    assert_eq!(
        row.picture.as_deref(),
        text("/picture/medium").as_deref(),
        "picture"
    );
    assert_eq!(
        row.nationality.as_deref(),
        text("/nat").as_deref(),
        "nationality"
    );
    assert_eq!(
        row.country.as_deref(),
        text("/location/country").as_deref(),
        "country"
    );
    assert_eq!(row.dob_ms, time("/dob/date"), "dob");
    assert_eq!(
        row.registered_date_ms,
        time("/registered/date"),
        "registered_date"
    );
    let post_code = match raw.pointer("/location/postcode") {
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => text("/location/postcode"),
    };
    assert_eq!(row.post_code.as_deref(), post_code.as_deref(), "post_code");
    if let (Some(number), Some(street), Some(city), Some(state), Some(country)) = (
        raw.pointer("/location/street/number"),
        text("/location/street/name"),
        text("/location/city"),
        text("/location/state"),
        text("/location/country"),
    ) {
        let address = format!("{number} {street}, {city}, {state}, {country}");
        assert_eq!(row.address.as_deref(), Some(&*address), "address");
    }
}

fn assert_on_topic(world: &World, landed: &[LandedUser]) {
    let places: BTreeMap<(i32, i64), &LandedUser> = landed
        .iter()
        .map(|user| (user.published.expect("it is published"), user))
        .collect();
    let records = world.records();
    assert_eq!(records.len(), landed.len());
    for record in records {
        let user = places[&(record.partition, record.offset)];
        assert_eq!(record.key_text(), user.id.to_string());
        assert_eq!(
            record.timestamp_ms, user.landed_at_ms,
            "the time of landing"
        );
        let number = record.header("sequence").expect("a sequence");
        assert!(number.ends_with(&format!("/{}", user.sequence)), "{number}");
        let value: Value = serde_json::from_slice(&record.value.expect("a value")).expect("JSON");
        assert_eq!(value["id"], user.id.to_string());
        let secrets = ["password", "salt", "md5", "sha1", "sha256"];
        assert!(secrets.iter().all(|name| value.get(name).is_none()));
    }
}

#[test]
fn a_thousand_users_arrive_once_and_a_second_run_changes_nothing() {
    let Some(world) = World::own() else { return };
    let api = Api::start();
    let fetch = |users: &str, seed: &str| {
        let arguments = [
            "--users",
            users,
            "--seed",
            seed,
            "--page-size",
            "300",
            "--api-url",
            &api.url(),
        ];
        let done = world.run("fetch-publish", &arguments).exits(0);
        assert_eq!(done.summary["job"], "fetch-publish");
        assert_eq!(done.summary["seed"], seed);
        done.numbers([
            "fetched",
            "landed",
            "already_landed",
            "conflicting",
            "rejected",
            "published",
        ])
    };
    let store = || {
        let done = world.run("transform-store", &[]).exits(0);
        done.numbers(["consumed", "stored", "filtered", "dead_lettered"])
    };
    let count = || {
        let done = world.run("aggregate", &[]).exits(0);
        done.numbers([
            "consumed",
            "counted",
            "already_counted",
            "filtered",
            "dead_lettered",
        ])
    };

    assert_eq!(fetch("1000", "spring"), [1000, 1000, 0, 0, 0, 1000]);
    let landed = world.landed();
    assert_eq!(landed.len(), 1000);
    assert_on_topic(&world, &landed);
    assert_eq!(store(), [1000, 1000, 0, 0]);
    assert_eq!(count(), [1000, 1000, 0, 0, 0]);

    let users = world.users();
    assert_eq!(users.len(), 1000);
    for user in &landed {
        let row = &users[&user.id];
        assert_eq!(Ok(row), row_of(&user.raw).as_ref());
        assert_is_of(row, &user.raw);
    }
    let totals = world.totals();
    assert_eq!(world.counted(), 1000);
    let timed = landed
        .iter()
        .map(|user| (&users[&user.id], user.landed_at_ms));
    assert_eq!(totals, summary_of(timed));
    let women = landed
        .iter()
        .filter(|it| it.raw.contains(r#""gender":"female""#))
        .count();
    assert_eq!(
        totals[&("gender".to_owned(), "female".to_owned())],
        women as i64
    );
    assert_eq!(world.committed_records("transform-store"), 1000);
    assert_eq!(world.dead_letters(), []);
    assert_eq!(world.kept_apart(), []);

    assert_eq!(fetch("1000", "spring"), [1000, 0, 1000, 0, 0, 0]);
    assert_eq!(store(), [0; 4]);
    assert_eq!(count(), [0; 5]);
    assert_eq!(world.landed(), landed);
    assert_eq!(world.users(), users);
    assert_eq!(world.totals(), totals);
    assert_eq!(world.kept_apart(), []);

    assert_eq!(fetch("500", "autumn"), [500, 500, 0, 0, 0, 500]);
    assert_eq!(store(), [500, 500, 0, 0]);
    assert_eq!(count(), [500, 500, 0, 0, 0]);
    assert_eq!(world.user_count(), 1500);
    assert_eq!(world.counted(), 1500);
    assert_eq!(
        world.landed()[..1000],
        landed,
        "what was there stays as it was"
    );
}

#[test]
fn a_dry_run_shows_the_events_and_touches_no_server() {
    if crate::servers::servers().is_none() {
        return;
    }
    let api = Api::start();
    let mut command = std::process::Command::new(crate::process::file("fetch-publish"));
    command.env_clear().args([
        "--dry-run",
        "--users",
        "5",
        "--seed",
        "spring",
        "--api-url",
        &api.url(),
    ]);
    // No server listens on port 1.
    command.args(["--database-url", "postgres://nobody@127.0.0.1:1/nothing"]);
    command.args(["--bootstrap-servers", "127.0.0.1:1"]);
    let done = crate::process::spawn(command).finish().exits(0);
    let events: Vec<Value> = done
        .stdout
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|line| line.get("id").is_some())
        .collect();
    assert_eq!(events.len(), 5, "{}", done.stdout);
    let ids: BTreeSet<Uuid> = events
        .iter()
        .map(|event| {
            event["id"]
                .as_str()
                .and_then(|id| id.parse().ok())
                .expect("an id")
        })
        .collect();
    assert_eq!(ids.len(), 5);
}
