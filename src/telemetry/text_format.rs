//! Text format of log lines for terminals.
//!
//! ```text
//! 2026-11-30T22:32:37.125980Z  INFO tool call completed tool=list_spaces caller=ci elapsed_ms=44 request=19cb69d3-...
//! ```
//!
//! A line contains the time, the level, the message with its fields, and the request ID. Attributes
//! of OpenTelemetry spans are omitted, because they repeat these fields. The JSON format and the
//! exported signals contain them. Control characters are escaped, so an event is always one line.

use std::fmt::{self, Write};

use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    field::RecordFields,
    fmt::{
        FmtContext, FormatEvent, FormatFields, FormattedFields,
        format::Writer,
        time::{FormatTime, SystemTime},
    },
    registry::LookupSpan,
};

/// Log target of this server. Lines with other targets name them.
const OWN_TARGET: &str = "octopus_mcp";

/// Formats an event as one line of text.
#[derive(Debug, Clone, Copy)]
pub(super) struct TextFormat {
    /// Whether lines contain the trace ID.
    pub(super) shows_trace: bool,
}

impl<S, N> FormatEvent<S, N> for TextFormat
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
        SystemTime.format_time(&mut writer)?;
        write!(writer, " {}", level(*event.metadata().level()))?;
        let mut fields = EventFields::default();
        event.record(&mut fields);
        let target = fields.log_target.as_deref().unwrap_or_else(|| event.metadata().target());
        if !is_own(target) {
            write!(writer, " {target}:")?;
        }
        write!(writer, "{}{}", fields.message, fields.others)?;
        // The innermost span takes precedence: a message can belong to another trace than its HTTP
        // request.
        let (mut request, mut trace) = (None, None);
        for span in context.event_scope().into_iter().flatten() {
            if !is_own(span.metadata().target()) {
                continue;
            }
            let extensions = span.extensions();
            let Some(recorded) = extensions.get::<FormattedFields<N>>() else { continue };
            for field in recorded.fields.split_whitespace() {
                match field.split_once('=') {
                    Some(("id", id)) if request.is_none() => request = Some(id.to_owned()),
                    Some(("trace", id)) if trace.is_none() => trace = Some(id.to_owned()),
                    _ => {}
                }
            }
        }
        if let Some(id) = request {
            write!(writer, " request={id}")?;
        }
        if let Some(id) = trace.filter(|_| self.shows_trace) {
            write!(writer, " trace={id}")?;
        }
        writeln!(writer)
    }
}

/// Returns whether this is a log target of this server.
pub(super) fn is_own(target: &str) -> bool {
    target == OWN_TARGET || target.starts_with("octopus_mcp::")
}

/// Returns the name of a level, padded to the same width.
fn level(level: Level) -> &'static str {
    match level {
        Level::TRACE => "TRACE",
        Level::DEBUG => "DEBUG",
        Level::INFO => " INFO",
        Level::WARN => " WARN",
        Level::ERROR => "ERROR",
    }
}

/// Keeps the request ID and the trace ID of a span. [`TextFormat`] needs no other fields of spans.
#[derive(Debug, Clone, Copy)]
pub(super) struct SpanIds;

impl<'writer> FormatFields<'writer> for SpanIds {
    fn format_fields<R: RecordFields>(
        &self,
        mut writer: Writer<'writer>,
        fields: R,
    ) -> fmt::Result {
        let mut ids = IdVisitor { text: String::new() };
        fields.record(&mut ids);
        writer.write_str(&ids.text)
    }
}

struct IdVisitor {
    text: String,
}

impl Visit for IdVisitor {
    fn record_str(&mut self, field: &Field, value: &str) {
        if matches!(field.name(), "id" | "trace") && !value.contains(char::is_whitespace) {
            let _ = write!(self.text, "{}={value} ", field.name());
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

/// The message and the fields of an event, each with a leading space.
#[derive(Default)]
struct EventFields {
    message: String,
    others: String,
    /// Target of an event of the crate `log`, which has no target in its metadata.
    log_target: Option<String>,
}

impl EventFields {
    fn add(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        let mut text = String::new();
        let _ = text.write_fmt(value);
        let name = field.name().strip_prefix("r#").unwrap_or(field.name());
        match name {
            "message" => {
                self.message.push(' ');
                escape_controls(&mut self.message, &text);
            }
            "log.target" => self.log_target = Some(text),
            // Module, file and line of an event of the crate `log`.
            _ if name.starts_with("log.") => {}
            _ => {
                let _ = write!(self.others, " {name}=");
                escape_controls(&mut self.others, &text);
            }
        }
    }
}

impl Visit for EventFields {
    fn record_str(&mut self, field: &Field, value: &str) {
        let is_plain = field.name() == "message"
            || field.name() == "log.target"
            || (!value.is_empty()
                && !value.contains(|letter: char| {
                    letter.is_whitespace() || letter.is_control() || "\"\\=".contains(letter)
                }));
        if is_plain {
            self.add(field, format_args!("{value}"));
        } else {
            self.add(field, format_args!("{value:?}"));
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field, format_args!("{value:?}"));
    }
}

/// Appends text with escaped control characters.
fn escape_controls(out: &mut String, text: &str) {
    for letter in text.chars() {
        if letter.is_control() {
            out.extend(letter.escape_default());
        } else {
            out.push(letter);
        }
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::fmt;

    use super::*;
    use crate::telemetry::captured_log::{Buffer, logged_with};

    /// Returns the lines that `work` logs, without their times.
    fn logged(shows_trace: bool, work: impl FnOnce()) -> Vec<String> {
        let buffer = Buffer::default();
        let writer = buffer.clone();
        let layer = fmt::layer()
            .with_writer(move || writer.clone())
            .fmt_fields(SpanIds)
            .event_format(TextFormat { shows_trace });
        let text = logged_with(layer, &buffer, work);
        text.lines().map(|line| line.split_once("Z ").unwrap().1.to_owned()).collect()
    }

    fn call() {
        let request = tracing::info_span!(
            "request",
            otel.name = "POST /mcp",
            http.route = "/mcp",
            id = "REQUEST",
            trace = tracing::field::Empty
        );
        request.record("trace", "OUTER");
        let _request = request.enter();
        let span = tracing::info_span!("mcp", otel.kind = "server", trace = "INNER");
        let _span = span.enter();
        let dependency =
            tracing::info_span!(target: "rmcp", "serve", id = "OTHER", trace = "OTHER");
        let _dependency = dependency.enter();
        tracing::info!(tool = "list_spaces", elapsed_ms = 44, "tool call completed");
    }

    #[test]
    fn line_has_event_fields_and_request_id() {
        let line = " INFO tool call completed tool=list_spaces elapsed_ms=44 request=REQUEST";
        assert_eq!(logged(false, call), [line]);
        assert_eq!(logged(true, call), [format!("{line} trace=INNER")]);
    }

    #[test]
    fn event_is_one_line_with_quoted_text() {
        let lines = logged(false, || {
            tracing::warn!(name = "two words", empty = "", url = "http://a/?b", "a\nb");
            tracing::error!(target: "hyper::proto", error = %"c\nd\u{1b}[31m", "failed");
        });
        assert_eq!(
            lines,
            [
                r#" WARN a\nb name="two words" empty="" url=http://a/?b"#,
                r"ERROR hyper::proto: failed error=c\nd\u{1b}[31m"
            ]
        );
    }
}
