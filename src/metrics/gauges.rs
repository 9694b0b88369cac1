//! What is computed when somebody asks.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeGaugeValue, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

use super::process;
use super::told::{State, Told};

impl Collector for Told {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let encoder = &mut encoder;
        let help = "1, with the version of the program.";
        let version = [("version", env!("CARGO_PKG_VERSION"))];
        encoder
            .encode_descriptor("streamflow_build_info", help, None, MetricType::Gauge)?
            .encode_family(&version)?
            .encode_gauge(&1)?;
        let is_ready = u32::from(self.is_ready().is_ok());
        let help = "1 while the servers are reached and the work goes on, as at /readyz.";
        gauge(encoder, "streamflow_ready", help, None, is_ready)?;
        self.read(|state, now| {
            let age = state.health.since_progress(now).as_secs_f64();
            let help = "Time since a record was last settled, or since the start.";
            let unit = Some(&Unit::Seconds);
            gauge(encoder, "streamflow_progress_age", help, unit, age)?;
            if self.subject.consumes {
                of_a_consumer(encoder, state)?;
            }
            Ok::<(), fmt::Error>(())
        })?;
        process::encode(encoder, self.started_seconds)
    }
}

fn of_a_consumer(encoder: &mut DescriptorEncoder<'_>, state: &State) -> fmt::Result {
    let records = Unit::Other("records".to_owned());
    let help = "Records between what the group has committed and the end of the partition.";
    let mut lag =
        encoder.encode_descriptor("streamflow_lag", help, Some(&records), MetricType::Gauge)?;
    for (partition, lag_records) in &state.lags {
        lag.encode_family(&[("partition", partition.to_string())])?
            .encode_gauge(lag_records)?;
    }
    let assigned = state.partitions.assigned.len() as u64;
    let paused = u64::from(state.paused);
    let letters = state.account.dead_letters_in_flight as u64;
    for (name, help, number) in [
        (
            "streamflow_records_in_flight",
            "Records that were consumed and are not settled yet.",
            state.account.in_flight,
        ),
        (
            "streamflow_dead_letters_in_flight",
            "Dead letters that wait for their acknowledgement.",
            letters,
        ),
        (
            "streamflow_assigned_partitions",
            "Partitions that the consumer group has given to this member.",
            assigned,
        ),
        (
            "streamflow_paused",
            "1 while no records are taken because the sink is slower than the topic.",
            paused,
        ),
    ] {
        gauge(encoder, name, help, None, number)?;
    }
    Ok(())
}

fn gauge<V>(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    unit: Option<&Unit>,
    value: V,
) -> fmt::Result
where
    ConstGauge<V>: EncodeMetric,
    V: EncodeGaugeValue,
{
    let gauge = ConstGauge::new(value);
    gauge.encode(encoder.encode_descriptor(name, help, unit, MetricType::Gauge)?)
}
