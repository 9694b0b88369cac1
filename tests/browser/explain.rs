//! One user through every hop, asked for by typing the id.

use uuid::Uuid;

use crate::browser::Browser;
use crate::filled::Filled;

#[test]
fn a_user_is_found_with_the_way_to_the_table_and_one_that_nobody_knows_is_not() {
    let Some(browser) = Browser::take() else {
        return;
    };
    let Some(it) = Filled::new(&[]) else { return };
    let records = it.world.records();
    let user = records
        .iter()
        .find(|it| it.header("sequence").is_some())
        .expect("a user");

    browser.open(&it.center.url);
    browser.follow("Explain");
    browser.fill("user_id", user.key_text());
    browser.press("Explain");
    browser.until_it_shows("stored in created_users");
    for part in [
        "Number of landing",
        "transform-store",
        "aggregate",
        "Time between the hops",
    ] {
        browser.until_it_shows(part);
    }
    browser.follow(&format!(
        "partition {}, offset {}",
        user.partition, user.offset
    ));
    browser.until_it_shows("Headers");
    browser.back();
    browser.until_it_shows("stored in created_users");

    let nobody = Uuid::new_v4();
    browser.open(&format!("{}/explain?user_id={nobody}", it.center.url));
    browser.until_it_shows("no server knows this id");
    assert_eq!(browser.errors(), Vec::<String>::new());
}
