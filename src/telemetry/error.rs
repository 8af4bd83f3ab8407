//! Errors when telemetry starts.

use std::{io, path::PathBuf};

use opentelemetry_otlp::ExporterBuildError;

use crate::text::root_cause;

/// Error of the start of logs, traces, metrics or an exporter. The text contains the setting.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// `telemetry.log_filter` is invalid.
    #[error("telemetry.log_filter: {0}")]
    LogFilter(tracing_subscriber::filter::ParseError),
    /// The filter for the log targets of exporters is invalid.
    #[error("{target}: {error}")]
    ExporterTarget {
        /// The log target.
        target: &'static str,
        /// The parse error.
        error: tracing_subscriber::filter::ParseError,
    },
    /// An exporter for the collector of `telemetry.otlp` cannot be created.
    #[error("telemetry.otlp: {0}")]
    Exporter(ExporterBuildError),
    /// The exporter of audit records cannot be created.
    #[error("endpoint: {0}")]
    AuditExporter(ExporterBuildError),
    /// The thread that creates an exporter panicked.
    #[error("failed to create the exporter")]
    ExporterThread,
    /// The CA file of a collector cannot be read.
    #[error("ca_file: {}: {error}", path.display())]
    ReadCaFile {
        /// Path of the file.
        path: PathBuf,
        /// The I/O error.
        error: io::Error,
    },
    /// The CA file of a collector contains no valid certificates.
    #[error("ca_file: {}: {error}", path.display())]
    InvalidCaFile {
        /// Path of the file.
        path: PathBuf,
        /// The parse error.
        error: reqwest::Error,
    },
    /// The HTTP client of a collector cannot be created.
    #[error("failed to create the HTTP client: {}", root_cause(.0))]
    HttpClient(reqwest::Error),
    /// The headers for a collector are invalid.
    #[error("{0}")]
    Headers(String),
    /// The name of a header for a collector is invalid.
    #[error(transparent)]
    HeaderName(#[from] http::header::InvalidHeaderName),
    /// The value of a header for a collector is invalid.
    #[error(transparent)]
    HeaderValue(#[from] http::header::InvalidHeaderValue),
    /// The Prometheus exporter cannot be created.
    #[error("metrics: {0}")]
    Metrics(opentelemetry_sdk::error::OTelSdkError),
    /// A subscriber for logs and traces is already installed.
    #[error(transparent)]
    Subscriber(#[from] tracing_subscriber::util::TryInitError),
}
