//! `/tables/user_summaries`: the numbers that aggregate keeps, as charts and tables, with the offsets that they cover.

use std::collections::BTreeMap;
use std::time::Duration;

use askama::Template;
use axum::response::{Redirect, Response};
use serde::Serialize;

use crate::control_center::ask::Ask;
use crate::control_center::center::Center;
use crate::control_center::count::Count;
use crate::control_center::decoding::visible;
use crate::control_center::panel::Panel;
use crate::control_center::reply::Section;
use crate::error::Result;
use crate::sink::cassandra::UserSummaries;
use crate::user::summary::Dimension;

/// Bars of a chart; the table below it has every value up to the next limit.
const BARS: usize = 12;
const ROWS: usize = 300;
const RETRY: Duration = Duration::from_secs(2);

#[derive(Serialize, Template)]
#[template(path = "pages/summaries.html")]
struct View {
    group: String,
    topic: String,
    summaries: Panel<Summaries>,
    covered: Panel<Covered>,
}

#[derive(Serialize)]
struct Summaries {
    users: Count,
    charts: Vec<Chart>,
    #[serde(skip)]
    next_offsets: BTreeMap<i32, Option<i64>>,
}

/// The numbers of one dimension.
#[derive(Serialize)]
struct Chart {
    dimension: &'static str,
    name: &'static str,
    #[serde(skip)]
    bars: Vec<Bar>,
    #[serde(skip)]
    height: usize,
    values: Vec<ValueRow>,
    /// Values that are not shown.
    more: usize,
}

#[derive(Serialize)]
struct ValueRow {
    value: String,
    users: Count,
    share: String,
}

/// In the units of the chart, which is 480 wide.
#[derive(Serialize)]
struct Bar {
    label: String,
    number: Count,
    y: usize,
    text_y: usize,
    width: i64,
    number_x: i64,
}

/// How much of the topic the numbers cover.
#[derive(Serialize)]
struct Covered {
    partitions: Vec<Coverage>,
    /// Records that are there and not counted yet.
    open: Count,
}

#[derive(Serialize)]
struct Coverage {
    partition: i32,
    next_offset: Option<i64>,
    latest: Option<i64>,
    open: Option<Count>,
}

pub(super) async fn show(ask: Ask) -> Response {
    let center = &ask.center;
    let summaries = Panel::of(read(center).await);
    let cluster = Panel::of(center.kafka.cluster().await);
    let covered = match (&summaries, &cluster) {
        (Panel::Missing(trouble), _) | (_, Panel::Missing(trouble)) => {
            Panel::Missing(trouble.clone())
        }
        (Panel::Shown(summaries), Panel::Shown(cluster)) => {
            let topic = cluster.topics.get(center.topic());
            let ends = topic
                .into_iter()
                .flat_map(|it| &it.partitions)
                .map(|it| (it.id, it.latest_offset));
            Panel::Shown(covered(&summaries.next_offsets, &ends.collect()))
        }
    };
    let view = View {
        group: center.options.groups.aggregate.clone(),
        topic: center.topic().to_owned(),
        summaries,
        covered,
    };
    ask.page("Table user_summaries", Section::Tables, &view)
}

pub(super) async fn elsewhere() -> Redirect {
    Redirect::permanent("/tables/user_summaries")
}

async fn read(center: &Center) -> Result<Summaries> {
    let kept = UserSummaries::prepare(
        center.tables.session().await?,
        center.tables.keyspace(),
        &center.options.groups.aggregate,
        center.topic(),
        RETRY,
    )
    .await?;
    let mut next_offsets = BTreeMap::new();
    let mut totals: BTreeMap<Dimension, BTreeMap<String, i64>> = BTreeMap::new();
    for partition in kept.kept_partitions().await? {
        let ledger = kept.load_at_once(partition).await?;
        next_offsets.insert(partition, ledger.next_offset);
        for ((dimension, value), users) in ledger.counts {
            if let Some(dimension) = Dimension::parse(dimension) {
                let values = totals.entry(dimension).or_default();
                *values.entry(value).or_default() += users;
            }
        }
    }
    let users = totals
        .get(&Dimension::Gender)
        .map_or(0, |values| values.values().sum());
    Ok(Summaries {
        users: Count(users),
        charts: totals
            .into_iter()
            .map(|(dimension, values)| chart(dimension, values.into_iter().collect()))
            .collect(),
        next_offsets,
    })
}

fn chart(dimension: Dimension, mut values: Vec<(String, i64)>) -> Chart {
    match dimension {
        // These have an order of their own.
        Dimension::AgeBand | Dimension::RegistrationYear => {}
        Dimension::Gender | Dimension::Country | Dimension::Nationality => {
            values.sort_by(|(a, most), (b, users)| users.cmp(most).then_with(|| a.cmp(b)));
        }
    }
    let all: i64 = values.iter().map(|(_, users)| users).sum();
    let most = values
        .iter()
        .map(|(_, users)| *users)
        .max()
        .unwrap_or(0)
        .max(1);
    let row = |(value, users): &(String, i64)| ValueRow {
        value: visible(value),
        users: Count(*users),
        share: format!("{:.1} %", 100.0 * *users as f64 / all.max(1) as f64),
    };
    // Years are many, and only their whole says something.
    let shown = match dimension {
        Dimension::RegistrationYear => 40,
        _ => BARS,
    };
    let bars: Vec<Bar> = values
        .iter()
        .take(shown)
        .enumerate()
        .map(|(place, (value, users))| bar(place, value, *users, most))
        .collect();
    Chart {
        dimension: dimension.as_str(),
        name: match dimension {
            Dimension::Gender => "Gender",
            Dimension::Country => "Country",
            Dimension::Nationality => "Nationality",
            Dimension::AgeBand => "Age band",
            Dimension::RegistrationYear => "Year of registration",
        },
        height: bars.len() * 22 + 12,
        bars,
        more: values.len().saturating_sub(ROWS),
        values: values.iter().take(ROWS).map(row).collect(),
    }
}

fn bar(place: usize, value: &str, users: i64, most: i64) -> Bar {
    const BEGIN: i64 = 150;
    const WIDEST: i64 = 250;
    const LABEL_CHARACTERS: usize = 20;
    let width = (i128::from(users.max(0)) * i128::from(WIDEST) / i128::from(most)) as i64;
    let width = width.clamp(i64::from(users > 0), WIDEST);
    let label: String = visible(value).chars().take(LABEL_CHARACTERS).collect();
    Bar {
        label,
        number: Count(users),
        y: place * 22 + 8,
        text_y: place * 22 + 20,
        width,
        number_x: BEGIN + width + 6,
    }
}

fn covered(
    next_offsets: &BTreeMap<i32, Option<i64>>,
    ends: &BTreeMap<i32, Option<i64>>,
) -> Covered {
    let mut partitions: Vec<i32> = next_offsets.keys().chain(ends.keys()).copied().collect();
    partitions.sort_unstable();
    partitions.dedup();
    let coverage = |partition: i32| {
        let next_offset = next_offsets.get(&partition).copied().flatten();
        let latest = ends.get(&partition).copied().flatten();
        Coverage {
            partition,
            next_offset,
            latest,
            open: latest.map(|latest| Count((latest - next_offset.unwrap_or(0)).max(0))),
        }
    };
    let partitions: Vec<Coverage> = partitions.into_iter().map(coverage).collect();
    let open = partitions.iter().filter_map(|it| it.open).map(|it| it.0);
    Covered {
        open: Count(open.sum()),
        partitions,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_widest_bar_is_the_largest_number_and_none_is_lost() {
        let values = vec![
            ("Norway".to_owned(), 1),
            ("France".to_owned(), i64::MAX / 2),
            ("Iran".to_owned(), 0),
        ];
        let chart = chart(Dimension::Country, values);
        let order: Vec<&str> = chart.values.iter().map(|it| it.value.as_str()).collect();
        assert_eq!(order, ["France", "Norway", "Iran"]);
        let widths: Vec<i64> = chart.bars.iter().map(|it| it.width).collect();
        assert_eq!(widths, [250, 1, 0], "one user is seen, none is not");
    }

    #[test]
    fn what_is_not_covered_is_open() {
        let next = BTreeMap::from([(0, Some(10)), (1, None)]);
        let ends = BTreeMap::from([(0, Some(10)), (1, Some(4)), (2, None)]);
        let covered = covered(&next, &ends);
        assert_eq!(covered.open, Count(4));
        assert_eq!(covered.partitions.len(), 3);
    }
}
