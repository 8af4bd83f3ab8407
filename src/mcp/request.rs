//! What an offering learns of a request beside its parameters.

use rmcp::{
    RoleServer,
    model::{ClientCapabilities, ElicitationCapability, ProtocolVersion},
    service::RequestContext,
};
use tokio::sync::mpsc;

use crate::{callers::Caller, tool::Narrowing};

/// What an offering learns of a request beside its parameters.
#[derive(Debug, Clone)]
pub struct Request {
    /// Whoever's request it is.
    pub caller: Caller,
    /// What it asks to be narrowed to.
    pub narrowing: Narrowing,
    /// What the client calls itself, with its version.
    pub client: Option<String>,
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
    /// Reads it from what rmcp gives. The caller was put into the HTTP request by the listener;
    /// where there is no HTTP, `local` is the caller.
    pub(super) fn of(
        context: &RequestContext<RoleServer>,
        local: Option<&Caller>,
        sessions: bool,
    ) -> Option<Self> {
        let parts = context.extensions.get::<http::request::Parts>();
        let caller = parts.and_then(|parts| parts.extensions.get::<Caller>()).or(local)?.clone();
        let narrowing = parts.and_then(|parts| parts.extensions.get::<Narrowing>());
        let narrowing = narrowing.cloned().unwrap_or_default();
        let capabilities = context.client_capabilities().unwrap_or_default();
        let version = context.protocol_version().unwrap_or(ProtocolVersion::V_2025_03_26);
        // Without either mode a client means forms, as the first revision with elicitation had it.
        let forms = |can: &ElicitationCapability| can.form.is_some() || can.url.is_none();
        let can_ask = (sessions || is_stateless(&version))
            && capabilities.elicitation.as_ref().is_some_and(forms);
        Some(Self {
            caller,
            narrowing,
            client: context.client_info().map(|info| format!("{}/{}", info.name, info.version)),
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

/// Revisions are dates, and compare as text.
pub(super) fn is_stateless(version: &ProtocolVersion) -> bool {
    version.as_str() >= ProtocolVersion::V_2026_07_28.as_str()
}
