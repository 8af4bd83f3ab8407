//! Logs. They go to standard error, so that standard output belongs to what a command prints.
//! What goes to an OpenTelemetry collector is set up here as well.

mod otlp;

pub use otlp::Logs;

use tracing_subscriber::{EnvFilter, fmt, util::SubscriberInitExt};

use crate::config;

/// Starts the log. A filter that does not read is told, and a usual one is used.
pub fn start(settings: &config::Telemetry) -> Result<(), String> {
    let filter = EnvFilter::try_new(&settings.log_filter)
        .map_err(|error| format!("telemetry.log_filter: {error}"))?;
    let log = fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match settings.log_format {
        config::LogFormat::Text => log.with_ansi(false).finish().try_init(),
        config::LogFormat::Json => log.json().flatten_event(true).finish().try_init(),
    };
    started.map_err(|error| error.to_string())
}
