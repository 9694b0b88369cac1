//! The parts that every record goes through, without a server: decoding by format, cleaning, gathering, settling.
//!
//! `cargo bench` compares with the last run on the same machine. To count instructions, which are the same on a busy machine:
//! `bench/instructions`.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use streamflow::pipeline::batch::{Batch, Limits};
use streamflow::pipeline::watermark::Watermark;
use streamflow::random_user_api::{Answer, Surroundings, Version, answer};
use streamflow::user::api::RandomUser;
use streamflow::user::clean::decode_and_clean;
use streamflow::user::event::UserCreated;
use streamflow::user::format::{Encoder, SchemaFormat, WriterSchema, wire};

const USERS: usize = 1_000;

/// Users as the bundled API gives them.
fn users() -> Vec<String> {
    let surroundings = Surroundings {
        now: jiff::Timestamp::UNIX_EPOCH,
        fresh_seed: 0,
    };
    let query = format!("results={USERS}&seed=parts");
    let Answer::Body(body) = answer(&query, Version::V1_4, surroundings) else {
        panic!("no answer");
    };
    let page: serde_json::Value = serde_json::from_slice(&body).expect("a page");
    let results = page["results"].as_array().expect("users");
    results.iter().map(ToString::to_string).collect()
}

fn event(raw: &str) -> UserCreated<'_> {
    let (id, user) = RandomUser::decode(raw.as_bytes()).expect("a user");
    UserCreated::of(id, user)
}

fn records(criterion: &mut Criterion) {
    let users = users();
    let mut group = criterion.benchmark_group("users");
    group.throughput(Throughput::Elements(USERS as u64));
    group.bench_function("decode the API's", |it| {
        it.iter(|| users.iter().for_each(|raw| drop(black_box(event(raw)))));
    });
    let events: Vec<UserCreated<'_>> = users.iter().map(|raw| event(raw)).collect();
    group.bench_function("encode JSON", |it| {
        it.iter(|| {
            events
                .iter()
                .for_each(|event| drop(black_box(event.encode())))
        });
    });
    let json: Vec<Vec<u8>> = events
        .iter()
        .map(|event| event.encode().expect("JSON"))
        .collect();
    group.bench_function("decode JSON", |it| {
        it.iter(|| {
            json.iter()
                .for_each(|value| drop(black_box(UserCreated::decode(value))))
        });
    });
    for format in [SchemaFormat::Avro, SchemaFormat::Protobuf] {
        let encoder = Encoder::Registered {
            format,
            schema_id: 1,
        };
        let encoded: Vec<Vec<u8>> = events
            .iter()
            .map(|event| encoder.encode(event).expect("encoded"))
            .collect();
        let writer = WriterSchema::compile(format.schema_type(), format.schema(), false);
        let writer = writer.expect("our own schema");
        group.bench_function(format!("decode {}", format.schema_type()), |it| {
            it.iter(|| {
                for value in &encoded {
                    drop(black_box(writer.decode(&value[wire::HEADER_BYTES..])));
                }
            });
        });
    }
    group.bench_function("decode JSON and clean", |it| {
        it.iter(|| {
            json.iter()
                .for_each(|value| drop(black_box(decode_and_clean(value))))
        });
    });
    group.finish();
}

fn settling(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("settling");
    group.throughput(Throughput::Elements(USERS as u64));
    group.bench_function("gather into batches", |it| {
        it.iter(|| {
            let mut batch = Batch::new(Limits {
                rows: 60,
                bytes: 40_000,
            });
            for number in 0..USERS {
                drop(black_box(batch.add(number, 450, (0, number as i64))));
            }
            batch.take()
        });
    });
    group.bench_function("settle in another order", |it| {
        it.iter(|| {
            let mut mark = Watermark::starting_at(0);
            for offset in 0..USERS as i64 {
                mark.begin(offset);
            }
            // Batches of 60 that come back in pairs, the later one first.
            for pair in 0..USERS as i64 / 120 + 1 {
                for offset in (pair * 120 + 60..pair * 120 + 120).chain(pair * 120..pair * 120 + 60)
                {
                    mark.settle(offset);
                }
            }
            assert!(mark.is_settled());
            mark.position()
        });
    });
    group.finish();
}

criterion_group!(parts, records, settling);
criterion_main!(parts);
