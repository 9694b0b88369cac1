//! Letters as tables for people.

use std::fmt::Write;

use comfy_table::{CellAlignment, Table, presets};

use crate::control_center::command_line::{Listed, Panel, Plan, Whole};

/// What a line of a table shows of a record.
const RECORD_CHARACTERS: usize = 100;

fn table<const N: usize>(header: [&str; N], numbers: &[usize]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header);
    for &place in numbers {
        if let Some(column) = table.column_mut(place) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// On one line, and not longer than may be.
fn line(text: &str) -> String {
    let plain = text.replace(['\n', '\t', '\r'], " ");
    match plain.char_indices().nth(RECORD_CHARACTERS) {
        Some((end, _)) => format!("{}…", &plain[..end]),
        None => plain,
    }
}

fn or_none(text: &Option<String>) -> String {
    text.clone().unwrap_or_else(|| "-".to_owned())
}

pub(super) fn list(listed: &Listed) -> String {
    if listed.all.0 == 0 {
        return "There are no dead letters.\n".to_owned();
    }
    let mut text = format!(
        "{} letters were looked at, of {} that are there\n",
        listed.looked_at, listed.all
    );
    let mut sums = table(["reason", "field", "job", "letters"], &[3]);
    for it in &listed.sums {
        sums.add_row([
            or_none(&it.reason),
            or_none(&it.field),
            or_none(&it.job),
            it.letters.to_string(),
        ]);
    }
    // Writing to a string does not fail.
    let _ = writeln!(text, "{}\n", trimmed(&sums));
    let mut letters = table(
        ["letter", "written", "rejected for", "by", "state", "record"],
        &[],
    );
    for it in &listed.rows {
        letters.add_row([
            it.letter.place(),
            it.record.at.map_or("-".to_owned(), |at| at.iso()),
            it.error.clone(),
            or_none(&it.letter.job),
            it.state
                .as_ref()
                .map_or("not known", |it| it.word())
                .to_owned(),
            line(&it.record.line),
        ]);
    }
    let _ = writeln!(text, "{}", trimmed(&letters));
    text
}

pub(super) fn show(it: &Whole) -> String {
    let mut text = String::new();
    let mut fact = |name: &str, value: String| {
        let _ = writeln!(text, "{name:<13} {}", line(&value));
    };
    fact("letter", it.letter.place());
    fact("rejected for", it.error.clone());
    fact("by", or_none(&it.letter.job));
    fact(
        "written",
        format!("{} ({})", it.written.iso(), it.written.ago()),
    );
    if let Some(origin) = &it.letter.origin {
        fact(
            "its record",
            format!("{} {}:{}", origin.topic, origin.partition, origin.offset),
        );
    }
    if let Some(key) = &it.key {
        fact("key", key.clone());
    }
    match (&it.passes, &it.fails) {
        (Some(id), _) => fact("today", format!("passes, user {id}")),
        (None, why) => fact("today", format!("fails: {}", or_none(why))),
    }
    match &it.state {
        Panel::Shown(state) => fact("state", format!("{} {}", state.word(), state.detail())),
        Panel::Missing(trouble) => fact("state", format!("not known: {}", trouble.message)),
    }
    for failure in &it.failures {
        fact("", format!("{}: {}", failure.decoder, failure.why));
    }
    let _ = writeln!(text, "{}:\n{}", it.format, it.text);
    if it.is_cut {
        let _ = writeln!(text, "(the rest is not shown)");
    }
    text
}

pub(super) fn plan(plan: &Plan) -> String {
    if plan.entries.is_empty() {
        return "There are no such letters.\n".to_owned();
    }
    let mut entries = table(["letter", "rejected for", "by", "today", ""], &[]);
    for it in &plan.entries {
        entries.add_row([
            it.letter.place(),
            it.letter.error(),
            or_none(&it.letter.job),
            it.fate.word().to_owned(),
            line(it.fate.detail()),
        ]);
    }
    format!("{}\n", trimmed(&entries))
}

fn trimmed(table: &Table) -> String {
    let lines: Vec<String> = table
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect();
    lines.join("\n")
}
