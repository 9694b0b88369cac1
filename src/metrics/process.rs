//! What the process uses, under the names that Prometheus' own libraries have for it.

use std::fmt;

use procfs::process::Process;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

#[derive(Debug)]
struct Usage {
    cpu_seconds: f64,
    resident_bytes: u64,
    peak_resident_bytes: u64,
}

/// Writes them; where the system does not tell them, none.
pub(crate) fn encode(encoder: &mut DescriptorEncoder<'_>, started_seconds: f64) -> fmt::Result {
    let started = ConstGauge::new(started_seconds);
    let help = "When the process was started, since 1970-01-01T00:00:00Z.";
    started.encode(encoder.encode_descriptor(
        "process_start_time",
        help,
        Some(&Unit::Seconds),
        started.metric_type(),
    )?)?;
    let Ok(usage) = usage() else { return Ok(()) };
    let cpu = ConstCounter::new(usage.cpu_seconds);
    let help = "Processor time that the process has used.";
    cpu.encode(encoder.encode_descriptor(
        "process_cpu",
        help,
        Some(&Unit::Seconds),
        cpu.metric_type(),
    )?)?;
    for (name, help, bytes) in [
        (
            "process_resident_memory",
            "Memory that the process has now.",
            usage.resident_bytes,
        ),
        (
            "process_resident_memory_peak",
            "The most memory that the process has had at once.",
            usage.peak_resident_bytes,
        ),
    ] {
        let bytes = ConstGauge::new(bytes);
        let kind = bytes.metric_type();
        bytes.encode(encoder.encode_descriptor(name, help, Some(&Unit::Bytes), kind)?)?;
    }
    Ok(())
}

fn usage() -> procfs::ProcResult<Usage> {
    let process = Process::myself()?;
    let (stat, status) = (process.stat()?, process.status()?);
    let kib = |amount: Option<u64>| amount.unwrap_or_default() * 1_024;
    Ok(Usage {
        cpu_seconds: (stat.utime + stat.stime) as f64 / procfs::ticks_per_second() as f64,
        resident_bytes: kib(status.vmrss),
        peak_resident_bytes: kib(status.vmhwm),
    })
}
