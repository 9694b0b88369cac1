//! A group is reset: form, preview, done; and not while it has members.

use crate::browser::Browser;
use crate::center::Center;
use crate::topic::Given;
use crate::world::World;

fn world() -> Option<World> {
    let world = World::shared()?;
    let record = Given {
        value: Some(b"no JSON".to_vec()),
        partition: Some(0),
        ..Given::default()
    };
    world.produce(&[record.clone(), record]);
    world.run("transform-store", &["--until-latest"]).exits(0);
    assert_eq!(world.committed("transform-store")[&0], 2);
    Some(world)
}

#[test]
fn a_group_is_reset_after_a_preview() {
    let Some(browser) = Browser::take() else {
        return;
    };
    let Some(world) = world() else { return };
    let center = Center::of(&world, &[]);
    let group = world.group("transform-store");
    browser.open(&format!("{}/groups/{group}", center.url));
    browser.until_it_shows("Lag by partition");
    browser.follow("Reset the offsets …");
    browser.press("Preview");
    browser.until_it_shows("Nothing is changed yet");
    assert_eq!(
        world.committed("transform-store")[&0],
        2,
        "a preview changes nothing"
    );
    browser.press("Reset the group");
    browser.until_it_shows("The group was reset");
    assert_eq!(
        world
            .committed("transform-store")
            .get(&0)
            .copied()
            .unwrap_or(0),
        0
    );
    // The page that follows can be loaded anew without resetting again.
    world.run("transform-store", &["--until-latest"]).exits(0);
    browser.reload();
    assert_eq!(world.committed("transform-store")[&0], 2);
}

#[test]
fn a_group_with_members_is_not_reset() {
    let Some(browser) = Browser::take() else {
        return;
    };
    let Some(world) = world() else { return };
    let mut job = world.spawn("transform-store", &["--follow"]);
    let center = Center::of(&world, &[]);
    let group = world.group("transform-store");
    crate::browser::soon("a member", || {
        browser.open(&format!(
            "{}/groups/{group}/reset?topic={}&to=earliest",
            center.url, world.topic
        ));
        browser
            .body()
            .contains("cannot be reset before")
            .then_some(())
    });
    assert!(!browser.has_button("Reset the group"));
    assert!(!job.has_ended());
}
