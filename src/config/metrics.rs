use clap::Args;

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Metrics")]
pub struct MetricsArguments {
    /// Address to serve metrics for Prometheus on, at /metrics, and the state of the job, at /healthz and /readyz; port 0 takes a free one,
    /// which is logged (default: none is served)
    #[arg(long, env = "STREAMFLOW_METRICS_ADDR", value_name = "HOST:PORT")]
    metrics_addr: Option<String>,
}

impl MetricsArguments {
    /// An empty variable counts as none.
    pub fn address(&self) -> Option<&str> {
        let address = self.metrics_addr.as_deref().map(str::trim);
        address.filter(|address| !address.is_empty())
    }
}
