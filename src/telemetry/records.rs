//! Records that go to an OpenTelemetry collector as logs, and how they are delivered: one after the
//! other, and so that whoever hands one over can wait until it is there.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use opentelemetry::logs::{AnyValue, LogRecord as _, Logger as _, LoggerProvider as _, Severity};
use opentelemetry_otlp::{LogExporter, Protocol, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    logs::{
        BatchConfigBuilder, BatchLogProcessor, LogBatch, LogExporter as Exporter, SdkLogger,
        SdkLoggerProvider,
    },
};

use super::collector::{client, resource};
use crate::config::Otlp;

/// Logs on their way to a collector: gathered, delivered in order, and within a bound.
///
/// It is made and dropped where blocking is allowed, which is in no task of the runtime.
#[derive(Debug)]
pub struct Records {
    provider: SdkLoggerProvider,
    logger: SdkLogger,
    /// How many deliveries failed.
    failures: Arc<AtomicU64>,
}

/// How many wait for delivery at most. More are dropped.
const WAITING: usize = 8192;
/// How many are delivered at once.
const BATCH: usize = 512;

impl Records {
    /// Begins to deliver to the collector of these settings.
    pub fn start(settings: &Otlp, endpoint: &url::Url, name: &'static str) -> Result<Self, String> {
        let headers = settings.headers.iter();
        let headers = headers.map(|one| (one.name.clone(), one.value.expose().to_owned()));
        let exporter = LogExporter::builder()
            .with_http()
            // The standard variable may say gRPC for the other signals.
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(endpoint.as_str())
            .with_timeout(settings.timeout.0)
            .with_headers(headers.collect::<HashMap<_, _>>())
            .with_http_client(client(settings.timeout.0, settings.ca_file.as_deref(), endpoint)?)
            .build()
            .map_err(|error| format!("endpoint: {error}"))?;
        let failures = Arc::new(AtomicU64::new(0));
        let exporter = Watched { exporter, failures: Arc::clone(&failures) };
        let gathering = BatchConfigBuilder::default()
            .with_max_queue_size(WAITING)
            .with_max_export_batch_size(BATCH)
            .with_scheduled_delay(settings.delay.0)
            .build();
        let processor = BatchLogProcessor::builder(exporter).with_batch_config(gathering).build();
        let provider = SdkLoggerProvider::builder()
            .with_resource(resource())
            .with_log_processor(processor)
            .build();
        let logger = provider.logger(name);
        Ok(Self { provider, logger, failures })
    }

    /// Hands one over. It is delivered soon.
    pub fn add(&self, event: &'static str, body: String, attributes: &[(&'static str, String)]) {
        let mut record = self.logger.create_log_record();
        let now = std::time::SystemTime::now();
        record.set_event_name(event);
        record.set_timestamp(now);
        record.set_observed_timestamp(now);
        record.set_severity_number(Severity::Info);
        record.set_severity_text("INFO");
        record.set_body(AnyValue::from(body));
        for (key, value) in attributes {
            record.add_attribute(*key, value.clone());
        }
        self.logger.emit(record);
    }

    /// Delivers what waits, and says whether the collector took it.
    pub fn flush(&self) -> Result<(), String> {
        let before = self.failures();
        self.provider.force_flush().map_err(|error| error.to_string())?;
        let failed = self.failures() != before;
        if failed { Err("the collector did not take it".to_owned()) } else { Ok(()) }
    }

    /// How many deliveries failed since the start.
    pub fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }
}

impl Drop for Records {
    fn drop(&mut self) {
        // What waits is delivered, within the time that a delivery may take.
        let _ = self.provider.shutdown();
    }
}

/// An exporter whose failures are counted, because nobody waits for what it says.
#[derive(Debug)]
struct Watched<E> {
    exporter: E,
    failures: Arc<AtomicU64>,
}

impl<E: Exporter> Exporter for Watched<E> {
    async fn export(&self, batch: LogBatch<'_>) -> OTelSdkResult {
        let exported = self.exporter.export(batch).await;
        if exported.is_err() {
            self.failures.fetch_add(1, Ordering::Relaxed);
        }
        exported
    }

    fn shutdown_with_timeout(&self, timeout: std::time::Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}
