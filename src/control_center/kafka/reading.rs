//! How records are looked for: step by step in one direction, the partitions side by side, within bounded time and bytes. What is shown and
//! the place to go on from fit together: no record is shown twice, and none is left out.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::Reader;
use super::messages::{Cursor, Found, Message, READ_AT_MOST, Search, Wish};
use crate::error::{Error, Result};
use crate::pipeline::record::Record;
use crate::source::kafka::{RecordHeaders, Span};

/// Reading ends with what it has found after this time.
const READ_WITHIN: Duration = Duration::from_secs(4);
/// A search lets go of most of what it looks at, and so may look at more.
const SEARCH_AT_MOST: usize = 64 << 20;
/// Records of each partition that a search looks at before it asks whether to go on.
const SEARCH_STEP: i64 = 2_000;
/// A brief search begins no further step after this time.
const BRIEFLY: Duration = Duration::from_millis(60);
/// Records of each partition that it looks at in a step.
const BRIEF_STEP: i64 = 1_000;
/// How often a step that was too large is tried again as a smaller one.
const SMALLER_STEPS: u32 = 2;

/// Time and bytes of one request.
pub(super) struct Budget {
    until: Instant,
    /// No step begins after it.
    last_step: Instant,
    bytes: usize,
}

/// How long a search goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::control_center) enum Effort {
    /// One step at the least: what is small is looked at as a whole.
    Brief,
    Thorough,
}

impl Budget {
    pub(super) fn new(bytes: usize) -> Self {
        Self::of(bytes, Effort::Thorough)
    }

    fn of(bytes: usize, effort: Effort) -> Self {
        let now = Instant::now();
        Self {
            until: now + READ_WITHIN,
            last_step: match effort {
                Effort::Brief => now + BRIEFLY,
                Effort::Thorough => now + READ_WITHIN,
            },
            bytes,
        }
    }

    fn is_late(&self) -> bool {
        Instant::now() >= self.until
    }

    fn is_spent(&self) -> bool {
        self.bytes == 0 || Instant::now() >= self.last_step
    }
}

pub(super) fn find(
    reader: &Reader,
    ends: &Span,
    wish: Wish,
    limit: usize,
    search: Option<Search>,
    effort: Effort,
) -> Result<Found> {
    let (is_back, mut cursor) = match wish {
        Wish::Before(cursor) => (true, cursor),
        Wish::From(cursor) => (false, cursor),
    };
    cursor.0.retain(|partition, _| ends.contains_key(partition));
    for (partition, offset) in &mut cursor.0 {
        let (first, latest) = ends[partition];
        *offset = (*offset).clamp(first, latest);
    }
    let (mut step, bytes) = match search {
        Some(_) if effort == Effort::Brief => (BRIEF_STEP, SEARCH_AT_MOST),
        Some(_) => (SEARCH_STEP, SEARCH_AT_MOST),
        None => (i64::try_from(limit).unwrap_or(SEARCH_STEP), READ_AT_MOST),
    };
    let mut budget = Budget::of(bytes, effort);
    let mut smaller_steps = SMALLER_STEPS;
    let (mut messages, mut scanned, mut cut) = (Vec::new(), 0, false);
    loop {
        let span = step_of(&cursor, ends, is_back, step);
        if span.is_empty() || messages.len() >= limit {
            break;
        }
        // The first step is always taken.
        if scanned > 0 && budget.is_spent() || budget.bytes == 0 || budget.is_late() {
            cut = true;
            break;
        }
        let take = |message: &Message| search.as_ref().is_none_or(|search| search(message));
        let done = read(reader, &span, &mut budget, take)?;
        // A step back is read from its oldest record on: where bytes end it, the newest ones are missing.
        if is_back && !done.is_whole(&span) && !budget.is_late() && step > 1 && smaller_steps > 0 {
            smaller_steps -= 1;
            step = match smaller_steps {
                0 => 1,
                _ => done.fitting(bytes, span.len()).clamp(1, step / 2),
            };
            budget.bytes = bytes;
            continue;
        }
        // To begin a step anew costs more than many a record: a search that finds little takes longer ones.
        if search.is_some() && effort == Effort::Thorough && done.bytes < budget.bytes / 8 {
            step = step.saturating_mul(2);
        }
        let (usable, settled) = done.usable(&span, is_back);
        let (chosen, all_taken) = merge(usable, is_back, limit - messages.len());
        let reached = match all_taken {
            true => Cursor(
                cursor
                    .0
                    .iter()
                    .map(|(&p, &at)| (p, *settled.0.get(&p).unwrap_or(&at)))
                    .collect(),
            ),
            false => behind(&chosen, &cursor, is_back),
        };
        scanned += distance(&cursor, &reached);
        cursor = reached;
        messages.extend(chosen);
    }
    let left = left(&cursor, ends, is_back);
    let next = (left > 0).then_some(match is_back {
        true => Wish::Before(cursor),
        false => Wish::From(cursor),
    });
    Ok(Found {
        // Several steps, of partitions that are not equally full.
        messages: merge(messages, is_back, usize::MAX).0,
        next,
        scanned,
        left,
        cut,
    })
}

/// What was read of a span.
pub(super) struct Step {
    pub(super) messages: Vec<Message>,
    /// Of each partition, the offset after the last one that was looked at.
    pub(super) reached: Cursor,
    /// All that was looked at, also what was not wanted.
    records: usize,
    bytes: usize,
}

impl Step {
    fn is_whole(&self, span: &Span) -> bool {
        span.iter()
            .all(|(partition, &(_, end))| self.is_complete(*partition, end))
    }

    fn is_complete(&self, partition: i32, end: i64) -> bool {
        self.reached.0.get(&partition).is_some_and(|&it| it >= end)
    }

    /// Offsets of each partition that would fit into half of these bytes.
    fn fitting(&self, bytes: usize, partitions: usize) -> i64 {
        let each = (self.bytes / self.records.max(1)).max(1);
        i64::try_from(bytes / 2 / each / partitions.max(1)).unwrap_or(i64::MAX)
    }

    /// The records that nothing unread lies in front of, in this direction, and how far they settle their partitions.
    fn usable(self, span: &Span, is_back: bool) -> (Vec<Message>, Cursor) {
        let mut settled = Cursor::default();
        for (&partition, &(begin, end)) in span {
            match (is_back, self.is_complete(partition, end)) {
                (true, true) => settled.0.insert(partition, begin),
                (true, false) => None,
                (false, _) => settled.0.insert(
                    partition,
                    self.reached
                        .0
                        .get(&partition)
                        .map_or(begin, |&it| it.min(end)),
                ),
            };
        }
        let mut messages = self.messages;
        messages.retain(|it| settled.0.contains_key(&it.partition));
        (messages, settled)
    }
}

/// The next offsets of each partition, without those where there are none.
fn step_of(cursor: &Cursor, ends: &Span, is_back: bool, step: i64) -> Span {
    let span = |(&partition, &offset): (&i32, &i64)| {
        let (first, latest) = ends[&partition];
        let (begin, end) = match is_back {
            true => (offset.saturating_sub(step).max(first), offset),
            false => (offset, offset.saturating_add(step).min(latest)),
        };
        (begin < end).then_some((partition, (begin, end)))
    };
    cursor.0.iter().filter_map(span).collect()
}

/// Behind what was chosen; where nothing of a partition was, it stays.
fn behind(chosen: &[Message], cursor: &Cursor, is_back: bool) -> Cursor {
    let mut reached = cursor.clone();
    for message in chosen {
        let place = reached.0.entry(message.partition).or_insert(message.offset);
        *place = match is_back {
            true => (*place).min(message.offset),
            false => (*place).max(message.offset + 1),
        };
    }
    reached
}

fn distance(from: &Cursor, to: &Cursor) -> i64 {
    to.0.iter()
        .map(|(partition, offset)| {
            from.0
                .get(partition)
                .map_or(0, |it| it.abs_diff(*offset) as i64)
        })
        .sum()
}

fn left(cursor: &Cursor, ends: &Span, is_back: bool) -> i64 {
    let left = |(partition, offset): (&i32, &i64)| match is_back {
        true => offset - ends[partition].0,
        false => ends[partition].1 - offset,
    };
    cursor.0.iter().map(left).sum()
}

/// The partitions side by side, by time, each in its own order: so what is left of one always lies behind what was chosen of it. Tells, too,
/// whether everything was chosen.
pub(super) fn merge(read: Vec<Message>, is_back: bool, limit: usize) -> (Vec<Message>, bool) {
    let mut queues: BTreeMap<i32, Vec<Message>> = BTreeMap::new();
    for message in read {
        queues.entry(message.partition).or_default().push(message);
    }
    for queue in queues.values_mut() {
        // The next one lies at the end.
        queue.sort_by_key(|it| if is_back { it.offset } else { -it.offset });
    }
    let mut chosen = Vec::new();
    while chosen.len() < limit {
        let time = |queue: &[Message]| queue.last().map(|it| it.timestamp_ms.unwrap_or(0));
        let heads = queues.values().filter_map(|queue| time(queue));
        let Some(best) = (if is_back { heads.max() } else { heads.min() }) else {
            return (chosen, true);
        };
        let queue = queues.values_mut().find(|queue| time(queue) == Some(best));
        chosen.extend(queue.and_then(Vec::pop));
    }
    let nothing_left = queues.values().all(Vec::is_empty);
    (chosen, nothing_left)
}

/// The records of a span that are wanted, until time or bytes are spent.
pub(super) fn read(
    reader: &Reader,
    span: &Span,
    budget: &mut Budget,
    take: impl Fn(&Message) -> bool,
) -> Result<Step> {
    let Some(reader) = &reader.reader else {
        return Err(Error::bug("a consumer was given back while it was read"));
    };
    let begin = |(&partition, &(begin, _)): (&i32, &(i64, i64))| (partition, begin);
    let step = RefCell::new(Step {
        messages: Vec::new(),
        reached: Cursor(span.iter().map(begin).collect()),
        records: 0,
        bytes: 0,
    });
    let (most, until, stopped) = (budget.bytes, budget.until, Cell::new(false));
    let go_on = || {
        stopped.set(step.borrow().bytes >= most || Instant::now() >= until);
        !stopped.get()
    };
    let mut on_record = |record: &Record<'_>, headers: RecordHeaders<'_>| {
        let own = |bytes: &[u8]| bytes.to_vec();
        let message = Message {
            partition: record.partition,
            offset: record.offset,
            timestamp_ms: (record.timestamp_ms > 0).then_some(record.timestamp_ms),
            key: record.key.map(own),
            value: record.value.map(own),
            headers: headers
                .all()
                .into_iter()
                .map(|(name, value)| (own(name), value.map(own)))
                .collect(),
        };
        let is_wanted = take(&message);
        let mut step = step.borrow_mut();
        step.reached.0.insert(record.partition, record.offset + 1);
        step.records += 1;
        step.bytes += message.bytes();
        if is_wanted {
            step.messages.push(message);
        }
        Ok(())
    };
    reader.read(span, READ_WITHIN * 2, &go_on, &mut on_record)?;
    let mut step = step.into_inner();
    if !stopped.get() {
        // The last offsets may belong to no record.
        let end = |(&partition, &(_, end)): (&i32, &(i64, i64))| (partition, end);
        step.reached = Cursor(span.iter().map(end).collect());
    }
    budget.bytes = most.saturating_sub(step.bytes);
    Ok(step)
}

#[cfg(test)]
mod tests;
