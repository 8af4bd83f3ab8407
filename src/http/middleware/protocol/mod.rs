//! Layer 10: the MCP protocol.
//!
//! This layer checks messages before rmcp's transport serves them. It adds keep-alive comments and
//! JSON-RPC error bodies to its responses.

mod error_body;
mod keep_alive;
mod parameters;
mod revision;

pub(in crate::http) use keep_alive::INTERVAL;

use std::time::Duration;

use axum::{
    body::Body,
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use futures::StreamExt;

use super::{context::context_of, message::AcceptsEvents};
use crate::{
    http::{envelope::Envelope, rejection::Rejection, server::Readiness},
    mcp::{McpProvider, Protocol},
};

/// Settings of this layer.
#[derive(Debug, Clone)]
pub(in crate::http) struct ProtocolState {
    /// Time without output after which a call starts to send comments.
    pub(in crate::http) quiet_limit: Duration,
    pub(in crate::http) readiness: Readiness,
}

/// Checks protocol headers and parameters, and serves the request with rmcp.
///
/// - Needs: `Arc<RequestContext>`; `Arc<Envelope>` and [`AcceptsEvents`] of a POST request.
/// - Adds: nothing. rmcp passes the extensions of the request to the handlers.
/// - Rejects with: 400 (contradicting headers, unknown revision, parameters), 200 with a JSON-RPC
///   error (parameters, in revisions with sessions). Errors of rmcp get a JSON-RPC body.
///
/// After the quiet limit, the response of a call becomes an event stream with comments. Event
/// streams without a running request end when the server stops.
pub(in crate::http) async fn serve_protocol<O: McpProvider>(
    State(state): State<ProtocolState>,
    request: Request,
    next: Next,
) -> Response {
    let id = Envelope::id_of(request.extensions());
    if let Err(rejection) = check(&request) {
        return rejection.to(&id);
    }
    let is_message = Envelope::of(request.extensions()).is_some();
    let accepts_events =
        request.extensions().get::<AcceptsEvents>().is_some_and(|accepts| accepts.0);
    let context = context_of(request.extensions());
    let response = Box::pin(Protocol::<O>::with_context(context, async move {
        error_body::make_json_rpc(next.run(request).await, &id).await
    }));
    if !is_message {
        return end_with_server(&state.readiness, response).await;
    }
    if accepts_events {
        keep_alive::keep_alive(response, state.quiet_limit).await
    } else {
        response.await
    }
}

fn check(request: &Request) -> Result<(), Rejection> {
    let Some(envelope) = Envelope::of(request.extensions()) else { return Ok(()) };
    revision::check(request.headers(), envelope)?;
    parameters::check(envelope, revision::is_stateless(request.headers()))
}

/// Ends the stream of a response when the server stops, so that the client reconnects to another
/// replica.
async fn end_with_server(
    readiness: &Readiness,
    response: impl Future<Output = Response>,
) -> Response {
    let ended = Box::pin(readiness.streams_ended());
    response.await.map(|body| Body::from_stream(body.into_data_stream().take_until(ended)))
}
