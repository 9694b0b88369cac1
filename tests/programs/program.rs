//! A program of the project as a process: started with its own environment only, watched while it runs, and judged by what it leaves.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;

/// No test's program runs longer; one that does is killed.
const LONGEST: Duration = Duration::from_secs(60);

pub const PROGRAMS: [&str; 6] = [
    "fetch-publish",
    "transform-store",
    "aggregate",
    "control-center",
    "random-user-api",
    "streamflow",
];

/// A program that is about to start.
pub struct Program(Command);

impl Program {
    pub fn new(name: &str) -> Self {
        let path = match name {
            "fetch-publish" => env!("CARGO_BIN_EXE_fetch-publish"),
            "transform-store" => env!("CARGO_BIN_EXE_transform-store"),
            "aggregate" => env!("CARGO_BIN_EXE_aggregate"),
            "control-center" => env!("CARGO_BIN_EXE_control-center"),
            "random-user-api" => env!("CARGO_BIN_EXE_random-user-api"),
            "streamflow" => env!("CARGO_BIN_EXE_streamflow"),
            other => panic!("there is no program {other}"),
        };
        let mut command = Command::new(path);
        // Settings of whoever runs the tests must not change what they show.
        command
            .env_clear()
            .env("COLUMNS", "100")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Self(command)
    }

    /// `fetch-publish --dry-run` from an API that is asked at once again when it fails.
    pub fn fetch(api_url: &str) -> Self {
        Self::new("fetch-publish").arguments(&[
            "--dry-run",
            "--seed",
            "spring",
            "--api-url",
            api_url,
        ])
    }

    pub fn arguments(mut self, arguments: &[&str]) -> Self {
        self.0.args(arguments);
        self
    }

    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.0.env(name, value);
        self
    }

    pub fn run(self) -> Ended {
        self.start().wait()
    }

    pub fn start(mut self) -> Running {
        let begun = Instant::now();
        let mut child = self.0.spawn().expect("the program starts");
        let mut out = child.stdout.take().unwrap();
        let error = child.stderr.take().unwrap();
        let stdout = std::thread::spawn(move || {
            let mut bytes = Vec::new();
            out.read_to_end(&mut bytes).unwrap();
            String::from_utf8(bytes).expect("standard output is UTF-8")
        });
        let (sender, log_lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(error).lines() {
                let _ = sender.send(line.expect("standard error is UTF-8"));
            }
        });
        Running {
            child,
            begun,
            stdout: Some(stdout),
            log_lines,
            log: String::new(),
        }
    }
}

/// A program that runs. Killed when the test ends before it.
pub struct Running {
    child: Child,
    begun: Instant,
    stdout: Option<JoinHandle<String>>,
    log_lines: Receiver<String>,
    log: String,
}

impl Running {
    /// Waits until the log has a line with the text, and gives it back.
    pub fn wait_for_log(&mut self, text: &str) -> String {
        loop {
            match self.next_log_line() {
                Some(line) if line.contains(text) => return line,
                Some(_) => {}
                None => panic!("the log has no line with {text:?}:\n{}", self.log),
            }
        }
    }

    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(sent.is_ok_and(|status| status.success()), "kill -s {name}");
    }

    pub fn wait(mut self) -> Ended {
        while self.next_log_line().is_some() {}
        let status = self.child.wait().unwrap();
        let stdout = self.stdout.take().unwrap().join().unwrap();
        Ended {
            code: status.code(),
            stdout,
            log: std::mem::take(&mut self.log),
            elapsed: self.begun.elapsed(),
        }
    }

    /// Nothing at the end of the log, which is that of the program.
    fn next_log_line(&mut self) -> Option<String> {
        let left = LONGEST.saturating_sub(self.begun.elapsed());
        match self.log_lines.recv_timeout(left) {
            Ok(line) => {
                self.log.push_str(&line);
                self.log.push('\n');
                Some(line)
            }
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => {
                panic!("still running after {LONGEST:?}; its log:\n{}", self.log)
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Errors mean that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a program has left.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    /// Standard error.
    pub log: String,
    pub elapsed: Duration,
}

impl Ended {
    /// Checks the exit code.
    #[track_caller]
    pub fn with_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    /// Checks that the log has each of the texts.
    #[track_caller]
    pub fn saying(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(self.log.contains(text), "{text:?} in {}", self.log);
        }
        self
    }

    /// Checks that neither output has the text.
    #[track_caller]
    pub fn without(self, text: &str) -> Self {
        let found = self.log.contains(text) || self.stdout.contains(text);
        assert!(!found, "{text:?} in {self:#?}");
        self
    }

    /// The last line of standard output.
    pub fn summary(&self) -> Value {
        let line = self.stdout.lines().last();
        let line = line.unwrap_or_else(|| panic!("a last line: {self:#?}"));
        serde_json::from_str(line).unwrap()
    }

    pub fn number(&self, field: &str) -> u64 {
        let number = self.summary()[field].as_u64();
        number.unwrap_or_else(|| panic!("the number {field}: {self:#?}"))
    }

    /// The lines of standard output before the last one.
    pub fn events(&self) -> Vec<&str> {
        let mut lines: Vec<&str> = self.stdout.lines().collect();
        lines.pop();
        lines
    }

    pub fn count_in_log(&self, text: &str) -> usize {
        self.log.lines().filter(|line| line.contains(text)).count()
    }
}
