//! Validation of the telemetry settings.

use super::checks::check_readable;
use crate::config::{LoadedConfig, TelemetrySettings};

/// Adds the mistakes in the collector settings.
pub(super) fn validate(loaded: &mut LoadedConfig, telemetry: &TelemetrySettings) {
    let otlp = &telemetry.otlp;
    for (key, url) in [
        ("telemetry.otlp.endpoint", &otlp.endpoint),
        ("telemetry.otlp.traces_endpoint", &otlp.traces_endpoint),
        ("telemetry.otlp.metrics_endpoint", &otlp.metrics_endpoint),
        ("telemetry.otlp.logs_endpoint", &otlp.logs_endpoint),
    ] {
        if url.as_ref().is_some_and(|url| !matches!(url.scheme(), "http" | "https")) {
            loaded.add_error(key, "the URL must begin with https:// or http://");
        }
    }
    if let Err(message) = otlp.headers() {
        loaded.add_error("telemetry.otlp.headers", &message);
    }
    if otlp.timeout.0.is_zero() {
        loaded.add_error("telemetry.otlp.timeout", "the timeout must be more than 0");
    }
    if !(0.0..=1.0).contains(&otlp.sampler_arg) {
        loaded.add_error("telemetry.otlp.sampler_arg", "the value must be between 0 and 1");
    }
    if let Some(path) = &otlp.ca_file {
        check_readable(loaded, "telemetry.otlp.ca_file", path);
    }
}
