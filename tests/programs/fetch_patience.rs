//! How long `fetch-publish` waits: as the API asks for it, as its flags allow, and not longer.

use std::time::{Duration, Instant};

use crate::program::Program;
use crate::scripted_api::{Reply, ScriptedApi, address_of_nobody};

/// The time between the first two requests.
fn first_wait(api: &ScriptedApi) -> Duration {
    let requests = api.requests();
    requests[1].at.duration_since(requests[0].at)
}

/// An API that refuses the first request and answers the others.
fn refusing_once(head: &'static str) -> ScriptedApi {
    ScriptedApi::start(move |request| match request.number {
        0 => Reply::status(head),
        _ => Reply::page(request),
    })
}

#[test]
fn the_time_that_a_rate_limit_names_is_waited_for() {
    let api = refusing_once("429 Too Many Requests\r\nRetry-After: 2");
    let ended = Program::fetch(&api.url())
        .arguments(&["--users", "3"])
        .run();
    assert_eq!(ended.with_code(0).number("fetched"), 3);
    let wait = first_wait(&api);
    assert!(wait >= Duration::from_secs(2), "waited {wait:?}");
    assert!(wait < Duration::from_secs(10), "waited {wait:?}");
}

#[test]
fn the_time_that_an_overloaded_proxy_names_is_waited_for() {
    let api = refusing_once("503 Service Unavailable\r\nRetry-After: 1");
    Program::fetch(&api.url())
        .arguments(&["--users", "3"])
        .run()
        .with_code(0);
    let wait = first_wait(&api);
    assert!(wait >= Duration::from_secs(1), "waited {wait:?}");
}

#[test]
fn a_time_too_long_to_wait_for_fails_at_once() {
    let api = refusing_once("429 Too Many Requests\r\nRetry-After: 86400");
    let ended = Program::fetch(&api.url()).run().with_code(69);
    assert!(ended.elapsed < Duration::from_secs(10), "{ended:?}");
    ended.saying(&["status 429", "what to do: "]);
    assert_eq!(api.requests().len(), 1);
}

#[test]
fn tries_are_spread_out() {
    let api = ScriptedApi::start(|_| Reply::status("500 Internal Server Error"));
    Program::fetch(&api.url())
        .arguments(&["--api-retries", "3"])
        .run()
        .with_code(69)
        .saying(&["in 4 tries"]);
    let requests = api.requests();
    assert_eq!(requests.len(), 4);
    let waits = requests
        .windows(2)
        .map(|two| two[1].at.duration_since(two[0].at));
    for (wait, at_least) in waits.zip([250, 500, 1_000]) {
        assert!(
            wait >= Duration::from_millis(at_least),
            "{wait:?} after {at_least} ms"
        );
    }
}

#[test]
fn an_answer_that_hangs_is_given_up_after_its_time() {
    let api = ScriptedApi::start(|_| Reply::Nothing);
    let ended = Program::fetch(&api.url())
        .arguments(&["--api-timeout", "700ms", "--api-retries", "0"])
        .run()
        .with_code(69)
        .saying(&["it did not answer in time", &api.url()]);
    assert!(ended.elapsed >= Duration::from_millis(700), "{ended:?}");
    assert!(ended.elapsed < Duration::from_secs(8), "{ended:?}");
}

#[test]
fn the_rate_is_kept() {
    let api = ScriptedApi::start(Reply::page);
    let begun = Instant::now();
    Program::fetch(&api.url())
        .arguments(&["--users", "40", "--page-size", "10", "--rate", "20"])
        .run()
        .with_code(0);
    let requests = api.requests();
    assert_eq!(requests.len(), 4);
    for request in requests {
        let due = Duration::from_millis(500) * request.number as u32;
        let after = request.at.duration_since(begun);
        assert!(
            after >= due,
            "request {} came after {after:?}",
            request.number
        );
    }
}

#[test]
fn nothing_listens_there() {
    let address = address_of_nobody();
    let ended = Program::fetch(&format!("http://someone:hidden@{address}/api/?key=hidden"))
        .arguments(&["--connect-timeout", "1s"])
        .run()
        .with_code(69)
        .saying(&[
            &format!("the API at http://{address}/api/ did not answer within 1 s"),
            "what to do: ",
            "--api-url",
            "STREAMFLOW_API_URL",
            "--connect-timeout",
        ])
        .without("hidden");
    assert!(ended.elapsed >= Duration::from_secs(1), "{ended:?}");
    assert!(ended.elapsed < Duration::from_secs(10), "{ended:?}");
}

#[test]
fn connections_that_are_closed_without_a_word_are_tried_again() {
    let api = ScriptedApi::start(|request| match request.number {
        0 | 1 => Reply::Closed,
        _ => Reply::page(request),
    });
    let ended = Program::fetch(&api.url())
        .arguments(&["--users", "3"])
        .run();
    assert_eq!(ended.with_code(0).number("fetched"), 3);
    assert_eq!(api.requests().len(), 3);
}
