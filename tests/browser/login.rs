//! Logging in and out, and what each role is offered.

use crate::browser::Browser;
use crate::center::Center;
use crate::logins::{PASSWORD, accounts};
use crate::world::World;

fn log_in(browser: &Browser, center: &Center, name: &str) {
    browser.open(&format!("{}/login?then=/settings", center.url));
    browser.fill("name", name);
    browser.fill("password", PASSWORD);
    browser.press("Log in");
    browser.until_it_shows(&format!("{name} · "));
}

#[test]
fn whoever_logs_in_comes_to_the_page_that_was_asked_for_and_out_again() {
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

    browser.open(&format!("{}/clusters?a=b", center.url));
    assert_eq!(browser.heading(), "Log in");
    browser.fill("name", "oz");
    browser.fill("password", "not this one");
    browser.press("Log in");
    browser.until_it_shows("name or password is wrong");

    browser.open(&format!("{}/clusters?a=b", center.url));
    browser.fill("name", "oz");
    browser.fill("password", PASSWORD);
    browser.press("Log in");
    browser.until_it_shows("oz · operator");
    assert_eq!(browser.address(), "/clusters?a=b");

    browser.press("Log out");
    browser.until_it_shows("Password");
    browser.open(&format!("{}/clusters", center.url));
    assert_eq!(browser.heading(), "Log in");
    browser.back();
    assert!(
        !browser.body().contains("controlcenter.cluster"),
        "{}",
        browser.body()
    );
}

#[test]
fn the_settings_say_what_each_role_may() {
    let Some(browser) = Browser::take() else {
        return;
    };
    let Some(world) = World::shared() else { return };
    let accounts = accounts();
    let variables = [("STREAMFLOW_CONTROL_CENTER_ACCOUNTS", accounts.as_str())];
    let center = Center::with(&world, &[], &variables);
    for (name, change, reveal) in [
        ("vi", "no", "no"),
        ("oz", "yes", "no"),
        ("ada", "yes", "yes"),
    ] {
        log_in(&browser, &center, name);
        browser.open(&format!("{}/settings", center.url));
        let facts = browser.text("dl.facts");
        assert!(
            facts.contains(&format!("May reset and replay\n{change}")),
            "{facts}"
        );
        assert!(
            facts.contains(&format!("May see personal data\n{reveal}")),
            "{facts}"
        );
        browser.open(&format!("{}/audit", center.url));
        assert_eq!(browser.heading() == "Audit log", name == "ada", "{name}");
    }
    browser.until_it_shows("log in");
    let read_only = Center::with(&world, &["--read-only"], &variables);
    log_in(&browser, &read_only, "ada");
    browser.open(&format!("{}/settings", read_only.url));
    assert!(browser.text("header").contains("read-only"));
    assert!(
        browser
            .text("dl.facts")
            .contains("May reset and replay\nno")
    );
}
