//! Lines over time as SVG, drawn on the server. The numbers stand in a table below: who does not see the picture loses nothing.

use askama::Template;

use super::count::Count;
use super::moment::Moment;

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 260.0;
/// Room for the labels of the axes.
const LEFT: f64 = 70.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = 28.0;
const STEPS: i64 = 4;

/// A line: a value for each place, or nothing where none is known.
pub(super) struct Line<'a> {
    pub name: &'a str,
    pub values: Vec<Option<f64>>,
}

#[derive(Template)]
#[template(path = "chart.html")]
pub(super) struct Chart {
    /// Of the page, which has several.
    id: &'static str,
    title: &'static str,
    description: String,
    lines: Vec<Drawn>,
    /// Height and label of each line of the grid.
    across: Vec<(f64, String)>,
    /// Place and label along the time.
    along: Vec<(f64, String)>,
}

struct Drawn {
    name: String,
    /// One for each piece without a gap.
    paths: Vec<String>,
    class: &'static str,
    legend: f64,
}

const CLASSES: [&str; 4] = ["", " second", " third", " fourth"];

impl Chart {
    /// `times` are the ends of the places, in milliseconds.
    pub(super) fn new(
        id: &'static str,
        title: &'static str,
        times: &[i64],
        lines: &[Line<'_>],
    ) -> Self {
        let highest = lines
            .iter()
            .flat_map(|line| line.values.iter().flatten())
            .fold(0.0_f64, |highest, it| highest.max(*it));
        let top = round_up(highest);
        let x = |place: usize| {
            let last = times.len().saturating_sub(1).max(1) as f64;
            LEFT + (WIDTH - LEFT - RIGHT) * place as f64 / last
        };
        let y = |value: f64| TOP + (HEIGHT - TOP - BOTTOM) * (1.0 - value / top);
        let drawn = lines
            .iter()
            .zip(CLASSES)
            .enumerate()
            .map(|(number, (line, class))| Drawn {
                name: line.name.to_owned(),
                paths: paths(&line.values, &x, &y),
                class,
                legend: LEFT + 200.0 * number as f64,
            });
        let across = (0..=STEPS).map(|step| {
            let value = top * step as f64 / STEPS as f64;
            (y(value), label(value))
        });
        let along = [0, times.len() / 2, times.len().saturating_sub(1)];
        let along = along.into_iter().filter_map(|place| {
            let at = Moment::at(*times.get(place)?).utc();
            // Hours, minutes and seconds of `2026-11-21 10:00:00 UTC`.
            Some((x(place), at.get(11..19)?.to_owned()))
        });
        Self {
            id,
            title,
            description: describe(lines),
            lines: drawn.collect(),
            across: across.collect(),
            along: along.collect(),
        }
    }
}

fn paths(
    values: &[Option<f64>],
    x: &impl Fn(usize) -> f64,
    y: &impl Fn(f64) -> f64,
) -> Vec<String> {
    let mut paths = Vec::new();
    let mut path = String::new();
    for (place, value) in values.iter().enumerate() {
        match value {
            Some(value) => {
                let command = if path.is_empty() { 'M' } else { 'L' };
                path.push_str(&format!("{command}{:.1} {:.1}", x(place), y(*value)));
                // A value that stands alone is seen, too.
                if command == 'M' {
                    path.push_str("h0.1");
                }
            }
            None if !path.is_empty() => paths.push(std::mem::take(&mut path)),
            None => {}
        }
    }
    if !path.is_empty() {
        paths.push(path);
    }
    paths
}

/// The next of 1, 2, 4 or 8 with noughts: a quarter of it is a number of few digits.
fn round_up(highest: f64) -> f64 {
    if !highest.is_finite() || highest <= 1.0 {
        return 1.0;
    }
    let size = 10_f64.powf(highest.log10().floor());
    let steps = [1.0, 2.0, 4.0, 8.0, 10.0];
    let step = steps.into_iter().find(|step| step * size >= highest);
    step.unwrap_or(10.0) * size
}

pub(super) fn label(value: f64) -> String {
    if value == 0.0 {
        "0".to_owned()
    } else if value < 10.0 {
        let text = format!("{value:.2}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        Count(value.round() as i64).to_string()
    }
}

fn describe(lines: &[Line<'_>]) -> String {
    let last = lines.iter().map(|line| {
        let last = line.values.iter().rev().flatten().next();
        let highest = line.values.iter().flatten().fold(0.0_f64, |a, b| a.max(*b));
        match last {
            Some(last) => format!(
                "{}: {} at last, {} at most",
                line.name,
                label(*last),
                label(highest)
            ),
            None => format!("{}: nothing known", line.name),
        }
    });
    last.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_axis_ends_at_a_round_number() {
        for (highest, top) in [
            (0.0, 1.0),
            (0.4, 1.0),
            (1.5, 2.0),
            (37.0, 40.0),
            (43.0, 80.0),
            (81.0, 100.0),
            (23_200.0, 40_000.0),
        ] {
            assert_eq!(round_up(highest), top, "{highest}");
        }
        assert_eq!(round_up(f64::NAN), 1.0);
        assert_eq!(label(2_500.0), "2,500");
        assert_eq!(label(0.25), "0.25");
        assert_eq!(label(2.0), "2");
    }

    #[test]
    fn a_gap_stays_a_gap_and_names_are_escaped() {
        let line = Line {
            name: "<b>",
            values: vec![Some(1.0), Some(2.0), None, Some(4.0)],
        };
        let chart = Chart::new("rates", "Records", &[0, 1_000, 2_000, 3_000], &[line]);
        assert_eq!(chart.lines[0].paths.len(), 2);
        let svg = chart.render().unwrap();
        assert!(
            svg.contains("role=\"img\"") && svg.contains("<title"),
            "{svg}"
        );
        assert!(!svg.contains("<b>"), "{svg}");
        assert!(svg.contains("00:00:03") && svg.contains("at last"), "{svg}");
        assert!(!svg.contains("NaN") && !svg.contains("style="), "{svg}");
    }

    #[test]
    fn nothing_known_is_drawn_as_nothing() {
        let line = Line {
            name: "stored",
            values: vec![],
        };
        let svg = Chart::new("rates", "Records", &[], &[line])
            .render()
            .unwrap();
        assert!(
            svg.contains("nothing known") && !svg.contains("NaN"),
            "{svg}"
        );
    }
}
