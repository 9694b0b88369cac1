//! The programs as processes, with a limit on their time.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::servers::until;

/// Far longer than any run takes, also on a busy machine.
pub const LIMIT: Duration = Duration::from_secs(120);

/// The file of a program, which cargo has built for this test.
pub fn file(program: &str) -> &'static str {
    match program {
        "fetch-publish" => env!("CARGO_BIN_EXE_fetch-publish"),
        "transform-store" => env!("CARGO_BIN_EXE_transform-store"),
        "aggregate" => env!("CARGO_BIN_EXE_aggregate"),
        "control-center" => env!("CARGO_BIN_EXE_control-center"),
        "random-user-api" => env!("CARGO_BIN_EXE_random-user-api"),
        "streamflow" => env!("CARGO_BIN_EXE_streamflow"),
        other => panic!("no program {other}"),
    }
}

/// A process that is killed when the test ends without it.
pub struct Running {
    child: Child,
    stdout: Option<JoinHandle<String>>,
    stderr: Option<JoinHandle<()>>,
    log: Arc<Mutex<String>>,
    begun: Instant,
}

pub struct Finished {
    /// Of a process that a signal ended: 128 and its number, as a shell has it.
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
    /// The last line of standard output; null when that is no JSON object.
    pub summary: Value,
    pub took: Duration,
}

pub fn spawn(mut command: Command) -> Running {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdout = child.stdout.take().expect("a pipe");
    let stderr = child.stderr.take().expect("a pipe");
    let log = Arc::new(Mutex::new(String::new()));
    let writer = log.clone();
    Running {
        child,
        stdout: Some(std::thread::spawn(move || {
            let mut text = String::new();
            stdout
                .read_to_string(&mut text)
                .expect("standard output in UTF-8");
            text
        })),
        stderr: Some(std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines() {
                let line = line.expect("standard error in UTF-8");
                let mut log = writer.lock().expect("the log");
                log.push_str(&line);
                log.push('\n');
            }
        })),
        log,
        begun: Instant::now(),
    }
}

impl Running {
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// For a thread that watches the process.
    pub fn shared_log(&self) -> Arc<Mutex<String>> {
        self.log.clone()
    }

    pub fn log(&self) -> String {
        self.log.lock().expect("the log").clone()
    }

    /// Waits until the log holds a text. A process that ends before it does fails the test.
    pub fn wait_for_log(&mut self, text: &str) {
        until(&format!("{text:?} in the log"), LIMIT, || {
            if self.log().contains(text) {
                return Some(());
            }
            assert!(!self.has_ended(), "ended without {text:?}:\n{}", self.log());
            None
        });
    }

    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("its state").is_some()
    }

    /// SIGTERM, as Airflow and `systemctl stop` send it.
    pub fn terminate(&self) {
        let pid = self.child.id().to_string();
        let status = Command::new("sh")
            .args(["-c", "kill -s TERM \"$1\"", "sh", &pid])
            .status()
            .expect("a shell");
        assert!(status.success(), "the process can be signalled");
    }

    /// SIGKILL: it learns nothing of its end.
    pub fn kill(mut self) -> Finished {
        self.child.kill().expect("it can be killed");
        self.finish()
    }

    pub fn finish(self) -> Finished {
        self.finish_within(LIMIT)
    }

    pub fn finish_within(mut self, limit: Duration) -> Finished {
        let asked = Instant::now();
        let status: ExitStatus = loop {
            if let Some(status) = self.child.try_wait().expect("its state") {
                break status;
            }
            assert!(
                asked.elapsed() < limit,
                "not at its end within {limit:?}:\n{}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(5));
        };
        let took = self.begun.elapsed();
        let stdout = self.stdout.take().map(JoinHandle::join);
        let stdout = stdout.expect("taken once").expect("no panic");
        let stderr = self.stderr.take().map(JoinHandle::join);
        stderr.expect("taken once").expect("no panic");
        let last = stdout.lines().last().unwrap_or_default();
        Finished {
            code: status
                .code()
                .unwrap_or_else(|| 128 + status.signal().unwrap_or_default()),
            summary: serde_json::from_str(last).unwrap_or_default(),
            stderr: self.log(),
            stdout,
            took,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only for a process that has ended and was waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Finished {
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(
            self.code, code,
            "exit code; standard error:\n{}\nstandard output:\n{}",
            self.stderr, self.stdout
        );
        self
    }

    /// A number of the last line.
    #[track_caller]
    pub fn number(&self, name: &str) -> u64 {
        self.summary[name]
            .as_u64()
            .unwrap_or_else(|| panic!("no number {name} in {:?}:\n{}", self.stdout, self.stderr))
    }

    #[track_caller]
    pub fn numbers<const N: usize>(&self, names: [&str; N]) -> [u64; N] {
        names.map(|name| self.number(name))
    }

    /// What a program said, to people and to scripts.
    pub fn texts(&self) -> String {
        format!("{}\n{}", self.stdout, self.stderr)
    }

    /// Whether the text says all of these.
    #[track_caller]
    pub fn says(&self, parts: &[&str]) {
        for part in parts {
            assert!(
                self.texts().contains(part),
                "{part:?} is not said:\n{}",
                self.texts()
            );
        }
    }
}
