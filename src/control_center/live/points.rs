//! Numbers of the last hour, and what follows from them. No I/O and no clock.

use std::collections::VecDeque;

use super::latency::Buckets;

/// An hour, at one look in five seconds.
const KEPT: usize = 720;

/// What one look has seen; nothing where a server did not tell.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(in crate::control_center) struct Point {
    pub at_ms: i64,
    /// The highest number in the landing.
    pub landed: Option<i64>,
    pub unpublished: Option<i64>,
    /// The latest offsets of the topic, added up.
    pub published: Option<i64>,
    /// What the groups have committed, added up.
    pub stored: Option<i64>,
    pub counted: Option<i64>,
    pub dead_lettered: Option<i64>,
    pub store_lag: Option<i64>,
    pub aggregate_lag: Option<i64>,
    pub store_lag_s: Option<i64>,
    pub aggregate_lag_s: Option<i64>,
    /// Records by the time from their landing to their row, added up.
    pub latencies: Option<Buckets>,
}

pub(in crate::control_center) type Pick = fn(&Point) -> Option<i64>;

#[derive(Debug, Default)]
pub(in crate::control_center) struct Points(VecDeque<Point>);

impl Points {
    pub(super) fn push(&mut self, point: Point) {
        if self.0.len() >= KEPT {
            self.0.pop_front();
        }
        self.0.push_back(point);
    }

    pub(super) fn last(&self) -> Option<&Point> {
        self.0.back()
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Point> {
        self.0.iter()
    }

    /// How much a number has changed over the last time; nothing where it was seen less than twice.
    pub(super) fn change(&self, within_ms: i64, pick: Pick) -> Option<i64> {
        let (first, last) = self.ends(within_ms, pick)?;
        Some(last.1 - first.1)
    }

    /// A second's part of the change. What falls is another topic or another group, and is no rate.
    pub(super) fn rate(&self, within_ms: i64, pick: Pick) -> Option<f64> {
        let (first, last) = self.ends(within_ms, pick)?;
        Some((last.1 - first.1).max(0) as f64 * 1000.0 / (last.0 - first.0) as f64)
    }

    fn ends(&self, within_ms: i64, pick: Pick) -> Option<((i64, i64), (i64, i64))> {
        let newest = self.last()?.at_ms;
        let mut seen = self
            .0
            .iter()
            // Of a clock that was put back, the points before are later than the newest one.
            .filter(|point| (0..=within_ms).contains(&(newest - point.at_ms)))
            .filter_map(|point| Some((point.at_ms, pick(point)?)));
        let (first, last) = (seen.next()?, seen.next_back()?);
        (last.0 > first.0).then_some((first, last))
    }
}

/// When each number was last seen to rise.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::control_center) struct Moves {
    pub stored: Option<i64>,
    pub counted: Option<i64>,
    pub dead_lettered: Option<i64>,
}

impl Moves {
    pub(super) fn see(&mut self, before: Option<&Point>, now: &Point) {
        let Some(before) = before else { return };
        let rose = |pick: Pick| matches!((pick(before), pick(now)), (Some(a), Some(b)) if b > a);
        for (pick, moved) in [
            ((|it: &Point| it.stored) as Pick, &mut self.stored),
            (|it: &Point| it.counted, &mut self.counted),
            (|it: &Point| it.dead_lettered, &mut self.dead_lettered),
        ] {
            if rose(pick) {
                *moved = Some(now.at_ms);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(at_ms: i64, published: Option<i64>) -> Point {
        Point {
            at_ms,
            published,
            stored: published,
            ..Point::default()
        }
    }

    fn points(given: &[(i64, Option<i64>)]) -> Points {
        let mut points = Points::default();
        for &(at, published) in given {
            points.push(point(at, published));
        }
        points
    }

    #[test]
    fn a_rate_is_that_of_the_time_asked_for() {
        let seen = points(&[(0, Some(0)), (60_000, Some(600)), (120_000, Some(600))]);
        assert_eq!(seen.rate(120_000, |it| it.published), Some(5.0));
        assert_eq!(seen.rate(60_000, |it| it.published), Some(0.0));
        assert_eq!(seen.change(120_000, |it| it.published), Some(600));
        assert_eq!(seen.rate(10_000, |it| it.published), None, "seen once");
    }

    #[test]
    fn what_a_server_did_not_tell_is_skipped_and_what_falls_is_no_rate() {
        let seen = points(&[(0, Some(5)), (1_000, None), (2_000, Some(9)), (3_000, None)]);
        assert_eq!(seen.rate(60_000, |it| it.published), Some(2.0));
        let made_anew = points(&[(0, Some(500)), (1_000, Some(3))]);
        assert_eq!(made_anew.rate(60_000, |it| it.published), Some(0.0));
        assert_eq!(Points::default().rate(60_000, |it| it.published), None);
    }

    #[test]
    fn a_clock_that_was_put_back_takes_no_later_points_along() {
        let mut given = vec![(100_000, Some(0)), (105_000, Some(50))];
        given.push((40_000, Some(60)));
        assert_eq!(points(&given).rate(60_000, |it| it.published), None);
        given.push((45_000, Some(110)));
        assert_eq!(points(&given).rate(60_000, |it| it.published), Some(10.0));
    }

    #[test]
    fn no_more_than_an_hour_is_kept() {
        let mut seen = Points::default();
        for at in 0..2_000 {
            seen.push(point(at, Some(at)));
        }
        assert_eq!(seen.all().count(), KEPT);
        assert_eq!(seen.last().map(|it| it.at_ms), Some(1_999));
    }

    #[test]
    fn a_move_is_remembered_and_the_first_look_is_none() {
        let mut moves = Moves::default();
        moves.see(None, &point(1, Some(7)));
        assert_eq!(moves, Moves::default());
        moves.see(Some(&point(1, Some(7))), &point(2, Some(8)));
        moves.see(Some(&point(2, Some(8))), &point(3, Some(8)));
        moves.see(Some(&point(3, None)), &point(4, Some(9)));
        assert_eq!(moves.stored, Some(2));
        assert_eq!(moves.counted, None);
    }
}
