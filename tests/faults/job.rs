//! A run of one of the three jobs, with an eye on its memory and on how long it stands still.

use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::ground::Figures;
use crate::process::{Finished, Running};
use crate::scrape::{address_in, ask};
use crate::stall;

/// How often the memory is looked at. The peak is the kernel's own, so only a run that ends sooner is missed.
const LOOK_EVERY: Duration = Duration::from_millis(40);

const ASK_EVERY: Duration = Duration::from_millis(500);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Job {
    FetchPublish,
    TransformStore,
    Aggregate,
}

pub const CONSUMING: [Job; 2] = [Job::TransformStore, Job::Aggregate];

impl Job {
    pub fn program(self) -> &'static str {
        match self {
            Job::FetchPublish => "fetch-publish",
            Job::TransformStore => "transform-store",
            Job::Aggregate => "aggregate",
        }
    }
}

pub struct Run {
    pub job: Job,
    running: Running,
    watching: JoinHandle<()>,
    figures: Arc<Figures>,
}

impl Run {
    pub fn watched(job: Job, running: Running, figures: Arc<Figures>) -> Self {
        let (pid, log, seen) = (running.pid(), running.shared_log(), figures.clone());
        let watching = std::thread::spawn(move || {
            let mut asked = Instant::now();
            while let Some(kilobytes) = peak_memory(pid) {
                seen.took_memory(kilobytes);
                if asked.elapsed() >= ASK_EVERY {
                    look_at_what_is_shown(pid, &log, &seen);
                    asked = Instant::now();
                }
                std::thread::sleep(LOOK_EVERY);
            }
        });
        Self {
            job,
            running,
            watching,
            figures,
        }
    }

    pub fn wait_for_log(&mut self, text: &str) {
        self.running.wait_for_log(text);
    }

    pub fn has_ended(&mut self) -> bool {
        self.running.has_ended()
    }

    /// SIGKILL. Counts as a kill when it was at work.
    pub fn kill(mut self) -> bool {
        let at_work = !self.running.has_ended();
        let done = self.running.kill();
        show(&self.figures, &done);
        if at_work {
            self.figures.killed();
        }
        self.watching.join().expect("no panic");
        at_work
    }

    /// SIGKILL of a run that cannot have ended.
    #[track_caller]
    pub fn kill_at_work(self) {
        assert!(self.kill(), "it had ended before");
    }

    pub fn terminate(&self) {
        self.running.terminate();
    }

    pub fn finish_within(self, limit: Duration) -> Finished {
        let done = self.running.finish_within(limit);
        show(&self.figures, &done);
        self.watching.join().expect("no panic");
        done
    }
}

fn show(figures: &Figures, done: &Finished) {
    figures.is_shown("the log or the result", done.texts().as_bytes());
}

/// The command line, and the metrics: how long it stands still is among them.
fn look_at_what_is_shown(pid: u32, log: &Mutex<String>, figures: &Figures) {
    // As `ps` reads it.
    let command_line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    figures.is_shown("the command line", &command_line);
    let address = address_in(&log.lock().expect("the log")).map(str::to_owned);
    let metrics = address.and_then(|it| ask(&it, "/metrics").ok());
    if let Some(metrics) = metrics {
        figures.is_shown("the metrics", metrics.as_bytes());
        stall::of(&metrics).inspect(|&time| figures.stalled(time));
    }
}

/// The most memory that a process has had so far, in kilobytes; nothing when it has ended.
fn peak_memory(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
