//! Metrics of the server. The number of values of each label is bounded, so clients cannot create
//! arbitrary series.

mod instruments;
mod labels;
mod recorder;

pub use labels::{OTHER, http_method_label};
pub(super) use recorder::UpstreamRequestMetrics;
pub use recorder::{CANCELLED, CallMetrics, HttpRequestMetrics, Limit, McpOperationMetrics};

use std::sync::Arc;

use opentelemetry::{
    KeyValue,
    metrics::{Meter, MeterProvider},
};
use opentelemetry_sdk::metrics::SdkMeterProvider;
use prometheus::{Encoder, Registry, TextEncoder};

use self::{instruments::Instruments, labels::BoundedLabels};
use super::{
    collector::{metric_exporter as exporter, resource},
    error::TelemetryError,
};
use crate::config::CollectorSettings;

/// Metrics of the server. Clones share all instruments; the default value records nothing.
#[derive(Debug, Clone, Default)]
pub struct Metrics(Option<Arc<Inner>>);

#[derive(Debug)]
struct Inner {
    provider: SdkMeterProvider,
    registry: Registry,
    meter: Meter,
    instruments: Instruments,
    routes: BoundedLabels,
    rules: BoundedLabels,
}

/// Maximum number of Octopus routes with their own series.
const MAX_ROUTES: usize = 200;
/// Maximum number of policy rules with their own series.
const MAX_RULES: usize = 200;

impl Metrics {
    /// Starts the metrics for the Prometheus endpoint and for the collector of the settings, if
    /// any.
    ///
    /// # Errors
    /// Returns an error if an exporter cannot be created.
    pub fn start(settings: &CollectorSettings) -> Result<Self, TelemetryError> {
        let registry = Registry::new();
        let prometheus = opentelemetry_prometheus::exporter()
            .with_registry(registry.clone())
            .scope_info_enabled(false)
            .build()
            .map_err(TelemetryError::Metrics)?;
        let mut builder =
            SdkMeterProvider::builder().with_resource(resource()).with_reader(prometheus);
        if let Some(exporter) = exporter(settings)? {
            builder = builder.with_periodic_exporter(exporter);
        }
        let provider = builder.build();
        let meter = provider.meter("octopus-mcp");
        let (routes, rules) = (BoundedLabels::new(MAX_ROUTES), BoundedLabels::new(MAX_RULES));
        let instruments = Instruments::new(&meter);
        let inner = Inner { provider, registry, meter, instruments, routes, rules };
        let metrics = Self(Some(Arc::new(inner)));
        metrics.observe_gauge(
            "octopus_mcp.build",
            "",
            "Build information of the server. The value is always 1.",
            || vec![(1.0, vec![("version", env!("CARGO_PKG_VERSION").to_owned())])],
        );
        Ok(metrics)
    }

    /// Returns the metrics in the Prometheus text format, version 0.0.4. The text is empty if
    /// metrics are not recorded.
    ///
    /// # Errors
    /// Returns a message if the metrics cannot be encoded.
    pub fn prometheus_text(&self) -> Result<String, String> {
        let Some(inner) = &self.0 else { return Ok(String::new()) };
        let mut text = Vec::new();
        let families = inner.registry.gather();
        TextEncoder::new().encode(&families, &mut text).map_err(|error| error.to_string())?;
        String::from_utf8(text).map_err(|error| error.to_string())
    }

    /// Exports pending metrics and stops. May block.
    pub fn shutdown(&self) {
        if let Some(inner) = &self.0 {
            let _ = inner.provider.shutdown();
        }
    }

    /// Registers an observable gauge. `collect` returns its values with their labels at each
    /// collection.
    pub fn observe_gauge(
        &self,
        name: &'static str,
        unit: &'static str,
        help: &'static str,
        collect: impl Fn() -> Vec<(f64, Vec<(&'static str, String)>)> + Send + Sync + 'static,
    ) {
        let Some(inner) = &self.0 else { return };
        let gauge = inner.meter.f64_observable_gauge(name).with_description(help);
        let gauge = if unit.is_empty() { gauge } else { gauge.with_unit(unit) };
        gauge
            .with_callback(move |observer| {
                for (value, labels) in collect() {
                    let labels = labels.into_iter().map(|(name, label)| KeyValue::new(name, label));
                    observer.observe(value, &labels.collect::<Vec<_>>());
                }
            })
            .build();
    }

    /// Registers an observable counter. `collect` returns its value at each collection.
    pub fn observe_counter(
        &self,
        name: &'static str,
        unit: &'static str,
        help: &'static str,
        collect: impl Fn() -> u64 + Send + Sync + 'static,
    ) {
        let Some(inner) = &self.0 else { return };
        inner
            .meter
            .u64_observable_counter(name)
            .with_unit(unit)
            .with_description(help)
            .with_callback(move |observer| observer.observe(collect(), &[]))
            .build();
    }
}
