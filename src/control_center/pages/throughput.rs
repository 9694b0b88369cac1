//! `/throughput`: rates and lags of the last minutes as charts, with the numbers as tables.

use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::control_center::ask::Ask;
use crate::control_center::chart::{Chart, Line, label};
use crate::control_center::live::Point;
use crate::control_center::moment::Moment;
use crate::control_center::reply::{Refusal, Section};

/// Places along the time.
const PLACES: i64 = 60;

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    window: String,
}

/// Name, and the share of the records that took at most so long.
const LATENCIES: [(&str, f64); 2] = [("half of the records", 0.5), ("99 of 100", 0.99)];

/// Word in the address, name, milliseconds.
const WINDOWS: [(&str, &str, i64); 3] = [
    ("5m", "5 minutes", 300_000),
    ("15m", "15 minutes", 900_000),
    ("1h", "1 hour", 3_600_000),
];

#[derive(Serialize, Template)]
#[template(path = "pages/throughput.html")]
struct Throughput {
    window: &'static str,
    rates: Family,
    lag_records: Family,
    lag_seconds: Family,
    /// Nothing where no job is given.
    latencies: Option<Family>,
}

/// Lines that are drawn together.
#[derive(Serialize)]
struct Family {
    #[serde(skip)]
    id: &'static str,
    title: &'static str,
    names: Vec<&'static str>,
    rows: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    at: Moment,
    values: Vec<Option<f64>>,
}

pub(super) async fn show(Query(asked): Query<Asked>, ask: Ask) -> Result<Response, Refusal> {
    let word = match asked.window.as_str() {
        "" => "15m",
        word => word,
    };
    let Some(&(window, _, window_ms)) = WINDOWS.iter().find(|it| it.0 == word) else {
        return Err(Refusal::bad(
            format!("there is no window {word:?}"),
            "the windows are ?window=5m, 15m and 1h",
        ));
    };
    // The first page after the start waits for the first look.
    ask.center.sampler.latest().await;
    let points = ask.center.sampler.points();
    let times = ends(&points, Timestamp::now().as_millisecond(), window_ms);
    let step = window_ms / PLACES;
    type Pick = fn(&Point) -> Option<i64>;
    let family = |id, title, is_rate: bool, lines: &[(&'static str, Pick)]| Family {
        id,
        title,
        names: lines.iter().map(|(name, _)| *name).collect(),
        rows: times
            .iter()
            .map(|&at| Row {
                at: Moment::at(at),
                values: lines
                    .iter()
                    .map(|(_, pick)| match is_rate {
                        true => rate(&points, at - step, at, *pick),
                        false => value(&points, at - step, at, *pick),
                    })
                    .collect(),
            })
            .collect(),
    };
    let latencies = (!ask.center.options.job_metrics.is_empty()).then(|| Family {
        id: "latencies",
        title: "Seconds from landing to row",
        names: LATENCIES.map(|(name, _)| name).to_vec(),
        rows: times
            .iter()
            .map(|&at| Row {
                at: Moment::at(at),
                values: LATENCIES
                    .map(|(_, share)| latency(&points, at - step, at, share))
                    .to_vec(),
            })
            .collect(),
    });
    let view = Throughput {
        window,
        latencies,
        rates: family(
            "rates",
            "Records per second",
            true,
            &[
                ("published", |it| it.published),
                ("stored", |it| it.stored),
                ("counted", |it| it.counted),
                ("dead-lettered", |it| it.dead_lettered),
            ],
        ),
        lag_records: family(
            "lag-records",
            "Records that wait",
            false,
            &[
                ("for publishing", |it| it.unpublished),
                ("for transform-store", |it| it.store_lag),
                ("for aggregate", |it| it.aggregate_lag),
            ],
        ),
        lag_seconds: family(
            "lag-seconds",
            "Age of the oldest record that waits, in seconds",
            false,
            &[
                ("for transform-store", |it| it.store_lag_s),
                ("for aggregate", |it| it.aggregate_lag_s),
            ],
        ),
    };
    Ok(ask.page("Throughput", Section::Throughput, &view))
}

impl Throughput {
    fn families(&self) -> impl Iterator<Item = &Family> {
        let always = [&self.rates, &self.lag_records, &self.lag_seconds];
        always.into_iter().chain(&self.latencies)
    }
}

impl Family {
    fn chart(&self) -> Chart {
        let times: Vec<i64> = self.rows.iter().map(|row| row.at.ms()).collect();
        let line = |(place, name): (usize, &&'static str)| Line {
            name,
            values: self
                .rows
                .iter()
                .map(|row| row.values.get(place).copied().flatten())
                .collect(),
        };
        let lines: Vec<Line<'_>> = self.names.iter().enumerate().map(line).collect();
        Chart::new(self.id, self.title, &times, &lines)
    }

    /// Newest first, as text.
    fn written(&self) -> impl Iterator<Item = (Moment, Vec<String>)> {
        self.rows.iter().rev().map(|row| {
            let values = row
                .values
                .iter()
                .map(|value| value.map_or("–".to_owned(), label));
            (row.at, values.collect())
        })
    }
}

/// The ends of the steps, oldest first; none before the first look.
fn ends(points: &[Point], now_ms: i64, window_ms: i64) -> Vec<i64> {
    let step = window_ms / PLACES;
    let Some(first) = points.first() else {
        return Vec::new();
    };
    // Whole steps, so that a page that is loaded again shows the same numbers.
    let last = now_ms - now_ms.rem_euclid(step);
    (0..PLACES)
        .rev()
        .map(|place| last - place * step)
        .filter(|&end| end > first.at_ms)
        .collect()
}

/// The last value of the time; nothing where there is none.
fn value(points: &[Point], from: i64, to: i64, pick: fn(&Point) -> Option<i64>) -> Option<f64> {
    let (_, value) = last_within(points, from, to, pick)?;
    Some(value as f64)
}

fn rate(points: &[Point], from: i64, to: i64, pick: fn(&Point) -> Option<i64>) -> Option<f64> {
    let ((begin_at, begin), (end_at, end)) = bounds(points, from, to, pick)?;
    Some((end - begin).max(0) as f64 * 1000.0 / (end_at - begin_at) as f64)
}

/// Of the records whose rows were acknowledged meanwhile; nothing where there were none, or no job told.
fn latency(points: &[Point], from: i64, to: i64, share: f64) -> Option<f64> {
    let ((_, begin), (_, end)) = bounds(points, from, to, |it| it.latencies)?;
    end.since(&begin)?.quantile(share)
}

/// A value, and when it was seen.
type Seen<T> = (i64, T);

/// The last value of the time, and the one that it is compared with: the last before the time, or the first one there is, of a server that was
/// down or a job that was started meanwhile.
fn bounds<T>(
    points: &[Point],
    from: i64,
    to: i64,
    pick: fn(&Point) -> Option<T>,
) -> Option<(Seen<T>, Seen<T>)> {
    let end = last_within(points, from, to, pick)?;
    let first = || points.iter().find_map(|it| seen(it, pick));
    let begin = last_until(points, from, pick).or_else(first)?;
    (begin.0 < end.0).then_some((begin, end))
}

fn last_within<T>(
    points: &[Point],
    from: i64,
    to: i64,
    pick: fn(&Point) -> Option<T>,
) -> Option<Seen<T>> {
    last_until(points, to, pick).filter(|it| it.0 > from)
}

fn last_until<T>(points: &[Point], to: i64, pick: fn(&Point) -> Option<T>) -> Option<Seen<T>> {
    let until = points.partition_point(|it| it.at_ms <= to);
    points[..until].iter().rev().find_map(|it| seen(it, pick))
}

fn seen<T>(point: &Point, pick: fn(&Point) -> Option<T>) -> Option<Seen<T>> {
    Some((point.at_ms, pick(point)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points() -> Vec<Point> {
        let point = |at_ms, published| Point {
            at_ms,
            published,
            ..Point::default()
        };
        vec![
            point(1_000, Some(0)),
            point(6_000, Some(50)),
            point(11_000, None),
            point(16_000, Some(150)),
        ]
    }

    #[test]
    fn a_rate_is_told_where_two_looks_bound_it() {
        let published = |it: &Point| it.published;
        assert_eq!(rate(&points(), 5_000, 10_000, published), Some(10.0));
        assert_eq!(
            rate(&points(), 10_000, 15_000, published),
            None,
            "not told meanwhile"
        );
        assert_eq!(
            rate(&points(), 15_000, 20_000, published),
            Some(10.0),
            "over the gap"
        );
        assert_eq!(rate(&points(), 0, 5_000, published), None, "the first look");
        assert_eq!(
            rate(&points(), 0, 10_000, published),
            Some(10.0),
            "of the time that was seen"
        );
        assert_eq!(value(&points(), 5_000, 10_000, published), Some(50.0));
        assert_eq!(value(&points(), 20_000, 25_000, published), None);
    }

    #[test]
    fn the_steps_begin_with_the_first_look_and_the_last_is_over() {
        let steps = ends(&points(), 17_200, 300_000);
        assert_eq!(steps, [5_000, 10_000, 15_000]);
        assert_eq!(ends(&points(), 10_000_000, 300_000).len(), 60);
        assert!(ends(&[], 17_200, 300_000).is_empty());
    }
}
