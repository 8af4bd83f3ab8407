//! The listener: HTTP in, HTTP out.
//!
//! | path | answers |
//! | --- | --- |
//! | `GET /` | a page for people, unless it is off ([`page`]) |
//! | `POST /mcp`, `/mcp/` | the Model Context Protocol |
//! | the same with `/readonly`, `/x/...`, `/i/...` | less of it ([`narrow`]) |
//! | `GET /mcp` | what this is, for browsers and health checkers: 405; the stream of a session |
//! | `DELETE /mcp` | the end of a session; 405 where none are kept |
//! | `GET /.well-known/oauth-protected-resource` | where callers get tokens, with any endpoint behind it |
//! | `GET /healthz` | 200 while the process runs |
//! | `GET /readyz` | 200 while it takes requests, 503 once it stops |
//!
//! Health has no credentials and no check of `Host`, so that probes by address work. Every error
//! of the endpoint has a JSON-RPC error as its body, with the ID of the request.

mod admit;
mod auth;
mod challenge;
mod envelope;
mod guard;
mod hosts;
mod leaving;
mod media;
mod narrow;
mod page;
mod peer;
mod proof;
mod quiet;
mod rate;
mod reached;
mod recorded;
mod refusal;
mod repair;
mod request_memory;
mod revision;
mod scope;
mod served;
mod server;
mod session;
mod shape;
mod trace;
mod well_known;

pub use auth::Auth;
pub use rate::Rates;
pub use server::{
    Certificates, ConnectionLimits, Listening, Readiness, Swap, listen, listen_within,
};

use std::sync::Arc;

use axum::{
    Router,
    middleware::{from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::post_service,
};
use http::{StatusCode, header};
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use tokio::sync::Semaphore;
use tower::ServiceBuilder;
use tower_http::{
    catch_panic::CatchPanicLayer,
    cors::{AllowHeaders, AllowMethods, AllowOrigin, CorsLayer},
    sensitive_headers::SetSensitiveRequestHeadersLayer,
};

use self::{refusal::Refusal, request_memory::RequestMemory};
use crate::{
    audit::Audit,
    config,
    mcp::{Manager, Offering, Protocol, Sessions},
    telemetry::Metrics,
};

/// Everything that a request passes on its way to the protocol.
#[derive(Debug)]
pub struct Gate {
    http: config::Http,
    allowed: hosts::Allowed,
    auth: Auth,
    readiness: Readiness,
    requests: Arc<Semaphore>,
    memory: RequestMemory,
    rates: Rates,
    /// Where requests that are refused are recorded.
    audit: Audit,
    /// Sessions, where the settings keep any.
    sessions: Option<Arc<Sessions>>,
    metrics: Metrics,
}

impl Gate {
    /// A gate with these settings.
    pub fn new(
        http: &config::Http,
        limits: &config::Limits,
        rates: Rates,
        auth: Auth,
        readiness: Readiness,
        sessions: Option<Arc<Sessions>>,
    ) -> Self {
        let public = http.public_url.as_ref().and_then(|url| url.host_str().map(str::to_owned));
        let hosts: Vec<String> = http.allowed_hosts.0.iter().cloned().chain(public).collect();
        Self {
            allowed: hosts::Allowed::new(&hosts, &http.allowed_origins.0),
            http: http.clone(),
            rates,
            auth,
            readiness,
            sessions,
            requests: Arc::new(Semaphore::new(admit::places(limits))),
            memory: RequestMemory::new(limits),
            audit: Audit::default(),
            metrics: Metrics::default(),
        }
    }

    /// A gate that records the requests that it refuses.
    #[must_use]
    pub fn audited(self, audit: Audit) -> Self {
        Self { audit, ..self }
    }

    /// A gate that counts and measures the requests that come to it.
    #[must_use]
    pub fn measured(self, metrics: Metrics) -> Self {
        Self { metrics, ..self }
    }
}

/// The whole surface of the main listener.
pub fn router<O: Offering>(gate: Gate, protocol: Protocol<O>) -> Router {
    let gate = Arc::new(gate);
    let endpoint = ServiceBuilder::new()
        // Early and cheap: a full server says so before it reads.
        .layer(from_fn_with_state(Arc::clone(&gate), admit::admit))
        // The body within its size and time; from here on every refusal has the request's ID.
        .layer(from_fn_with_state(Arc::clone(&gate), envelope::open))
        // Whoever cannot be meant: other hosts, foreign pages, keys in addresses.
        .layer(from_fn_with_state(Arc::clone(&gate), guard::check))
        // What the standards say of media types, in place of what rmcp compares.
        .layer(from_fn(media::settle))
        // Where too many came from that would not say who they are, nothing is looked at.
        .layer(from_fn_with_state(Arc::clone(&gate), rate::count_failures))
        // Whoever calls. Before anything that depends on who it is.
        .layer(from_fn_with_state(Arc::clone(&gate), auth::identify))
        // What it is narrowed to, by its path and headers.
        .layer(from_fn(narrow::read))
        // Whether such a request can be served at all, as far as this server knows by itself.
        .layer(from_fn_with_state(protocol.clone(), served::admit::<O>))
        // Whether the token of the caller allows such a call.
        .layer(from_fn_with_state((Arc::clone(&gate), protocol.clone()), scope::check::<O>))
        // Who asks for more than one may is told to wait.
        .layer(from_fn_with_state(Arc::clone(&gate), rate::limit))
        // Whether the places that it names are there, which Octopus may have to be asked.
        .layer(from_fn_with_state(protocol.clone(), served::find::<O>))
        // The session that a request names is its caller's.
        .layer(from_fn_with_state((Arc::clone(&gate), protocol.clone()), session::check::<O>))
        // What rmcp lets pass in headers and parameters.
        .layer(from_fn(revision::check))
        .layer(from_fn(shape::check))
        // A sign of life for calls that take long.
        .layer(from_fn_with_state(Arc::clone(&gate), quiet::keep_alive))
        // The last errors that are not JSON-RPC become so.
        .layer(from_fn(repair::repair))
        .layer(from_fn(narrow::serve::<O>))
        .service(transport(protocol.clone(), &gate));
    let endpoint = if gate.sessions.is_some() {
        // Streams that clients listen on stay open for long, so they take no place of a request.
        // They are told of no place of Octopus, so none is looked for.
        let streams = ServiceBuilder::new()
            .layer(from_fn_with_state(gate.readiness.clone(), leaving::end))
            .layer(from_fn_with_state(Arc::clone(&gate), guard::check))
            .layer(from_fn_with_state(Arc::clone(&gate), rate::count_failures))
            .layer(from_fn_with_state(Arc::clone(&gate), auth::identify))
            .layer(from_fn(narrow::read))
            .layer(from_fn_with_state(protocol.clone(), served::admit::<O>))
            .layer(from_fn_with_state(Arc::clone(&gate), rate::limit))
            .layer(from_fn_with_state((Arc::clone(&gate), protocol.clone()), session::check::<O>))
            .layer(from_fn(repair::repair))
            .service(transport(protocol, &gate));
        post_service(endpoint).get_service(streams.clone()).delete_service(streams)
    } else {
        post_service(endpoint).get(what_this_is)
    };
    let endpoint = endpoint.fallback(no_sessions);
    let below = endpoint.clone().layer(from_fn(narrow::known));
    // Whatever is refused from here on has a record.
    let recorded = from_fn_with_state(Arc::clone(&gate), recorded::keep);
    let endpoint = endpoint.layer(recorded.clone());
    Router::new()
        .route("/mcp", endpoint.clone())
        .route("/mcp/", endpoint)
        .route("/mcp/{*below}", below.layer(recorded))
        .merge(server::health_router(gate.readiness.clone()))
        .merge(page::router(&gate))
        .fallback(nothing_here)
        .layer(
            ServiceBuilder::new()
                // Nothing below can print these.
                .layer(SetSensitiveRequestHeadersLayer::new(auth::sensitive_headers()))
                // A server that stops sends its clients on.
                .layer(from_fn_with_state(gate.readiness.clone(), server::send_on))
                // Where it comes from, for whoever asks below.
                .layer(from_fn_with_state(Arc::clone(&gate), peer::find))
                // An ID and a span for each request, and one line about it.
                .layer(from_fn_with_state(Arc::clone(&gate), trace::trace))
                // A bug in one request is the end of that request alone.
                .layer(CatchPanicLayer::custom(refusal::panicked))
                // Pages of allowed origins may read the answers.
                .layer(cors(Arc::clone(&gate))),
        )
        .merge(well_known::router(&gate))
}

/// The surface of the admin listener.
pub fn admin_router(readiness: Readiness, metrics: Metrics) -> Router {
    server::health_router(readiness).merge(server::metrics_router(metrics)).fallback(nothing_here)
}

/// rmcp's transport. Its own check of hosts stands behind ours and is off. Its token would cut
/// calls off without an answer; the protocol ends them with one.
fn transport<O: Offering>(
    protocol: Protocol<O>,
    gate: &Gate,
) -> StreamableHttpService<Protocol<O>, Manager> {
    let settings = StreamableHttpServerConfig::default()
        .disable_allowed_hosts()
        .with_legacy_session_mode(gate.sessions.is_some())
        .with_json_response(true)
        .with_sse_keep_alive(Some(quiet::BEAT))
        .with_sse_retry(None)
        .with_max_request_body_bytes(gate.http.body_limit.0);
    let sessions = Arc::new(Manager(gate.sessions.clone()));
    StreamableHttpService::new(move || Ok(protocol.clone()), sessions, settings)
}

fn cors(gate: Arc<Gate>) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(move |origin, _| gate.allowed.origin(origin)))
        .allow_methods(AllowMethods::mirror_request())
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers(
            [header::WWW_AUTHENTICATE, header::RETRY_AFTER, trace::REQUEST_ID]
                .into_iter()
                .chain(rate::HEADERS)
                .collect::<Vec<_>>(),
        )
}

/// Browsers and health checkers come with GET; so do clients that hope for an event stream, which
/// a server without one answers with 405.
async fn what_this_is() -> Response {
    Refusal::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "this is the endpoint of an MCP server for Octopus Deploy; MCP clients POST to it. Add its \
         address to your client as an HTTP (streamable) server. There is no event stream on GET; \
         /healthz and /readyz are for probes",
    )
    .allowing_post()
    .into_response()
}

async fn no_sessions() -> Response {
    let message = "only POST is served here; this server keeps no sessions to end or to resume";
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, message).allowing_post().into_response()
}

async fn nothing_here() -> Response {
    Refusal::new(StatusCode::NOT_FOUND, "nothing is served here; the MCP endpoint is /mcp")
        .into_response()
}
