//! What an offering learns of a request beside its parameters.

use rmcp::{
    RoleServer,
    model::{ClientCapabilities, ProtocolVersion},
    service::RequestContext,
};
use tokio::sync::mpsc;

use super::Caller;

/// What an offering learns of a request beside its parameters.
#[derive(Debug, Clone)]
pub struct Request {
    /// Whoever's request it is.
    pub caller: Caller,
    /// What the client calls itself, with its version.
    pub client: Option<String>,
    /// What the client can do.
    pub capabilities: ClientCapabilities,
    /// The revision of the protocol that the request speaks.
    pub version: ProtocolVersion,
    /// Where to tell how far a long call is: an amount that only grows, and what it means. Nobody
    /// may be listening.
    pub progress: Option<mpsc::Sender<(u64, String)>>,
}

impl Request {
    /// Reads it from what rmcp gives. The caller was put into the HTTP request by the listener;
    /// where there is no HTTP, `local` is the caller.
    pub(super) fn of(context: &RequestContext<RoleServer>, local: Option<&Caller>) -> Option<Self> {
        let caller = context
            .extensions
            .get::<http::request::Parts>()
            .and_then(|parts| parts.extensions.get::<Caller>())
            .or(local)?
            .clone();
        Some(Self {
            caller,
            client: context.client_info().map(|info| format!("{}/{}", info.name, info.version)),
            capabilities: context.client_capabilities().unwrap_or_default(),
            version: context.protocol_version().unwrap_or(ProtocolVersion::V_2025_03_26),
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
