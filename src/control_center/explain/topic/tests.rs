use super::*;

fn place(partition: i32, offset: i64) -> Position {
    Position { partition, offset }
}

fn trace(offset: i64, ms: i64) -> Trace {
    Trace {
        partition: 0,
        offset,
        at: Some(Moment::at(ms)),
        is_of_this_user: true,
        format: "JSON".to_owned(),
        unusable: None,
        value: String::new(),
    }
}

fn searched() -> Searched {
    Searched {
        offsets: Count(0),
        left: Count(0),
    }
}

#[test]
fn of_records_of_one_time_the_last_one_decides() {
    let mut topic = OnTopic {
        topic: "users".to_owned(),
        published: Some(Place::Here(Box::new(trace(9, 5)))),
        records: vec![trace(4, 5)],
        searched: searched(),
        messages: Vec::new(),
        begins_late: false,
        effort: Effort::Thorough,
    };
    assert_eq!(topic.decisive(None), Some(place(0, 9)));
    topic.records = vec![trace(12, 5), trace(4, 5)];
    assert_eq!(topic.decisive(None), Some(place(0, 12)));
    topic.records = vec![trace(12, 5), trace(4, 6)];
    assert_eq!(topic.decisive(None), Some(place(0, 4)));
}

#[test]
fn a_letter_of_the_newest_record_counts_and_any_where_no_record_is_known() {
    let letter = |offset, reason: &str| Letter {
        partition: 0,
        offset,
        at: None,
        why: Why {
            reason: reason.to_owned(),
            field: None,
        },
        job: None,
        origin: Some(place(0, offset)),
    };
    let letters = Letters {
        topic: "letters".to_owned(),
        letters: vec![letter(7, "second"), letter(3, "first")],
        searched: searched(),
        begins_late: false,
    };
    let why = |record| letters.why(record).map(|it| it.reason);
    assert_eq!(why(Some(place(0, 3))).as_deref(), Some("first"));
    assert_eq!(why(Some(place(0, 9))), None, "replayed");
    assert_eq!(why(None).as_deref(), Some("second"));
}
