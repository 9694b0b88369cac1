//! Rejected → dead letters, for one place on the topic.

use crate::reconcile::digest::Digest;
use crate::reconcile::entry::{Due, LetterEntry, LetterJob};
use crate::reconcile::findings::{Difference, Example, Findings, Hop};
use crate::reconcile::spans::{Position, Spans, Whereabouts};

/// `letters_removed`: retention has removed letters.
pub(in crate::reconcile) fn letters(
    origin: Position,
    entries: &[LetterEntry],
    letters_removed: bool,
    spans: &Spans,
    findings: &mut Findings,
) {
    let mut rejected = None;
    let mut letters: Vec<(LetterJob, Digest)> = Vec::new();
    for entry in entries {
        match *entry {
            LetterEntry::Rejected {
                digest,
                transform_store,
                aggregate,
            } => {
                rejected = Some((
                    digest,
                    [
                        (LetterJob::TransformStore, transform_store),
                        (LetterJob::Aggregate, aggregate),
                    ],
                ));
            }
            LetterEntry::Letter { job, digest } => letters.push((job, digest)),
        }
    }
    let example = |job: LetterJob| Example {
        position: Some(origin),
        detail: Some(format!("letter of {}", job.as_str())),
        ..Example::default()
    };
    let Some((digest, dues)) = rejected else {
        for (job, _) in letters {
            match spans.whereabouts(origin) {
                Whereabouts::Removed => findings.line(Hop::RejectedLetters).unknown += 1,
                // The letters were read before the topic, so a record of theirs would have been read.
                Whereabouts::Read | Whereabouts::Later | Whereabouts::Nowhere => {
                    findings.differs(Difference::NoOrigin, || example(job));
                }
            }
        }
        return;
    };
    for (job, due) in dues {
        let of_job = letters.iter().filter(|letter| letter.0 == job);
        let count = of_job.clone().count() as u64;
        let has_same = of_job.clone().any(|letter| letter.1 == digest);
        let line = findings.line(Hop::RejectedLetters);
        if count > 0 && !has_same {
            line.expected += 1;
            findings.differs(Difference::OtherContent, || example(job));
            continue;
        }
        match due {
            // More than are needed.
            Due::No => line.repeated += count,
            Due::NotYet => {
                line.open += 1;
                line.repeated += count.saturating_sub(1);
            }
            Due::Yes | Due::Unknown if count > 0 => {
                line.expected += 1;
                line.found += 1;
                line.repeated += count - 1;
            }
            Due::Yes if !letters_removed => {
                line.expected += 1;
                findings.differs(Difference::NoLetter, || example(job));
            }
            Due::Yes | Due::Unknown => line.unknown += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reconcile::findings::Line;
    use crate::source::kafka::Span;

    const ORIGIN: Position = Position {
        partition: 0,
        offset: 5,
    };

    fn rejected(transform_store: Due, aggregate: Due) -> LetterEntry {
        LetterEntry::Rejected {
            digest: [1; 16],
            transform_store,
            aggregate,
        }
    }

    fn letter(job: LetterJob, content: u8) -> LetterEntry {
        LetterEntry::Letter {
            job,
            digest: [content; 16],
        }
    }

    fn compared(entries: &[LetterEntry], removed: bool) -> (Line, Vec<(Difference, u64)>) {
        let begin = if removed { 6 } else { 0 };
        let span = Span::from([(0, (begin, 10))]);
        let mut findings = Findings::new(1, false);
        letters(
            ORIGIN,
            entries,
            removed,
            &Spans::new(&span, &span),
            &mut findings,
        );
        let differences = findings.differences().map(|(it, met)| (it, met.count));
        let differences = differences.collect();
        (*findings.line(Hop::RejectedLetters), differences)
    }

    const STORE: LetterJob = LetterJob::TransformStore;
    const COUNT: LetterJob = LetterJob::Aggregate;

    #[test]
    fn each_job_owes_a_letter_of_its_own() {
        let both = [
            rejected(Due::Yes, Due::Yes),
            letter(STORE, 1),
            letter(COUNT, 1),
        ];
        let (line, differences) = compared(&both, false);
        assert_eq!((line.expected, line.found, differences), (2, 2, vec![]));
        let one = [
            rejected(Due::Yes, Due::Yes),
            letter(STORE, 1),
            letter(STORE, 1),
        ];
        let (line, differences) = compared(&one, false);
        assert_eq!((line.expected, line.found, line.repeated), (2, 1, 1));
        assert_eq!(differences, [(Difference::NoLetter, 1)]);
    }

    #[test]
    fn what_is_not_due_is_allowed() {
        let (line, differences) = compared(&[rejected(Due::NotYet, Due::No)], false);
        assert_eq!((line.expected, line.open, differences), (0, 1, vec![]));
        let early = [
            rejected(Due::NotYet, Due::No),
            letter(STORE, 1),
            letter(COUNT, 1),
        ];
        let (line, differences) = compared(&early, false);
        assert_eq!((line.open, line.repeated, differences), (1, 1, vec![]));
    }

    #[test]
    fn a_letter_needs_an_origin_and_its_bytes() {
        assert_eq!(
            compared(&[letter(STORE, 1)], false).1,
            [(Difference::NoOrigin, 1)]
        );
        let other = [rejected(Due::Yes, Due::No), letter(STORE, 2)];
        assert_eq!(compared(&other, false).1, [(Difference::OtherContent, 1)]);
    }

    #[test]
    fn what_retention_has_removed_is_unknown() {
        let (line, differences) = compared(&[letter(STORE, 1)], true);
        assert_eq!((line.unknown, differences), (1, vec![]));
        let (line, differences) = compared(&[rejected(Due::Yes, Due::Unknown)], true);
        assert_eq!((line.unknown, differences), (2, vec![]));
    }
}
