//! The bundled API over real HTTP: paths, headers, the limit, and each trouble as a client meets it.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use streamflow::random_user_api::{Config, Limit};

use crate::bundled_api::BundledApi;

#[test]
fn paths_methods_and_headers_are_those_of_the_public_api() {
    let api = BundledApi::start(Config::default());
    for (path, version) in [
        ("/api", "1.4"),
        ("/api/", "1.4"),
        ("/api/1.4", "1.4"),
        ("/api/1.4/", "1.4"),
        ("/api/1.3", "1.3"),
        ("/api/1.3/", "1.3"),
    ] {
        let reply = api.get(&format!("{path}?results=3&seed=abc"));
        assert_eq!((reply.status, reply.users()), (200, 3), "{path}");
        assert_eq!(reply.json()["info"]["version"], version);
        assert_eq!(
            reply.header("content-type"),
            Some("application/json; charset=utf-8")
        );
        assert_eq!(reply.header("cache-control"), Some("no-cache"));
        assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
        assert_eq!(reply.promised_length(), reply.body.len());
    }
    for (method, path) in [
        ("POST", "/api/"),
        ("GET", "/"),
        ("GET", "/api/2.0/"),
        ("GET", "/api/1.4/deeper"),
        ("GET", "/apis"),
    ] {
        let reply = api.ask(method, path, "");
        assert_eq!(
            (reply.status, reply.text()),
            (404, "Not Found"),
            "{method} {path}"
        );
        assert_eq!(
            reply.header("content-type"),
            Some("text/plain; charset=utf-8")
        );
    }
    let older = api.get("/api/1.2/");
    assert!(older.status == 404 && older.text().contains("1.3 and 1.4"));
    let head = api.ask("HEAD", "/api/?seed=abc&results=2", "");
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(
        head.promised_length(),
        api.get("/api/?seed=abc&results=2").body.len()
    );
    let health = api.get("/healthz");
    assert_eq!((health.status, health.text().trim()), (200, "ok"));
    let download = api.get("/api/?dl");
    assert_eq!(
        download.header("content-disposition"),
        Some("attachment; filename=download.json")
    );
    assert!(
        download
            .header("content-type")
            .is_some_and(|kind| kind.starts_with("application/octet-stream"))
    );
}

#[test]
fn each_request_without_a_seed_gets_a_new_one() {
    let api = BundledApi::start(Config::default());
    let seed = || {
        api.get("/api/").json()["info"]["seed"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let (one, other) = (seed(), seed());
    assert!(
        one.len() == 16
            && one
                .bytes()
                .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)),
        "{one}"
    );
    assert_ne!(one, other);
}

#[test]
fn compression_is_for_those_who_ask_where_it_is_switched_on() {
    let gzip = "Accept-Encoding: gzip, deflate\r\n";
    let plain = BundledApi::start(Config::default()).ask("GET", "/api/?results=50&seed=abc", gzip);
    assert_eq!(plain.header("content-encoding"), None);
    let api = BundledApi::start(Config {
        gzip: true,
        ..Config::default()
    });
    let compressed = api.ask("GET", "/api/?results=50&seed=abc", gzip);
    assert_eq!(compressed.header("content-encoding"), Some("gzip"));
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(&compressed.body[..])
        .read_to_end(&mut unpacked)
        .unwrap();
    assert_eq!(unpacked, plain.body);
    assert_eq!(
        api.get("/api/?results=50&seed=abc")
            .header("content-encoding"),
        None
    );
}

#[test]
fn troubles_with_a_status_of_their_own() {
    let api = BundledApi::start(Config::default());
    let limited = api.get("/api/?results=100&trouble=rate-limit");
    assert_eq!((limited.status, limited.header("retry-after")), (429, None));
    let error = limited.json()["error"].as_str().unwrap().to_owned();
    assert!(
        error.starts_with("Whoa, ease up there cowboy.") && error.contains("20100"),
        "{error}"
    );
    assert_eq!(
        limited.header("content-type"),
        Some("application/json; charset=utf-8")
    );
    let limited = api.get("/api/?trouble=rate-limit-retry-after");
    assert_eq!(
        (limited.status, limited.header("retry-after")),
        (429, Some("1"))
    );
    assert_eq!(api.get("/api/?trouble=server-error").status, 500);
    for (mode, status) in [("html", 503), ("html-ok", 200), ("forbidden", 403)] {
        let reply = api.get(&format!("/api/?trouble={mode}"));
        assert_eq!(
            (reply.status, reply.header("content-type")),
            (status, Some("text/html; charset=utf-8")),
            "{mode}"
        );
        assert!(reply.text().starts_with("<!DOCTYPE html>"));
    }
    let unknown = api.get("/api/?trouble=sunshine");
    assert!(
        unknown.status == 400
            && unknown.text().contains("sunshine")
            && unknown.text().contains("rate-limit-retry-after")
    );
}

#[test]
fn troubles_that_look_like_success() {
    let api = BundledApi::start(Config::default());
    let get = |mode: &str| {
        let reply = api.get(&format!("/api/?results=10&seed=abc&trouble={mode}"));
        assert_eq!(
            (reply.status, reply.promised_length()),
            (200, reply.body.len()),
            "{mode}"
        );
        reply
    };
    assert!(
        get("error-body").json()["error"]
            .as_str()
            .unwrap()
            .starts_with("Uh oh, something has gone wrong.")
    );
    let empty = r#"{"results":[],"info":{"seed":"d3adb33f","results":1,"page":1,"version":"1.4"}}"#;
    assert_eq!(get("empty").text(), empty);
    assert_eq!((get("fewer").users(), get("more").users()), (5, 11));
    assert_eq!(get("fewer").json()["info"]["results"], 10);
    assert!(serde_json::from_str::<serde_json::Value>(get("not-json").text()).is_err());
    assert!(get("wrong-shape").json().get("results").is_none());
    assert!(std::str::from_utf8(&get("invalid-utf8").body).is_err());
    let (cut, whole) = (get("cut"), api.get("/api/?results=10&seed=abc"));
    assert!(whole.body.starts_with(&cut.body) && cut.body.len() == whole.body.len() / 2);
}

#[test]
fn a_truncated_answer_promises_more_than_it_sends() {
    let api = BundledApi::start(Config::default());
    for results in [1, 500] {
        let reply = api.get(&format!("/api/?results={results}&trouble=truncated"));
        assert_eq!(reply.status, 200);
        assert_eq!(
            reply.body.len(),
            reply.promised_length() / 2,
            "results={results}"
        );
    }
}

#[test]
fn a_slow_answer_is_whole_and_takes_its_time() {
    let api = BundledApi::start(Config::default());
    let start = Instant::now();
    let reply = api.get("/api/?results=20&trouble=slow&trouble_ms=300");
    assert!(start.elapsed() >= Duration::from_millis(300));
    assert_eq!(reply.users(), 20);
}

#[test]
fn a_hanging_answer_never_comes_and_does_not_keep_the_server_from_stopping() {
    let api = BundledApi::start(Config::default());
    for query in ["trouble=hang", "nat=,", "seed=eighteen-character"] {
        let mut stream = api.connect();
        write!(stream, "GET /api/?{query} HTTP/1.1\r\nHost: test\r\n\r\n").unwrap();
        stream
            .set_read_timeout(Some(Duration::from_millis(300)))
            .unwrap();
        let read = stream.read(&mut [0; 64]);
        assert!(
            read.is_err_and(|error| matches!(
                error.kind(),
                std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
            )),
            "{query}"
        );
    }
    let mut waiting = api.connect();
    write!(
        waiting,
        "GET /api/?trouble=hang HTTP/1.1\r\nHost: test\r\n\r\n"
    )
    .unwrap();
    assert_eq!(
        api.get("/healthz").status,
        200,
        "others are answered meanwhile"
    );
    let start = Instant::now();
    drop(api);
    assert!(
        start.elapsed() < Duration::from_secs(5),
        "stopping took {:?}",
        start.elapsed()
    );
}

#[test]
fn a_trouble_ends_after_its_number_of_requests() {
    let api = BundledApi::start(Config::default());
    let status = |key: &str| {
        api.get(&format!(
            "/api/?trouble=html&trouble_times=2&trouble_after=1&trouble_key={key}"
        ))
        .status
    };
    let statuses: Vec<u16> = (0..5).map(|_| status("one")).collect();
    assert_eq!(statuses, [200, 503, 503, 200, 200]);
    assert_eq!(
        (status("two"), status("two")),
        (200, 503),
        "another key is counted apart"
    );
}

#[test]
fn a_trouble_of_the_server_meets_clients_that_ask_for_none() {
    let trouble = "server-error:2".parse().ok();
    let api = BundledApi::start(Config {
        trouble,
        ..Config::default()
    });
    assert_eq!(api.get("/healthz").status, 200);
    let statuses: Vec<u16> = (0..4).map(|_| api.get("/api/").status).collect();
    assert_eq!(statuses, [500, 500, 200, 200]);
}

#[test]
fn the_limit_counts_users_and_lets_one_request_pass_it() {
    let limit = Some(Limit {
        users: 100,
        window: Duration::from_secs(300),
    });
    let api = BundledApi::start(Config {
        limit,
        ..Config::default()
    });
    let status = || api.get("/api/?results=60").status;
    assert_eq!([status(), status(), status()], [200, 200, 429]);
    let refused = api.get("/api/");
    assert!(refused.text().contains("120 users"), "{}", refused.text());
}
