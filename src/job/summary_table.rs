//! The summary as a table with bars, for the task's log.

use std::fmt::Write;

use comfy_table::{CellAlignment, Table, presets};

use crate::sink::cassandra::SummaryTotals;
use crate::user::summary::Dimension;

const BAR_WIDTH: i64 = 30;
/// Values of a dimension that are shown; the rest is named with its number.
const SHOWN: usize = 10;

pub fn render(totals: &SummaryTotals) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_header(["dimension", "value", "users", "share", ""]);
    for dimension in Dimension::ALL {
        let Some(values) = totals.get(&dimension) else {
            continue;
        };
        let mut rows: Vec<(&str, i64)> = values
            .iter()
            .map(|(value, &users)| (value.as_str(), users))
            .collect();
        let all: i64 = rows.iter().map(|row| row.1).sum();
        match dimension {
            // These have an order of their own.
            Dimension::AgeBand | Dimension::RegistrationYear => {}
            Dimension::Gender | Dimension::Country | Dimension::Nationality => {
                rows.sort_by_key(|&(value, users)| (-users, value.to_owned()));
            }
        }
        let most = rows.iter().map(|row| row.1).max().unwrap_or(0).max(1);
        let rest = rows.split_off(rows.len().min(if dimension == Dimension::RegistrationYear {
            40
        } else {
            SHOWN
        }));
        for (place, (value, users)) in rows.into_iter().enumerate() {
            let name = if place == 0 { dimension.as_str() } else { "" };
            let bar = "█".repeat((users * BAR_WIDTH / most).max(i64::from(users > 0)) as usize);
            table.add_row([
                name.to_owned(),
                value.to_owned(),
                users.to_string(),
                share(users, all),
                bar,
            ]);
        }
        if !rest.is_empty() {
            let users: i64 = rest.iter().map(|row| row.1).sum();
            let name = format!("({} more)", rest.len());
            table.add_row([
                String::new(),
                name,
                users.to_string(),
                share(users, all),
                String::new(),
            ]);
        }
    }
    for column in [2, 3] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut text = String::new();
    let users: i64 = totals
        .get(&Dimension::Gender)
        .map_or(0, |values| values.values().sum());
    // Writing to a string does not fail.
    let _ = writeln!(text, "Summary of {users} users");
    for line in table.lines() {
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

fn share(users: i64, all: i64) -> String {
    format!("{:.1} %", 100.0 * users as f64 / all.max(1) as f64)
}
