//! One line a fault, and the number of faults that went well.

use std::any::Any;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets};

use crate::fault::Fault;
use crate::ground::Ground;

/// Each job stays below it, whatever the backlog: 100 MB.
const MAX_MEMORY_KB: u64 = 100_000_000 / 1024;

pub struct Row {
    name: &'static str,
    ground: Ground,
    failure: Option<String>,
}

impl Row {
    pub fn of(fault: &Fault, ground: Ground, outcome: Result<(), Box<dyn Any + Send>>) -> Self {
        let peak = ground.figures.memory_kb.load(Ordering::Relaxed);
        let leak = ground.figures.leak.get();
        let failure = match outcome {
            Err(panic) => Some(words(panic.as_ref())),
            Ok(()) if leak.is_some() => leak.map(|place| format!("a secret is in {place}")),
            Ok(()) if peak > MAX_MEMORY_KB => Some(format!("a job took {peak} kB of memory")),
            Ok(()) => None,
        };
        Self {
            name: fault.name,
            ground,
            failure,
        }
    }

    /// For who watches.
    pub fn line(&self) -> String {
        let number = |it: &AtomicU64| it.load(Ordering::Relaxed);
        let figures = &self.ground.figures;
        format!(
            "{}: {} rounds, {} SIGKILLs, {} records, lost {}, phantom {}, wrong numbers {}",
            self.outcome(),
            number(&figures.rounds),
            number(&figures.kills),
            number(&figures.records),
            number(&figures.lost),
            number(&figures.phantom),
            number(&figures.wrong_numbers)
        )
    }

    fn outcome(&self) -> &'static str {
        match (&self.failure, &self.ground.skipped) {
            (Some(_), _) => "FAILED",
            (None, Some(_)) => "skipped",
            (None, None) => "ok",
        }
    }
}

/// What a panic says.
fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("a panic without words").to_owned()
}

/// Says how many failed.
pub fn tell(rows: &[Row], took: Duration) -> usize {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header([
        "fault",
        "rounds",
        "SIGKILLs",
        "records",
        "lost",
        "phantom",
        "wrong numbers",
        "repeated",
        "longest stall s",
        "peak MB",
        "",
    ]);
    let number = |it: &AtomicU64| it.load(Ordering::Relaxed);
    let mut sums = [0; 7];
    for row in rows {
        let figures = &row.ground.figures;
        let numbers = [
            &figures.rounds,
            &figures.kills,
            &figures.records,
            &figures.lost,
            &figures.phantom,
            &figures.wrong_numbers,
            &figures.repeated,
        ]
        .map(number);
        for (sum, number) in sums.iter_mut().zip(numbers) {
            *sum += number;
        }
        let mut cells = vec![row.name.to_owned()];
        cells.extend(numbers.map(|it| it.to_string()));
        cells.push(format!("{:.1}", number(&figures.stall_ms) as f64 / 1000.0));
        cells.push((number(&figures.memory_kb) * 1024 / 1_000_000).to_string());
        cells.push(row.outcome().to_owned());
        table.add_row(cells);
    }
    let mut cells = vec!["all".to_owned()];
    cells.extend(sums.map(|it| it.to_string()));
    table.add_row(cells);
    for column in 1..10 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    println!("\n{table}\n");
    for row in rows {
        if let Some(failure) = &row.failure {
            println!("{} failed: {failure}\n", row.name);
        }
    }
    let of = |outcome| rows.iter().filter(|row| row.outcome() == outcome).count();
    let failed = of("FAILED");
    println!(
        "faults: {} passed, {failed} failed, {} skipped, in {} s",
        of("ok"),
        of("skipped"),
        took.as_secs()
    );
    failed
}
