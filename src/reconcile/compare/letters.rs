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
