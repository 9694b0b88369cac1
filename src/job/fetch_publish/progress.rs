//! How far a run is: a bar on a terminal, plain log lines elsewhere, and the metrics.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use log::info;

use super::land::Counts;
use crate::metrics::Watch;
use crate::pipeline::offsets::OffsetSpans;
use crate::sink::kafka::Published;

const LINE_INTERVAL: Duration = Duration::from_secs(5);

pub(super) struct Progress {
    watch: Watch,
    bar: Option<ProgressBar>,
    state: Mutex<State>,
    offsets: Mutex<OffsetSpans>,
}

struct State {
    users: Option<u64>,
    fetched: u64,
    published: u64,
    last_line: Instant,
}

impl Progress {
    pub(super) fn new(users: Option<u64>, watch: Watch) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let style =
                "{elapsed_precise} {wide_bar} {pos}/{len} landed, {msg} published, {per_sec}";
            let bar = users.map_or_else(ProgressBar::no_length, ProgressBar::new);
            bar.with_style(
                ProgressStyle::with_template(style)
                    .unwrap_or_else(|_| ProgressStyle::default_bar()),
            )
            .with_message("0")
        });
        Self {
            watch,
            bar,
            state: Mutex::new(State {
                users,
                fetched: 0,
                published: 0,
                last_line: Instant::now(),
            }),
            offsets: Mutex::default(),
        }
    }

    /// A page, and how many were fetched with it.
    pub(super) fn landed(&self, page: Counts, fetched: u64) {
        self.watch.add("fetched", page.fetched);
        self.watch.add("landed", page.landed);
        self.watch.add("already_landed", page.already_landed);
        self.watch.add("conflicting", page.conflicting);
        self.watch.add("rejected", page.rejected);
        if let Some(bar) = &self.bar {
            bar.set_position(fetched);
        }
        self.update(|state| state.fetched = fetched);
    }

    /// So many more, and all with them.
    pub(super) fn published(&self, more: u64, published: u64) {
        self.watch.add("published", more);
        if let Some(bar) = &self.bar {
            bar.set_message(published.to_string());
        }
        self.update(|state| state.published = published);
    }

    /// Where on the topic they are.
    pub(super) fn placed(&self, published: &[Published]) {
        if let Ok(mut offsets) = self.offsets.lock() {
            offsets.add_each(published.iter().map(|it| (it.partition, it.offset)));
        }
    }

    pub(super) fn offsets(&self) -> OffsetSpans {
        self.offsets
            .lock()
            .map_or_else(|it| it.into_inner().clone(), |it| it.clone())
    }

    pub(super) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn update(&self, change: impl FnOnce(&mut State)) {
        let Ok(mut state) = self.state.lock() else {
            return;
        };
        change(&mut state);
        if self.bar.is_none() && state.last_line.elapsed() >= LINE_INTERVAL {
            state.last_line = Instant::now();
            let of = state
                .users
                .map(|users| format!(" of {users}"))
                .unwrap_or_default();
            info!(
                "landed {}{of}, published {}",
                state.fetched, state.published
            );
        }
    }
}
