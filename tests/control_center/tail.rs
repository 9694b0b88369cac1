use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use reqwest::Response;
use serde_json::Value;

use crate::center::Center;
use crate::event::records;
use crate::servers::wait;
use crate::topic::Given;
use crate::world::World;

const SOON: Duration = Duration::from_secs(20);

fn tail(world: &World) -> String {
    format!(
        "/clusters/controlcenter.cluster/topics/{}/tail",
        world.topic
    )
}

#[derive(Debug)]
struct Event {
    name: String,
    id: String,
    data: String,
}

/// An open stream.
struct Events {
    response: Response,
    text: String,
}

impl Events {
    fn open(center: &Center, path: &str, last: Option<&str>) -> Self {
        let client = reqwest::Client::new();
        let mut request = client.get(format!("{}{path}", center.url));
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = wait(request.send()).expect("an answer");
        assert_eq!(response.status(), 200);
        let kind = response.headers()["content-type"].to_str().expect("a text");
        assert!(kind.starts_with("text/event-stream"), "{kind}");
        Self {
            response,
            text: String::new(),
        }
    }

    /// Nothing when the stream has ended, or none comes in the time.
    fn next_within(&mut self, limit: Duration) -> Option<Event> {
        let until = Instant::now() + limit;
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    let lines = event.lines();
                    let found = lines.filter_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
                    found.map(str::trim_start).collect::<Vec<_>>().join("\n")
                };
                let event = Event {
                    name: field("event"),
                    id: field("id"),
                    data: field("data"),
                };
                self.text = rest.to_owned();
                // A sign of life has no name.
                if !event.name.is_empty() {
                    return Some(event);
                }
                continue;
            }
            let left = until.checked_duration_since(Instant::now())?;
            let chunk = wait(async { tokio::time::timeout(left, self.response.chunk()).await });
            match chunk {
                Ok(Ok(Some(bytes))) => self.text.push_str(&String::from_utf8_lossy(&bytes)),
                _ => return None,
            }
        }
    }

    /// The first event says where it begins.
    #[track_caller]
    fn begins(&mut self) -> String {
        let event = self.next_within(SOON).expect("an event");
        assert_eq!(event.name, "place");
        event.id
    }

    #[track_caller]
    fn rows(&mut self, count: usize) -> Vec<Event> {
        let mut rows = Vec::new();
        while rows.len() < count {
            let event = self.next_within(SOON);
            let event = event.unwrap_or_else(|| panic!("{} of {count} rows came", rows.len()));
            if event.name == "row" {
                rows.push(event);
            }
        }
        rows
    }
}

fn place(event: &Event) -> (i64, i64) {
    let row: Value = serde_json::from_str(&event.data).expect("JSON");
    (
        row["partition"].as_i64().expect("a partition"),
        row["offset"].as_i64().expect("an offset"),
    )
}

fn sent(places: Vec<(i32, i64)>) -> BTreeSet<(i64, i64)> {
    places.into_iter().map(|(p, o)| (i64::from(p), o)).collect()
}

#[test]
fn records_come_as_they_are_sent_and_masked() {
    let Some(world) = World::shared() else { return };
    let (ids, given) = records(12);
    world.produce(&given[..2]);
    let center = Center::of(&world, &[]);
    let path = tail(&world);
    let page = center.page(&path);
    assert!(
        page.contains(&ids[1].to_string()),
        "the newest are there without a script"
    );
    assert!(page.contains("data-tail-from=\""), "{page}");
    let mut events = Events::open(&center, &format!("{path}/events"), None);
    events.begins();
    let expected = sent(world.produce(&given[2..]));
    let rows = events.rows(10);
    assert_eq!(rows.iter().map(place).collect::<BTreeSet<_>>(), expected);
    for row in &rows {
        assert!(row.data.contains("•••"), "{}", row.data);
        for personal in ["First", "example.com", "Long Street", "017684"] {
            assert!(!row.data.contains(personal), "{}", row.data);
        }
    }
}

#[test]
fn records_of_a_partition_that_is_added_meanwhile_come_too() {
    let Some(world) = World::shared() else { return };
    let (_, mut given) = records(9);
    let center = Center::of(&world, &[]);
    let path = format!("{}/events", tail(&world));
    let mut events = Events::open(&center, &path, None);
    events.begins();
    let first = sent(world.produce(&given[..3]));
    let rows = events.rows(3);
    assert_eq!(rows.iter().map(place).collect::<BTreeSet<_>>(), first);
    let added = world.add_partition();
    for (number, record) in given[3..].iter_mut().enumerate() {
        record.partition = (number % 2 == 0).then_some(added);
    }
    let expected = sent(world.produce(&given[3..]));
    assert!(expected.iter().any(|it| it.0 == i64::from(added)));
    let rows = events.rows(6);
    assert_eq!(rows.iter().map(place).collect::<BTreeSet<_>>(), expected);
    let more = events.next_within(Duration::from_secs(2));
    assert!(more.is_none_or(|it| it.name != "row"), "twice");
}

#[test]
fn a_tail_goes_on_after_the_last_one_it_got_without_gaps_or_twice() {
    let Some(world) = World::shared() else { return };
    let (_, given) = records(60);
    let center = Center::of(&world, &[]);
    let path = format!("{}/events", tail(&world));
    let mut events = Events::open(&center, &path, None);
    let begun = events.begins();
    let expected = sent(world.produce(&given[..20]));
    let first = events.rows(15);
    let last = first.last().expect("a row").id.clone();
    drop(events);
    // While nobody listens, and while the reader ends.
    let mut expected_all = expected;
    expected_all.extend(sent(world.produce(&given[20..40])));
    let mut events = Events::open(&center, &path, Some(&last));
    assert_eq!(events.begins(), last);
    let mut got: Vec<(i64, i64)> = first.iter().map(place).collect();
    got.extend(events.rows(25).iter().map(place));
    expected_all.extend(sent(world.produce(&given[40..])));
    got.extend(events.rows(20).iter().map(place));
    assert!(
        events.next_within(Duration::from_secs(1)).is_none(),
        "nothing more"
    );
    assert_eq!(got.len(), 60);
    assert_eq!(got.iter().copied().collect::<BTreeSet<_>>(), expected_all);
    // From the place of the beginning, in the address: all of it.
    let mut again = Events::open(&center, &format!("{path}?from={begun}"), None);
    again.begins();
    let all: BTreeSet<_> = again.rows(60).iter().map(place).collect();
    assert_eq!(all, expected_all);
    center
        .get(&format!("{path}?from=nowhere"))
        .is(400)
        .says(&["is no place"]);
}

#[test]
fn a_tail_shows_only_what_has_the_text() {
    let Some(world) = World::shared() else { return };
    let (ids, given) = records(30);
    let center = Center::of(&world, &[]);
    let path = format!("{}/events?text={}", tail(&world), ids[29]);
    let mut events = Events::open(&center, &path, None);
    events.begins();
    world.produce(&given);
    let rows = events.rows(1);
    assert!(rows[0].data.contains(&ids[29].to_string()));
    assert!(events.next_within(Duration::from_secs(1)).is_none());
    let page = center.page(&format!("{}?text=a%22b%3C", tail(&world)));
    assert!(page.contains("a&#34;b&#60;"), "{page}");
}

#[test]
fn what_comes_too_fast_is_counted() {
    let Some(world) = World::shared() else { return };
    let center = Center::of(&world, &[]);
    let mut events = Events::open(&center, &format!("{}/events", tail(&world)), None);
    events.begins();
    let (_, given) = records(4_000);
    world.produce(&given);
    let (mut rows, mut left_out) = (0, 0);
    let until = Instant::now() + Duration::from_secs(60);
    while rows + left_out < 4_000 {
        assert!(Instant::now() < until, "{rows} rows, {left_out} left out");
        match events.next_within(SOON).expect("an event") {
            event if event.name == "row" => rows += 1,
            event => left_out = event.data.parse().expect("a number"),
        }
    }
    assert_eq!(rows + left_out, 4_000, "{rows} rows");
    assert!(left_out > 0);
}

#[test]
fn fifty_listeners_get_the_same_and_end_at_a_stop() {
    let Some(world) = World::shared() else { return };
    let mut center = Center::of(&world, &[]);
    let path = format!("{}/events", tail(&world));
    let mut all: Vec<Events> = (0..50)
        .map(|_| Events::open(&center, &path, None))
        .collect();
    for events in &mut all {
        events.begins();
    }
    let (_, given) = records(10);
    let expected = sent(world.produce(&given));
    for events in &mut all {
        let got: BTreeSet<_> = events.rows(10).iter().map(place).collect();
        assert_eq!(got, expected);
    }
    let asked = Instant::now();
    center.running.terminate();
    for events in &mut all {
        assert!(events.next_within(SOON).is_none());
    }
    crate::servers::until("it has ended", SOON, || {
        center.running.has_ended().then_some(())
    });
    assert!(
        asked.elapsed() < Duration::from_secs(2),
        "{:?}",
        asked.elapsed()
    );
}

#[test]
fn hostile_records_are_one_event_each() {
    let Some(world) = World::shared() else { return };
    let center = Center::of(&world, &[]);
    let mut events = Events::open(&center, &format!("{}/events", tail(&world)), None);
    events.begins();
    let value = |value: &[u8]| Given {
        value: Some(value.to_vec()),
        key: Some(b"\n\ndata: x\r\nevent: row\n\n".to_vec()),
        partition: Some(0),
        ..Given::default()
    };
    let mut given = vec![
        value(b"\n\ndata: {}\r\n\revent: place\n\n"),
        value(b"\xff\xfe\x00"),
        value("\u{202e}\u{2028}".as_bytes()),
        value(&vec![b'a'; 990_000]),
        value(b"{\"note\":\"\\n\\ndata: 1\\r\"}"),
    ];
    given.push(Given {
        partition: Some(0),
        key: Some(b"1".to_vec()),
        ..Given::default()
    });
    world.produce(&given);
    let rows = events.rows(6);
    for (offset, row) in rows.iter().enumerate() {
        assert_eq!(place(row), (0, offset as i64));
        assert!(row.data.len() < 3_000, "{}", row.data.len());
        assert!(!row.data.contains('\u{202e}'));
    }
    assert!(events.next_within(Duration::from_secs(1)).is_none());
}
