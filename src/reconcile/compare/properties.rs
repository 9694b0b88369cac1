//! The comparison beside a naive model: runs as they may go, with crashes and repetitions, and then one damage.

use std::collections::BTreeMap;

use proptest::prelude::*;
use uuid::Uuid;

use super::{landing, letters, user};
use crate::reconcile::entry::{Due, LandingEntry, LetterEntry, LetterJob, Reading, UserEntry};
use crate::reconcile::findings::{Difference, Findings, Hop};
use crate::reconcile::spans::{Position, Spans};
use crate::source::kafka::Span;

/// A record of the only partition; its offset is its place.
#[derive(Debug, Clone)]
struct Record {
    user: u8,
    /// The row follows from user and time, so that no two records of a time differ.
    timestamp_ms: i64,
    kind: Kind,
    /// Stored, or its letter written, though the group has not committed so far.
    ahead: bool,
    /// Letters of a rejected one.
    letters: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Of a landed user; the second time for the same one it is a repetition.
    Landed,
    /// Of another producer.
    Other,
    Filtered,
    Rejected,
}

#[derive(Debug, Clone)]
struct Run {
    records: Vec<Record>,
    committed: usize,
}

/// Entries by key, as they meet.
#[derive(Debug, Clone, Default)]
struct Seen {
    users: BTreeMap<Uuid, Vec<UserEntry>>,
    landing: BTreeMap<i64, Vec<LandingEntry>>,
    letters: BTreeMap<Position, Vec<LetterEntry>>,
}

fn runs() -> impl Strategy<Value = Run> {
    let kind = prop_oneof![
        Just(Kind::Landed),
        Just(Kind::Other),
        Just(Kind::Filtered),
        Just(Kind::Rejected),
    ];
    let record = (0..6u8, 0..4i64, kind, any::<bool>(), 1..3usize);
    let record = record.prop_map(|(user, timestamp_ms, kind, ahead, letters)| Record {
        user,
        timestamp_ms,
        kind,
        ahead,
        letters,
    });
    (
        prop::collection::vec(record, 1..30),
        any::<prop::sample::Index>(),
    )
        .prop_map(|(records, at)| Run {
            committed: at.index(records.len() + 1),
            records,
        })
}

fn place(offset: usize) -> Position {
    Position {
        partition: 0,
        offset: offset as i64,
    }
}

impl Record {
    /// Users of the kinds are different ones.
    fn id(&self) -> Uuid {
        Uuid::from_u128(u128::from(self.user) * 10 + self.kind as u128)
    }

    fn time_ms(&self) -> i64 {
        match self.kind {
            // A repetition has the time of the first.
            Kind::Landed => i64::from(self.user),
            Kind::Other | Kind::Filtered | Kind::Rejected => self.timestamp_ms,
        }
    }

    fn digest(&self) -> [u8; 16] {
        [self.user * 10 + self.time_ms() as u8; 16]
    }

    fn is_kept(&self) -> bool {
        matches!(self.kind, Kind::Landed | Kind::Other)
    }
}

impl Run {
    /// What the servers hold after it.
    fn seen(&self) -> Seen {
        let mut seen = Seen::default();
        let mut rows: BTreeMap<Uuid, &Record> = BTreeMap::new();
        let mut marks: BTreeMap<Uuid, (u8, usize)> = BTreeMap::new();
        for (offset, record) in self.records.iter().enumerate() {
            let settled = offset < self.committed;
            let on_topic = |reading| UserEntry::OnTopic {
                position: place(offset),
                timestamp_ms: record.time_ms(),
                reading,
                settled,
            };
            let users = seen.users.entry(record.id()).or_default();
            match record.kind {
                Kind::Landed | Kind::Other => users.push(on_topic(Reading::Kept(record.digest()))),
                Kind::Filtered => users.push(on_topic(Reading::Filtered)),
                Kind::Rejected => {
                    let letters = seen.letters.entry(place(offset)).or_default();
                    letters.push(LetterEntry::Rejected {
                        digest: record.digest(),
                        transform_store: if settled { Due::Yes } else { Due::NotYet },
                        aggregate: Due::No,
                    });
                    let letter = LetterEntry::Letter {
                        job: LetterJob::TransformStore,
                        digest: record.digest(),
                    };
                    let count = if settled || record.ahead {
                        record.letters
                    } else {
                        0
                    };
                    letters.extend([letter].repeat(count));
                }
            }
            if record.is_kept() && (settled || record.ahead) {
                let row = rows.entry(record.id()).or_insert(record);
                if record.time_ms() >= row.time_ms() {
                    *row = record;
                }
            }
            if record.kind == Kind::Landed {
                marks.insert(record.id(), (record.user, offset));
                let entry = LandingEntry::OnTopic {
                    id: Some(record.id()),
                    position: place(offset),
                };
                seen.landing
                    .entry(i64::from(record.user))
                    .or_default()
                    .push(entry);
            }
        }
        for (id, record) in rows {
            seen.users.entry(id).or_default().push(UserEntry::Stored {
                digest: Some(record.digest()),
                written_us: Some(record.time_ms() * 1_000),
            });
        }
        for (id, (number, offset)) in marks {
            let published = Some(place(offset));
            let entry = LandingEntry::Landed { id, published };
            seen.landing
                .entry(i64::from(number))
                .or_default()
                .push(entry);
        }
        seen
    }

    fn compare(&self, seen: &Seen) -> Findings {
        let span = Span::from([(0, (0, self.records.len() as i64))]);
        let spans = Spans::new(&span, &span);
        let mut findings = Findings::new(3, false);
        for (&id, entries) in &seen.users {
            user(id, entries, &spans, &mut findings);
        }
        for (&number, entries) in &seen.landing {
            landing(number, entries, &spans, &mut findings);
        }
        for (&origin, entries) in &seen.letters {
            letters(origin, entries, false, &spans, &mut findings);
        }
        findings
    }

    fn settled(&self) -> impl Iterator<Item = &Record> {
        self.records[..self.committed].iter()
    }
}

/// A damage and the kind as which it must be found.
type Damage = (Difference, Box<dyn Fn(&mut Seen)>);

fn damages(run: &Run, seen: &Seen) -> Vec<Damage> {
    let mut damages: Vec<Damage> = Vec::new();
    for record in run.settled().filter(|it| it.is_kept()) {
        let id = record.id();
        damages.push((
            Difference::NotStored,
            Box::new(move |seen| {
                let entries = seen.users.get_mut(&id).unwrap();
                entries.retain(|it| !matches!(it, UserEntry::Stored { .. }));
            }),
        ));
        damages.push((
            Difference::OtherColumns,
            Box::new(move |seen| {
                for entry in seen.users.get_mut(&id).unwrap() {
                    if let UserEntry::Stored { digest, .. } = entry {
                        *digest = Some([255; 16]);
                    }
                }
            }),
        ));
        damages.push((
            Difference::OtherWriteTime,
            Box::new(move |seen| {
                for entry in seen.users.get_mut(&id).unwrap() {
                    if let UserEntry::Stored { written_us, .. } = entry {
                        *written_us = Some(1_000_000_000);
                    }
                }
            }),
        ));
    }
    damages.push((
        Difference::NeverPublished,
        Box::new(|seen| {
            let row = UserEntry::Stored {
                digest: Some([0; 16]),
                written_us: Some(0),
            };
            seen.users.insert(Uuid::max(), vec![row]);
        }),
    ));
    for &number in seen.landing.keys() {
        damages.push((
            Difference::NeverLanded,
            Box::new(move |seen| {
                let entries = seen.landing.get_mut(&number).unwrap();
                entries.retain(|it| !matches!(it, LandingEntry::Landed { .. }));
            }),
        ));
        damages.push((
            Difference::NotOnTopic,
            Box::new(move |seen| {
                let entries = seen.landing.get_mut(&number).unwrap();
                entries.retain(|it| !matches!(it, LandingEntry::OnTopic { .. }));
            }),
        ));
    }
    for (offset, record) in run.records.iter().enumerate() {
        let letter = |digest| LetterEntry::Letter {
            job: LetterJob::TransformStore,
            digest,
        };
        if record.kind != Kind::Rejected {
            let letter = letter(record.digest());
            damages.push((
                Difference::NoOrigin,
                Box::new(move |seen| seen.letters.entry(place(offset)).or_default().push(letter)),
            ));
        } else if offset < run.committed {
            damages.push((
                Difference::NoLetter,
                Box::new(move |seen| {
                    let entries = seen.letters.get_mut(&place(offset)).unwrap();
                    entries.retain(|it| !matches!(it, LetterEntry::Letter { .. }));
                }),
            ));
        }
    }
    damages
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever a run has stored ahead, written twice or published twice.
    #[test]
    fn a_good_run_agrees_and_everything_settled_is_found(run in runs()) {
        let mut findings = run.compare(&run.seen());
        prop_assert!(findings.agrees(), "{findings:?}");
        let distinct = |records: &mut dyn Iterator<Item = &Record>| {
            let ids: std::collections::BTreeSet<Uuid> = records.map(Record::id).collect();
            ids.len() as u64
        };
        let stored = distinct(&mut run.settled().filter(|it| it.is_kept()));
        let landed = distinct(&mut run.records.iter().filter(|it| it.kind == Kind::Landed));
        let rejected = run.settled().filter(|it| it.kind == Kind::Rejected).count() as u64;
        for (hop, number) in [
            (Hop::TopicTable, stored),
            (Hop::LandedTopic, landed),
            (Hop::RejectedLetters, rejected),
        ] {
            let line = *findings.line(hop);
            prop_assert_eq!((line.expected, line.found), (number, number), "{}", hop);
        }
    }

    #[test]
    fn one_damage_is_found_once_and_as_what_it_is(run in runs(), which: prop::sample::Index) {
        let mut seen = run.seen();
        let damages = damages(&run, &seen);
        let (kind, damage) = &damages[which.index(damages.len())];
        damage(&mut seen);
        let findings = run.compare(&seen);
        let met: Vec<Difference> = findings.differences().map(|(it, _)| it).collect();
        prop_assert_eq!(met, vec![*kind]);
        // A number of landing without its row is told for each of its records.
        if *kind != Difference::NeverLanded {
            prop_assert_eq!(findings.difference_count(), 1);
        }
    }
}
