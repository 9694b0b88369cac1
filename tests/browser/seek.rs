//! A place in a topic is sought by its offset and by its time, and left again with the button Back.

use serde_json::json;

use crate::browser::Browser;
use crate::center::Center;
use crate::event::NEW_YEAR_MS;
use crate::topic::Given;
use crate::world::World;

const RECORDS: i64 = 70;

/// A record a minute on partition 0, and a later one on partition 1.
fn world() -> Option<World> {
    let world = World::shared()?;
    let record = |partition, minute: i64| Given {
        value: Some(format!("minute {minute}").into_bytes()),
        partition: Some(partition),
        timestamp_ms: Some(NEW_YEAR_MS + minute * 60_000),
        ..Given::default()
    };
    let mut records: Vec<Given> = (0..RECORDS).map(|minute| record(0, minute)).collect();
    records.push(record(1, 500));
    world.produce(&records);
    Some(world)
}

/// The places of the records that the page shows, in its order.
fn shown(browser: &Browser) -> Vec<String> {
    let script =
        "return [...document.querySelectorAll('tbody th a')].map(it => it.textContent.trim())";
    let shown = browser.script(script, vec![]);
    let shown = shown.as_array().expect("a list").iter();
    shown
        .map(|it| it.as_str().expect("a text").to_owned())
        .collect()
}

fn of_partition_0(offsets: impl Iterator<Item = i64>) -> Vec<String> {
    offsets.map(|it| format!("0:{it}")).collect()
}

fn field(browser: &Browser, name: &str) -> String {
    let script = "return document.querySelector(`[name='${arguments[0]}']`).value";
    let value = browser.script(script, vec![json!(name)]);
    value.as_str().expect("a text").to_owned()
}

#[test]
fn an_offset_and_a_time_are_found_and_back_leads_to_the_place_before() {
    let Some(browser) = Browser::take() else {
        return;
    };
    let Some(world) = world() else { return };
    let center = Center::of(&world, &[]);
    let messages = format!(
        "/clusters/controlcenter.cluster/topics/{}/messages",
        world.topic
    );
    browser.open(&format!("{}{messages}", center.url));
    browser.until_it_shows("newest first");
    assert_eq!(shown(&browser)[0], "1:0", "the newest");

    browser.choose("partition", "0");
    browser.fill("offset", "60");
    browser.press("Look");
    browser.until_it_shows("oldest first");
    assert_eq!(shown(&browser), of_partition_0(60..RECORDS));
    let by_offset = browser.address();

    // Of all partitions: the one of partition 1 came later than all of partition 0.
    browser.choose("partition", "");
    browser.fill("offset", "");
    browser.fill("time", "2026-01-01T00:45");
    browser.press("Look");
    browser.until_it_shows("0:45");
    let mut expected = of_partition_0(45..RECORDS);
    expected.push("1:0".to_owned());
    assert_eq!(shown(&browser), expected);
    let by_time = browser.address();

    browser.choose("partition", "0");
    browser.press("Look");
    browser.follow("0:50");
    browser.until_it_shows("Headers");
    browser.back();
    assert_eq!(shown(&browser), of_partition_0(45..RECORDS));
    assert_eq!(
        (field(&browser, "partition"), field(&browser, "time")),
        ("0".to_owned(), "2026-01-01T00:45".to_owned())
    );
    browser.back();
    assert_eq!((browser.address(), shown(&browser)), (by_time, expected));
    browser.back();
    assert_eq!(browser.address(), by_offset);
    assert_eq!(shown(&browser), of_partition_0(60..RECORDS));

    // The address alone says what the form says.
    browser.open(&format!("{}{by_offset}", center.url));
    assert_eq!(
        (field(&browser, "partition"), field(&browser, "offset")),
        ("0".to_owned(), "60".to_owned())
    );

    // What is not there is said, and leads on.
    browser.fill("offset", "-1");
    browser.press("Look");
    browser.until_it_shows("is no offset");
    browser.back();
    browser.choose("partition", "0");
    browser.fill("offset", "70");
    browser.press("Look");
    browser.until_it_shows("There is no record from this place on");
    assert_eq!(shown(&browser), Vec::<String>::new());
}
