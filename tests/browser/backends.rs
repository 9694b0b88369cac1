//! Each server away: every page is there, says so where it matters, and says what to do.

use crate::browser::Browser;
use crate::center::Center;
use crate::world::World;

const PAGES: [&str; 10] = [
    "/",
    "/clusters",
    "/groups",
    "/dead-letters",
    "/runs",
    "/explain",
    "/tables/created_users",
    "/schemas",
    "/throughput",
    "/health",
];

#[test]
fn every_page_is_there_without_any_server() {
    let Some(browser) = Browser::take() else {
        return;
    };
    let Some(world) = World::shared() else { return };
    let nowhere = [
        ("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1"),
        (
            "DATABASE_URL",
            "postgres://streamflow@127.0.0.1:1/streamflow",
        ),
        ("CASSANDRA_CONTACT_POINTS", "127.0.0.1:1"),
        ("SCHEMA_REGISTRY_URL", "http://127.0.0.1:1/"),
        ("AIRFLOW_URL", "http://127.0.0.1:1/"),
    ];
    let center = Center::with(&world, &[], &nowhere);
    for page in PAGES {
        browser.open(&format!("{}{page}", center.url));
        assert_eq!(browser.errors(), Vec::<String>::new(), "{page}");
        let body = browser.body();
        // These two have something to show without a server: a form, and what was seen so far.
        let says = page == "/explain" || page == "/throughput" || body.contains("What to do");
        assert!(says, "{page}: {body}");
    }
}
