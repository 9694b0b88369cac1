//! What a log looks like: text for people, one JSON object a line for machines; results stay on standard output.

use serde_json::Value;
use streamflow::random_user_api::Config;

use crate::bundled_api::BundledApi;
use crate::program::{Ended, Program};

fn troubled(api: &BundledApi, arguments: &[&str]) -> Ended {
    Program::fetch(&api.url("trouble=server-error&trouble_times=1"))
        .arguments(&["--users", "4"])
        .arguments(arguments)
        .run()
}

#[test]
fn json_logs_are_one_object_a_line() {
    let api = BundledApi::start(Config::default());
    let ended = troubled(&api, &["--log-format", "json", "--api-retries", "0"]).with_code(69);
    assert!(!ended.log.is_empty());
    for line in ended.log.lines() {
        let object: Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| object[name].as_str().unwrap().to_owned();
        assert!(text("time").parse::<jiff::Timestamp>().is_ok(), "{line}");
        assert!(
            ["error", "warn", "info"].contains(&text("level").as_str()),
            "{line}"
        );
        assert!(
            !text("target").is_empty() && !text("message").is_empty(),
            "{line}"
        );
    }
    let last: Value = serde_json::from_str(ended.log.lines().last().unwrap()).unwrap();
    assert_eq!(last["level"], "error");
    assert!(
        last["message"]
            .as_str()
            .unwrap()
            .contains("\n  what to do: ")
    );
}

#[test]
fn the_format_can_come_from_the_variable() {
    let api = BundledApi::start(Config::default());
    let ended = Program::fetch(&api.url("trouble=server-error&trouble_times=1"))
        .variable("STREAMFLOW_LOG_FORMAT", "json")
        .run()
        .with_code(0);
    let warning: Value = serde_json::from_str(ended.log.lines().next().unwrap()).unwrap();
    assert_eq!(warning["level"], "warn");
}

#[test]
fn text_logs_have_level_and_target_and_no_colours_off_a_terminal() {
    let api = BundledApi::start(Config::default());
    let ended = troubled(&api, &[])
        .with_code(0)
        .saying(&["WARN", "streamflow::source::random_user"]);
    assert!(!ended.log.contains('\u{1b}'), "{:?}", ended.log);
    assert_eq!(ended.stdout.lines().count(), 5);
}

#[test]
fn the_level_follows_rust_log() {
    let api = BundledApi::start(Config::default());
    let quiet = Program::fetch(&api.url("trouble=server-error&trouble_times=1"))
        .variable("RUST_LOG", "error")
        .run()
        .with_code(0);
    assert_eq!(quiet.log, "");
}

#[test]
fn the_last_line_is_the_result_also_after_a_failure() {
    let api = BundledApi::start(Config::default());
    let ended = troubled(&api, &["--api-retries", "0"]).with_code(69);
    let summary = ended.summary();
    assert_eq!(
        (&summary["job"], &summary["fetched"]),
        (&"fetch-publish".into(), &0.into())
    );
    assert!(summary["elapsed_ms"].is_u64());
}
