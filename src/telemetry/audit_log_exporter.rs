//! Exports audit records as logs to an OpenTelemetry collector. Records are delivered in order, and
//! [`AuditLogExporter::flush`] waits for the delivery.

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

use super::{
    collector::{http_client, resource},
    error::TelemetryError,
};
use crate::config::AuditCollectorSettings;

/// Exporter for audit records: queues them up to a limit and delivers them in batches, in order.
///
/// Create and drop it only on threads that may block, and not in a task of the runtime.
#[derive(Debug)]
pub struct AuditLogExporter {
    provider: SdkLoggerProvider,
    logger: SdkLogger,
    /// Number of failed deliveries.
    failures: Arc<AtomicU64>,
}

/// Maximum number of queued records. Further records are dropped.
const MAX_QUEUED_RECORDS: usize = 8192;
/// Maximum number of records in one delivery.
const MAX_BATCH_RECORDS: usize = 512;

impl AuditLogExporter {
    /// Starts the delivery to the collector of these settings.
    ///
    /// # Errors
    /// Returns an error if the exporter or its HTTP client cannot be created.
    pub fn start(
        settings: &AuditCollectorSettings,
        endpoint: &url::Url,
        name: &'static str,
    ) -> Result<Self, TelemetryError> {
        let headers = settings.headers.iter();
        let headers = headers.map(|header| (header.name.clone(), header.value.expose().to_owned()));
        let exporter = LogExporter::builder()
            .with_http()
            // `OTEL_EXPORTER_OTLP_PROTOCOL` may select gRPC for the other signals.
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(endpoint.as_str())
            .with_timeout(settings.timeout.0)
            .with_headers(headers.collect::<HashMap<_, _>>())
            .with_http_client(http_client(
                settings.timeout.0,
                settings.ca_file.as_deref(),
                endpoint,
            )?)
            .build()
            .map_err(TelemetryError::AuditExporter)?;
        let failures = Arc::new(AtomicU64::new(0));
        let exporter = CountingExporter { exporter, failures: Arc::clone(&failures) };
        let batching = BatchConfigBuilder::default()
            .with_max_queue_size(MAX_QUEUED_RECORDS)
            .with_max_export_batch_size(MAX_BATCH_RECORDS)
            .with_scheduled_delay(settings.delay.0)
            .build();
        let processor = BatchLogProcessor::builder(exporter).with_batch_config(batching).build();
        let provider = SdkLoggerProvider::builder()
            .with_resource(resource())
            .with_log_processor(processor)
            .build();
        let logger = provider.logger(name);
        Ok(Self { provider, logger, failures })
    }

    /// Queues a record for delivery.
    pub fn emit(&self, event: &'static str, body: String, attributes: &[(&'static str, String)]) {
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

    /// Delivers all queued records.
    ///
    /// # Errors
    /// Returns a message if a delivery failed.
    pub fn flush(&self) -> Result<(), String> {
        let before = self.failures();
        self.provider.force_flush().map_err(|error| error.to_string())?;
        let failed = self.failures() != before;
        if failed { Err("delivery to the collector failed".to_owned()) } else { Ok(()) }
    }

    /// Returns the number of failed deliveries since the start.
    pub fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }
}

impl Drop for AuditLogExporter {
    fn drop(&mut self) {
        // Delivers the queued records, within the timeout of a delivery.
        let _ = self.provider.shutdown();
    }
}

/// Exporter that counts failures, because the batch processor discards the results.
#[derive(Debug)]
struct CountingExporter<E> {
    exporter: E,
    failures: Arc<AtomicU64>,
}

impl<E: Exporter> Exporter for CountingExporter<E> {
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
