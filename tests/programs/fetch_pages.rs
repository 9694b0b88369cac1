//! Which pages `fetch-publish` asks for, and that the same questions give the same events.

use serde_json::Value;
use streamflow::random_user_api::Config;

use crate::bundled_api::BundledApi;
use crate::program::Program;
use crate::scripted_api::{Reply, ScriptedApi};

/// `results` and `page` of each request.
fn asked(api: &ScriptedApi) -> Vec<(String, String)> {
    let value = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let requests = api.requests();
    let pairs = requests.iter();
    pairs
        .map(|it| (value(it.parameter("results")), value(it.parameter("page"))))
        .collect()
}

#[test]
fn the_last_page_asks_for_what_is_left() {
    let api = ScriptedApi::start(Reply::page);
    let ended = Program::fetch(&api.url())
        .arguments(&["--users", "25", "--page-size", "10"])
        .run()
        .with_code(0);
    let pages = [("10", "1"), ("10", "2"), ("5", "3")];
    assert_eq!(
        asked(&api),
        pages.map(|(n, page)| (n.to_owned(), page.to_owned()))
    );
    assert_eq!((ended.number("fetched"), ended.events().len()), (25, 25));
    assert_eq!(ended.summary()["seed"], "spring");
}

#[test]
fn more_users_begin_with_the_same_ones() {
    let api = BundledApi::start(Config::default());
    let fetch = |users: &str| {
        Program::fetch(&api.url(""))
            .arguments(&["--users", users, "--page-size", "10"])
            .run()
            .with_code(0)
    };
    let (few, more, all) = (fetch("7"), fetch("25"), fetch("40"));
    assert_eq!((few.events().len(), all.events().len()), (7, 40));
    assert_eq!(few.events()[..], more.events()[..7]);
    assert_eq!(more.events()[..], all.events()[..25]);
}

#[test]
fn the_same_seed_gives_the_same_events_and_another_seed_others() {
    let api = BundledApi::start(Config::default());
    let fetch = |seed: &str| {
        let program = Program::new("fetch-publish").variable("STREAMFLOW_API_URL", &api.url(""));
        let ended = program
            .arguments(&["--dry-run", "--users", "12", "--seed", seed])
            .run()
            .with_code(0);
        ended.events().join("\n")
    };
    let spring = fetch("spring");
    assert_eq!(spring, fetch("spring"));
    assert_ne!(spring, fetch("autumn"));
    assert_eq!(fetch("été & ?#=%20+"), fetch("été & ?#=%20+"));
}

/// As Compose sets them where nothing is chosen.
#[test]
fn variables_without_a_text_are_the_same_as_none() {
    let api = ScriptedApi::start(Reply::page);
    let run = || Program::fetch(&api.url()).arguments(&["--users", "3"]);
    let expected = run().run().with_code(0);
    let mut program = run();
    for name in [
        "STREAMFLOW_VALUE_FORMAT",
        "SCHEMA_REGISTRY_URL",
        "SCHEMA_REGISTRY_USERNAME",
        "SCHEMA_REGISTRY_PASSWORD",
        "SCHEMA_REGISTRY_PASSWORD_FILE",
        "DATABASE_PASSWORD_FILE",
    ] {
        program = program.variable(name, "");
    }
    let ended = program.run().with_code(0);
    assert_eq!(ended.events(), expected.events());
    assert!(ended.events().iter().all(|event| event.starts_with('{')));
}

#[test]
fn without_a_seed_each_run_has_a_new_one_and_says_which() {
    let api = BundledApi::start(Config::default());
    let fetch = |seed: &[&str]| {
        Program::new("fetch-publish")
            .arguments(&["--dry-run", "--users", "3", "--api-url", &api.url("")])
            .arguments(seed)
            .run()
            .with_code(0)
    };
    let (one, other) = (fetch(&[]), fetch(&[]));
    assert_ne!(one.events(), other.events());
    let summary = one.summary();
    let again = fetch(&["--seed", summary["seed"].as_str().unwrap()]);
    assert_eq!(one.events(), again.events());
}

#[test]
fn only_the_nationalities_asked_for_come() {
    let api = BundledApi::start(Config::default());
    let ended = Program::fetch(&api.url(""))
        .arguments(&["--users", "60", "--nationalities", "gb,FR"])
        .run()
        .with_code(0);
    let nationality = |line: &&str| {
        let event: Value = serde_json::from_str(line).unwrap();
        event["nationality"].as_str().unwrap().to_owned()
    };
    let mut found: Vec<String> = ended.events().iter().map(nationality).collect();
    found.sort();
    found.dedup();
    assert_eq!(found, ["FR", "GB"]);
}

#[test]
fn an_event_has_no_secret_of_the_answer() {
    let api = BundledApi::start(Config::default());
    let ended = Program::fetch(&api.url(""))
        .arguments(&["--users", "20"])
        .run();
    let ended = ended.with_code(0);
    for line in ended.events() {
        let event: Value = serde_json::from_str(line).unwrap();
        let names: Vec<&str> = event
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        for secret in ["password", "salt", "md5", "sha1", "sha256"] {
            assert!(!names.contains(&secret), "{names:?}");
        }
    }
}

#[test]
fn no_users_asked_for_are_no_requests() {
    let api = ScriptedApi::start(Reply::page);
    let ended = Program::fetch(&api.url())
        .arguments(&["--users", "0"])
        .run()
        .with_code(0);
    assert_eq!((ended.number("fetched"), api.requests().len()), (0, 0));
}

#[test]
fn an_unreadable_record_is_counted_and_told_without_its_content() {
    let body = br#"{"results":[{"login":{"uuid":"12f65339-35f4-4a32-beeb-2ae479e41cb8"}},{"login":{"uuid":"canary"}},7,{"name":{"first":"canary"}}]}"#;
    let api = ScriptedApi::start(|_| Reply::With("200 OK", body.to_vec()));
    let ended = Program::fetch(&api.url())
        .arguments(&["--users", "4"])
        .run()
        .with_code(0)
        .saying(&[
            "malformed_id (login.uuid)",
            "wrong_shape",
            "missing_field (login.uuid)",
        ])
        .without("canary");
    let (fetched, rejected) = (ended.number("fetched"), ended.number("rejected"));
    assert_eq!((fetched, rejected, ended.events().len()), (4, 3, 1));
}

#[test]
fn more_users_than_a_seed_has_are_refused_before_anything_is_asked() {
    let api = ScriptedApi::start(Reply::page);
    Program::fetch(&api.url())
        .arguments(&["--users", "20001", "--page-size", "2"])
        .run()
        .with_code(78)
        .saying(&[
            "20000 users with --page-size 2",
            "what to do: raise --page-size",
        ]);
    assert!(api.requests().is_empty());
}
