use serde_json::json;
use uuid::Uuid;

use crate::center::{Center, without};
use crate::event::{event, record, records};
use crate::logins::{accounts, log_in};
use crate::world::World;

#[test]
fn a_row_is_looked_up_and_what_is_personal_is_hidden() {
    let Some(world) = World::own() else { return };
    let id = Uuid::new_v4();
    let mut one = event(id, 9);
    one["country"] = json!("<script>alert(1)</script>\u{202e}");
    world.produce(&[record(&one)]);
    world.produce(&records(20).1);
    world.run("transform-store", &[]).exits(0);
    let accounts = accounts();
    let center = Center::with(
        &world,
        &[],
        &[("STREAMFLOW_CONTROL_CENTER_ACCOUNTS", &accounts)],
    );
    let [viewer, admin] = ["vi", "ada"].map(|name| log_in(&center, name));
    let get = |path: &str, cookie: &str| center.get_with(path, &[("cookie", cookie)]);

    let page = get(&format!("/tables/created_users?id={id}"), &viewer).is(200);
    page.says(&[
        "•••",
        "2026-01-01 00:00:00 UTC",
        "gender",
        "FR",
        &format!("/explain?user_id={id}"),
    ]);
    for hidden in [
        "First9",
        "user9@example.com",
        "Long Street",
        "<script>alert",
        "\u{202e}",
    ] {
        assert!(!page.text.contains(hidden), "{hidden}");
    }
    let revealing = format!("/tables/created_users?id={id}&reveal=true");
    get(&revealing, &viewer).is(403);
    get(&revealing, &admin)
        .is(200)
        .says(&["First9", "user9@example.com"]);
    get("/tables/created_users?count=true", &viewer)
        .is(200)
        .says(&["<div class=\"number\">21</div>"]);
    get(
        &format!("/tables/created_users?id={}", Uuid::new_v4()),
        &viewer,
    )
    .is(200)
    .says(&["There is no row of this id"]);
    get("/tables/created_users?id=%3Cb%3E", &viewer)
        .is(400)
        .says(&["no id of a user"]);
}

#[test]
fn the_summaries_are_charts_with_their_numbers_and_tell_what_they_cover() {
    let Some(world) = World::own() else { return };
    let center = Center::of(&world, &[]);
    center
        .get("/tables/user_summaries")
        .is(200)
        .says(&["has counted nothing", "aggregate"]);
    let (_, mut given) = records(40);
    let mut hostile = event(Uuid::new_v4(), 1);
    hostile["country"] = json!("<script>alert(1)</script>");
    given.push(record(&hostile));
    world.produce(&given);
    world.run("aggregate", &[]).exits(0);

    let center = Center::of(&world, &[]);
    let page = center.get("/tables/user_summaries").is(200);
    page.says(&[
        "role=\"img\"",
        "<title id=\"country-title\">",
        "These numbers cover all of the topic",
        "United Kingdom",
        "Year of registration",
    ]);
    assert!(!page.text.contains("<script>alert"), "{}", page.text);
    let facts = center.json("/tables/user_summaries");
    assert_eq!(facts["summaries"]["users"], 41, "{facts}");
    assert_eq!(facts["covered"]["open"], 0);

    world.produce(&records(5).1);
    let center = Center::of(&world, &[]);
    center
        .get("/tables/user_summaries")
        .says(&["5 records are not counted yet"]);
    let answer = center.get("/summaries").is(308);
    assert_eq!(answer.header("location"), "/tables/user_summaries");
}

#[test]
fn a_server_that_is_down_leaves_the_rest_of_the_page() {
    let Some(world) = World::shared() else { return };
    world.produce(&records(3).1);
    world.run("aggregate", &[]).exits(0);
    for (variable, page, says) in [
        (
            "CASSANDRA_CONTACT_POINTS",
            "/tables/user_summaries",
            "Cassandra at 127.0.0.1:1",
        ),
        (
            "CASSANDRA_CONTACT_POINTS",
            "/tables/created_users?count=true",
            "Cassandra at 127.0.0.1:1",
        ),
        (
            "DATABASE_URL",
            "/tables/created_users",
            "PostgreSQL at 127.0.0.1:1",
        ),
        (
            "KAFKA_BOOTSTRAP_SERVERS",
            "/tables/user_summaries",
            "Kafka at 127.0.0.1:1",
        ),
    ] {
        let nowhere = without(variable);
        let variables: Vec<(&str, &str)> = nowhere
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let center = Center::with(&world, &[], &variables);
        center.get(page).is(200).says(&[says, "What to do"]);
    }
    let nowhere = without("KAFKA_BOOTSTRAP_SERVERS");
    let variables: Vec<(&str, &str)> = nowhere
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let center = Center::with(&world, &[], &variables);
    center
        .get("/tables/user_summaries")
        .says(&["Users counted", "role=\"img\""]);
}
