//! What an offering learns of a request beside its parameters.

use std::sync::Arc;

use rmcp::{
    ErrorData, RoleServer,
    model::{ClientCapabilities, ElicitationCapability, PaginatedRequestParams, ProtocolVersion},
    service,
};
use tokio::sync::mpsc;
use tracing::Span;

use super::RequestContext;
use crate::telemetry;

/// What an offering learns of a request beside its parameters.
#[derive(Debug, Clone)]
pub struct Request {
    /// Its caller, its scope, and what it can reach.
    pub context: Arc<RequestContext>,
    /// What the client calls itself, with its version.
    pub client: Option<String>,
    /// The ID of the HTTP request.
    pub id: Option<String>,
    /// The ID of the trace that it belongs to.
    pub trace: Option<String>,
    /// What the client can do.
    pub capabilities: ClientCapabilities,
    /// The revision of the protocol that the request speaks.
    pub version: ProtocolVersion,
    /// Whether a person can be asked through the client.
    pub can_ask: bool,
    /// Where to tell how far a long call is: an amount that only grows, and what it means. Nobody
    /// may be listening.
    pub progress: Option<mpsc::Sender<(u64, String)>>,
}

impl Request {
    /// Reads a request from the context that rmcp gives its handlers. The [`RequestContext`] comes
    /// from the extensions of the HTTP request, or from `local` where there is no HTTP request.
    pub(super) fn of(
        context: &service::RequestContext<RoleServer>,
        local: impl FnOnce() -> Option<RequestContext>,
        sessions: bool,
    ) -> Option<Self> {
        let parts = context.extensions.get::<http::request::Parts>();
        let resolved = parts.and_then(|parts| parts.extensions.get::<Arc<RequestContext>>());
        let resolved = resolved.cloned().or_else(|| local().map(Arc::new))?;
        let capabilities = context.client_capabilities().unwrap_or_default();
        let version = context.protocol_version().unwrap_or(ProtocolVersion::V_2025_03_26);
        // Without either mode a client means forms, as the first revision with elicitation had it.
        let forms = |can: &ElicitationCapability| can.form.is_some() || can.url.is_none();
        let can_ask = (sessions || is_stateless(&version))
            && capabilities.elicitation.as_ref().is_some_and(forms);
        Some(Self {
            context: resolved,
            client: context.client_info().map(|info| format!("{}/{}", info.name, info.version)),
            id: parts.and_then(|parts| text(&parts.headers, "x-request-id")),
            trace: telemetry::trace_of(&Span::current())
                .or_else(|| parts.and_then(|parts| trace(&text(&parts.headers, "traceparent")?))),
            capabilities,
            version,
            can_ask,
            progress: None,
        })
    }

    /// Whether the request is of the era without sessions and handshake.
    pub fn is_stateless(&self) -> bool {
        is_stateless(&self.version)
    }
}

fn text(headers: &http::HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

/// The ID of the trace in a `traceparent` (W3C Trace Context, section 3.2.2).
fn trace(parent: &str) -> Option<String> {
    let id = parent.split('-').nth(1)?;
    let is_id = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_id.then(|| id.to_owned())
}

/// Revisions are dates, and compare as text.
pub(super) fn is_stateless(version: &ProtocolVersion) -> bool {
    version.as_str() >= ProtocolVersion::V_2026_07_28.as_str()
}

/// Rejects a cursor of a list that has one page.
pub(super) fn only_page(params: Option<PaginatedRequestParams>) -> Result<(), ErrorData> {
    match params.and_then(|params| params.cursor) {
        Some(_) => Err(ErrorData::invalid_params(
            "unknown cursor; the list comes whole, so leave the cursor out",
            None,
        )),
        None => Ok(()),
    }
}
