//! Rules that leave good records out, alike for both consuming programs.

use uuid::Uuid;

use crate::event::{event, record};
use crate::tables::sum;
use crate::topic::Given;
use crate::world::World;

/// Users born on the day after, on, and before their 18th birthday at the time of the record (2026-01-01), and one without a date.
fn people() -> (Vec<Uuid>, Vec<Given>) {
    let people = [
        ("2008-01-02T00:00:00.000Z", "GB"),
        ("2008-01-01T23:00:00.000Z", "GB"),
        ("1980-01-01T00:00:00.000Z", "FR"),
        ("1980-01-01T00:00:00.000Z", "IR"),
        ("", "FR"),
    ];
    let person = |(number, (dob, nationality)): (usize, &(&str, &str))| {
        let id = Uuid::new_v4();
        let mut event = event(id, number);
        event["dob"] = (*dob).into();
        event["nationality"] = (*nationality).into();
        (id, record(&event))
    };
    people.iter().enumerate().map(person).unzip()
}

fn keeps(arguments: &[&str], kept: &[usize]) {
    let Some(world) = World::shared() else { return };
    let (ids, records) = people();
    world.produce(&records);
    let all = ids.len() as u64;
    let (stays, leaves) = (kept.len() as u64, all - kept.len() as u64);

    let done = world.run("transform-store", arguments).exits(0);
    let names = ["consumed", "stored", "filtered", "dead_lettered"];
    assert_eq!(done.numbers(names), [all, stays, leaves, 0]);
    for (number, &id) in ids.iter().enumerate() {
        let stored = world.user(id).is_some();
        assert_eq!(stored, kept.contains(&number), "person {number}");
    }
    assert_eq!(world.committed_records("transform-store"), all);

    let done = world.run("aggregate", arguments).exits(0);
    let names = [
        "consumed",
        "counted",
        "already_counted",
        "filtered",
        "dead_lettered",
    ];
    assert_eq!(done.numbers(names), [all, stays, 0, leaves, 0]);
    assert_eq!(sum(&world.totals()), kept.len() as i64);
    assert_eq!(world.dead_letters(), [], "a filtered record is no bad one");
}

#[test]
fn by_age_on_the_day_of_the_record() {
    keeps(&["--min-age", "18"], &[1, 2, 3]);
}

#[test]
fn by_nationality() {
    keeps(&["--nationalities", "gb,ir"], &[0, 1, 3]);
}

#[test]
fn by_both() {
    keeps(&["--min-age", "18", "--nationalities", "fr"], &[2]);
}

#[test]
fn a_group_of_its_own_has_numbers_of_its_own() {
    let Some(world) = World::shared() else { return };
    world.produce(&people().1);
    world.run("aggregate", &[]).exits(0);
    let group = format!("adults-{}", world.topic);
    let arguments = ["--group-id", &group, "--min-age", "18"];
    world.run("aggregate", &arguments).exits(0);
    assert_eq!(sum(&world.totals()), 5);
    assert_eq!(sum(&world.totals_of(&group)), 3);
    world.forget(&group);
}
