//! Servers that are there and lack something: a clear error with what to do, and nothing is begun.

use crate::api::Api;
use crate::event::records;
use crate::process::LIMIT;
use crate::servers::until;
use crate::world::World;

const INIT: &str = "streamflow init";

#[test]
fn a_missing_topic_is_named_with_what_makes_it() {
    let Some(world) = World::shared() else { return };
    let api = Api::start();
    let nowhere = [("STREAMFLOW_TOPIC", "live_no_such_topic")];
    for (program, arguments) in [
        (
            "fetch-publish",
            &["--users", "1", "--api-url", &api.url()][..],
        ),
        ("transform-store", &[]),
        ("aggregate", &[]),
    ] {
        let done = world.run_with(program, arguments, &nowhere).exits(78);
        done.says(&["live_no_such_topic", INIT, "STREAMFLOW_TOPIC"]);
    }
}

#[test]
fn a_missing_keyspace_is_named_with_what_makes_it() {
    let Some(world) = World::shared() else { return };
    world.produce(&records(5).1);
    for program in ["transform-store", "aggregate"] {
        let nowhere = [("CASSANDRA_KEYSPACE", "live_no_such_keyspace")];
        let done = world.run_with(program, &[], &nowhere).exits(78);
        done.says(&["live_no_such_keyspace", INIT, "CASSANDRA_KEYSPACE"]);
        assert_eq!(world.committed_records(program), 0, "nothing is committed");
    }
}

#[test]
fn a_missing_database_is_a_matter_of_configuration() {
    let Some(world) = World::shared() else { return };
    let api = Api::start();
    let url = world.base.servers.database("live_no_such_database");
    let nowhere = [("DATABASE_URL", url.as_str())];
    let arguments = ["--users", "1", "--api-url", &api.url()];
    for (program, arguments) in [("fetch-publish", &arguments[..]), ("streamflow", &["init"])] {
        let done = world.run_with(program, arguments, &nowhere).exits(78);
        done.says(&["live_no_such_database", "DATABASE_URL"]);
    }
}

#[test]
fn missing_landing_tables_are_named_with_what_makes_them() {
    let Some(world) = World::own() else { return };
    let api = Api::start();
    world.sql("DROP TABLE landed_users, kept_apart_users, landing");
    let arguments = ["--users", "1", "--api-url", &api.url()];
    let done = world.run("fetch-publish", &arguments).exits(78);
    done.says(&["PostgreSQL", INIT]);
    assert_eq!(world.records(), []);
}

#[test]
fn tables_that_lack_a_column_are_named_and_nothing_is_committed() {
    let Some(world) = World::own() else { return };
    world.produce(&records(5).1);
    world.cql("ALTER TABLE KEYSPACE.created_users DROP phone");
    world.cql("ALTER TABLE KEYSPACE.user_summaries DROP high_water");
    for program in ["transform-store", "aggregate"] {
        let done = world.run(program, &[]).exits(78);
        done.says(&["Cassandra", "column", INIT]);
        assert_eq!(world.committed_records(program), 0, "nothing is committed");
    }
    assert_eq!(world.user_count(), 0);
    assert_eq!(world.dead_letters(), []);
    let done = world.run("streamflow", &["doctor"]).exits(78);
    done.says(&[
        "FAIL",
        "created_users.phone",
        "user_summaries.high_water",
        INIT,
    ]);
}

/// Rows are encoded for the types of the columns, so these are looked at before the first one.
#[test]
fn a_table_with_a_column_of_another_type_is_named_and_nothing_is_written() {
    let Some(world) = World::own() else { return };
    world.produce(&records(5).1);
    world.cql("DROP TABLE KEYSPACE.created_users");
    world.cql(
        "CREATE TABLE KEYSPACE.created_users (id uuid PRIMARY KEY, first_name text, last_name text, gender text, address text, \
         post_code text, email text, username text, dob text, registered_date timestamp, phone text, picture text, nationality text, \
         country text)",
    );
    let done = world.run("transform-store", &[]).exits(78);
    done.says(&["column dob", "another type"]);
    assert_eq!(world.committed_records("transform-store"), 0);
}

/// The summary knows offsets that this topic does not have: counting on would leave users out in silence.
#[test]
fn a_topic_that_was_deleted_and_made_again_is_not_taken_for_the_old_one() {
    let Some(world) = World::shared() else { return };
    world.produce(&records(60).1);
    world.run("aggregate", &[]).exits(0);
    world.delete_topics(&[&world.topic]);
    until("the topic is made again", LIMIT, || {
        let done = world.run("streamflow", &["init"]);
        (done.code == 0 && done.stdout.contains("made")).then_some(())
    });
    world.produce(&records(1).1);
    let done = world.run("aggregate", &[]).exits(78);
    done.says(&[&world.topic, "another topic of the same name", "--group-id"]);
    assert_eq!(world.counted(), 60);
}
