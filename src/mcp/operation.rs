//! Traces and metrics of MCP requests and notifications (OpenTelemetry semantic conventions for
//! MCP).

use std::time::Instant;

use rmcp::{
    ErrorData, RoleServer,
    model::{ErrorCode, Extensions, MetaObject, ProtocolVersion, RequestId},
    service::{NotificationContext, RequestContext},
};
use tracing::{Instrument, Span, field::Empty};
use url::Url;

use super::protocol::SUPPORTED;
use crate::{
    sanitize::{mask, sanitize},
    telemetry::{self, CANCELLED, McpOperationMetrics, Metrics, OTHER, RequestSpan},
    text::printable,
};

/// The method of a request and the tool, prompt or resource that it names.
#[derive(Debug, Clone, Copy)]
pub(super) struct OperationInfo<'a> {
    pub(super) method: &'static str,
    /// The called tool, if this server has it.
    pub(super) tool: Option<&'static str>,
    /// The requested prompt, if this server has it.
    pub(super) prompt: Option<&'static str>,
    /// The requested resource URI, unchanged.
    pub(super) uri: Option<&'a str>,
}

impl OperationInfo<'_> {
    pub(super) fn method(method: &'static str) -> Self {
        Self { method, tool: None, prompt: None, uri: None }
    }
}

/// MCP methods that this server does not support. rmcp passes them on as custom requests, because
/// it does not implement some and cannot parse the parameters of others.
const UNSUPPORTED_METHODS: [&str; 9] = [
    "logging/setLevel",
    "resources/subscribe",
    "resources/unsubscribe",
    "subscriptions/listen",
    "tasks/cancel",
    "tasks/get",
    "tasks/list",
    "tasks/result",
    "tasks/update",
];

/// Returns the method name for metrics: an unsupported MCP method, or `_OTHER` to bound
/// cardinality.
pub(super) fn metric_method(method: &str) -> &'static str {
    UNSUPPORTED_METHODS.iter().find(|supported| **supported == method).unwrap_or(&OTHER)
}

/// Value of `error.type` for a tool result with `isError`, which is not a protocol error.
const TOOL_ERROR: &str = "tool_error";

/// Maximum number of characters of an ID or URI in a span attribute.
const MAX_ATTRIBUTE_CHARS: usize = 200;

/// The context of a request or a notification.
pub(super) trait MessageContext {
    fn meta(&self) -> &MetaObject;
    fn extensions(&self) -> &Extensions;
    fn version(&self) -> Option<ProtocolVersion>;
    fn id(&self) -> Option<&RequestId>;
    fn is_cancelled(&self) -> bool;
}

impl MessageContext for RequestContext<RoleServer> {
    fn meta(&self) -> &MetaObject {
        &self.meta
    }

    fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    fn version(&self) -> Option<ProtocolVersion> {
        self.protocol_version()
    }

    fn id(&self) -> Option<&RequestId> {
        Some(&self.id)
    }

    fn is_cancelled(&self) -> bool {
        self.ct.is_cancelled()
    }
}

impl MessageContext for NotificationContext<RoleServer> {
    fn meta(&self) -> &MetaObject {
        &self.meta
    }

    fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    fn version(&self) -> Option<ProtocolVersion> {
        self.peer.peer_info().map(|info| info.protocol_version.clone())
    }

    fn id(&self) -> Option<&RequestId> {
        None
    }

    fn is_cancelled(&self) -> bool {
        false
    }
}

/// Runs the work of a request in a span, and records its duration and outcome as metrics.
///
/// `is_error` returns whether an answer is recorded as `tool_error`. Internal errors are logged.
pub(super) async fn instrument<T>(
    metrics: &Metrics,
    operation: OperationInfo<'_>,
    with: &impl MessageContext,
    is_error: fn(&T) -> bool,
    work: impl Future<Output = Result<T, ErrorData>>,
) -> Result<T, ErrorData> {
    let OperationInfo { method, tool, prompt, .. } = operation;
    let version = with.version();
    let version = SUPPORTED.iter().find(|supported| Some(*supported) == version.as_ref());
    let version = version.map(ProtocolVersion::as_str);
    let http = with.extensions().get::<http::request::Parts>();
    let transport = if http.is_some() { "tcp" } else { "pipe" };
    let span = span(operation, version, transport);
    record_identifiers(&span, operation, with, http);
    let request_span = http.and_then(|parts| parts.extensions.get::<RequestSpan>());
    if let Some(request_span) = request_span {
        telemetry::set_request_parent(&span, request_span);
    }
    // A session handles its messages in a task of its own, outside the span of the HTTP request.
    if let Some(id) = http.and_then(|parts| parts.headers.get("x-request-id")?.to_str().ok()) {
        span.record("id", id);
    }
    if let Some(parent) = with.meta().get_traceparent() {
        telemetry::continue_message_trace(
            &span,
            request_span,
            parent,
            with.meta().get_tracestate(),
        );
    }
    if let Some(trace) = telemetry::trace_id(&span) {
        span.record("trace", trace);
    }
    let started = Instant::now();
    let result = Box::pin(work).instrument(span.clone()).await;
    // The client of a cancelled request gets no response, so its status code is not recorded.
    let rejected = result.as_ref().err().filter(|_| !with.is_cancelled());
    if let Some(failed) = rejected.filter(|error| error.code == ErrorCode::INTERNAL_ERROR) {
        let message = sanitize(&failed.message);
        span.in_scope(|| {
            tracing::warn!(method, error = %printable(&message.text), "request failed");
        });
    }
    let code = rejected.map(|error| error.code.0.to_string());
    let error = match &result {
        Ok(answer) => is_error(answer).then_some(TOOL_ERROR),
        Err(_) => Some(code.as_deref().unwrap_or(CANCELLED)),
    };
    if let Some(error) = error {
        span.record("otel.status_code", "ERROR");
        span.record("error.type", error);
    }
    if let Some(code) = &code {
        telemetry::set_attribute(&span, "rpc.response.status_code", code.as_str());
    }
    let (took, code) = (started.elapsed(), code.as_deref());
    metrics.record_mcp_operation(&McpOperationMetrics {
        method,
        tool,
        prompt,
        error,
        code,
        transport,
        version,
        duration: took,
    });
    result
}

fn span(operation: OperationInfo<'_>, version: Option<&str>, transport: &str) -> Span {
    let OperationInfo { method, tool, prompt, .. } = operation;
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
        id = Empty,
        trace = Empty,
    )
}

/// Records the request ID, resource URI and session ID as attributes of the span only.
///
/// A session ID is not a secret: it is sealed for its caller and path, so no other caller can use
/// it.
fn record_identifiers(
    span: &Span,
    operation: OperationInfo<'_>,
    with: &impl MessageContext,
    http: Option<&http::request::Parts>,
) {
    // Mask before truncating, because a truncated credential is not recognized.
    let short = |text: &str| mask(text).chars().take(MAX_ATTRIBUTE_CHARS).collect::<String>();
    if let Some(id) = with.id() {
        telemetry::set_attribute(span, "jsonrpc.request.id", short(&id.to_string()));
    }
    if let Some(uri) = operation.uri.and_then(sanitized_uri) {
        telemetry::set_attribute(span, "mcp.resource.uri", short(&uri));
    }
    let session = http.and_then(|parts| parts.headers.get("mcp-session-id")?.to_str().ok());
    if let Some(session) = session {
        telemetry::set_attribute(span, "mcp.session.id", short(session));
    }
}

/// Returns a resource URI without user info, query, fragment and secrets, or `None` for text that
/// is not a URI.
fn sanitized_uri(uri: &str) -> Option<String> {
    let mut url = Url::parse(uri).ok()?;
    url.set_query(None);
    url.set_fragment(None);
    // Setting them fails only for URIs that cannot have user info.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    Some(sanitize(url.as_str()).text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resource_uri_attribute_contains_no_secrets() {
        for (uri, expected) in [
            (
                "octopus://spaces/Default/releases/Releases-1",
                Some("octopus://spaces/Default/releases/Releases-1"),
            ),
            ("octopus://me:pass@spaces/Default?apikey=1#part", Some("octopus://spaces/Default")),
            ("Releases-1", None),
        ] {
            assert_eq!(sanitized_uri(uri).as_deref(), expected, "{uri}");
        }
        let key = "octopus://spaces/API-ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
        assert!(
            !sanitized_uri(key).unwrap().contains("ABCDEFGHIJKLMNOP"),
            "{:?}",
            sanitized_uri(key)
        );
    }
}
