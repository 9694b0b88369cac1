//! `streamflow init` and `streamflow doctor`.

use crate::world::World;

#[test]
fn init_a_second_time_changes_nothing_and_says_so() {
    let Some(world) = World::shared() else { return };
    let columns = "SELECT count(*) FROM information_schema.columns WHERE table_schema = 'public'";
    let before = (world.sql_number(columns), world.migrations());
    let done = world.run("streamflow", &["init"]).exits(0);
    done.says(&["up to date", &world.topic, "is there"]);
    assert!(!done.stdout.contains("made"), "{}", done.stdout);
    assert_eq!((world.sql_number(columns), world.migrations()), before);
}

#[test]
fn init_makes_what_is_missing_and_keeps_the_rest() {
    let Some(world) = World::shared() else { return };
    let other = format!("{}_other", world.topic);
    let topic = [("STREAMFLOW_TOPIC", other.as_str())];
    let arguments = ["init", "--partitions", "2"];
    let done = world.run_with("streamflow", &arguments, &topic).exits(0);
    done.says(&[&other, "made", "2 partitions", "up to date"]);
    let green = world.run_with("streamflow", &["doctor"], &topic).exits(0);
    green.says(&[&format!("{other}.dead_letters")]);
    world.delete_topics(&[&other, &format!("{other}.dead_letters")]);
}

#[test]
fn a_doctor_that_finds_all_well_says_so_line_by_line() {
    let Some(world) = World::shared() else { return };
    let done = world.run("streamflow", &["doctor"]).exits(0);
    assert!(done.stdout.lines().count() >= 9, "{}", done.stdout);
    let all_green = done.stdout.lines().all(|line| line.starts_with("ok"));
    assert!(all_green, "{}", done.stdout);
    done.says(&["Kafka", "PostgreSQL", "Cassandra", &world.topic]);
}

#[test]
fn a_doctor_that_misses_a_topic_says_what_to_do_and_looks_at_the_rest() {
    let Some(world) = World::shared() else { return };
    let nowhere = [("STREAMFLOW_TOPIC", "live_no_such_topic")];
    let done = world.run_with("streamflow", &["doctor"], &nowhere);
    let done = done.exits(78);
    done.says(&["FAIL", "live_no_such_topic", "streamflow init"]);
    let green = done.stdout.lines().filter(|line| line.starts_with("ok"));
    assert!(
        green.count() >= 5,
        "the others are looked at:\n{}",
        done.stdout
    );
}
