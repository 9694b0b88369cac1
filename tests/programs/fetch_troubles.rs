//! Each way in which the bundled API can fail, met by `fetch-publish`: once for a while, and once for ever.

use streamflow::random_user_api::Config;

use crate::bundled_api::BundledApi;
use crate::program::Program;
use crate::scripted_api::{Reply, ScriptedApi};

/// What the bundled API puts into answers that are no pages, and into pages: none of it belongs into a log.
const CONTENT: [&str; 9] = [
    "cowboy",
    "Uh oh",
    "d3adb33f",
    "being moved",
    "in one piece",
    "center>",
    "One moment",
    "@example.com",
    "portraits",
];

/// Two requests fail, then all are well: the run ends with all users, and the log says what it met.
#[track_caller]
fn ends_well_after_a_while(mode: &str, flaw: &str) {
    let api = BundledApi::start(Config::default());
    let ended =
        Program::fetch(&api.url(&format!("trouble={mode}&trouble_times=2&trouble_after=1")))
            .arguments(&["--users", "10", "--page-size", "5", "--api-timeout", "1s"])
            .run()
            .with_code(0)
            .saying(&["page 2: ", flaw, "try 2 of 6", "try 3 of 6"]);
    assert_eq!((ended.number("fetched"), ended.events().len()), (10, 10));
    assert_eq!(ended.count_in_log(flaw), 2, "{}", ended.log);
    for content in CONTENT {
        assert!(!ended.log.contains(content), "{content} in {}", ended.log);
    }
}

/// All requests after the first page fail: the run keeps what it has, says where and why and what to do, and is not green.
#[track_caller]
fn fails_for_ever(mode: &str, code: i32, flaw: &str) {
    let api = BundledApi::start(Config::default());
    let ended = Program::fetch(&api.url(&format!("trouble={mode}&trouble_after=1")))
        .arguments(&["--users", "10", "--page-size", "5", "--api-timeout", "1s"])
        .arguments(&["--api-retries", "1"])
        .run()
        .with_code(code)
        .saying(&[flaw, "in 2 tries", "what to do: ", "http://127.0.0.1:"]);
    let error = ended.log.lines().find(|line| line.contains("ERROR"));
    assert!(error.is_some_and(|line| line.contains("/api/ gave no page") && line.contains(flaw)));
    assert_eq!((ended.number("fetched"), ended.events().len()), (5, 5));
    for content in CONTENT {
        assert!(!ended.log.contains(content), "{content} in {}", ended.log);
    }
}

macro_rules! troubles {
    ($($name:ident: $mode:literal, $code:literal, $flaw:literal;)*) => {
        mod for_a_while {
            $(#[test] fn $name() { super::ends_well_after_a_while($mode, $flaw); })*
        }
        mod for_ever {
            $(#[test] fn $name() { super::fails_for_ever($mode, $code, $flaw); })*
        }
    };
}

troubles! {
    too_many_users_asked_for: "rate-limit", 69, "status 429: too many users asked for";
    too_many_users_with_a_time_to_come_back: "rate-limit-retry-after", 69, "status 429: too many users asked for";
    a_server_error: "server-error", 69, "status 500";
    an_error_body: "error-body", 65, "the answer is an error of the API";
    an_empty_page: "empty", 65, "the answer holds no users while its info claims 1";
    a_proxy_that_is_overloaded: "html", 69, "status 503";
    a_proxy_that_claims_success: "html-ok", 65, "the answer is not JSON but an HTML page";
    a_refusal: "forbidden", 77, "status 403";
    a_truncated_answer: "truncated", 69, "the answer broke off";
    half_of_the_json: "cut", 65, "the answer is not JSON";
    no_answer: "hang", 69, "it did not answer in time";
    an_answer_slower_than_the_time_for_it: "slow", 69, "it did not answer in time";
    fewer_users_than_asked_for: "fewer", 65, "5 users were asked for and 2 came";
    more_users_than_asked_for: "more", 65, "5 users were asked for and 6 came";
    words_that_are_no_json: "not-json", 65, "the answer is not JSON";
    json_of_another_shape: "wrong-shape", 65, "the answer has no list `results`";
    bytes_that_are_no_text: "invalid-utf8", 65, "the answer is not JSON";
}

#[test]
fn a_slow_answer_within_its_time_is_no_trouble() {
    let api = BundledApi::start(Config::default());
    let ended = Program::fetch(&api.url("trouble=slow&trouble_ms=300"))
        .arguments(&["--users", "5"])
        .run()
        .with_code(0);
    assert_eq!(ended.number("fetched"), 5);
    assert_eq!(ended.count_in_log("WARN"), 0, "{}", ended.log);
}

#[test]
fn nothing_but_trouble_is_never_a_green_run() {
    for mode in ["empty", "error-body", "wrong-shape", "html-ok"] {
        let api = BundledApi::start(Config::default());
        let ended = Program::fetch(&api.url(&format!("trouble={mode}")))
            .arguments(&["--users", "5", "--api-retries", "0"])
            .run()
            .with_code(65);
        assert_eq!(
            (ended.number("fetched"), ended.events().len()),
            (0, 0),
            "{mode}"
        );
    }
}

#[test]
fn an_address_that_is_not_the_api_is_a_matter_of_configuration_and_not_asked_twice() {
    let api = BundledApi::start(Config::default());
    let url = api.url("").replace("/api/", "/elsewhere");
    Program::fetch(&url).run().with_code(78).saying(&[
        "status 404",
        "in 1 tries",
        "--api-url",
        "STREAMFLOW_API_URL",
        "/elsewhere",
    ]);
}

#[test]
fn a_size_that_the_api_does_not_give_is_named() {
    let api = BundledApi::start(Config::default());
    Program::fetch(&api.url("trouble=fewer"))
        .arguments(&["--users", "8", "--page-size", "4", "--api-retries", "0"])
        .run()
        .with_code(65)
        .saying(&["4 users were asked for and 2 came", "--page-size"]);
}

#[test]
fn an_answer_without_end_is_cut_off() {
    let api = ScriptedApi::start(|_| Reply::With("200 OK", vec![b' '; 65 << 20]));
    Program::fetch(&api.url()).run().with_code(65).saying(&[
        "larger than 67108864 bytes",
        "in 1 tries",
        "what to do: ",
    ]);
    assert_eq!(api.requests().len(), 1);
}
