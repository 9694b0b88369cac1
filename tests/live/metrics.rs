//! `--metrics-addr`: the numbers are those of the run, and what is said about the state of a job is true, also when a server is away.

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::api::Api;
use crate::event::{numbered, records};
use crate::process::{LIMIT, Running};
use crate::proxy::Proxy;
use crate::scrape::{METRICS, Scrape, Served};
use crate::servers::until;
use crate::topic::Given;
use crate::world::World;

const OK: (u16, &str) = (200, "ok");

fn start(world: &World, program: &str, arguments: &[&str]) -> (Running, Served) {
    let mut running = world.spawn(program, &[arguments, &METRICS].concat());
    let served = Served::by(&mut running);
    (running, served)
}

/// Looks until the numbers are as they should be.
fn scraped(served: &Served, what: &str, is_so: impl Fn(&Scrape) -> bool) -> Scrape {
    until(what, LIMIT, || {
        let scrape = served.scrape();
        is_so(&scrape).then_some(scrape)
    })
}

#[track_caller]
fn is_ready(served: &Served) {
    until("it is ready", LIMIT, || {
        (served.state("/readyz").0 == 200).then_some(())
    });
    let (status, text) = served.state("/readyz");
    assert_eq!((status, text.as_str()), OK);
}

/// Waits for the reason why it is not ready.
fn is_not_ready(served: &Served, reason: &str) {
    until(reason, LIMIT, || {
        let (status, text) = served.state("/readyz");
        (status == 503 && text.contains(reason)).then_some(())
    });
    assert_eq!(served.scrape().number("streamflow_ready"), 0.0);
}

#[track_caller]
fn is_alive(served: &Served) {
    let (status, text) = served.state("/healthz");
    assert_eq!((status, text.as_str()), OK);
}

fn on(partition: i32, mut records: Vec<Given>) -> Vec<Given> {
    for record in &mut records {
        record.partition = Some(partition);
    }
    records
}

fn bad(count: usize) -> Vec<Given> {
    let bad = Given {
        value: Some(b"no JSON".to_vec()),
        ..Given::default()
    };
    vec![bad; count]
}

#[test]
fn the_numbers_are_those_of_the_last_line() {
    let Some(world) = World::shared() else { return };
    let (_, mut good) = records(200);
    numbered(&mut good, Uuid::new_v4(), 1);
    for (program, outcomes, expected) in [
        (
            "transform-store",
            &["stored", "filtered", "dead_lettered"][..],
            // Every fourth is of that nationality, and half of them come twice.
            &[75, 225, 3][..],
        ),
        (
            "aggregate",
            &["counted", "already_counted", "filtered", "dead_lettered"],
            &[50, 100, 150, 3],
        ),
    ] {
        let (running, served) = start(&world, program, &["--follow", "--nationalities", "gb"]);
        if program == "transform-store" {
            world.produce(&good);
            world.produce(&good[..100]);
            world.produce(&bad(3));
        }
        let scrape = scraped(&served, "all is settled", |scrape| {
            scrape.records("consumed") == 303
                && scrape.number("streamflow_records_in_flight") == 0.0
        });
        assert_eq!(scrape.job, program);
        let told: Vec<u64> = outcomes.iter().map(|it| scrape.records(it)).collect();
        assert_eq!(told, expected, "{program}");
        let operation = match program {
            "transform-store" => "streamflow_store",
            _ => "streamflow_summary_write",
        };
        assert!(scrape.number(&format!("{operation}_seconds_count")) > 0.0);
        let sent = scrape.number(&format!("{operation}_records_sum"));
        assert_eq!(sent, if program == "aggregate" { 303.0 } else { 75.0 });
        assert_eq!(scrape.number("streamflow_dead_letters_in_flight"), 0.0);
        assert_eq!(scrape.number("streamflow_assigned_partitions"), 6.0);
        assert!(scrape.number("streamflow_rebalances_total") >= 1.0);
        let cassandra = |metric: &str| scrape.number(&format!("{metric}{{server=\"cassandra\"}}"));
        assert_eq!(cassandra("streamflow_retries_total"), 0.0);
        assert_eq!(cassandra("streamflow_requests_in_flight"), 0.0);
        assert!(scrape.number("streamflow_progress_age_seconds") < 60.0);
        assert!(scrape.number("process_cpu_seconds_total") > 0.0);
        let memory = scrape.number("process_resident_memory_bytes");
        assert!(memory > 1e6 && memory <= scrape.number("process_resident_memory_peak_bytes"));
        let started = scrape.number("process_start_time_seconds");
        // The kernel tells it in ticks since a boot of a whole second.
        let now = jiff::Timestamp::now().as_second() as f64 + 2.0;
        assert!((now - 120.0..=now).contains(&started), "{started}");
        let version = concat!("{version=\"", env!("CARGO_PKG_VERSION"), "\"}");
        assert_eq!(
            scrape.number(&format!("streamflow_build_info{version}")),
            1.0
        );
        is_ready(&served);
        is_alive(&served);

        running.terminate();
        let done = running.finish().exits(0);
        assert_eq!(done.number("consumed"), 303, "{program}");
        let last: Vec<u64> = outcomes.iter().map(|it| done.number(it)).collect();
        assert_eq!(told, last, "{program}");
    }
}

/// A paused consumer fetches nothing, and so does not learn by itself what comes meanwhile.
#[test]
fn the_lag_is_right_while_the_sink_is_held_and_goes_back_to_nothing() {
    let Some(world) = World::shared() else { return };
    let proxy = Proxy::to(&world.base.servers.cassandra);
    let (running, served) = start(
        &world,
        "transform-store",
        &["--follow", "--contact-points", &proxy.address],
    );
    is_ready(&served);
    let is_lag = |lags: [i64; 6]| {
        scraped(&served, &format!("the lag is {lags:?}"), |scrape| {
            scrape.lag().into_values().eq(lags)
        })
    };
    is_lag([0; 6]);
    world.produce(&on(0, records(10).1));
    scraped(&served, "the first are stored", |it| {
        it.records("stored") == 10
    });
    is_lag([0; 6]);

    proxy.hold();
    world.produce(&on(0, records(3_000).1));
    world.produce(&on(1, records(5).1));
    scraped(&served, "it pauses", |it| {
        it.number("streamflow_paused") == 1.0
    });
    is_lag([3_000, 5, 0, 0, 0, 0]);
    world.produce(&on(0, records(500).1));
    let held = is_lag([3_500, 5, 0, 0, 0, 0]);
    assert_eq!(held.records("stored"), 10);
    assert!(held.number("streamflow_records_in_flight") > 0.0);
    assert!(held.number("streamflow_requests_in_flight{server=\"cassandra\"}") > 0.0);
    is_not_ready(&served, "Cassandra at ");
    is_alive(&served);

    proxy.release();
    is_lag([0; 6]);
    is_ready(&served);
    let after = served.scrape();
    assert_eq!(after.records("stored"), 3_515);
    assert_eq!(after.number("streamflow_paused"), 0.0);
    assert!(after.number("streamflow_retries_total{server=\"cassandra\"}") > 0.0);
    running.terminate();
    running.finish().exits(0);
}

/// The last offsets of a partition can belong to no record, and nobody commits them.
#[test]
fn what_holds_no_record_is_no_lag() {
    let Some(world) = World::shared() else { return };
    let (running, served) = start(&world, "transform-store", &["--follow"]);
    world.produce_in_a_transaction(&on(3, records(20).1), true);
    world.produce_in_a_transaction(&on(4, records(20).1), false);
    scraped(&served, "nothing is left", |scrape| {
        scrape.records("stored") == 20 && scrape.lag().into_values().eq([0; 6])
    });
    running.terminate();
    running.finish().exits(0);
}

/// Here the loop itself waits for Cassandra: it is alive all the same, for longer than a loop may stand still.
#[test]
fn aggregate_is_alive_and_not_ready_while_cassandra_is_held() {
    let Some(world) = World::shared() else { return };
    let proxy = Proxy::to(&world.base.servers.cassandra);
    let (running, served) = start(
        &world,
        "aggregate",
        &["--follow", "--contact-points", &proxy.address],
    );
    is_ready(&served);
    proxy.hold();
    let held = Instant::now();
    world.produce(&records(20).1);
    is_not_ready(&served, "Cassandra at ");
    until("longer than a turn of the loop may take", LIMIT, || {
        is_alive(&served);
        (held.elapsed() > Duration::from_secs(35)).then_some(())
    });
    assert_eq!(served.state("/readyz").0, 503);
    proxy.release();
    is_ready(&served);
    scraped(&served, "all is counted", |it| it.records("counted") == 20);
    running.terminate();
    running.finish().exits(0);
}

#[test]
fn what_is_waited_for_at_the_start_is_told() {
    let Some(world) = World::shared() else { return };
    let proxy = Proxy::to(&world.base.servers.cassandra);
    proxy.hold();
    for program in ["transform-store", "aggregate"] {
        let (running, served) = start(&world, program, &["--contact-points", &proxy.address]);
        let reason = format!("waiting for Cassandra at {}", proxy.address);
        is_not_ready(&served, &reason);
        is_alive(&served);
        running.kill();
    }
}

/// With an answer of /metrics that nobody takes, and a question that is not finished.
#[test]
fn a_job_that_ends_waits_for_no_connection() {
    let Some(world) = World::shared() else { return };
    for program in ["transform-store", "aggregate"] {
        let (running, served) = start(&world, program, &["--follow"]);
        is_ready(&served);
        let mut connections = Vec::new();
        for request in ["GET /metrics HTTP/1.1\r\nHost: test\r\n\r\n", "GET /met"] {
            let mut connection = TcpStream::connect(&served.address).expect("a connection");
            connection.write_all(request.as_bytes()).expect("a request");
            connections.push(connection);
        }
        running.terminate();
        let asked = Instant::now();
        running.finish().exits(0);
        assert!(asked.elapsed() < Duration::from_secs(5), "{program}");
    }
}

#[test]
fn fetch_publish_tells_its_numbers_in_the_middle() {
    let Some(world) = World::own() else { return };
    let api = Api::start();
    let arguments = [
        "--users",
        "3000",
        "--page-size",
        "100",
        "--rate",
        "500",
        "--seed",
        "metrics",
        "--api-url",
        &api.url(),
    ];
    let (running, served) = start(&world, "fetch-publish", &arguments);
    let middle = scraped(&served, "some are published", |scrape| {
        scrape.records("published") >= 500
    });
    assert_eq!(middle.job, "fetch-publish");
    let fetched = middle.records("fetched");
    assert!((500..3_000).contains(&fetched) && fetched.is_multiple_of(100));
    assert_eq!(middle.records("landed"), fetched);
    assert_eq!(middle.records("rejected"), 0);
    assert_eq!(middle.number("streamflow_ready"), 1.0);
    for operation in ["fetch", "land", "publish"] {
        let number = |what| middle.number(&format!("streamflow_{operation}_{what}"));
        assert!(number("seconds_count") > 0.0, "{operation}");
        assert!(number("records_sum") >= 500.0, "{operation}");
    }
    is_alive(&served);
    let done = running.finish().exits(0);
    assert_eq!(done.numbers(["fetched", "published"]), [3_000, 3_000]);
}

/// The API fails and is asked again: not ready, with the reason; then the work goes on.
#[test]
fn fetch_publish_is_not_ready_while_the_api_fails() {
    let Some(world) = World::own() else { return };
    let api = Api::start();
    let url = format!("{}?trouble=server-error&trouble_times=4", api.url());
    let arguments = ["--users", "1000", "--page-size", "100", "--rate", "200"];
    let arguments = [&arguments[..], &["--api-url", &url]].concat();
    let (running, served) = start(&world, "fetch-publish", &arguments);
    is_not_ready(&served, "the API at ");
    is_alive(&served);
    is_ready(&served);
    let retries = served
        .scrape()
        .number("streamflow_retries_total{server=\"api\"}");
    assert_eq!(retries, 4.0);
    let done = running.finish().exits(0);
    assert_eq!(done.number("published"), 1_000);
}
