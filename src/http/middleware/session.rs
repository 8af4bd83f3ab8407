//! Layer 9: checks the space and the session of a request.
//!
//! Sessions exist in the revisions before 2026-07-28. A session is bound to its caller and to the
//! path of its `initialize` request.

use std::sync::Arc;

use axum::{
    body::HttpBody,
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::{HeaderName, HeaderValue, Method, StatusCode, header::RETRY_AFTER};
use tracing::Instrument;

use super::context::{context_of, not_served};
use crate::{
    http::{
        envelope::{Envelope, RequestKind},
        peer::client_key,
        rejection::Rejection,
    },
    mcp::{
        MAX_RESPONSE_BYTES, McpProvider, Protocol, SessionLimit, SessionLocation, SessionRegistry,
        TakeoverError,
    },
};

const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
const LAST_EVENT: HeaderName = HeaderName::from_static("last-event-id");
const VERSION: &str = "mcp-protocol-version";

/// Sessions, if the settings enable them, and the protocol.
pub(in crate::http) struct SessionState<O> {
    pub(in crate::http) sessions: Option<Arc<SessionRegistry>>,
    pub(in crate::http) protocol: Protocol<O>,
}

impl<O> Clone for SessionState<O> {
    fn clone(&self) -> Self {
        Self { sessions: self.sessions.clone(), protocol: self.protocol.clone() }
    }
}

/// Checks that the space and the session of a request exist for its caller.
///
/// - Needs: `Arc<RequestContext>`, the peer, and `Arc<Envelope>` of a POST request.
/// - Adds: nothing. It removes session headers if sessions are disabled.
/// - Rejects with: 404 (space, session), 413 (large response to a server request), 429 and
///   503 (too many sessions), 503 (store unavailable).
///
/// For calls, the space is looked up at Octopus, so this layer runs after the rate limits.
pub(in crate::http) async fn enter_session<O: McpProvider>(
    State(state): State<SessionState<O>>,
    request: Request,
    next: Next,
) -> Response {
    if RequestKind::of(&request) == RequestKind::Call {
        let context = context_of(request.extensions());
        let found = Box::pin(state.protocol.provider().check_space(&context)).await;
        if let Err(error) = found {
            let id = Envelope::id_of(request.extensions());
            return not_served(&context.caller, &error).to(&id);
        }
    }
    serve_in_session(state, request, next).await
}

/// Serves a request in its session. In a revision without sessions, or if the settings disable
/// them, session headers are ignored and removed.
async fn serve_in_session<O: McpProvider>(
    SessionState { sessions, protocol }: SessionState<O>,
    mut request: Request,
    next: Next,
) -> Response {
    let version = request.headers().get(VERSION);
    let stateless = version.is_some_and(|version| version.as_bytes() >= b"2026-07-28".as_slice());
    let envelope = Envelope::of(request.extensions());
    // `initialize` always begins a session, because the revision without sessions has no such
    // method.
    let begins = envelope.is_some_and(Envelope::initializes);
    let is_answer = envelope.is_some_and(Envelope::is_response);
    let id = Envelope::id_of(request.extensions());
    let Some(sessions) = sessions.filter(|_| begins || !stateless) else {
        request.headers_mut().remove(SESSION);
        request.headers_mut().remove(LAST_EVENT);
        return next.run(request).await;
    };
    // Every replica has the same limit, also for responses that it forwards.
    if is_answer && request.body().size_hint().lower() > MAX_RESPONSE_BYTES as u64 {
        let message = format!(
            "the client's response to a server request is larger than the limit of \
             {MAX_RESPONSE_BYTES} bytes; send only the requested fields"
        );
        return Rejection::new(StatusCode::PAYLOAD_TOO_LARGE, message).to(&id);
    }
    let context = context_of(request.extensions());
    let address = client_key(request.extensions());
    let named = request.headers().get(SESSION).cloned();
    let named = named.as_ref().map(HeaderValue::to_str);
    let found = match &named {
        Some(Ok(id)) => sessions.locate(id, &context.caller, &context.scope).await,
        _ => SessionLocation::NotFound,
    };
    let ends = request.method() == Method::DELETE;
    let mut is_remote = false;
    let rejection = match (&named, found) {
        (None, _) if begins => {
            sessions.check_capacity(&context.caller, &address).err().map(limit_reached)
        }
        (None, _) | (Some(Ok(_)), SessionLocation::Local) => None,
        // Session deletions and responses are forwarded to the other replica.
        (Some(Ok(_)), SessionLocation::Remote(_)) if ends || is_answer => {
            is_remote = true;
            None
        }
        (Some(Ok(id)), SessionLocation::Remote(initialize)) => {
            let (parts, body) = request.into_parts();
            let for_request = (&context.caller, address, parts.clone());
            request = Request::from_parts(parts, body);
            let result = sessions.take_over(&protocol, id, *initialize, for_request).await;
            result.err().map(takeover_failed)
        }
        (Some(Ok(_)), SessionLocation::Unknown) => Some(store_unavailable()),
        // Returns the same message for unknown sessions, ended sessions, sessions of other callers,
        // and sessions of another path or other headers, so that it reveals nothing about them.
        (Some(_), _) => Some(Rejection::new(
            StatusCode::NOT_FOUND,
            "there is no such session; send `initialize` without Mcp-Session-Id for a new one",
        )),
    };
    if let Some(rejection) = rejection {
        return rejection.to(&id);
    }
    let served = next.run(request);
    if ends {
        let sessions = Arc::clone(&sessions);
        let named = named.and_then(Result::ok).map(str::to_owned);
        let ending = async move {
            let request_origin = (address, is_remote);
            let mut response = SessionRegistry::with_request(
                &context.caller,
                &context.scope,
                request_origin,
                served,
            )
            .await;
            if let (StatusCode::ACCEPTED, Some(id)) = (response.status(), named) {
                sessions.end(&id).await;
                // rmcp answers 202, which some clients treat as a failure.
                *response.status_mut() = StatusCode::NO_CONTENT;
            }
            response
        };
        // Runs in a task, so that the session also ends if the client closes the connection.
        let ended = tokio::spawn(ending.in_current_span()).await;
        return ended.unwrap_or_else(|_| {
            retry_later("the session could not be ended; retry in 1 second").to(&id)
        });
    }
    let request_origin = (address, is_remote);
    let response =
        SessionRegistry::with_request(&context.caller, &context.scope, request_origin, served)
            .await;
    // Concurrent requests may have started the last permitted sessions.
    if begins
        && response.status() == StatusCode::INTERNAL_SERVER_ERROR
        && let Err(limit) = sessions.check_capacity(&context.caller, &address)
    {
        return limit_reached(limit).to(&id);
    }
    response
}

fn takeover_failed(error: TakeoverError) -> Rejection {
    match error {
        TakeoverError::LimitReached(limit) => limit_reached(limit),
        TakeoverError::Failed => {
            retry_later("the session could not be resumed at this replica; retry in 1 second")
        }
    }
}

fn store_unavailable() -> Rejection {
    retry_later("the session store is not available; retry in 1 second")
}

fn retry_later(message: &'static str) -> Rejection {
    Rejection::new(StatusCode::SERVICE_UNAVAILABLE, message)
        .with_header(RETRY_AFTER, HeaderValue::from_static("1"))
}

fn limit_reached(limit: SessionLimit) -> Rejection {
    let (status, message) = match limit {
        SessionLimit::PerCaller => (
            StatusCode::TOO_MANY_REQUESTS,
            "the limit for sessions of one caller is reached; end a session with DELETE, or wait \
             until an idle one ends",
        ),
        SessionLimit::Total => (
            StatusCode::SERVICE_UNAVAILABLE,
            "the limit for sessions of this server is reached; retry in 60 seconds",
        ),
    };
    Rejection::new(status, message).with_header(RETRY_AFTER, HeaderValue::from_static("60"))
}
