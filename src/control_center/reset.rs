//! Where a reset puts a group: the offsets as they are, as they would be, and what the topic does not have. No I/O.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::count::Count;
use super::kafka::{Cursor, Offsets};

/// Where to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    Earliest,
    Latest,
    /// The first records of a time, as the brokers have told them.
    Time(Offsets),
    /// These partitions only.
    Offsets(Offsets),
    /// So many records on, or back below zero, from where the group is.
    Shift(i64),
}

/// One partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Step {
    pub partition: i32,
    /// Nothing where the group has committed nothing.
    pub old: Option<i64>,
    pub new: i64,
    /// What was asked for, where the topic does not have it.
    pub asked: Option<i64>,
    pub first: i64,
    pub latest: i64,
}

impl Step {
    pub(super) fn old_text(&self) -> String {
        self.old
            .map_or("none".to_owned(), |it| Count(it).to_string())
    }

    /// Records that are passed over; below zero, that are read again.
    pub(super) fn difference(&self) -> Option<Count> {
        Some(Count(self.new.saturating_sub(self.old?)))
    }
}

/// The partitions that change place, or would. `ends`: the first offset and the latest of each.
pub(super) fn steps(
    target: &Target,
    ends: &BTreeMap<i32, (i64, i64)>,
    old: &Offsets,
) -> Result<Vec<Step>, String> {
    if let Target::Offsets(asked) = target
        && let Some(unknown) = asked.keys().find(|it| !ends.contains_key(it))
    {
        return Err(format!("the topic has no partition {unknown}"));
    }
    let step = |(&partition, &(first, latest)): (&i32, &(i64, i64))| {
        let old = old.get(&partition).copied();
        let asked = match target {
            Target::Earliest => first,
            Target::Latest => latest,
            Target::Time(found) => *found.get(&partition)?,
            Target::Offsets(asked) => *asked.get(&partition)?,
            Target::Shift(by) => old.unwrap_or(first).saturating_add(*by),
        };
        let new = asked.clamp(first, latest);
        Some(Step {
            partition,
            old,
            new,
            asked: (new != asked).then_some(asked),
            first,
            latest,
        })
    };
    Ok(ends.iter().filter_map(step).collect())
}

/// The offsets that a preview was made from: they travel with the form, so that a change meanwhile is noticed. As text `0:12,1:-`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Before(pub BTreeMap<i32, Option<i64>>);

impl Before {
    pub(super) fn of(steps: &[Step]) -> Self {
        Self(steps.iter().map(|it| (it.partition, it.old)).collect())
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let place = |part: &str| {
            let (partition, offset) = part.split_once(':')?;
            let offset = match offset {
                "-" => None,
                offset => Some(offset.parse().ok()?),
            };
            Some((partition.parse().ok()?, offset))
        };
        text.split(',').map(place).collect::<Option<_>>().map(Self)
    }

    pub(super) fn is_still(&self, now: &Offsets) -> bool {
        self.0
            .iter()
            .all(|(partition, old)| now.get(partition) == old.as_ref())
    }
}

impl fmt::Display for Before {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (partition, offset)) in self.0.iter().enumerate() {
            let comma = if place > 0 { "," } else { "" };
            match offset {
                Some(offset) => write!(f, "{comma}{partition}:{offset}")?,
                None => write!(f, "{comma}{partition}:-")?,
            }
        }
        Ok(())
    }
}

/// The new offsets, as the form has them.
pub(super) fn after(steps: &[Step]) -> Cursor {
    Cursor(steps.iter().map(|it| (it.partition, it.new)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends() -> BTreeMap<i32, (i64, i64)> {
        BTreeMap::from([(0, (10, 100)), (1, (0, 5))])
    }

    fn places(target: &Target, old: &[(i32, i64)]) -> Vec<(i32, i64, Option<i64>)> {
        let old = old.iter().copied().collect();
        let steps = steps(target, &ends(), &old).unwrap();
        steps
            .iter()
            .map(|it| (it.partition, it.new, it.asked))
            .collect()
    }

    #[test]
    fn each_target_has_its_offsets() {
        let old = [(0, 50)];
        assert_eq!(
            places(&Target::Earliest, &old),
            [(0, 10, None), (1, 0, None)]
        );
        assert_eq!(
            places(&Target::Latest, &old),
            [(0, 100, None), (1, 5, None)]
        );
        let given = Offsets::from([(1, 3)]);
        assert_eq!(places(&Target::Offsets(given), &old), [(1, 3, None)]);
        assert_eq!(
            places(&Target::Shift(-20), &old),
            [(0, 30, None), (1, 0, Some(-20))]
        );
    }

    #[test]
    fn what_the_topic_does_not_have_is_clamped_and_told() {
        let given = Offsets::from([(0, 3), (1, i64::MAX)]);
        assert_eq!(
            places(&Target::Offsets(given), &[]),
            [(0, 10, Some(3)), (1, 5, Some(i64::MAX))]
        );
        assert_eq!(
            places(&Target::Shift(i64::MAX), &[(0, 50), (1, 1)]),
            [(0, 100, Some(i64::MAX)), (1, 5, Some(i64::MAX))]
        );
        let unknown = Target::Offsets(Offsets::from([(7, 1)]));
        assert!(steps(&unknown, &ends(), &Offsets::new()).is_err());
    }

    #[test]
    fn the_difference_is_what_is_read_again_or_passed_over() {
        let old = Offsets::from([(0, 50)]);
        let found = steps(&Target::Earliest, &ends(), &old).unwrap();
        assert_eq!(found[0].difference(), Some(Count(-40)));
        assert_eq!(found[1].difference(), None, "nothing was committed");
    }

    #[test]
    fn a_change_meanwhile_is_noticed() {
        let before = Before::parse("0:50,1:-").unwrap();
        assert_eq!(before.to_string(), "0:50,1:-");
        assert!(before.is_still(&Offsets::from([(0, 50)])));
        assert!(!before.is_still(&Offsets::from([(0, 51)])));
        assert!(!before.is_still(&Offsets::from([(0, 50), (1, 0)])));
        assert!(!before.is_still(&Offsets::new()));
        for text in ["", "0", "0:x", "a:1", "0:1,"] {
            assert_eq!(Before::parse(text), None, "{text}");
        }
    }
}
