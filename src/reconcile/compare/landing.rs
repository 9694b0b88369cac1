//! Landed → topic, for one number of landing.

use uuid::Uuid;

use crate::reconcile::entry::LandingEntry;
use crate::reconcile::findings::{Difference, Example, Findings, Hop};
use crate::reconcile::spans::{Position, Spans, Whereabouts};

pub(in crate::reconcile) fn landing(
    sequence: i64,
    entries: &[LandingEntry],
    spans: &Spans,
    findings: &mut Findings,
) {
    let mut landed = None;
    let mut records = Vec::new();
    for entry in entries {
        match *entry {
            LandingEntry::Landed { id, published } => landed = Some((id, published)),
            LandingEntry::OnTopic { id, position } => records.push((id, position)),
        }
    }
    let Some((id, published)) = landed else {
        for (id, position) in records {
            findings.differs(Difference::NeverLanded, || Example {
                id,
                ..at(sequence, position)
            });
        }
        return;
    };
    let is_of_the_user = |record: &&(Option<Uuid>, Position)| record.0 == Some(id);
    let (same, others): (Vec<_>, Vec<_>) = records.iter().partition(is_of_the_user);
    for &(_, position) in others {
        findings.differs(Difference::OtherIdOnTopic, || Example {
            id: Some(id),
            ..at(sequence, position)
        });
    }
    let line = findings.line(Hop::LandedTopic);
    let Some(published) = published else {
        line.open += 1;
        // A crash came between the acknowledgement and the mark: the next run publishes it again.
        line.repeated += (same.len() as u64).saturating_sub(1);
        return;
    };
    if same.iter().any(|(_, position)| *position == published) {
        line.expected += 1;
        line.found += 1;
        line.repeated += same.len() as u64 - 1;
        return;
    }
    line.repeated += same.len() as u64;
    match spans.whereabouts(published) {
        Whereabouts::Removed => line.unknown += 1,
        Whereabouts::Later => line.open += 1,
        Whereabouts::Read | Whereabouts::Nowhere => {
            line.expected += 1;
            // A record of another user at this place is told already.
            if !records.iter().any(|(_, position)| *position == published) {
                findings.differs(Difference::NotOnTopic, || Example {
                    id: Some(id),
                    ..at(sequence, published)
                });
            }
        }
    }
}

fn at(sequence: i64, position: Position) -> Example {
    Example {
        sequence: Some(sequence),
        position: Some(position),
        ..Example::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reconcile::findings::Line;
    use crate::source::kafka::Span;

    const ID: Uuid = Uuid::from_u128(1);
    const OTHER: Uuid = Uuid::from_u128(2);

    fn place(offset: i64) -> Position {
        Position {
            partition: 0,
            offset,
        }
    }

    fn landed(published: Option<i64>) -> LandingEntry {
        LandingEntry::Landed {
            id: ID,
            published: published.map(place),
        }
    }

    fn on_topic(id: Uuid, offset: i64) -> LandingEntry {
        LandingEntry::OnTopic {
            id: Some(id),
            position: place(offset),
        }
    }

    /// The topic was read from 10 to 20, and ended at 25 later.
    fn compared(entries: &[LandingEntry]) -> (Line, Vec<(Difference, u64)>) {
        let spans = Spans::new(&Span::from([(0, (10, 20))]), &Span::from([(0, (10, 25))]));
        let mut findings = Findings::new(1, false);
        landing(7, entries, &spans, &mut findings);
        let differences = findings.differences().map(|(it, met)| (it, met.count));
        let differences = differences.collect();
        (*findings.line(Hop::LandedTopic), differences)
    }

    fn line(expected: u64, found: u64, repeated: u64, open: u64, unknown: u64) -> Line {
        Line {
            expected,
            found,
            repeated,
            open,
            unknown,
        }
    }

    #[test]
    fn a_landed_user_is_at_its_place() {
        let found = compared(&[on_topic(ID, 15), landed(Some(15))]);
        assert_eq!(found, (line(1, 1, 0, 0, 0), vec![]));
        let again = compared(&[on_topic(ID, 15), on_topic(ID, 12), landed(Some(15))]);
        assert_eq!(again, (line(1, 1, 1, 0, 0), vec![]));
    }

    #[test]
    fn a_place_without_its_record_is_judged_by_what_was_read() {
        let missing = vec![(Difference::NotOnTopic, 1)];
        assert_eq!(
            compared(&[landed(Some(15))]),
            (line(1, 0, 0, 0, 0), missing.clone())
        );
        assert_eq!(
            compared(&[landed(Some(25))]),
            (line(1, 0, 0, 0, 0), missing.clone())
        );
        assert_eq!(compared(&[landed(Some(20))]), (line(0, 0, 0, 1, 0), vec![]));
        assert_eq!(compared(&[landed(Some(9))]), (line(0, 0, 0, 0, 1), vec![]));
        let elsewhere = compared(&[on_topic(ID, 12), landed(Some(15))]);
        assert_eq!(elsewhere, (line(1, 0, 1, 0, 0), missing));
    }

    #[test]
    fn what_is_not_published_yet_is_open_also_when_the_mark_is_lost() {
        assert_eq!(compared(&[landed(None)]), (line(0, 0, 0, 1, 0), vec![]));
        let unmarked = compared(&[on_topic(ID, 12), landed(None)]);
        assert_eq!(unmarked, (line(0, 0, 0, 1, 0), vec![]));
    }

    #[test]
    fn a_record_that_nobody_landed_is_unexpected() {
        let (_, differences) = compared(&[on_topic(ID, 12), on_topic(ID, 13)]);
        assert_eq!(differences, [(Difference::NeverLanded, 2)]);
    }

    #[test]
    fn a_record_of_another_user_is_different_and_not_missing_too() {
        let (line, differences) = compared(&[on_topic(OTHER, 15), landed(Some(15))]);
        assert_eq!(differences, [(Difference::OtherIdOnTopic, 1)]);
        assert_eq!((line.expected, line.found), (1, 0));
    }
}
