//! Exporters and connections to an OpenTelemetry collector.

use std::{collections::HashMap, path::Path, thread, time::Duration};

use opentelemetry::KeyValue;
use opentelemetry_otlp::{
    LogExporter, MetricExporter, SpanExporter, WithExportConfig, WithHttpConfig, WithTonicConfig,
    tonic_types::{
        metadata::MetadataMap,
        transport::{Certificate, ClientTlsConfig},
    },
};
use opentelemetry_sdk::Resource;
use tokio::runtime::Handle;
use url::Url;
use uuid::Uuid;

use super::error::TelemetryError;
use crate::config::{CollectorSettings, OtlpProtocol, Signal, is_loopback};

/// Creates the exporter of a signal, or `None` if the signal has no endpoint. The HTTP and gRPC
/// builders are different types, so both get the same settings here.
macro_rules! exporter {
    ($exporter:ty, $settings:expr, $signal:expr) => {{
        let settings: &CollectorSettings = $settings;
        match settings.endpoint_for($signal) {
            None => Ok(None),
            Some(url) => {
                let builder = <$exporter>::builder();
                let built = match settings.protocol {
                    OtlpProtocol::Http => builder
                        .with_http()
                        .with_endpoint(url.as_str())
                        .with_timeout(settings.timeout.0)
                        .with_headers(headers(settings)?.into_iter().collect::<HashMap<_, _>>())
                        .with_http_client(http_client(
                            settings.timeout.0,
                            settings.ca_file.as_deref(),
                            &url,
                        )?)
                        .build(),
                    OtlpProtocol::Grpc => {
                        let builder = builder
                            .with_tonic()
                            .with_endpoint(url.as_str())
                            .with_timeout(settings.timeout.0)
                            .with_metadata(metadata(settings)?);
                        match url.scheme() {
                            "https" => builder.with_tls_config(tls_config(settings)?).build(),
                            _ => builder.build(),
                        }
                    }
                };
                built.map(Some).map_err(TelemetryError::Exporter)
            }
        }
    }};
}

/// Creates the exporter of traces, if an endpoint is configured.
pub(super) fn span_exporter(
    settings: &CollectorSettings,
) -> Result<Option<SpanExporter>, TelemetryError> {
    run_on_blocking_thread(|| exporter!(SpanExporter, settings, Signal::Traces))
}

/// Creates the exporter of metrics, if an endpoint is configured.
pub(super) fn metric_exporter(
    settings: &CollectorSettings,
) -> Result<Option<MetricExporter>, TelemetryError> {
    run_on_blocking_thread(|| exporter!(MetricExporter, settings, Signal::Metrics))
}

/// Creates the exporter of logs, if an endpoint is configured.
pub(super) fn log_exporter(
    settings: &CollectorSettings,
) -> Result<Option<LogExporter>, TelemetryError> {
    run_on_blocking_thread(|| exporter!(LogExporter, settings, Signal::Logs))
}

/// Runs `work` on its own thread inside the current runtime. Creating the blocking HTTP client is
/// only allowed on a thread that may block; the gRPC client needs the runtime.
pub(super) fn run_on_blocking_thread<T: Send>(
    work: impl FnOnce() -> Result<T, TelemetryError> + Send,
) -> Result<T, TelemetryError> {
    let runtime = Handle::try_current().ok();
    thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let _within = runtime.as_ref().map(Handle::enter);
            work()
        });
        thread.join().unwrap_or_else(|_| Err(TelemetryError::ExporterThread))
    })
}

/// Returns the resource attributes of this server for all signals. The standard `OTEL_*` variables
/// take precedence.
pub(super) fn resource() -> Resource {
    let detected = Resource::builder().build();
    let has_name = detected
        .get(&"service.name".into())
        .is_some_and(|name| !name.as_str().starts_with("unknown_service"));
    let mut attributes = vec![KeyValue::new("service.version", env!("CARGO_PKG_VERSION"))];
    if !has_name {
        attributes.push(KeyValue::new("service.name", "octopus-mcp"));
    }
    if detected.get(&"service.instance.id".into()).is_none() {
        attributes.push(KeyValue::new("service.instance.id", Uuid::new_v4().to_string()));
    }
    Resource::builder().with_attributes(attributes).build()
}

/// Creates the HTTP client for a collector. The exporters have their own threads without a runtime,
/// so they need the blocking client of reqwest. The async client makes them stop silently.
pub(super) fn http_client(
    timeout: Duration,
    ca_file: Option<&Path>,
    endpoint: &Url,
) -> Result<reqwest::blocking::Client, TelemetryError> {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let mut builder = reqwest::blocking::Client::builder()
        .timeout(timeout)
        .redirect(reqwest::redirect::Policy::none());
    if is_loopback(endpoint) {
        // Proxies from the environment are for other hosts.
        builder = builder.no_proxy();
    }
    if let Some(path) = ca_file {
        builder = builder.tls_certs_merge(read_authorities(path)?);
    } else if endpoint.scheme() == "http" {
        // Without TLS, a machine needs no certificate authorities.
        builder = builder.tls_certs_only([]);
    }
    builder.build().map_err(TelemetryError::HttpClient)
}

/// Reads certificate authorities in PEM format.
pub(super) fn read_authorities(path: &Path) -> Result<Vec<reqwest::Certificate>, TelemetryError> {
    reqwest::Certificate::from_pem_bundle(&read_pem(path)?)
        .map_err(|error| TelemetryError::InvalidCaFile { path: path.to_owned(), error })
}

fn tls_config(settings: &CollectorSettings) -> Result<ClientTlsConfig, TelemetryError> {
    let tls = ClientTlsConfig::new().with_enabled_roots();
    match &settings.ca_file {
        Some(path) => Ok(tls.ca_certificate(Certificate::from_pem(read_pem(path)?))),
        None => Ok(tls),
    }
}

fn read_pem(path: &Path) -> Result<Vec<u8>, TelemetryError> {
    std::fs::read(path).map_err(|error| TelemetryError::ReadCaFile { path: path.to_owned(), error })
}

fn headers(settings: &CollectorSettings) -> Result<Vec<(String, String)>, TelemetryError> {
    settings.headers().map_err(TelemetryError::Headers)
}

fn metadata(settings: &CollectorSettings) -> Result<MetadataMap, TelemetryError> {
    let mut headers = http::HeaderMap::new();
    for (name, value) in self::headers(settings)? {
        let name = http::HeaderName::from_bytes(name.as_bytes())?;
        let value = http::HeaderValue::from_str(&value)?;
        headers.append(name, value);
    }
    Ok(MetadataMap::from_headers(headers))
}
