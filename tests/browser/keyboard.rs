//! With the keyboard alone.

use fantoccini::key::Key;

use crate::browser::Browser;
use crate::center::Center;
use crate::logins::{PASSWORD, accounts};
use crate::world::World;

#[test]
fn the_page_can_be_skipped_to_and_every_page_of_the_navigation_reached() {
    let Some(browser) = Browser::take() else {
        return;
    };
    let Some(world) = World::shared() else { return };
    let center = Center::of(&world, &[]);
    browser.open(&format!("{}/clusters", center.url));

    let first = browser.key(Key::Tab);
    assert_eq!(first.text, "Skip to the page");
    assert!(first.is_seen, "{first:?}");
    browser.key(Key::Enter);
    let next = browser.key(Key::Tab);
    assert!(
        !next.in_navigation && next.address.contains("controlcenter.cluster"),
        "{next:?}"
    );
    browser.key(Key::Enter);
    browser.until_it_shows("Brokers");
    assert_eq!(browser.address(), "/clusters/controlcenter.cluster");

    let mut reached = Vec::new();
    for _ in 0..40 {
        let focus = browser.key(Key::Tab);
        assert!(
            focus.is_seen,
            "nobody sees that this has the focus: {focus:?}"
        );
        if focus.in_navigation {
            reached.push(focus.address);
        }
    }
    let linked = browser.script(
        "return [...document.querySelectorAll('nav a')].map(it => it.getAttribute('href'))",
        vec![],
    );
    for link in linked.as_array().expect("links") {
        assert!(
            reached.iter().any(|it| link == it.as_str()),
            "{link} cannot be reached: {reached:?}"
        );
    }
}

#[test]
fn somebody_logs_in_by_typing() {
    let Some(browser) = Browser::take() else {
        return;
    };
    let Some(world) = World::shared() else { return };
    let accounts = accounts();
    let center = Center::with(
        &world,
        &[],
        &[("STREAMFLOW_CONTROL_CENTER_ACCOUNTS", &accounts)],
    );
    browser.open(&format!("{}/clusters", center.url));
    browser.until_it_shows("Password");
    // The field has the focus already.
    browser.type_where_the_focus_is("vi");
    browser.key(Key::Tab);
    browser.type_where_the_focus_is(PASSWORD);
    browser.key(Key::Enter);
    browser.until_it_shows("vi · viewer");
    assert_eq!(browser.address(), "/clusters");
}
