//! What each format costs: time to write and to read a user, and bytes. Not a test of anything:
//! `cargo test --release --test programs -- --ignored --nocapture cost_of_the_formats`.

use std::hint::black_box;
use std::time::{Duration, Instant};

use streamflow::random_user_api::{Answer, Surroundings, Version, answer};
use streamflow::user::api::RandomUser;
use streamflow::user::event::UserCreated;
use streamflow::user::format::{Encoder, wire};

use crate::formats::{compiled, encoders};

const USERS: usize = 10_000;
const ROUNDS: u32 = 9;

/// The raw records of users that the bundled API makes.
fn raw_users() -> Vec<String> {
    let surroundings = Surroundings {
        now: "2024-05-06T07:08:09Z".parse().unwrap(),
        fresh_seed: 1,
    };
    let mut users = Vec::new();
    for page in 1..=USERS / 5_000 {
        let query = format!("results=5000&seed=formats&page={page}");
        let Answer::Body(body) = answer(&query, Version::V1_4, surroundings) else {
            panic!("a page of users");
        };
        let page: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let records = page["results"].as_array().unwrap();
        users.extend(records.iter().map(ToString::to_string));
    }
    users
}

/// Nanoseconds for one of the users, in the quickest round.
fn quickest(mut round: impl FnMut()) -> u128 {
    let time = |_| {
        let begun = Instant::now();
        round();
        begun.elapsed()
    };
    let quickest = (0..ROUNDS).map(time).min().unwrap_or(Duration::ZERO);
    quickest.as_nanos() / USERS as u128
}

#[test]
#[ignore = "measures"]
fn cost_of_the_formats() {
    let raw = raw_users();
    assert_eq!(raw.len(), USERS);
    let event = |raw: &String| {
        let (id, user) = RandomUser::decode(raw.as_bytes()).unwrap();
        UserCreated::of(id, user).encode().unwrap()
    };
    let plain: Vec<Vec<u8>> = raw.iter().map(event).collect();
    let events: Vec<UserCreated<'_>> = plain
        .iter()
        .map(|it| UserCreated::decode(it).unwrap())
        .collect();
    println!("{USERS} users; ns and bytes for one");
    println!(
        "{:<12} {:>8} {:>8} {:>8}",
        "format", "encode", "decode", "bytes"
    );
    for encoder in encoders() {
        let values: Vec<Vec<u8>> = events
            .iter()
            .map(|it| encoder.encode(it).unwrap())
            .collect();
        let encode = quickest(|| {
            for event in &events {
                black_box(encoder.encode(black_box(event)).unwrap());
            }
        });
        let (name, decode) = match encoder {
            Encoder::Json => {
                let decode = quickest(|| {
                    for value in &values {
                        assert_eq!(wire::split(black_box(value)), Ok(None));
                        black_box(UserCreated::decode(value).unwrap());
                    }
                });
                ("json".to_owned(), decode)
            }
            Encoder::Registered { format, .. } => {
                let schema = compiled(format);
                let decode = quickest(|| {
                    for value in &values {
                        let framed = wire::split(black_box(value)).unwrap().unwrap();
                        black_box(schema.decode(framed.payload).unwrap());
                    }
                });
                (format!("{format:?}"), decode)
            }
        };
        let bytes: usize = values.iter().map(Vec::len).sum();
        println!("{name:<12} {encode:>8} {decode:>8} {:>8}", bytes / USERS);
    }
}
