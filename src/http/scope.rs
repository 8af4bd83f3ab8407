//! What a call needs, and what the token of its caller allows.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::request::Parts;
use rmcp::model::CallToolRequestParams;

use super::{Auth, Gate, challenge::Challenge, envelope::Envelope};
use crate::{
    callers::{Caller, Scope},
    mcp::{Offering, Protocol},
    tool::Narrowing,
};

/// Refuses a call that the access token does not allow, so that its client can ask for one that
/// does. Where no other token would let the call go on, it goes on as it is, and is answered as
/// for everybody else who may not have the tool.
pub(super) async fn check<O: Offering>(
    State((gate, protocol)): State<(Arc<Gate>, Protocol<O>)>,
    request: Request,
    next: Next,
) -> Response {
    let (parts, body): (_, Body) = request.into_parts();
    if let Auth::Ways(ways) = &gate.auth
        && let Some((has, needs)) = lacks(&*protocol.offering(), &parts)
        && ways.oauth().is_some_and(|oauth| oauth.advertises(needs))
    {
        tracing::info!(needs = needs.name(), has = has.name(), "a token allows too little");
        let id = parts.extensions.get::<Envelope>().map(|envelope| envelope.id.clone());
        let id = id.unwrap_or_default();
        return Challenge::of(ways, &gate, &parts).insufficient(Some(has), needs).to(&id);
    }
    next.run(Request::from_parts(parts, body)).await
}

/// What the token of a caller allows and what their call needs, where another token is all that it
/// lacks.
fn lacks(offering: &impl Offering, parts: &Parts) -> Option<(Scope, Scope)> {
    let envelope = parts.extensions.get::<Envelope>()?;
    let caller = parts.extensions.get::<Caller>()?;
    let narrowing = parts.extensions.get::<Narrowing>()?;
    if envelope.method.as_deref() != Some("tools/call") || !caller.who.is_scoped {
        return None;
    }
    let params: CallToolRequestParams =
        serde_json::from_str(envelope.params.as_ref()?.get()).ok()?;
    let needs = offering.lacks(&params, caller, narrowing)?;
    Some((caller.who.grants.scope, needs))
}
