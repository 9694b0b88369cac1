//! The findings as a table for people and as one line for scripts.

use std::fmt::Write;

use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Map, Value, json};

use crate::boot::Report;
use crate::error::Error;
use crate::reconcile::findings::{Column, Findings, Hop, Line};

const HEADER: [&str; 9] = [
    "",
    "expected",
    "found",
    "missing",
    "unexpected",
    "different",
    "repeated",
    "open",
    "unknown",
];

pub(super) fn text(findings: &Findings) -> String {
    let mut text = table(findings);
    // Writing to a string does not fail.
    for (difference, met) in findings.differences() {
        let (hop, kind) = (difference.hop(), difference.as_str());
        let _ = writeln!(text, "\n{hop}: {} {kind}", met.count);
        let _ = writeln!(text, "  {}", difference.meaning());
        for example in &met.examples {
            let _ = writeln!(text, "    {example}");
        }
        let more = met.count - met.examples.len() as u64;
        if more > 0 {
            let _ = writeln!(text, "    and {more} more (--show)");
        }
    }
    for (count, what) in [
        (
            findings.records_of_others,
            "records of the topic are of other producers: they have no number of landing",
        ),
        (
            findings.letters_of_others,
            "records of the dead letters are of other producers",
        ),
    ] {
        if count > 0 {
            let _ = writeln!(text, "\n{count} {what}.");
        }
    }
    text
}

fn table(findings: &Findings) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(HEADER);
    for (hop, line) in findings.lines() {
        let Line {
            expected,
            found,
            repeated,
            open,
            unknown,
        } = line;
        let [missing, unexpected, different] = columns(findings, hop);
        let numbers = [
            expected, found, missing, unexpected, different, repeated, open, unknown,
        ];
        let mut row = vec![hop.to_string()];
        row.extend(numbers.map(|number| number.to_string()));
        table.add_row(row);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
        .lines()
        .map(|line| format!("{}\n", line.trim_end()))
        .collect()
}

fn columns(findings: &Findings, hop: Hop) -> [u64; 3] {
    [Column::Missing, Column::Unexpected, Column::Different]
        .map(|column| findings.count(hop, column))
}

/// The last line; a failure when something differs.
pub(super) fn report(findings: &Findings) -> Report {
    let hop = |(hop, line): (Hop, Line)| {
        let [missing, unexpected, different] = columns(findings, hop);
        let numbers = json!({
            "expected": line.expected,
            "found": line.found,
            "missing": missing,
            "unexpected": unexpected,
            "different": different,
            "repeated": line.repeated,
            "open": line.open,
            "unknown": line.unknown,
        });
        (hop.as_str().to_owned(), numbers)
    };
    let hops: Map<String, Value> = findings.lines().map(hop).collect();
    let differences: Map<String, Value> = findings
        .differences()
        .map(|(difference, met)| (difference.as_str().to_owned(), met.count.into()))
        .collect();
    let report = Report::of([
        ("agrees", findings.agrees().into()),
        ("differences", differences.into()),
        ("hops", hops.into()),
        ("records_of_others", findings.records_of_others.into()),
        ("letters_of_others", findings.letters_of_others.into()),
    ]);
    Report {
        job: Some("reconcile"),
        failure: (!findings.agrees()).then(|| failure(findings)),
        ..report
    }
}

fn failure(findings: &Findings) -> Error {
    let kinds: Vec<String> = findings
        .differences()
        .map(|(difference, met)| {
            format!(
                "{} {} ({})",
                met.count,
                difference.as_str(),
                difference.hop()
            )
        })
        .collect();
    Error::data(format!(
        "{} differences: {}",
        findings.difference_count(),
        kinds.join(", ")
    ))
    .hint("docs/operations.md says under \"Reconcile\" what each kind means and what mends it; filters and groups must be those of the jobs")
}
