use super::*;

fn message(partition: i32, offset: i64, time: i64) -> Message {
    Message {
        partition,
        offset,
        timestamp_ms: Some(time),
        key: None,
        value: None,
        headers: Vec::new(),
    }
}

fn places(messages: &[Message]) -> Vec<(i32, i64)> {
    messages
        .iter()
        .map(|it| (it.partition, it.offset))
        .collect()
}

#[test]
fn partitions_are_merged_by_time_and_each_keeps_its_order() {
    // Partition 0 has a record out of the order of time.
    let all = vec![
        message(0, 1, 10),
        message(0, 2, 5),
        message(0, 3, 30),
        message(1, 7, 20),
        message(1, 8, 40),
    ];
    let (back, all_taken) = merge(all.clone(), true, 10);
    assert_eq!(places(&back), [(1, 8), (0, 3), (1, 7), (0, 2), (0, 1)]);
    assert!(all_taken);
    let (forth, all_taken) = merge(all, false, 3);
    assert_eq!(places(&forth), [(0, 1), (0, 2), (1, 7)]);
    assert!(!all_taken);
}

#[test]
fn what_was_not_chosen_lies_before_the_next_cursor() {
    let cursor = Cursor(BTreeMap::from([(0, 4), (1, 9), (2, 5)]));
    let (chosen, _) = merge(
        vec![message(0, 3, 30), message(0, 2, 5), message(1, 8, 40)],
        true,
        2,
    );
    assert_eq!(behind(&chosen, &cursor, true).to_string(), "0:3,1:8,2:5");
}

#[test]
fn steps_stay_within_what_the_topic_has() {
    let ends = Span::from([(0, (10, 20)), (1, (0, 5))]);
    let cursor = Cursor(BTreeMap::from([(0, 12), (1, 5)]));
    assert_eq!(
        step_of(&cursor, &ends, true, 100),
        Span::from([(0, (10, 12)), (1, (0, 5))])
    );
    assert_eq!(
        step_of(&cursor, &ends, false, 3),
        Span::from([(0, (12, 15))])
    );
    assert_eq!(left(&cursor, &ends, true), 7);
    assert_eq!(left(&cursor, &ends, false), 8);
}

#[test]
fn a_step_back_that_was_cut_uses_only_whole_partitions() {
    let span = Span::from([(0, (0, 10)), (1, (5, 8))]);
    let step = || Step {
        messages: vec![message(0, 0, 1), message(0, 1, 2), message(1, 7, 3)],
        reached: Cursor(BTreeMap::from([(0, 2), (1, 8)])),
        records: 3,
        bytes: 3_000,
    };
    assert!(!step().is_whole(&span));
    let (usable, settled) = step().usable(&span, true);
    assert_eq!(places(&usable), [(1, 7)]);
    assert_eq!(settled.to_string(), "1:5");
    let (usable, settled) = step().usable(&span, false);
    assert_eq!(usable.len(), 3);
    assert_eq!(settled.to_string(), "0:2,1:8");
    assert_eq!(step().fitting(40_000, 2), 10);
}
