//! [`RequestInfo`]: the caller, scope, client and protocol revision of a request.

use std::sync::Arc;

use rmcp::{
    ErrorData, RoleServer,
    model::{
        ClientCapabilities, ElicitationCapability, Implementation, PaginatedRequestParams,
        ProtocolVersion,
    },
    service,
};
use tokio::sync::mpsc;
use tracing::Span;

use super::RequestContext;
use crate::telemetry;

/// Request information that a provider uses in addition to the parameters.
#[derive(Debug, Clone)]
pub struct RequestInfo {
    /// Caller, requested scope and effective scope.
    pub context: Arc<RequestContext>,
    /// Name and version of the client, as `name/version`. `None` if the client did not name itself
    /// in this request or session, as in requests of earlier revisions without a session.
    pub client: Option<String>,
    /// The `X-Request-Id` of the HTTP request.
    pub request_id: Option<String>,
    /// The trace ID, from the current span or from `traceparent`.
    pub trace_id: Option<String>,
    /// The client's MCP capabilities.
    pub capabilities: ClientCapabilities,
    /// The MCP revision of the request.
    pub version: ProtocolVersion,
    /// `true` if the client supports form elicitation on this connection.
    pub can_elicit: bool,
    /// Receives the progress of a long call: an increasing amount and a message. The receiver can
    /// be closed.
    pub progress: Option<mpsc::Sender<(u64, String)>>,
}

impl RequestInfo {
    /// Reads a request from the rmcp context. The [`RequestContext`] is from the extensions of the
    /// HTTP request, or from `local` without an HTTP request.
    pub(super) fn from_context(
        context: &service::RequestContext<RoleServer>,
        local: impl FnOnce() -> Option<RequestContext>,
        sessions: bool,
    ) -> Option<Self> {
        let parts = context.extensions.get::<http::request::Parts>();
        let resolved = parts.and_then(|parts| parts.extensions.get::<Arc<RequestContext>>());
        let resolved = resolved.cloned().or_else(|| local().map(Arc::new))?;
        let capabilities = context.client_capabilities().unwrap_or_default();
        let version = context.protocol_version().unwrap_or(ProtocolVersion::V_2025_03_26);
        // A capability without modes includes forms, because 2025-06-18 has no other mode.
        let forms = |can: &ElicitationCapability| can.form.is_some() || can.url.is_none();
        let can_ask = (sessions || is_stateless(&version))
            && capabilities.elicitation.as_ref().is_some_and(forms);
        Some(Self {
            context: resolved,
            client: client_info(context).map(|info| format!("{}/{}", info.name, info.version)),
            request_id: parts.and_then(|parts| header_text(&parts.headers, "x-request-id")),
            trace_id: telemetry::trace_id(&Span::current()).or_else(|| {
                parts.and_then(|parts| parse_trace_id(&header_text(&parts.headers, "traceparent")?))
            }),
            capabilities,
            version,
            can_elicit: can_ask,
            progress: None,
        })
    }

    /// Returns whether the request uses a revision without sessions and handshake (2026-07-28).
    pub fn is_stateless(&self) -> bool {
        is_stateless(&self.version)
    }
}

/// Returns the client as it names itself. For a request of an earlier revision without a session,
/// `rmcp` provides a placeholder with its own name, which is ignored.
fn client_info(context: &service::RequestContext<RoleServer>) -> Option<Implementation> {
    context.client_info().filter(|info| *info != Implementation::from_build_env())
}

fn header_text(headers: &http::HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

/// Returns the trace ID of a `traceparent` header (W3C Trace Context, section 3.2.2).
fn parse_trace_id(parent: &str) -> Option<String> {
    let id = parent.split('-').nth(1)?;
    let is_id = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_id.then(|| id.to_owned())
}

/// Returns whether a revision has no sessions. Revisions are dates, so they compare as text.
pub(super) fn is_stateless(version: &ProtocolVersion) -> bool {
    version.as_str() >= ProtocolVersion::V_2026_07_28.as_str()
}

/// Rejects a cursor for a list that has one page.
pub(super) fn reject_cursor(params: Option<PaginatedRequestParams>) -> Result<(), ErrorData> {
    match params.and_then(|params| params.cursor) {
        Some(_) => Err(ErrorData::invalid_params(
            "unknown cursor; this list has one page, so omit `cursor`",
            None,
        )),
        None => Ok(()),
    }
}
