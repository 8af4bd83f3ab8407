//! JSON format of log lines for log collectors.
//!
//! ```text
//! {"timestamp":"2026-11-30T22:32:37.125980Z","level":"INFO","target":"octopus_mcp::mcp","message":"tool call completed","tool":"list_spaces","elapsed_ms":44,"request":"19cb69d3-...","trace":"0af7...","span":{"http.route":"/mcp"}}
//! ```
//!
//! A line is one object. It has the fields of the event, `request` and `trace` with the IDs of the
//! request, and `span` with the attributes of all spans of this server around the event. If two
//! spans have the same attribute, the inner one takes precedence. Numbers are JSON numbers.

use std::fmt;

use serde_json::{Map, Number, Value};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    field::RecordFields,
    fmt::{
        FmtContext, FormatEvent, FormatFields, FormattedFields,
        format::Writer,
        time::{FormatTime, SystemTime},
    },
    registry::{LookupSpan, Scope},
};

use super::text_format::is_own;

/// Formats an event as one JSON object on one line.
#[derive(Debug, Clone, Copy)]
pub(super) struct JsonFormat;

/// Names of the line itself, which fields of an event cannot replace.
const RESERVED: [&str; 6] = ["timestamp", "level", "target", "request", "trace", "span"];

impl<S, N> FormatEvent<S, N> for JsonFormat
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
    N: for<'writer> FormatFields<'writer> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut time = String::new();
        SystemTime.format_time(&mut Writer::new(&mut time))?;
        let mut fields = JsonVisitor::default();
        event.record(&mut fields);
        let JsonVisitor { fields, log_target } = fields;
        let target = log_target.as_deref().unwrap_or_else(|| event.metadata().target());

        let mut line = Map::new();
        line.insert("timestamp".to_owned(), time.into());
        line.insert("level".to_owned(), event.metadata().level().as_str().into());
        line.insert("target".to_owned(), target.into());
        line.extend(
            fields.get_key_value("message").map(|(name, text)| (name.clone(), text.clone())),
        );
        for (name, value) in fields {
            if name == "message" {
                continue;
            }
            let name =
                if RESERVED.contains(&name.as_str()) { format!("field.{name}") } else { name };
            line.insert(name, value);
        }
        let mut attributes = Map::new();
        // From the outermost span, so that inner spans replace the attributes of outer ones.
        for span in context.event_scope().into_iter().flat_map(Scope::from_root) {
            if !is_own(span.metadata().target()) {
                continue;
            }
            let extensions = span.extensions();
            let Some(recorded) = extensions.get::<FormattedFields<N>>() else { continue };
            // Later records of a span append another object.
            let objects = serde_json::Deserializer::from_str(&recorded.fields);
            for object in objects.into_iter::<Map<String, Value>>().map_while(Result::ok) {
                attributes.extend(object);
            }
        }
        let mut span = Map::new();
        for (name, value) in attributes {
            match name.as_str() {
                "id" => drop(line.insert("request".to_owned(), value)),
                "trace" => drop(line.insert(name, value)),
                _ => drop(span.insert(name, value)),
            }
        }
        if !span.is_empty() {
            line.insert("span".to_owned(), span.into());
        }
        writeln!(writer, "{}", Value::from(line))
    }
}

/// Stores the attributes of a span as JSON objects, one for each time that it records some.
#[derive(Debug, Clone, Copy)]
pub(super) struct JsonSpanFields;

impl<'writer> FormatFields<'writer> for JsonSpanFields {
    fn format_fields<R: RecordFields>(
        &self,
        mut writer: Writer<'writer>,
        fields: R,
    ) -> fmt::Result {
        let mut visitor = JsonVisitor::default();
        fields.record(&mut visitor);
        write!(writer, "{}", Value::from(visitor.fields))
    }
}

/// Collects fields as JSON values.
#[derive(Default)]
struct JsonVisitor {
    fields: Map<String, Value>,
    /// Target of an event of the crate `log`, which has no target in its metadata.
    log_target: Option<String>,
}

impl JsonVisitor {
    fn add(&mut self, field: &Field, value: Value) {
        let name = field.name().strip_prefix("r#").unwrap_or(field.name());
        match name {
            "log.target" => self.log_target = value.as_str().map(str::to_owned),
            // Module, file and line of an event of the crate `log`.
            _ if name.starts_with("log.") => {}
            _ => drop(self.fields.insert(name.to_owned(), value)),
        }
    }
}

impl Visit for JsonVisitor {
    fn record_f64(&mut self, field: &Field, value: f64) {
        let number = Number::from_f64(value).map(Value::Number);
        self.add(field, number.unwrap_or_else(|| value.to_string().into()));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, value.into());
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        let number = i64::try_from(value).map(Value::from);
        self.add(field, number.unwrap_or_else(|_| value.to_string().into()));
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        let number = u64::try_from(value).map(Value::from);
        self.add(field, number.unwrap_or_else(|_| value.to_string().into()));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, value.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field, format!("{value:?}").into());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::telemetry::captured_log::{Buffer, logged_with};

    /// Returns the lines that `work` logs, without their times.
    fn logged(work: impl FnOnce()) -> Vec<Value> {
        let buffer = Buffer::default();
        let writer = buffer.clone();
        let layer = tracing_subscriber::fmt::layer()
            .with_writer(move || writer.clone())
            .fmt_fields(JsonSpanFields)
            .event_format(JsonFormat);
        let text = logged_with(layer, &buffer, work);
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let without_time = lines.map(|mut line| {
            let time = line.as_object_mut().unwrap().remove("timestamp").unwrap();
            assert!(time.as_str().unwrap().parse::<jiff::Timestamp>().is_ok(), "{time}");
            line
        });
        without_time.collect()
    }

    #[test]
    fn line_has_ids_and_merged_span_attributes_once() {
        let lines = logged(|| {
            let request = tracing::info_span!(
                "request",
                otel.kind = "server",
                http.route = "/mcp",
                id = "REQUEST",
                trace = tracing::field::Empty
            );
            request.record("trace", "OUTER");
            let _request = request.enter();
            let inner = tracing::info_span!("mcp", otel.kind = "inner", trace = "INNER");
            let _inner = inner.enter();
            let other = tracing::info_span!(target: "rmcp", "serve", id = "OTHER");
            let _other = other.enter();
            tracing::info!(tool = "list_spaces", "tool call completed");
        });
        assert_eq!(
            lines,
            [json!({
                "level": "INFO",
                "target": "octopus_mcp::telemetry::json_format::tests",
                "message": "tool call completed",
                "tool": "list_spaces",
                "request": "REQUEST",
                "trace": "INNER",
                "span": { "otel.kind": "inner", "http.route": "/mcp" },
            })]
        );
    }

    #[test]
    fn numbers_are_numbers_and_text_is_not_escaped_twice() {
        let elapsed = std::time::Duration::from_millis(44).as_millis();
        let lines = logged(|| {
            tracing::warn!(
                elapsed,
                status = Some(200_u16),
                ratio = 0.5,
                done = true,
                negative = -7_i128,
                level = 3,
                error = %"it's \"quoted\"\n",
                "a\nb"
            );
        });
        let line = &lines[0];
        for (name, value) in [
            ("elapsed", json!(44)),
            ("status", json!(200)),
            ("ratio", json!(0.5)),
            ("done", json!(true)),
            ("negative", json!(-7)),
            ("field.level", json!(3)),
            ("error", json!("it's \"quoted\"\n")),
            ("message", json!("a\nb")),
        ] {
            assert_eq!(line[name], value, "{name}: {line}");
        }
    }
}
