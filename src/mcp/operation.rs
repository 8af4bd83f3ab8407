//! One request or notification of MCP, as traces and metrics see it (OpenTelemetry, semantic
//! conventions for MCP).

use std::time::Instant;

use rmcp::{ErrorData, RoleServer, service::RequestContext};
use tracing::{Instrument, Span, field::Empty};

use super::protocol::SUPPORTED;
use crate::telemetry::{self, Around, Metrics, Operation};

/// What a request is: its method, and what of ours it is about.
#[derive(Debug, Clone, Copy)]
pub(super) struct About {
    pub(super) method: &'static str,
    /// The tool, where it is one of ours.
    pub(super) tool: Option<&'static str>,
    /// The prompt, where it is one of ours.
    pub(super) prompt: Option<&'static str>,
}

impl About {
    pub(super) fn method(method: &'static str) -> Self {
        Self { method, tool: None, prompt: None }
    }
}

/// What the error of a tool is called, which is no error of the protocol.
const TOOL_ERROR: &str = "tool_error";

/// What it is called that nobody waits for the answer any more. That is no failure of this server,
/// though it has the code of one.
const CANCELLED: &str = "cancelled";

/// Does the work of a request within a span, and tells how long it took and how it ended.
pub(super) async fn told<T>(
    metrics: &Metrics,
    about: About,
    context: &RequestContext<RoleServer>,
    is_error: fn(&T) -> bool,
    work: impl Future<Output = Result<T, ErrorData>>,
) -> Result<T, ErrorData> {
    let About { method, tool, prompt } = about;
    let version = context.protocol_version();
    let version = SUPPORTED.iter().find(|known| Some(*known) == version.as_ref());
    let version = version.map(rmcp::model::ProtocolVersion::as_str);
    let http = context.extensions.get::<http::request::Parts>();
    let transport = if http.is_some() { "tcp" } else { "pipe" };
    let span = span(about, version, transport);
    let around = http.and_then(|parts| parts.extensions.get::<Around>());
    if let Some(around) = around {
        telemetry::within(&span, around);
    }
    if let Some(parent) = context.meta.get_traceparent() {
        telemetry::continued_by(&span, around, parent, context.meta.get_tracestate());
    }
    let started = Instant::now();
    let came = Box::pin(work).instrument(span.clone()).await;
    let code = came.as_ref().err().map(|error| error.code.0.to_string());
    let error = match &came {
        Ok(answer) => is_error(answer).then_some(TOOL_ERROR),
        Err(_) if context.ct.is_cancelled() => Some(CANCELLED),
        Err(_) => code.as_deref(),
    };
    if let Some(error) = error {
        span.record("otel.status_code", "ERROR");
        span.record("error.type", error);
    }
    let took = started.elapsed();
    metrics.operation(&Operation {
        method: Some(method),
        tool,
        prompt,
        error,
        transport,
        version,
        took,
    });
    came
}

fn span(about: About, version: Option<&str>, transport: &str) -> Span {
    let About { method, tool, prompt } = about;
    let target = tool.or(prompt).map(|target| format!(" {target}")).unwrap_or_default();
    tracing::info_span!(
        "mcp",
        otel.name = format!("{method}{target}"),
        otel.kind = "server",
        otel.status_code = Empty,
        error.type = Empty,
        mcp.method.name = method,
        mcp.protocol.version = version,
        gen_ai.tool.name = tool,
        gen_ai.prompt.name = prompt,
        gen_ai.operation.name = tool.map(|_| "execute_tool"),
        network.transport = transport,
    )
}
