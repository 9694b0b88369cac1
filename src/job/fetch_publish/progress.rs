//! How far a run is: a bar on a terminal, plain log lines elsewhere.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use log::info;

const LINE_INTERVAL: Duration = Duration::from_secs(5);

pub(super) struct Progress {
    bar: Option<ProgressBar>,
    state: Mutex<State>,
}

struct State {
    users: Option<u64>,
    fetched: u64,
    published: u64,
    last_line: Instant,
}

impl Progress {
    pub(super) fn new(users: Option<u64>) -> Self {
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
            bar,
            state: Mutex::new(State {
                users,
                fetched: 0,
                published: 0,
                last_line: Instant::now(),
            }),
        }
    }

    pub(super) fn landed(&self, fetched: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(fetched);
        }
        self.update(|state| state.fetched = fetched);
    }

    pub(super) fn published(&self, published: u64) {
        if let Some(bar) = &self.bar {
            bar.set_message(published.to_string());
        }
        self.update(|state| state.published = published);
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
