//! A run of one of the three jobs, with an eye on its memory and on how long it stands still.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::ground::Figures;
use crate::process::{Finished, Running};
use crate::stall;

/// How often the memory is looked at. The peak is the kernel's own, so only a run that ends sooner is missed.
const LOOK_EVERY: Duration = Duration::from_millis(40);

const ASK_EVERY: Duration = Duration::from_millis(500);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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
                seen.memory(job, kilobytes);
                if asked.elapsed() >= ASK_EVERY {
                    let address = stall::address(&log.lock().expect("the log"));
                    address
                        .and_then(|it| stall::of(&it))
                        .inspect(|&time| seen.stalled(time));
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

    pub fn log(&self) -> String {
        self.running.log()
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
        self.running.kill();
        if at_work {
            self.figures.killed();
        }
        self.watching.join().expect("no panic");
        at_work
    }

    pub fn terminate(&self) {
        self.running.terminate();
    }

    pub fn finish_within(self, limit: Duration) -> Finished {
        let done = self.running.finish_within(limit);
        self.figures.said(&done);
        self.watching.join().expect("no panic");
        done
    }
}

/// The most memory that a process has had so far, in kilobytes; nothing when it has ended.
fn peak_memory(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
