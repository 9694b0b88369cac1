//! What the tutorials do at :9021, after a run of `fetch-publish`, and from there to one record.

use crate::browser::Browser;
use crate::filled::Filled;

#[test]
fn from_the_first_page_to_the_messages_of_the_topic() {
    let Some(browser) = Browser::take() else {
        return;
    };
    let Some(it) = Filled::new(&[]) else { return };
    let topic = &it.world.topic;

    browser.open(&it.center.url);
    assert_eq!(browser.address(), "/");
    browser.follow("Clusters");
    browser.until_it_shows("Under-replicated");
    browser.follow("controlcenter.cluster");
    browser.until_it_shows("Brokers");
    browser.follow("Topics");
    browser.until_it_shows(topic);
    browser.follow(topic);
    browser.until_it_shows("First offset");
    assert!(
        browser.heading().contains(topic.as_str()),
        "{}",
        browser.heading()
    );
    browser.follow("Messages");

    // Sixty users and three records that are none.
    browser.until_it_shows("newest first");
    let newest = it
        .world
        .records()
        .into_iter()
        .filter(|it| it.header("sequence").is_some());
    let newest = newest
        .max_by_key(|it| (it.partition == 0, it.offset))
        .expect("a user");
    browser.open(&format!(
        "{}/clusters/controlcenter.cluster/topics/{topic}/messages?partition={}&offset={}",
        it.center.url, newest.partition, newest.offset
    ));
    browser.until_it_shows(newest.key_text());
    let event: serde_json::Value =
        serde_json::from_slice(newest.value.as_deref().expect("a value")).expect("JSON");
    let personal = ["first_name", "last_name", "email", "phone", "street_name"]
        .map(|name| event[name].as_str().expect(name).to_owned());
    let source = browser.source();
    for value in &personal {
        // As the value of a field: a short name may stand in another word.
        for quoted in [format!("\"{value}\""), format!("&#34;{value}&#34;")] {
            assert!(!source.contains(&quoted), "{quoted} is not masked");
        }
    }
    for value in personal.iter().filter(|it| it.len() > 3) {
        assert!(!source.contains(value.as_str()), "{value} is not masked");
    }
    assert!(source.contains("•••"), "{source}");

    let messages = browser.address();
    browser.follow(&format!("{}:{}", newest.partition, newest.offset));
    browser.until_it_shows("Headers");
    let record = format!(
        "/clusters/controlcenter.cluster/topics/{topic}/messages/{}/{}",
        newest.partition, newest.offset
    );
    assert_eq!(browser.address(), record, "the permanent link");
    browser.reload();
    browser.until_it_shows(newest.key_text());
    browser.back();
    assert_eq!(browser.address(), messages, "the same place as before");
    browser.until_it_shows(newest.key_text());
    assert_eq!(browser.errors(), Vec::<String>::new());
}

#[test]
fn the_addresses_of_the_tutorials_lead_to_the_messages_and_the_schema() {
    let Some(browser) = Browser::take() else {
        return;
    };
    let Some(it) = Filled::new(&[]) else { return };
    let topic = format!(
        "/clusters/controlcenter.cluster/management/topics/{}",
        it.world.topic
    );
    for (old, new) in [("message-viewer", "messages"), ("schema/value", "schema")] {
        browser.open(&format!("{}{topic}/{old}", it.center.url));
        assert_eq!(
            browser.address(),
            format!(
                "/clusters/controlcenter.cluster/topics/{}/{new}",
                it.world.topic
            )
        );
    }
}
