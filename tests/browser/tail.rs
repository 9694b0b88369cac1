//! The live view of a topic: what comes is shown once, whatever happens on the way.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::browser::{Browser, SOON, soon};
use crate::center::Center;
use crate::topic::Given;
use crate::wire::Wire;
use crate::world::World;

/// Produces a record and gives what a page calls it.
fn produce(world: &World, value: &str) -> String {
    let record = Given {
        key: Some(value.as_bytes().to_vec()),
        value: Some(value.as_bytes().to_vec()),
        ..Given::default()
    };
    let (partition, offset) = world.produce(&[record])[0];
    format!("{partition}:{offset}")
}

/// Rows that link to this record.
fn rows(browser: &Browser, record: &str) -> u64 {
    let script = "return [...document.querySelectorAll('table a')].filter(it => it.textContent.trim() === arguments[0]).length";
    browser
        .script(script, vec![json!(record)])
        .as_u64()
        .expect("a number")
}

#[track_caller]
fn shows(browser: &Browser, record: &str) {
    let begun = Instant::now();
    while rows(browser, record) == 0 {
        let page = browser.body();
        assert!(begun.elapsed() < SOON, "{record} does not show:\n{page}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_topic_is_followed_paused_and_found_again_without_duplicates() {
    let Some(browser) = Browser::take() else {
        return;
    };
    let Some(world) = World::shared() else { return };
    let center = Center::of(&world, &[]);
    let wire = Wire::to(&center.url);
    let before = produce(&world, "before");
    browser.open(&format!(
        "{}/clusters/controlcenter.cluster/topics/{}/tail",
        wire.url, world.topic
    ));
    browser.until_it_shows("Connected");
    shows(&browser, &before);

    let live = produce(&world, "live");
    shows(&browser, &live);

    browser.press("Pause");
    browser.until_it_shows("Paused");
    // Another stream of the same page tells when the record would have come.
    let events = format!(
        "{}/clusters/controlcenter.cluster/topics/{}/tail/events",
        wire.url, world.topic
    );
    browser.script(
        "window.others = []; const other = new EventSource(arguments[0]); other.addEventListener('row', it => window.others.push(it.data)); \
         other.addEventListener('place', () => window.others.push('open'));",
        vec![json!(events)],
    );
    let other = |what: &str| {
        soon(what, || {
            let script = "return window.others.some(it => it === arguments[0] || it !== 'open' && `${JSON.parse(it).partition}:${JSON.parse(it).offset}` === arguments[0])";
            let has_come = browser.script(script, vec![json!(what)]);
            (has_come == true).then_some(())
        });
    };
    other("open");
    let paused = produce(&world, "paused");
    other(&paused);
    assert_eq!(rows(&browser, &paused), 0);
    browser.press("Resume");
    shows(&browser, &paused);

    wire.cut();
    browser.until_it_shows("Reconnecting");
    let away = produce(&world, "away");
    wire.mend();
    browser.until_it_shows("Connected");
    shows(&browser, &away);
    let again = produce(&world, "again");
    shows(&browser, &again);
    for record in [&before, &live, &paused, &away, &again] {
        assert_eq!(
            rows(&browser, record),
            1,
            "{record} is there more than once"
        );
    }
}
