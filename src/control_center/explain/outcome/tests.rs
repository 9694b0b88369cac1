use super::*;

/// Published, read and stored.
fn stored() -> Evidence {
    Evidence {
        stored: Some(true),
        landed: Some(Landed::Published),
        kept_apart: None,
        record: Some(Found::Here { usable: true }),
        settled: Some(true),
        letter: None,
        letters_all_seen: true,
        kept_by_filter: None,
    }
}

fn why() -> Option<Why> {
    Some(Why {
        reason: "wrong_type".to_owned(),
        field: Some("street_number".to_owned()),
    })
}

fn not_stored() -> Evidence {
    Evidence {
        stored: Some(false),
        ..stored()
    }
}

/// No server has it.
fn nobody() -> Evidence {
    Evidence {
        landed: Some(Landed::No),
        record: Some(Found::Nowhere { all_seen: true }),
        settled: None,
        ..not_stored()
    }
}

fn cause(known: Evidence) -> Missing {
    match decide(&known) {
        Outcome::Missing { cause } => cause,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_row_is_enough_to_be_found() {
    assert_eq!(decide(&stored()), Outcome::Stored);
    let alone = Evidence {
        stored: Some(true),
        landed: None,
        record: None,
        ..nobody()
    };
    assert_eq!(decide(&alone), Outcome::Stored);
    let stored_after_a_letter = Evidence {
        letter: why(),
        ..stored()
    };
    assert_eq!(decide(&stored_after_a_letter), Outcome::Stored);
}

#[test]
fn before_the_committed_offset_reaches_it_a_user_is_on_its_way() {
    for usable in [true, false] {
        let known = Evidence {
            settled: Some(false),
            record: Some(Found::Here { usable }),
            ..not_stored()
        };
        assert_eq!(decide(&known), Outcome::OnItsWay);
    }
}

#[test]
fn a_dead_letter_says_why() {
    let known = Evidence {
        letter: why(),
        record: Some(Found::Here { usable: false }),
        ..not_stored()
    };
    let outcome = decide(&known);
    assert_eq!(outcome, Outcome::DeadLettered(why().unwrap()));
    assert!(
        outcome
            .sentence(None)
            .contains("wrong_type (street_number)")
    );
}

#[test]
fn what_is_kept_apart_is_not_landed() {
    let known = Evidence {
        kept_apart: why(),
        ..nobody()
    };
    assert_eq!(decide(&known), Outcome::KeptApart(why().unwrap()));
    // Another person under the same id: the one that landed goes on.
    let conflicting = Evidence {
        kept_apart: why(),
        ..stored()
    };
    assert_eq!(decide(&conflicting), Outcome::Stored);
}

#[test]
fn landed_and_not_published() {
    let known = Evidence {
        landed: Some(Landed::Unpublished),
        ..nobody()
    };
    assert_eq!(decide(&known), Outcome::NotPublished);
    // Also while Kafka is down.
    let known = Evidence {
        record: None,
        ..known
    };
    assert_eq!(decide(&known), Outcome::NotPublished);
}

#[test]
fn each_way_to_be_missing_has_its_cause() {
    assert_eq!(cause(nobody()), Missing::NeverSeen);
    let not_there = Evidence {
        record: Some(Found::NotThere),
        ..not_stored()
    };
    assert_eq!(cause(not_there), Missing::NotOnTopic);
    let unread = Evidence {
        record: Some(Found::Removed),
        settled: Some(false),
        ..not_stored()
    };
    assert_eq!(cause(unread), Missing::RemovedUnread);
    let kept = Evidence {
        kept_by_filter: Some(true),
        ..not_stored()
    };
    assert_eq!(cause(kept), Missing::NotStored);
    let no_letter = Evidence {
        record: Some(Found::Here { usable: false }),
        ..not_stored()
    };
    assert_eq!(cause(no_letter), Missing::NoLetter);
}

#[test]
fn settled_without_a_row_and_without_a_letter_is_filtered() {
    let told = |kept_by_filter| {
        decide(&Evidence {
            kept_by_filter,
            ..not_stored()
        })
    };
    let filtered = |by_the_filter_told| Outcome::Filtered { by_the_filter_told };
    assert_eq!(told(None), filtered(false));
    assert_eq!(told(Some(false)), filtered(true));
}

#[test]
fn past_retention_nobody_knows() {
    let removed = Evidence {
        record: Some(Found::Removed),
        ..not_stored()
    };
    assert_eq!(decide(&removed), Outcome::Unknown);
    let too_many = Evidence {
        record: Some(Found::Nowhere { all_seen: false }),
        ..nobody()
    };
    assert_eq!(decide(&too_many), Outcome::Unknown);
    let letters_removed = Evidence {
        record: Some(Found::Here { usable: false }),
        letters_all_seen: false,
        ..not_stored()
    };
    assert_eq!(decide(&letters_removed), Outcome::Unknown);
}

#[test]
fn a_letter_that_was_not_looked_at_may_exist() {
    let told = |kept_by_filter| {
        decide(&Evidence {
            kept_by_filter,
            letters_all_seen: false,
            ..not_stored()
        })
    };
    assert_eq!(told(None), Outcome::Unknown);
    assert_eq!(told(Some(true)), Outcome::Unknown);
    let filtered = Outcome::Filtered {
        by_the_filter_told: true,
    };
    assert_eq!(told(Some(false)), filtered);
}

#[test]
fn what_may_come_of_facts_of_different_moments_is_looked_at_twice() {
    let not_on_topic = Outcome::Missing {
        cause: Missing::NotOnTopic,
    };
    let filtered = Outcome::Filtered {
        by_the_filter_told: true,
    };
    for outcome in [not_on_topic, filtered, Outcome::Unknown] {
        assert!(outcome.may_be_overtaken(), "{outcome:?}");
    }
    for outcome in [Outcome::Stored, Outcome::OnItsWay, Outcome::NotPublished] {
        assert!(!outcome.may_be_overtaken(), "{outcome:?}");
    }
}

#[test]
fn a_server_that_did_not_answer_is_another_failure_than_a_user_that_is_not_stored() {
    let unanswered = Outcome::Unanswered { server: "Kafka" };
    assert_eq!(unanswered.kind(), Kind::Unavailable);
    assert_eq!(Outcome::OnItsWay.kind(), Kind::Data);
}

#[test]
fn a_server_that_would_tell_is_named() {
    let without = |known: Evidence| match decide(&known) {
        Outcome::Unanswered { server } => server,
        other => panic!("{other:?}"),
    };
    let cassandra = Evidence {
        stored: None,
        ..stored()
    };
    assert_eq!(without(cassandra), "Cassandra");
    let kafka = Evidence {
        record: None,
        settled: None,
        ..not_stored()
    };
    assert_eq!(without(kafka), "Kafka");
    let group = Evidence {
        settled: None,
        ..not_stored()
    };
    assert_eq!(without(group), "Kafka");
    let postgres = Evidence {
        landed: None,
        ..nobody()
    };
    assert_eq!(without(postgres), "PostgreSQL");
    let nothing_but_cassandra = Evidence {
        record: None,
        ..nobody()
    };
    assert_eq!(without(nothing_but_cassandra), "Kafka");
}
