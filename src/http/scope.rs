//! What a call needs, and what the token of its caller allows.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use rmcp::model::CallToolRequestParams;

use super::{Auth, Gate, challenge::Challenge, envelope::Envelope};
use crate::{
    callers::{Caller, Way},
    mcp::{Offering, Protocol},
};

/// Refuses a call that the access token does not allow, so that its client can ask for one that
/// does. Callers who are known in another way have nothing to ask for, and are told by the tool.
pub(super) async fn check<O: Offering>(
    State((gate, protocol)): State<(Arc<Gate>, Protocol<O>)>,
    request: Request,
    next: Next,
) -> Response {
    let (parts, body): (_, Body) = request.into_parts();
    let envelope = parts.extensions.get::<Envelope>();
    let called = envelope.filter(|envelope| envelope.method.as_deref() == Some("tools/call"));
    let params = called.and_then(|envelope| envelope.params.as_deref());
    let params =
        params.and_then(|params| serde_json::from_str::<CallToolRequestParams>(params.get()).ok());
    let who = parts.extensions.get::<Caller>().map(|caller| &caller.who);
    if let (Some(params), Some(who), Auth::Ways(ways)) = (params, who, &gate.auth)
        && who.way == Way::Oauth
    {
        let needs = protocol.offering().needs(&params);
        let granted = who.grants.scope;
        if needs > granted {
            let (tool, caller) = (&*params.name, &who.name);
            tracing::info!(tool = %tool.escape_debug(), caller, needs = needs.name(), "scope");
            let id = envelope.map(|envelope| envelope.id.clone()).unwrap_or_default();
            return Challenge::of(ways, &gate, &parts).insufficient(Some(granted), needs).to(&id);
        }
    }
    next.run(Request::from_parts(parts, body)).await
}
