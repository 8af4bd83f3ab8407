//! Logs, traces and metrics of the server.
//!
//! | signal | destination |
//! | --- | --- |
//! | logs | standard error; OpenTelemetry collector |
//! | traces | OpenTelemetry collector |
//! | metrics | `/metrics` of the admin listener; OpenTelemetry collector |
//! | audit records | their own collector ([`AuditLogExporter`]) |
//!
//! Standard output is reserved for the output of commands.

mod audit_log_exporter;
#[cfg(test)]
mod captured_log;
mod collector;
mod error;
mod json_format;
mod masking;
mod metrics;
mod text_format;
mod traces;
mod upstream;

pub use audit_log_exporter::AuditLogExporter;
pub use error::TelemetryError;
pub use metrics::{
    CANCELLED, CallMetrics, HttpRequestMetrics, Limit, McpOperationMetrics, Metrics, OTHER,
    http_method_label,
};
pub use traces::{
    RequestSpan, continue_message_trace, continue_trace, set_attribute, set_request_parent,
    trace_id,
};
pub use upstream::UpstreamTelemetry;

pub use crate::{sanitize::mask, text::printable};

use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_sdk::{logs::SdkLoggerProvider, trace::SdkTracerProvider};
use tracing_subscriber::{
    EnvFilter, Layer, filter::FilterExt, fmt, layer::SubscriberExt, util::SubscriberInitExt,
};

use self::{
    json_format::{JsonFormat, JsonSpanFields},
    text_format::{SpanIds, TextFormat},
};
use crate::config::{self, Config, LogFormat, Signal};

/// Running exporters of traces and logs.
#[derive(Debug)]
#[must_use = "pending data is lost unless this is stopped"]
pub struct Telemetry {
    traces: SdkTracerProvider,
    logs: Option<SdkLoggerProvider>,
}

/// Log targets of the exporters themselves. Exporting their messages would create new messages
/// without end.
const EXPORTER_TARGETS: [&str; 6] = ["opentelemetry", "hyper", "h2", "tonic", "tower", "reqwest"];

/// Starts logs and traces for the whole process.
///
/// # Errors
/// Returns an error if `telemetry.log_filter` is invalid, if an exporter cannot be created, or if a
/// subscriber is already installed.
pub fn start(settings: &config::TelemetrySettings) -> Result<Telemetry, TelemetryError> {
    let filter = || EnvFilter::try_new(&settings.log_filter).map_err(TelemetryError::LogFilter);
    let lines = fmt::layer().with_writer(|| masking::MaskingWriter(std::io::stderr()));
    let lines = match settings.log_format {
        LogFormat::Text => lines
            .with_ansi(false)
            .fmt_fields(SpanIds)
            .event_format(TextFormat {
                shows_trace: settings.otlp.endpoint_for(Signal::Traces).is_some(),
            })
            .boxed(),
        LogFormat::Json => lines.fmt_fields(JsonSpanFields).event_format(JsonFormat).boxed(),
    };
    let traces = traces::provider(&settings.otlp)?;
    let logs = collector::log_exporter(&settings.otlp)?.map(|exporter| {
        SdkLoggerProvider::builder()
            .with_resource(collector::resource())
            .with_log_processor(masking::MaskingLogProcessor::new())
            .with_batch_exporter(exporter)
            .build()
    });
    let mut quiet = filter()?;
    for target in EXPORTER_TARGETS {
        let off = format!("{target}=off").parse();
        let off = off.map_err(|error| TelemetryError::ExporterTarget { target, error })?;
        quiet = quiet.add_directive(off);
    }
    // The filter is set even without a collector. An absent layer without a filter would enable the
    // spans of all dependencies, and events inside those spans would lose the trace of their
    // request.
    let exported = logs
        .as_ref()
        .map(OpenTelemetryTracingBridge::new)
        .with_filter(quiet.and(masking::max_levels()));
    tracing_subscriber::registry()
        .with(lines.with_filter(filter()?.and(masking::max_levels())))
        .with(traces::layer(&traces))
        .with(exported)
        .try_init()?;
    Ok(Telemetry { traces, logs })
}

/// Returns the errors of the log filter and of the CA files of collectors, with their settings.
/// Starts nothing.
pub fn check(config: &Config) -> Vec<(&'static str, TelemetryError)> {
    let filter =
        EnvFilter::try_new(&config.telemetry.log_filter).map_err(TelemetryError::LogFilter);
    let ca_file = |path: &Option<std::path::PathBuf>| {
        path.as_deref().map_or(Ok(()), |path| collector::read_authorities(path).map(|_| ()))
    };
    let checked = [
        ("telemetry.log_filter", filter.map(|_| ())),
        ("telemetry.otlp.ca_file", ca_file(&config.telemetry.otlp.ca_file)),
        ("audit.otlp.ca_file", ca_file(&config.audit.otlp.ca_file)),
    ];
    checked.into_iter().filter_map(|(key, checked)| Some((key, checked.err()?))).collect()
}

impl Telemetry {
    /// Exports pending data, within the timeout of a delivery, and stops.
    pub async fn shutdown(self) {
        let stopped = tokio::task::spawn_blocking(move || {
            let _ = self.traces.shutdown();
            if let Some(logs) = &self.logs {
                let _ = logs.shutdown();
            }
        });
        let _ = stopped.await;
    }
}
