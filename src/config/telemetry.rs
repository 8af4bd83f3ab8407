//! Settings of logs, traces and metrics.

use std::path::PathBuf;

use percent_encoding::percent_decode_str;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use super::{Loaded, Period, Secret};

/// Logs, traces and metrics. Metrics are served for Prometheus at `/metrics` of `http.admin_listen`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Telemetry {
    /// `text` for people, `json` for machines.
    pub log_format: LogFormat,
    /// What is logged: a level, or directives such as `info,octopus_mcp=debug`. Dependencies log at
    /// `info` and above, `rmcp` at `warn` and above and `rmcp::service` at `error`, regardless of
    /// this setting, because they print whole requests at lower levels. `rmcp::service` logs each
    /// disconnected client as an error. Credentials are masked in every line.
    pub log_filter: String,
    /// The OpenTelemetry collector that traces, metrics and logs go to.
    pub otlp: Collector,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// The OpenTelemetry collector that traces, metrics and logs go to, where an endpoint is given. The
/// standard variables (OpenTelemetry, "OTLP Exporter Configuration") set the same:
/// `OTEL_EXPORTER_OTLP_ENDPOINT` and the one of each signal, `_PROTOCOL`, `_HEADERS`,
/// `_CERTIFICATE`, `_TIMEOUT`; `OTEL_TRACES_EXPORTER`, `OTEL_METRICS_EXPORTER`,
/// `OTEL_LOGS_EXPORTER`, `OTEL_TRACES_SAMPLER`, `OTEL_TRACES_SAMPLER_ARG`, `OTEL_SDK_DISABLED`.
/// `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`, `OTEL_METRIC_EXPORT_INTERVAL` and those that
/// begin with `OTEL_BSP_` and `OTEL_BLRP_` are read as well.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Collector {
    /// Where it is. Over HTTP the paths `v1/traces`, `v1/metrics` and `v1/logs` are added.
    pub endpoint: Option<Url>,
    /// Where it takes traces, whole, where that is another place.
    pub traces_endpoint: Option<Url>,
    /// Where it takes metrics, whole, where that is another place.
    pub metrics_endpoint: Option<Url>,
    /// Where it takes logs, whole, where that is another place.
    pub logs_endpoint: Option<Url>,
    /// `http/protobuf` or `grpc`.
    pub protocol: OtlpProtocol,
    /// Headers that it asks for: `name=value,name=value`, values percent-encoded.
    pub headers: Option<Secret>,
    /// A file with the certificates of authorities to trust beside those of the system (PEM).
    pub ca_file: Option<PathBuf>,
    /// How long one delivery may take.
    pub timeout: Period,
    /// `otlp`, or `none` to send no traces.
    pub traces: Exporter,
    /// `otlp`, or `none` to send no metrics.
    pub metrics: Exporter,
    /// `otlp`, or `none` to send no logs.
    pub logs: Exporter,
    /// Which traces are kept, by the names of OpenTelemetry.
    pub sampler: Sampler,
    /// The share of traces that is kept, from 0 to 1, where the sampler asks for one.
    pub sampler_arg: f64,
    /// Whether nothing is sent, whatever else is said here.
    pub disabled: bool,
}

/// How a collector is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OtlpProtocol {
    /// Protobuf over HTTP, usually on port 4318.
    #[serde(rename = "http/protobuf")]
    Http,
    /// gRPC, usually on port 4317.
    #[serde(rename = "grpc")]
    Grpc,
}

/// Whether a signal is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Exporter {
    /// To the collector.
    Otlp,
    /// Nowhere. What Prometheus reads is served whatever stands here.
    #[serde(alias = "prometheus")]
    None,
}

/// Which traces are kept (OpenTelemetry, "SDK Environment Variables").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sampler {
    /// All.
    AlwaysOn,
    /// None.
    AlwaysOff,
    /// A share of them.
    #[serde(rename = "traceidratio")]
    Ratio,
    /// What the caller says; all of those that begin here.
    #[serde(rename = "parentbased_always_on")]
    ParentOrOn,
    /// What the caller says; none of those that begin here.
    #[serde(rename = "parentbased_always_off")]
    ParentOrOff,
    /// What the caller says; a share of those that begin here.
    #[serde(rename = "parentbased_traceidratio")]
    ParentOrRatio,
}

/// What is sent to a collector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// What happened within what, and how long it took.
    Traces,
    /// How often, how long, how much.
    Metrics,
    /// Lines of the log.
    Logs,
}

impl Default for Telemetry {
    fn default() -> Self {
        Self {
            log_format: LogFormat::Text,
            log_filter: "info,rmcp=warn,rmcp::service=off".to_owned(),
            otlp: Collector::default(),
        }
    }
}

impl Default for Collector {
    fn default() -> Self {
        Self {
            endpoint: None,
            traces_endpoint: None,
            metrics_endpoint: None,
            logs_endpoint: None,
            protocol: OtlpProtocol::Http,
            headers: None,
            ca_file: None,
            timeout: Period::seconds(10),
            traces: Exporter::Otlp,
            metrics: Exporter::Otlp,
            logs: Exporter::Otlp,
            sampler: Sampler::ParentOrOn,
            sampler_arg: 1.0,
            disabled: false,
        }
    }
}

impl Collector {
    /// Where a signal is sent, if it is.
    pub fn takes(&self, signal: Signal) -> Option<Url> {
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

    /// The headers by name.
    pub fn headers(&self) -> Result<Vec<(String, String)>, String> {
        let text = self.headers.as_ref().map(Secret::expose).unwrap_or_default();
        let pairs = text.split(',').map(str::trim).filter(|pair| !pair.is_empty());
        pairs
            .map(|pair| {
                let (name, value) = pair.split_once('=').ok_or_else(wanted)?;
                let value = percent_decode_str(value.trim()).decode_utf8().map_err(|_| wanted())?;
                let name = name.trim();
                let is_name = http::HeaderName::from_bytes(name.as_bytes()).is_ok();
                let is_value = http::HeaderValue::from_str(&value).is_ok();
                if is_name && is_value {
                    Ok((name.to_owned(), value.into_owned()))
                } else {
                    Err(wanted())
                }
            })
            .collect()
    }
}

fn wanted() -> String {
    "expected `name=value,name=value`, with values percent-encoded".to_owned()
}

/// Adds a mistake for what no collector can be reached with.
pub(super) fn validate(loaded: &mut Loaded, telemetry: &Telemetry) {
    let otlp = &telemetry.otlp;
    for (key, url) in [
        ("telemetry.otlp.endpoint", &otlp.endpoint),
        ("telemetry.otlp.traces_endpoint", &otlp.traces_endpoint),
        ("telemetry.otlp.metrics_endpoint", &otlp.metrics_endpoint),
        ("telemetry.otlp.logs_endpoint", &otlp.logs_endpoint),
    ] {
        if url.as_ref().is_some_and(|url| !matches!(url.scheme(), "http" | "https")) {
            loaded.refuse(key, "give an address that begins with https:// or http://");
        }
    }
    if let Err(message) = otlp.headers() {
        loaded.refuse("telemetry.otlp.headers", &message);
    }
    if otlp.timeout.0.is_zero() {
        loaded.refuse("telemetry.otlp.timeout", "a delivery must have some time");
    }
    if !(0.0..=1.0).contains(&otlp.sampler_arg) {
        loaded.refuse("telemetry.otlp.sampler_arg", "give a share from 0 to 1");
    }
    if let Some(path) = &otlp.ca_file
        && let Err(error) = std::fs::File::open(path)
    {
        let message = format!("the file {} cannot be read: {error}", path.display());
        loaded.refuse("telemetry.otlp.ca_file", &message);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collector(endpoint: &str) -> Collector {
        Collector { endpoint: endpoint.parse().ok(), ..Collector::default() }
    }

    #[test]
    fn the_path_of_a_signal_is_added_over_http_and_not_to_a_place_of_its_own() {
        let at = |collector: &Collector, signal| collector.takes(signal).map(String::from);
        let http = collector("https://collector.example.com:4318/otel/");
        assert_eq!(
            at(&http, Signal::Traces).unwrap(),
            "https://collector.example.com:4318/otel/v1/traces"
        );
        let grpc =
            Collector { protocol: OtlpProtocol::Grpc, ..collector("https://c.example:4317") };
        assert_eq!(at(&grpc, Signal::Logs).unwrap(), "https://c.example:4317/");
        let own = Collector { logs_endpoint: "https://logs.example/x".parse().ok(), ..http };
        assert_eq!(at(&own, Signal::Logs).unwrap(), "https://logs.example/x");
        assert_eq!(at(&Collector { logs: Exporter::None, ..own.clone() }, Signal::Logs), None);
        assert_eq!(at(&Collector { disabled: true, ..own }, Signal::Metrics), None);
        assert_eq!(at(&Collector::default(), Signal::Metrics), None);
    }

    #[test]
    fn headers_are_read_as_the_standard_writes_them() {
        let with = |text: &str| {
            Collector { headers: Some(text.to_owned().into()), ..Collector::default() }.headers()
        };
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let read = with("api-key=a%20b, x-team=platform=1,").unwrap();
        assert_eq!(read, [pair("api-key", "a b"), pair("x-team", "platform=1")]);
        for wrong in ["api-key", "a b=c", "x=%0A"] {
            assert!(with(wrong).is_err(), "{wrong}");
        }
    }
}
