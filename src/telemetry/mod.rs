//! Logs, traces and metrics: what is told of the server while it runs.
//!
//! | signal | goes to |
//! | --- | --- |
//! | logs | standard error; the collector |
//! | traces | the collector |
//! | metrics | whoever reads `/metrics` of the admin listener; the collector |
//! | records of the audit | a collector of their own ([`Records`]) |
//!
//! Standard output belongs to what a command prints.

mod asking;
mod collector;
mod masked;
mod metrics;
mod records;
mod traces;

pub use asking::Asking;
pub use metrics::{CANCELLED, Call, Limit, Metrics, OTHER, Operation, Served, verb};
pub use records::Records;
pub use traces::{Around, continued, continued_by, note, trace_of, within};

pub use crate::text::mask;

use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_sdk::{logs::SdkLoggerProvider, trace::SdkTracerProvider};
use tracing_subscriber::{
    EnvFilter, Layer, filter::FilterExt, fmt, layer::SubscriberExt, util::SubscriberInitExt,
};

use crate::config::{self, LogFormat};

/// What is delivered until it is stopped.
#[derive(Debug)]
#[must_use = "what was not delivered yet is lost where this is not stopped"]
pub struct Telemetry {
    traces: SdkTracerProvider,
    logs: Option<SdkLoggerProvider>,
}

/// Who delivers: what these say would be delivered in turn, for ever.
const DELIVERING: [&str; 6] = ["opentelemetry", "hyper", "h2", "tonic", "tower", "reqwest"];

/// Starts logs and traces. A filter that does not read is told.
pub fn start(settings: &config::Telemetry) -> Result<Telemetry, String> {
    let filter = || {
        EnvFilter::try_new(&settings.log_filter)
            .map_err(|error| format!("telemetry.log_filter: {error}"))
    };
    let lines = fmt::layer().with_writer(|| masked::Lines(std::io::stderr()));
    let lines = match settings.log_format {
        LogFormat::Text => lines.with_ansi(false).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    let traces = traces::provider(&settings.otlp)?;
    let logs = collector::logs(&settings.otlp)?.map(|exporter| {
        SdkLoggerProvider::builder()
            .with_resource(collector::resource())
            .with_log_processor(masked::Records::new())
            .with_batch_exporter(exporter)
            .build()
    });
    let mut quiet = filter()?;
    for target in DELIVERING {
        let off = format!("{target}=off").parse();
        quiet = quiet.add_directive(off.map_err(|error| format!("{target}: {error}"))?);
    }
    // Filtered whether it is there or not: a layer that is absent and has no filter lets the spans of
    // every crate begin, and what runs within one of those is no part of its request's trace.
    let sent = logs
        .as_ref()
        .map(OpenTelemetryTracingBridge::new)
        .with_filter(quiet.and(masked::ceiling()));
    tracing_subscriber::registry()
        .with(lines.with_filter(filter()?.and(masked::ceiling())))
        .with(traces::layer(&traces))
        .with(sent)
        .try_init()
        .map_err(|error| error.to_string())?;
    Ok(Telemetry { traces, logs })
}

impl Telemetry {
    /// Delivers what waits, within the time that a delivery may take, and ends.
    pub async fn stop(self) {
        let ended = tokio::task::spawn_blocking(move || {
            let _ = self.traces.shutdown();
            if let Some(logs) = &self.logs {
                let _ = logs.shutdown();
            }
        });
        let _ = ended.await;
    }
}
