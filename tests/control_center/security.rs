//! Who is let in, from where, and to what.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use crate::center::{Answer, Center};
use crate::crawl::crawl;
use crate::logins::{PASSWORD, accounts, hash_password, log_in};
use crate::world::World;

const ROUTES: &str = include_str!("../../src/control_center/pages.rs");

/// Addresses that take a POST, as the program lists them, with something in place of each variable part.
fn that_change() -> Vec<String> {
    let routes = ROUTES.split(".route(").skip(1);
    let that_post = routes.filter(|it| it.contains("post("));
    let addresses = that_post.filter_map(|it| it.split('"').nth(1));
    let filled = |address: &str| -> String {
        let part = |part: &str| match part.starts_with('{') {
            true => "1".to_owned(),
            false => part.to_owned(),
        };
        address.split('/').map(part).collect::<Vec<_>>().join("/")
    };
    let all: Vec<String> = addresses.map(filled).collect();
    assert!(all.contains(&"/logout".to_owned()), "{all:?}");
    all.into_iter()
        .filter(|it| !matches!(it.as_str(), "/login" | "/logout"))
        .collect()
}

fn with_accounts(world: &World, arguments: &[&str]) -> Center {
    let accounts = accounts();
    Center::with(
        world,
        arguments,
        &[("STREAMFLOW_CONTROL_CENTER_ACCOUNTS", &accounts)],
    )
}

#[test]
fn another_name_for_this_machine_is_refused() {
    let Some(world) = World::shared() else { return };
    let center = Center::of(&world, &["--allowed-hosts", "pipeline.example.org"]);
    for host in [
        "evil.example",
        "localhost.evil.example",
        "169.254.169.254",
        "pipeline.example.org.evil.example",
        "",
    ] {
        let answer = center.get_with("/settings", &[("host", host)]).is(421);
        answer.says(&["--allowed-hosts"]);
    }
    for host in [
        "localhost",
        "LOCALHOST:9021",
        "127.0.0.1:1",
        "[::1]:9021",
        "Pipeline.example.org",
    ] {
        center.get_with("/settings", &[("host", host)]).is(200);
    }
}

#[test]
fn a_page_of_another_site_presses_no_button() {
    let Some(world) = World::shared() else { return };
    let center = Center::of(&world, &[]);
    let mut addresses = that_change();
    addresses.extend(["/login".to_owned(), "/logout".to_owned()]);
    for address in &addresses {
        for from in [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("origin", "http://evil.example"),
            ("origin", "null"),
            ("origin", "http://127.0.0.1:1"),
        ] {
            let answer = center.post_with(address, &[("name", "vi")], &[from]);
            assert_eq!(answer.status, 403, "{address} {from:?}");
            answer.says(&["another site"]);
        }
    }
}

#[track_caller]
fn has_all_headers(what: &str, answer: &Answer) {
    let policy = answer.header("content-security-policy");
    assert!(
        policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
        "{what}: {policy}"
    );
    assert!(
        !policy.contains("unsafe") && !policy.contains('*'),
        "{what}: {policy}"
    );
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        assert_eq!(answer.header(name), value, "{what}: {name}");
    }
    let kept = if what.starts_with("/assets/style") {
        "max-age=300"
    } else {
        "no-store"
    };
    assert_eq!(answer.header("cache-control"), kept, "{what}");
}

#[test]
fn every_answer_has_the_headers_that_keep_foreign_scripts_out() {
    let Some(world) = World::shared() else { return };
    let center = with_accounts(&world, &[]);
    for address in [
        "/",
        "/login",
        "/clusters",
        "/nowhere",
        "/assets/style.css",
        "/assets/nowhere",
        "/healthz",
        "/clusters/%ff",
        "/audit?below=x",
    ] {
        has_all_headers(address, &center.get(address));
    }
    has_all_headers(
        "another host",
        &center.get_with("/login", &[("host", "evil.example")]),
    );
    has_all_headers(
        "another site",
        &center.post_with("/login", &[], &[("origin", "null")]),
    );
    has_all_headers("not a form", &center.post("/login", &[]));
    has_all_headers(
        "logged in",
        &center.post("/login", &[("name", "vi"), ("password", PASSWORD)]),
    );
    let cookie = log_in(&center, "ada");
    for address in ["/nowhere", "/clusters", "/audit?below=x"] {
        has_all_headers(address, &center.get_with(address, &[("cookie", &cookie)]));
    }
}

#[test]
fn without_accounts_nobody_but_this_machine_is_served() {
    let Some(world) = World::shared() else { return };
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:9021"] {
        let ended = world
            .run("control-center", &["--listen", address])
            .exits(78);
        ended.says(&[
            "without accounts",
            "--accounts-file",
            "STREAMFLOW_CONTROL_CENTER_ACCOUNTS",
        ]);
    }
    // With accounts it comes as far as to listen: on a port that is taken, so that it does not.
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!(
        "0.0.0.0:{}",
        taken.local_addr().expect("its address").port()
    );
    let accounts = accounts();
    let variables = [("STREAMFLOW_CONTROL_CENTER_ACCOUNTS", accounts.as_str())];
    let ended = world
        .run_with("control-center", &["--listen", &address], &variables)
        .exits(74);
    ended.says(&["cannot be listened on", "--listen"]);
}

#[test]
fn accounts_come_from_a_file_too_and_wrong_lines_are_named() {
    let Some(world) = World::shared() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("accounts");
    std::fs::write(&file, accounts()).expect("written");
    let file = file.to_str().expect("a name in UTF-8");
    let center = Center::of(&world, &["--accounts-file", file]);
    log_in(&center, "oz");
    std::fs::write(file, format!("{}eve:root:no-hash\n", accounts())).expect("written");
    let ended = world
        .run("control-center", &["--accounts-file", file])
        .exits(78);
    ended.says(&["line 6", "root"]);
    assert!(!ended.texts().contains("no-hash"));
}

#[test]
fn the_right_password_opens_and_guessing_is_stopped() {
    let Some(world) = World::shared() else { return };
    let center = with_accounts(&world, &[]);
    for (name, password) in [("vi", "wrong"), ("vi", ""), ("nobody", PASSWORD), ("", "")] {
        let answer = center
            .post("/login", &[("name", name), ("password", password)])
            .is(403);
        answer.says(&["name or password is wrong"]);
        assert_eq!(answer.header("set-cookie"), "");
    }
    let answer = center
        .post("/login", &[("name", "vi"), ("password", PASSWORD)])
        .is(303);
    assert_eq!(answer.header("location"), "/");
    let set = answer.header("set-cookie");
    for part in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(set.contains(part), "{set}");
    }
    assert!(
        !set.contains("Secure") && answer.cookie().len() > 60,
        "{set}"
    );

    for _ in 0..5 {
        center
            .post("/login", &[("name", "oz"), ("password", "guess")])
            .is(403);
    }
    let locked = center
        .post("/login", &[("name", "oz"), ("password", PASSWORD)])
        .is(429);
    locked.says(&["too many wrong passwords", "wait for a minute"]);
    log_in(&center, "vi");
}

#[test]
fn behind_https_the_cookie_stays_there() {
    let Some(world) = World::shared() else { return };
    let center = with_accounts(&world, &["--secure-cookies"]);
    let answer = center
        .post("/login", &[("name", "vi"), ("password", PASSWORD)])
        .is(303);
    assert!(answer.header("set-cookie").contains("Secure"));
}

#[test]
fn a_program_with_the_token_reads_the_metrics_and_nothing_else() {
    let Some(world) = World::shared() else { return };
    let token = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(&token, "s3cret\n").expect("written");
    let file = token.path().to_str().expect("a path");
    let center = with_accounts(&world, &["--metrics-token-file", file]);
    let with = [("authorization", "Bearer s3cret")];
    let metrics = center.get_with("/metrics", &with).is(200);
    metrics.says(&["# EOF"]);
    for other in ["Bearer s3cre", "Basic s3cret"] {
        center
            .get_with("/metrics", &[("authorization", other)])
            .is(303);
    }
    center.get_with("/clusters", &with).is(303);
    center.get_with("/", &with).is(303);

    std::fs::write(&token, "\n").expect("written");
    let run = std::process::Command::new(crate::process::file("control-center"))
        .args(["--metrics-token-file", file])
        .output()
        .expect("the program starts");
    assert_eq!(run.status.code(), Some(78));
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(said.contains("the token for /metrics is empty"), "{said}");
}

#[test]
fn who_is_not_logged_in_is_asked_to_and_programs_are_told() {
    let Some(world) = World::shared() else { return };
    let center = with_accounts(&world, &[]);
    for address in [
        "/",
        "/clusters?a=%26",
        "/settings",
        "/audit",
        "/metrics",
        "/nowhere",
    ] {
        let answer = center.get(address).is(303);
        let to = answer.header("location");
        assert!(to.starts_with("/login?then=%2F"), "{address}: {to}");
        let answer = center
            .get_with(address, &[("accept", "application/json")])
            .is(401);
        answer.says(&["nobody is logged in"]);
        assert!(
            answer
                .header("content-type")
                .starts_with("application/json")
        );
    }
    let guessed = [("cookie", "streamflow_session=0123456789abcdef")];
    center.get_with("/clusters", &guessed).is(303);
    for address in that_change() {
        assert_eq!(center.post(&address, &[]).status, 401, "{address}");
    }
    // What a load balancer asks needs nobody.
    center.get("/healthz").is(200);
    center.get("/assets/style.css").is(200);
}

#[test]
fn nobody_is_sent_to_another_site_after_the_login() {
    let Some(world) = World::shared() else { return };
    let center = with_accounts(&world, &[]);
    for then in [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example/",
        "javascript:alert(1)",
        "/a\r\nset-cookie: b=c",
    ] {
        let answer = center
            .post(
                "/login",
                &[("name", "vi"), ("password", PASSWORD), ("then", then)],
            )
            .is(303);
        assert_eq!(answer.header("location"), "/", "{then:?}");
        let page = center.get(&format!(
            "/login?then={}",
            then.replace('\r', "%0d")
                .replace('\n', "%0a")
                .replace(' ', "%20")
        ));
        assert!(
            !page.text.contains("evil.example") && !page.text.contains("alert"),
            "{}",
            page.text
        );
    }
}

#[test]
fn a_session_ends_when_its_owner_logs_out() {
    let Some(world) = World::shared() else { return };
    let center = with_accounts(&world, &[]);
    let (one, other) = (log_in(&center, "vi"), log_in(&center, "vi"));
    assert_ne!(one, other);
    center.get_with("/settings", &[("cookie", &one)]).is(200);
    let out = center
        .post_with("/logout", &[], &[("cookie", &one)])
        .is(303);
    assert!(out.header("set-cookie").contains("Max-Age=0"));
    center.get_with("/settings", &[("cookie", &one)]).is(303);
    center.get_with("/settings", &[("cookie", &other)]).is(200);
    center.get("/logout").is(405);
}

#[test]
fn each_role_may_what_it_says() {
    let Some(world) = World::shared() else { return };
    let center = with_accounts(&world, &[]);
    let sessions = ["vi", "oz", "ada"].map(|name| log_in(&center, name));
    let [vi, oz, ada] = sessions.each_ref().map(|it| [("cookie", it.as_str())]);
    for address in that_change() {
        center
            .post_with(&address, &[], &vi)
            .is(403)
            .says(&["viewer", "the role operator"]);
        // Whatever else is wrong with an empty form, it is let in.
        let let_in = center.post_with(&address, &[], &oz);
        assert!(
            !matches!(let_in.status, 401 | 403),
            "{address}: {}",
            let_in.text
        );
    }
    center.get_with("/audit", &vi).is(403);
    center.get_with("/audit", &oz).is(403);
    let audit = center.get_with("/audit", &ada).is(200);
    audit.says(&["log in", "vi", "viewer", "oz", "operator"]);
}

#[test]
fn read_only_holds_for_every_button_and_everybody() {
    let Some(world) = World::shared() else { return };
    let center = with_accounts(&world, &["--read-only"]);
    let ada = log_in(&center, "ada");
    for address in that_change() {
        center
            .post_with(&address, &[], &[("cookie", &ada)])
            .is(403)
            .says(&["--read-only"]);
        center.post(&address, &[]).is(403).says(&["--read-only"]);
    }
    center
        .get_with("/settings", &[("cookie", &ada)])
        .is(200)
        .says(&["read-only"]);
    center
        .post_with("/logout", &[], &[("cookie", &ada)])
        .is(303);

    // Also where nobody has to log in.
    let center = Center::of(&world, &["--read-only"]);
    for address in that_change() {
        center.post(&address, &[]).is(403).says(&["--read-only"]);
    }
}

#[test]
fn a_password_is_hashed_and_not_repeated() {
    if World::shared().is_none() {
        return;
    }
    let (one, other) = (hash_password(PASSWORD), hash_password(PASSWORD));
    assert!(one.status.success() && one.stdout.starts_with(b"$argon2id$"));
    assert_ne!(one.stdout, other.stdout, "each has a salt of its own");
    let short = hash_password("four");
    assert_eq!(short.status.code(), Some(65));
    let said = String::from_utf8_lossy(&short.stderr);
    assert!(
        said.contains("fewer than five") && !said.contains("four"),
        "{said}"
    );
}

#[test]
fn no_page_and_no_log_tells_a_secret() {
    const SECRET: &str = "canary4711";
    let Some(world) = World::shared() else { return };
    let accounts = accounts();
    let mut database = world.base.servers.database(&world.base.database);
    database
        .set_password(Some(SECRET))
        .expect("a URL with a host");
    let registry = std::env::var("SCHEMA_REGISTRY_URL").unwrap_or("http://127.0.0.1:1/".to_owned());
    let registry = registry.replace("://", &format!("://someone:{SECRET}@"));
    let variables = [
        ("STREAMFLOW_CONTROL_CENTER_ACCOUNTS", accounts.as_str()),
        ("DATABASE_URL", database.as_str()),
        ("SCHEMA_REGISTRY_URL", &registry),
        (
            "AIRFLOW_URL",
            &format!("http://someone:{SECRET}@127.0.0.1:1/"),
        ),
        ("AIRFLOW_PASSWORD", SECRET),
        (
            "KAFKA_OPTIONS",
            &format!("sasl.mechanisms=PLAIN,sasl.username=someone,sasl.password={SECRET}"),
        ),
        ("CASSANDRA_USERNAME", "someone"),
        ("CASSANDRA_PASSWORD", SECRET),
        ("RUST_LOG", "debug"),
    ];
    let center = Center::with(&world, &[], &variables);
    let ada = log_in(&center, "ada");
    for accept in ["text/html", "application/json"] {
        for visited in crawl(
            &world,
            &center,
            &["/", "/settings", "/audit"],
            &[("cookie", &ada), ("accept", accept)],
        ) {
            let text = &visited.answer.text;
            for secret in [SECRET, "argon2id", PASSWORD] {
                assert!(!text.contains(secret), "{} tells {secret}", visited.address);
            }
        }
    }
    let log = center.running.log();
    for secret in [
        SECRET,
        "argon2id",
        PASSWORD,
        ada.split_once('=').expect("a cookie").1,
    ] {
        assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
    }
}

#[test]
fn it_ends_in_order_and_soon_also_while_somebody_reads() {
    let Some(world) = World::shared() else { return };
    let center = Center::of(&world, &[]);
    let address = center.url.trim_start_matches("http://").to_owned();
    let tail = format!(
        "/clusters/controlcenter.cluster/topics/{}/tail/events",
        world.topic
    );
    // Somebody who follows the topic, and somebody whose request never ends.
    let mut readers: Vec<TcpStream> = [
        format!("GET {tail} HTTP/1.1\r\nHost: {address}\r\n\r\n"),
        "GET /clu".to_owned(),
    ]
    .iter()
    .map(|request| {
        let mut stream = TcpStream::connect(&address).expect("connected");
        stream.write_all(request.as_bytes()).expect("sent");
        stream
    })
    .collect();
    let mut begun = [0; 12];
    readers[0].read_exact(&mut begun).expect("an answer");
    center.running.terminate();
    center
        .running
        .finish_within(Duration::from_millis(3_500))
        .exits(0);
}
