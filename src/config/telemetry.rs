//! Settings of logs, traces and metrics.

use std::path::PathBuf;

use percent_encoding::percent_decode_str;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use super::{DurationSetting, Secret};

/// Logs, traces and metrics. `/metrics` of `http.admin_listen` serves metrics for Prometheus.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TelemetrySettings {
    /// Format of log lines: `text` (default) for people, `json` for machines.
    pub log_format: LogFormat,
    /// Log filter: a level, or directives such as `info,octopus_mcp=debug` (default
    /// `info,rmcp=warn,rmcp::service=off`). Dependencies log at `info` and above, `rmcp` at `warn`
    /// and above and `rmcp::service` at `error`, regardless of this setting, because they print
    /// whole requests at lower levels. `rmcp::service` logs each disconnected client as an error.
    /// Credentials are masked in every line.
    pub log_filter: String,
    /// OpenTelemetry collector for traces, metrics and logs.
    pub otlp: CollectorSettings,
}

/// Format of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Text for people.
    Text,
    /// One JSON object per line.
    Json,
}

/// OpenTelemetry collector for traces, metrics and logs. Nothing is sent without an endpoint. The
/// standard variables (OpenTelemetry, "OTLP Exporter Configuration") set the same:
/// `OTEL_EXPORTER_OTLP_ENDPOINT` and its variants per signal, `_PROTOCOL`, `_HEADERS`,
/// `_CERTIFICATE`, `_TIMEOUT`; `OTEL_TRACES_EXPORTER`, `OTEL_METRICS_EXPORTER`,
/// `OTEL_LOGS_EXPORTER`, `OTEL_TRACES_SAMPLER`, `OTEL_TRACES_SAMPLER_ARG`, `OTEL_SDK_DISABLED`.
/// `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`, `OTEL_METRIC_EXPORT_INTERVAL` and variables
/// that begin with `OTEL_BSP_` and `OTEL_BLRP_` are read as well.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CollectorSettings {
    /// Base URL of the collector, e.g. `http://collector.example.com:4318`. Over HTTP the paths
    /// `v1/traces`, `v1/metrics` and `v1/logs` are appended.
    pub endpoint: Option<Url>,
    /// Complete URL for traces, if it differs from `endpoint`.
    pub traces_endpoint: Option<Url>,
    /// Complete URL for metrics, if it differs from `endpoint`.
    pub metrics_endpoint: Option<Url>,
    /// Complete URL for logs, if it differs from `endpoint`.
    pub logs_endpoint: Option<Url>,
    /// Protocol: `http/protobuf` (default, usually port 4318) or `grpc` (usually port 4317).
    pub protocol: OtlpProtocol,
    /// Headers to send, e.g. for authentication: `name=value,name=value`, with values
    /// percent-encoded.
    pub headers: Option<Secret>,
    /// PEM file with certificate authorities to trust in addition to those of the system.
    pub ca_file: Option<PathBuf>,
    /// Timeout of one delivery (default `10s`).
    pub timeout: DurationSetting,
    /// Exporter of traces: `otlp` (default), or `none` to send no traces.
    pub traces: Exporter,
    /// Exporter of metrics: `otlp` (default), or `none` to send no metrics.
    pub metrics: Exporter,
    /// Exporter of logs: `otlp` (default), or `none` to send no logs.
    pub logs: Exporter,
    /// Sampler of traces: `always_on`, `always_off`, `traceidratio`, `parentbased_always_on`
    /// (default), `parentbased_always_off` or `parentbased_traceidratio`.
    pub sampler: Sampler,
    /// Share of traces to keep for the ratio samplers, from 0 to 1 (default 1).
    pub sampler_arg: f64,
    /// Disables all exports to the collector (default false).
    pub disabled: bool,
}

/// Protocol of the collector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OtlpProtocol {
    /// Protobuf over HTTP, usually on port 4318.
    #[serde(rename = "http/protobuf")]
    Http,
    /// gRPC, usually on port 4317.
    #[serde(rename = "grpc")]
    Grpc,
}

/// Exporter of a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Exporter {
    /// OTLP to the collector.
    Otlp,
    /// No export to the collector. The Prometheus endpoint is not affected.
    #[serde(alias = "prometheus")]
    None,
}

/// Sampler of traces (OpenTelemetry, "SDK Environment Variables").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sampler {
    /// Keeps all traces.
    AlwaysOn,
    /// Keeps no traces.
    AlwaysOff,
    /// Keeps a share of the traces.
    #[serde(rename = "traceidratio")]
    TraceIdRatio,
    /// Follows the decision of the client; keeps all traces that begin in this server.
    #[serde(rename = "parentbased_always_on")]
    ParentBasedAlwaysOn,
    /// Follows the decision of the client; keeps no traces that begin in this server.
    #[serde(rename = "parentbased_always_off")]
    ParentBasedAlwaysOff,
    /// Follows the decision of the client; keeps a share of the traces that begin in this server.
    #[serde(rename = "parentbased_traceidratio")]
    ParentBasedTraceIdRatio,
}

/// Telemetry signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Traces.
    Traces,
    /// Metrics.
    Metrics,
    /// Log lines.
    Logs,
}

impl Default for TelemetrySettings {
    fn default() -> Self {
        Self {
            log_format: LogFormat::Text,
            log_filter: "info,rmcp=warn,rmcp::service=off".to_owned(),
            otlp: CollectorSettings::default(),
        }
    }
}

impl Default for CollectorSettings {
    fn default() -> Self {
        Self {
            endpoint: None,
            traces_endpoint: None,
            metrics_endpoint: None,
            logs_endpoint: None,
            protocol: OtlpProtocol::Http,
            headers: None,
            ca_file: None,
            timeout: DurationSetting::seconds(10),
            traces: Exporter::Otlp,
            metrics: Exporter::Otlp,
            logs: Exporter::Otlp,
            sampler: Sampler::ParentBasedAlwaysOn,
            sampler_arg: 1.0,
            disabled: false,
        }
    }
}

impl CollectorSettings {
    /// Returns the URL to which a signal is sent; `None` if it is not sent.
    pub fn endpoint_for(&self, signal: Signal) -> Option<Url> {
        let (exporter, own, path) = match signal {
            Signal::Traces => (self.traces, &self.traces_endpoint, "traces"),
            Signal::Metrics => (self.metrics, &self.metrics_endpoint, "metrics"),
            Signal::Logs => (self.logs, &self.logs_endpoint, "logs"),
        };
        if self.disabled || exporter == Exporter::None {
            return None;
        }
        if own.is_some() {
            return own.clone();
        }
        let mut url = self.endpoint.clone()?;
        if self.protocol == OtlpProtocol::Http {
            url.path_segments_mut().ok()?.pop_if_empty().extend(["v1", path]);
        }
        Some(url)
    }

    /// Parses the headers into names and values.
    ///
    /// # Errors
    /// Returns a message if the format is invalid.
    pub fn headers(&self) -> Result<Vec<(String, String)>, String> {
        let text = self.headers.as_ref().map(Secret::expose).unwrap_or_default();
        let pairs = text.split(',').map(str::trim).filter(|pair| !pair.is_empty());
        pairs
            .map(|pair| {
                let (name, value) = pair.split_once('=').ok_or_else(invalid_headers)?;
                let value = percent_decode_str(value.trim())
                    .decode_utf8()
                    .map_err(|_| invalid_headers())?;
                let name = name.trim();
                let is_name = http::HeaderName::from_bytes(name.as_bytes()).is_ok();
                let is_value = http::HeaderValue::from_str(&value).is_ok();
                if is_name && is_value {
                    Ok((name.to_owned(), value.into_owned()))
                } else {
                    Err(invalid_headers())
                }
            })
            .collect()
    }
}

fn invalid_headers() -> String {
    "expected `name=value,name=value`, with values percent-encoded".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collector(endpoint: &str) -> CollectorSettings {
        CollectorSettings { endpoint: endpoint.parse().ok(), ..CollectorSettings::default() }
    }

    #[test]
    fn signal_path_is_appended_only_to_the_base_url() {
        let at = |collector: &CollectorSettings, signal| {
            collector.endpoint_for(signal).map(String::from)
        };
        let http = collector("https://collector.example.com:4318/otel/");
        assert_eq!(
            at(&http, Signal::Traces).unwrap(),
            "https://collector.example.com:4318/otel/v1/traces"
        );
        let grpc = CollectorSettings {
            protocol: OtlpProtocol::Grpc,
            ..collector("https://c.example:4317")
        };
        assert_eq!(at(&grpc, Signal::Logs).unwrap(), "https://c.example:4317/");
        let own =
            CollectorSettings { logs_endpoint: "https://logs.example/x".parse().ok(), ..http };
        assert_eq!(at(&own, Signal::Logs).unwrap(), "https://logs.example/x");
        assert_eq!(
            at(&CollectorSettings { logs: Exporter::None, ..own.clone() }, Signal::Logs),
            None
        );
        assert_eq!(at(&CollectorSettings { disabled: true, ..own }, Signal::Metrics), None);
        assert_eq!(at(&CollectorSettings::default(), Signal::Metrics), None);
    }

    #[test]
    fn parses_headers_in_otel_format() {
        let with = |text: &str| {
            CollectorSettings {
                headers: Some(text.to_owned().into()),
                ..CollectorSettings::default()
            }
            .headers()
        };
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let read = with("api-key=a%20b, x-team=platform=1,").unwrap();
        assert_eq!(read, [pair("api-key", "a b"), pair("x-team", "platform=1")]);
        for wrong in ["api-key", "a b=c", "x=%0A"] {
            assert!(with(wrong).is_err(), "{wrong}");
        }
    }
}
