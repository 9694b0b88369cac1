use std::time::Duration;

use serde_json::{Value, json};

use crate::center::Center;
use crate::event::records;
use crate::logins::{accounts, log_in};
use crate::servers::until;
use crate::world::World;

/// Starts one and waits for its end.
fn reconciled(center: &Center, form: &[(&str, &str)]) -> Value {
    let answer = center.post("/reconcile", form).is(303);
    assert_eq!(answer.header("location"), "/reconcile");
    until("the reconciliation ends", Duration::from_secs(60), || {
        let state = center.json("/reconcile");
        state["running"].is_null().then(|| state["last"].clone())
    })
}

#[test]
fn what_differs_is_found_and_its_ids_lead_to_their_explanation() {
    let Some(world) = World::own() else { return };
    let (ids, given) = records(40);
    world.produce(&given);
    for program in ["transform-store", "aggregate"] {
        world.run(program, &[]).exits(0);
    }
    let center = Center::of(&world, &[]);
    center
        .get("/reconcile")
        .is(200)
        .says(&["streamflow reconcile", "Nothing has been compared"]);
    let last = reconciled(&center, &[]);
    assert_eq!(last["found"]["Ok"]["agrees"], true, "{last}");
    center
        .get("/reconcile")
        .is(200)
        .says(&["All agrees", "topic → created_users", "Begun"]);

    world.cql(&format!(
        "DELETE FROM KEYSPACE.created_users WHERE id = {}",
        ids[3]
    ));
    let last = reconciled(&center, &[]);
    let kinds = &last["found"]["Ok"]["differences"];
    assert_eq!(
        (&kinds[0]["kind"], &kinds[0]["count"]),
        (&json!("not_stored"), &json!(1)),
        "{last}"
    );
    let link = format!("/explain?user_id={}", ids[3]);
    center
        .get("/reconcile")
        .says(&["not_stored", &link, "Something differs"]);

    // As though the jobs had left everybody out.
    let last = reconciled(&center, &[("nationalities", "zz")]);
    assert_eq!(last["filter"], "ZZ");
    assert_eq!(last["found"]["Ok"]["agrees"], false);
    center
        .post("/reconcile", &[("min_age", "<script>")])
        .is(400);
    center
        .post("/reconcile/cancel", &[])
        .is(409)
        .says(&["no reconciliation is running"]);
}

#[test]
fn one_runs_at_a_time_and_can_be_cancelled() {
    let Some(world) = World::own() else { return };
    world.produce(&records(10).1);
    // A server that does not answer is waited for: long enough to look at it, and to cancel.
    let center = Center::with(
        &world,
        &[],
        &[(
            "DATABASE_URL",
            "postgres://streamflow@127.0.0.1:1/streamflow",
        )],
    );
    // Nothing is done that cannot be written down.
    center.post("/reconcile", &[]).is(502).says(&["PostgreSQL"]);
    let nowhere = [("SCHEMA_REGISTRY_URL", "http://127.0.0.1:1")];
    let center = Center::with(&world, &[], &nowhere);
    center.post("/reconcile", &[]).is(303);
    center
        .get("/reconcile")
        .is(200)
        .says(&["Running for", "Cancel", "Look again"]);
    center
        .post("/reconcile", &[])
        .is(409)
        .says(&["running already"]);
    center.post("/reconcile/cancel", &[]).is(303);
    let last = until("it is cancelled", Duration::from_secs(5), || {
        let state = center.json("/reconcile");
        state["running"].is_null().then(|| state["last"].clone())
    });
    assert!(
        last["found"]["Err"]["message"]
            .as_str()
            .is_some_and(|it| it.contains("cancelled")),
        "{last}"
    );
}

#[test]
fn looking_starts_nothing_and_who_may_not_is_refused() {
    let Some(world) = World::shared() else { return };
    let accounts = accounts();
    let center = Center::with(
        &world,
        &[],
        &[("STREAMFLOW_CONTROL_CENTER_ACCOUNTS", &accounts)],
    );
    let viewer = log_in(&center, "vi");
    let page = center
        .get_with("/reconcile", &[("cookie", &viewer)])
        .is(200);
    assert!(
        !page.text.contains("<button>Reconcile</button>"),
        "{}",
        page.text
    );
    center
        .post_with("/reconcile", &[], &[("cookie", &viewer)])
        .is(403);
    let operator = log_in(&center, "oz");
    center
        .get_with("/reconcile", &[("cookie", &operator)])
        .says(&["<button>Reconcile</button>"]);
    let center = Center::of(&world, &["--read-only"]);
    center
        .post("/reconcile", &[])
        .is(403)
        .says(&["--read-only"]);
}
