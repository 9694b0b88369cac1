//! The one life cycle of all programs: arguments, logs, signals, the job, one line of result, one exit code.

use std::future::Future;
use std::io::Write;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use log::{LevelFilter, error, info, warn};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::config::{LogArguments, LogFormat};
use crate::error::{Error, Result};
use crate::shutdown::{self, Shutdown, Trigger};

/// Exit code for "nothing to do" with `--skip-if-empty`; Airflow shows such a task as skipped.
pub const SKIPPED: u8 = 99;

/// How long a program has to end by itself after a signal.
const STOP_WITHIN: Duration = Duration::from_secs(9);

/// The arguments of a program.
pub trait Program: Parser + Send + 'static {
    /// The name of the program, which is that of its job in logs and results.
    const NAME: &'static str;

    fn log_arguments(&self) -> &LogArguments;
}

/// What a job has to say at its end.
#[derive(Debug, Default)]
pub struct Report {
    /// The job of the last line, where that is a command of the program.
    pub job: Option<&'static str>,
    /// The fields of the last line of standard output, without `job` and `elapsed_ms`; without any, no line is printed.
    pub summary: Vec<(String, Value)>,
    pub skipped: bool,
    /// A failure after which the numbers are still worth telling.
    pub failure: Option<Error>,
}

impl Report {
    pub fn of<const N: usize>(fields: [(&str, Value); N]) -> Self {
        Self {
            summary: fields.map(|(name, value)| (name.to_owned(), value)).into(),
            ..Self::default()
        }
    }

    /// A signal ended the run before its own end: what is done is done, and there is more to do.
    pub fn interrupted(&mut self) {
        self.add("interrupted", true);
    }

    pub fn add(&mut self, name: &str, value: impl Into<Value>) {
        self.summary.push((name.to_owned(), value.into()));
    }
}

/// The last line of standard output, in the order in which it is told.
struct LastLine<'a> {
    job: &'a str,
    summary: &'a [(String, Value)],
    elapsed_ms: u64,
}

impl Serialize for LastLine<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut line = serializer.serialize_map(None)?;
        line.serialize_entry("job", self.job)?;
        for (name, value) in self.summary {
            line.serialize_entry(name, value)?;
        }
        line.serialize_entry("elapsed_ms", &self.elapsed_ms)?;
        line.end()
    }
}

/// Runs a program from its command line to its exit code. (Called in the library and not in the binaries: the compiler makes the code of an
/// asynchronous function where it is first polled, and so makes it once.)
pub fn main<P, F>(run: impl FnOnce(P, Shutdown) -> F) -> ExitCode
where
    P: Program,
    F: Future<Output = Result<Report>>,
{
    let arguments = P::parse();
    log_to_standard_error(arguments.log_arguments().log_format);
    if rustls::crypto::ring::default_provider()
        .install_default()
        .is_err()
    {
        warn!("another TLS provider is installed already");
    }
    let begun = Instant::now();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(cause) => {
            return fail(&Error::io("the asynchronous runtime does not start").cause(cause));
        }
    };
    let outcome = runtime.block_on(async {
        let (trigger, shutdown) = shutdown::channel();
        // Heard from before the job begins: a task may get its first turn after the job has said that it runs.
        match Signals::new() {
            Ok(signals) => drop(tokio::spawn(stop_by(signals, P::NAME, begun, trigger))),
            Err(cause) => {
                error!("signals cannot be listened to: a stop will not be orderly: {cause}");
            }
        }
        run(arguments, shutdown).await
    });
    // What still runs in the background has nothing left to say.
    runtime.shutdown_background();
    match outcome {
        Ok(report) => finish(P::NAME, report, begun),
        Err(error) => fail(&error),
    }
}

fn finish(job: &str, report: Report, begun: Instant) -> ExitCode {
    if !report.summary.is_empty() {
        let line = LastLine {
            job: report.job.unwrap_or(job),
            summary: &report.summary,
            elapsed_ms: begun.elapsed().as_millis() as u64,
        };
        if let Err(cause) = tell(&line) {
            return fail(
                &Error::io("the result cannot be written to standard output").cause(cause),
            );
        }
    }
    match report.failure {
        Some(error) => fail(&error),
        None if report.skipped => ExitCode::from(SKIPPED),
        None => ExitCode::SUCCESS,
    }
}

fn tell(line: &LastLine<'_>) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    serde_json::to_writer(&mut out, line)?;
    out.write_all(b"\n")?;
    out.flush()
}

fn fail(error: &Error) -> ExitCode {
    error!("{error}");
    ExitCode::from(error.kind().exit_code())
}

/// What asks a program to stop. From its making on, none of them ends the program by itself.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// The name of the next one, and the exit code of who is ended by it.
    async fn next(&mut self) -> (&'static str, i32) {
        tokio::select! {
            _ = self.terminate.recv() => ("SIGTERM", 143),
            _ = self.interrupt.recv() => ("SIGINT", 130),
        }
    }
}

/// The first SIGTERM or SIGINT asks to stop, a second one ends the program at once. A program that a server holds up is ended in time, too:
/// what it leaves unfinished is done again by the next run, as after a crash.
async fn stop_by(mut signals: Signals, job: &'static str, begun: Instant, trigger: Trigger) {
    let (name, _) = signals.next().await;
    // Told before it is asked for: what has nothing in flight ends at once.
    info!("{name}: finishing what is in flight; once more stops at once");
    trigger.request();
    match tokio::time::timeout(STOP_WITHIN, signals.next()).await {
        Ok((name, code)) => {
            error!("{name} again: stopping at once");
            std::process::exit(code);
        }
        Err(_) => {
            error!("what is in flight does not end: it is left to the next run");
            let mut report = Report::default();
            report.interrupted();
            let _ = finish(job, report, begun);
            std::process::exit(0);
        }
    }
}

fn log_to_standard_error(format: LogFormat) {
    // librdkafka's own lines are told through the client's log callback, under the target `librdkafka`.
    let default = "info,refinery_core=warn,tokio_postgres=warn,scylla=warn,tracing=warn";
    let mut builder =
        env_logger::Builder::from_env(env_logger::Env::default().default_filter_or(default));
    // What it has to say beside librdkafka is that a source has closed its consumer before dropping it.
    builder.filter_module("rdkafka::consumer::base_consumer", LevelFilter::Off);
    if format == LogFormat::Json {
        builder.format(|out, record| {
            let line = serde_json::json!({
                "time": jiff::Timestamp::now().to_string(),
                "level": record.level().as_str().to_lowercase(),
                "target": record.target(),
                "message": record.args().to_string(),
            });
            writeln!(out, "{line}")
        });
    }
    builder.init();
}
