//! How a run of `fetch-publish` ends before it has all users: after its time, or by a signal.

use std::time::{Duration, Instant};

use streamflow::random_user_api::Config;

use crate::bundled_api::BundledApi;
use crate::program::{Ended, Program, Running};
use crate::scripted_api::{Reply, ScriptedApi};

/// The longest that a program may take to end after a signal.
const ORDERLY: Duration = Duration::from_secs(10);

fn stop(program: Running, signal: &str) -> Ended {
    let asked = Instant::now();
    program.signal(signal);
    let ended = program.wait().with_code(0);
    assert!(asked.elapsed() < ORDERLY, "took {:?}", asked.elapsed());
    ended
}

#[test]
fn a_duration_ends_it() {
    let api = BundledApi::start(Config::default());
    let ended = Program::fetch(&api.url(""))
        .arguments(&["--duration", "1s", "--rate", "100", "--page-size", "10"])
        .run()
        .with_code(0);
    let fetched = ended.number("fetched");
    assert!((10..=110).contains(&fetched), "{fetched}");
    assert_eq!(ended.events().len() as u64, fetched);
    let elapsed = ended.elapsed;
    assert!(
        elapsed >= Duration::from_millis(900) && elapsed < Duration::from_secs(6),
        "{elapsed:?}"
    );
}

#[test]
fn the_number_of_users_can_come_before_the_duration() {
    let api = BundledApi::start(Config::default());
    let ended = Program::fetch(&api.url(""))
        .arguments(&["--duration", "50s", "--users", "20"])
        .run()
        .with_code(0);
    assert_eq!(ended.number("fetched"), 20);
}

#[test]
fn a_duration_shorter_than_the_wait_for_the_rate_ends_it() {
    let api = BundledApi::start(Config::default());
    let ended = Program::fetch(&api.url(""))
        .arguments(&["--duration", "1s", "--rate", "1", "--page-size", "30"])
        .run()
        .with_code(0);
    assert_eq!(ended.number("fetched"), 30);
    assert!(ended.elapsed < Duration::from_secs(6), "{ended:?}");
}

#[test]
fn a_duration_without_a_single_page_is_no_success() {
    for mode in ["hang", "empty", "server-error", "forbidden"] {
        let api = BundledApi::start(Config::default());
        let ended = Program::fetch(&api.url(&format!("trouble={mode}")))
            .arguments(&["--duration", "1s"])
            .run()
            .with_code(69)
            .saying(&[
                "/api/ gave no page of users within --duration",
                "what to do: ",
            ]);
        assert_eq!(ended.number("fetched"), 0);
        assert!(ended.elapsed < Duration::from_secs(8), "{mode}: {ended:?}");
    }
}

#[test]
fn an_answer_that_hangs_does_not_outlast_the_duration() {
    let api = BundledApi::start(Config::default());
    let ended = Program::fetch(&api.url("trouble=hang&trouble_after=1"))
        .arguments(&["--duration", "1s", "--page-size", "10"])
        .run()
        .with_code(0);
    assert_eq!(ended.number("fetched"), 10);
    assert!(ended.elapsed < Duration::from_secs(8), "{ended:?}");
}

#[test]
fn nothing_to_do_is_told_by_its_own_code_where_that_is_wished() {
    let api = BundledApi::start(Config::default());
    let fetch = |users: &str| {
        let arguments = ["--users", users, "--skip-if-empty"];
        Program::fetch(&api.url("")).arguments(&arguments).run()
    };
    fetch("0").with_code(99);
    fetch("3").with_code(0);
}

#[test]
fn a_signal_ends_it_while_the_api_hangs() {
    for signal in ["TERM", "INT"] {
        let api = ScriptedApi::start(|request| match request.number {
            0 => Reply::page(request),
            _ => Reply::Nothing,
        });
        let program = Program::fetch(&api.url())
            .arguments(&["--users", "10", "--page-size", "5"])
            .start();
        api.wait_for_request();
        api.wait_for_request();
        let ended = stop(program, signal);
        assert_eq!(ended.number("fetched"), 5, "what has come is kept");
        assert_eq!(ended.summary()["interrupted"], true, "{signal}");
    }
}

#[test]
fn a_signal_ends_it_in_the_middle_of_a_slow_answer() {
    let mut api = Program::new("random-user-api")
        .arguments(&["--listen", "127.0.0.1:0"])
        .start();
    let listens = api.wait_for_log("random users at ");
    let url = listens.split(' ').next_back().unwrap();
    let program = Program::fetch(&format!(
        "{url}?trouble=slow&trouble_ms=50000&trouble_after=1"
    ))
    .arguments(&["--users", "10", "--page-size", "5"])
    .start();
    api.wait_for_log("trouble=slow");
    let ended = stop(program, "TERM");
    assert_eq!(ended.number("fetched"), 5);
}

#[test]
fn a_signal_ends_it_while_it_waits_to_try_again() {
    let api = ScriptedApi::start(|_| Reply::status("429 Too Many Requests\r\nRetry-After: 500"));
    let mut program = Program::fetch(&api.url()).start();
    program.wait_for_log("try 2 of 6 in 500.0 s");
    let ended = stop(program, "TERM");
    assert_eq!(ended.number("fetched"), 0);
}

#[test]
fn a_signal_ends_it_while_it_waits_for_the_rate() {
    let api = ScriptedApi::start(Reply::page);
    let program = Program::fetch(&api.url())
        .arguments(&["--users", "10", "--page-size", "5", "--rate", "1"])
        .start();
    api.wait_for_request();
    let ended = stop(program, "TERM");
    assert!(ended.number("fetched") <= 5);
}

/// Many times: a signal can come as soon as the program has said that it runs.
#[test]
fn a_signal_ends_the_bundled_api() {
    for _ in 0..20 {
        let mut program = Program::new("random-user-api")
            .arguments(&["--listen", "127.0.0.1:0"])
            .start();
        program.wait_for_log("random users at http://127.0.0.1:");
        stop(program, "TERM");
    }
}
