//! The routes, and the layers in front of them.
//!
//! A call passes ten layers, in this order. Each layer documents the request extensions that it
//! needs and adds, and the responses that it can return.
//!
//! | | layer | responsibility |
//! | --- | --- | --- |
//! | 1 | [`trace`](trace::trace) | peer, request ID, span, log line, metrics; panics |
//! | 2 | [`cors`](cors::cors) | allows pages of configured origins to read responses |
//! | 3 | [`endpoint`](endpoint::endpoint) | scope in the path; audit and metrics of rejections |
//! | 4 | [`admit`](admission::admit) | concurrent requests; size, time and memory of the body |
//! | 5 | [`check_message`](message::check_message) | JSON-RPC envelope; host, origin, media types |
//! | 6 | [`authenticate`](authentication::authenticate) | the caller; authentication failures per address |
//! | 7 | [`resolve_context`](context::resolve_context) | instance, scope and access; token scope |
//! | 8 | [`limit_rate`](rate_limit::limit_rate) | rate limits per caller and per instance |
//! | 9 | [`enter_session`](session::enter_session) | the requested space and session exist |
//! | 10 | [`serve_protocol`](protocol::serve_protocol) | protocol headers, parameters; keep-alive |
//!
//! Changing the order changes the behaviour. Cheap limits are checked first. The envelope is
//! parsed before every check whose rejection needs the ID of the request. Nothing is sent to
//! Octopus before the rate limits (8). Event streams (GET) and session deletions (DELETE) have
//! no message, so they run [`guard`](message::guard) instead of layers 4 and 5.

use std::sync::Arc;

use axum::{
    Router,
    middleware::from_fn_with_state,
    response::{IntoResponse, Response},
    routing::{MethodRouter, post_service},
};
use http::StatusCode;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use tower::ServiceBuilder;

use super::{
    middleware::{
        admission, authentication, context, cors, endpoint, message, protocol, rate_limit,
        session::{self, SessionState},
        trace,
    },
    page,
    rejection::Rejection,
    server::{self, Readiness},
    state::HttpState,
    well_known,
};
use crate::{
    mcp::{McpProvider, Protocol, SessionManagerAdapter},
    telemetry::Metrics,
};

/// Returns the router of the main listener.
pub fn router<O: McpProvider>(state: &HttpState, protocol: Protocol<O>) -> Router {
    let endpoint = endpoint(state, protocol);
    Router::new()
        .route("/mcp", endpoint.clone())
        .route("/mcp/", endpoint.clone())
        .route("/mcp/{*below}", endpoint)
        .merge(server::health_router(state.readiness.clone()))
        .merge(page::router(state))
        .fallback(not_found)
        .layer(cors::cors(Arc::clone(&state.addresses)))
        .merge(well_known::router(&state.authentication).layer(cors::public_cors()))
        .layer(from_fn_with_state(state.trace(), trace::trace))
}

/// Returns the router of the admin listener.
pub fn admin_router(readiness: Readiness, metrics: Metrics) -> Router {
    server::health_router(readiness).merge(server::metrics_router(metrics)).fallback(not_found)
}

/// Returns the routes of the endpoint: POST, and with sessions GET and DELETE.
fn endpoint<O: McpProvider>(state: &HttpState, protocol: Protocol<O>) -> MethodRouter {
    let authentication = &state.authentication;
    let sessions = SessionState { sessions: state.sessions.clone(), protocol: protocol.clone() };
    let resolver = (Arc::clone(authentication), protocol.clone());
    let serve = ServiceBuilder::new()
        .layer(from_fn_with_state(Arc::clone(authentication), authentication::authenticate))
        .layer(from_fn_with_state(resolver, context::resolve_context::<O>))
        .layer(from_fn_with_state(Arc::clone(&state.rates), rate_limit::limit_rate))
        .layer(from_fn_with_state(sessions, session::enter_session::<O>))
        .layer(from_fn_with_state(state.protocol(), protocol::serve_protocol::<O>))
        .service(transport(protocol, state));
    let messages = ServiceBuilder::new()
        .layer(from_fn_with_state(Arc::clone(&state.admission), admission::admit))
        .layer(from_fn_with_state(Arc::clone(&state.addresses), message::check_message))
        .service(serve.clone());
    let endpoint = if state.sessions.is_some() {
        let streams = ServiceBuilder::new()
            .layer(from_fn_with_state(Arc::clone(&state.addresses), message::guard))
            .service(serve);
        post_service(messages).get_service(streams.clone()).delete_service(streams)
    } else {
        post_service(messages).get(explain_endpoint)
    };
    endpoint
        .fallback(only_post)
        .layer(from_fn_with_state(state.rejections.clone(), endpoint::endpoint))
}

/// Returns rmcp's transport. Its host check is off, because the message layer checks hosts. Its
/// cancellation token would end calls without a response; the protocol ends them with one.
fn transport<O: McpProvider>(
    protocol: Protocol<O>,
    state: &HttpState,
) -> StreamableHttpService<Protocol<O>, SessionManagerAdapter> {
    let settings = StreamableHttpServerConfig::default()
        .disable_allowed_hosts()
        .with_legacy_session_mode(state.sessions.is_some())
        .with_json_response(true)
        .with_sse_keep_alive(Some(protocol::INTERVAL))
        .with_sse_retry(None)
        .with_max_request_body_bytes(state.http.body_limit.0);
    let sessions = Arc::new(SessionManagerAdapter(state.sessions.clone()));
    StreamableHttpService::new(move || Ok(protocol.clone()), sessions, settings)
}

/// Answers GET without sessions, for browsers, health checkers, and clients that try to open an
/// event stream. MCP clients interpret the status 405 as "no stream available" (MCP 2025-03-26,
/// "Transports").
async fn explain_endpoint() -> Response {
    Rejection::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "this is the endpoint of an MCP server for Octopus Deploy; MCP clients POST to it. Add its \
         address to your client as an HTTP (streamable) server. There is no event stream on GET; \
         /healthz and /readyz are for probes",
    )
    .allowing_post()
    .into_response()
}

async fn only_post() -> Response {
    let message = "only POST is supported here; this server has no sessions to end or to resume";
    Rejection::new(StatusCode::METHOD_NOT_ALLOWED, message).allowing_post().into_response()
}

async fn not_found() -> Response {
    Rejection::not_found().into_response()
}
