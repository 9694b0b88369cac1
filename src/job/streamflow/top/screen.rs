//! The pipeline as text, and the terminal's other screen, which leaves what was there before untouched.

use comfy_table::{CellAlignment, Table, presets};

use super::print;
use crate::control_center::{Hop, Level, Strip};
use crate::error::Result;

/// The other screen, without a cursor; closed when it is dropped.
pub(super) struct Other;

impl Other {
    pub(super) fn open() -> Result<Self> {
        print("\x1b[?1049h\x1b[?25l")?;
        Ok(Self)
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        // Nobody is there to be told when the terminal is gone.
        let _ = print("\x1b[?25h\x1b[?1049l");
    }
}

pub(super) fn text(strip: &Strip, colours: bool) -> String {
    let colour = match (colours, strip.sentence.level) {
        (false, _) => "",
        (true, Level::Good) => "\x1b[32m",
        (true, Level::Warn) => "\x1b[33m",
        (true, Level::Bad) => "\x1b[31m",
    };
    let end = if colour.is_empty() { "" } else { "\x1b[0m" };
    let mut text = format!("StreamFlow  {}\n\n", strip.at.utc());
    text.push_str(&format!("{colour}{}{end}\n", strip.sentence.text));
    if let Some(next) = &strip.sentence.next {
        text.push_str(&format!("  what to do: {next}\n"));
    }
    text.push_str(&format!("\n{}\n", table(strip)));
    text
}

fn table(strip: &Strip) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["hop", "so far", "rate", "waiting", "last", ""]);
    for hop in strip.columns().into_iter().flatten() {
        table.add_row(row(hop));
    }
    for column in [1, 2] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

fn row(hop: &Hop) -> [String; 6] {
    let none = || "–".to_owned();
    let note = match &hop.error {
        Some(error) => error.message.clone(),
        None => hop.note.clone().unwrap_or_default(),
    };
    [
        hop.name.clone(),
        hop.total.map_or_else(none, |it| it.to_string()),
        hop.rate().unwrap_or_else(none),
        hop.lag().unwrap_or_else(none),
        hop.last_success.map_or_else(none, |it| it.ago()),
        note,
    ]
}
