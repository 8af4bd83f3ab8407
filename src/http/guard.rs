//! Refuses requests that cannot be meant for this server.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::{
    HeaderValue, StatusCode,
    header::{HOST, ORIGIN},
    request::Parts,
};

use super::{
    Gate,
    envelope::Envelope,
    reached::Reached,
    refusal::{Refusal, code},
};

/// Checks `Host`, `Origin` and the query.
pub(super) async fn check(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    let id = Envelope::id_of(&request);
    let (parts, body) = request.into_parts();
    match host(&gate, &parts).and_then(|()| origin(&gate, &parts)).and_then(|()| query(&parts)) {
        Ok(()) => next.run(Request::from_parts(parts, body)).await,
        Err(refusal) => refusal.to(&id),
    }
}

/// A page that makes a browser send requests here under a name of its own (DNS rebinding) is
/// stopped by the name it uses.
fn host(gate: &Gate, parts: &Parts) -> Result<(), Refusal> {
    let mut hosts = parts.headers.get_all(HOST).iter();
    let header = match (hosts.next(), hosts.next()) {
        (_, Some(_)) => {
            return Err(Refusal::bad_request(code::INVALID_REQUEST, "there are two Host headers"));
        }
        (header, None) => header.map(|value| value.to_str().unwrap_or_default()),
    };
    // HTTP/2 has the authority in the place of the header.
    let host = parts.uri.authority().map(http::uri::Authority::as_str).or(header);
    match host {
        Some(host) if gate.allowed.host(host) => Ok(()),
        Some(host) => Err(Refusal::new(
            StatusCode::FORBIDDEN,
            format!(
                "this server does not serve the host '{}'; whoever runs it can add it to \
                 http.allowed_hosts",
                host.chars().take(100).collect::<String>().escape_debug()
            ),
        )),
        None => Err(Refusal::bad_request(code::INVALID_REQUEST, "the request names no host")),
    }
}

/// Programs send no origin; pages do. A page of this very server may call.
fn origin(gate: &Gate, parts: &Parts) -> Result<(), Refusal> {
    let own = || [Reached::by(gate, parts), Reached::asked(gate, parts)].into_iter().flatten();
    let may = |origin: &HeaderValue| {
        gate.allowed.origin(origin) || own().any(|reached| reached.has_origin(origin))
    };
    match parts.headers.get_all(ORIGIN).iter().find(|origin| !may(origin)) {
        None => Ok(()),
        Some(_) => Err(Refusal::new(
            StatusCode::FORBIDDEN,
            "pages of this origin may not call; whoever runs the server can add it to \
             http.allowed_origins",
        )),
    }
}

/// Names of parameters that people put credentials in.
const CREDENTIALS: &[&str] = &[
    "apikey",
    "api_key",
    "api-key",
    "access_token",
    "token",
    "key",
    "authorization",
    "x-octopus-apikey",
];

/// Addresses end up in logs and histories, so a credential in one is refused and not used.
fn query(parts: &Parts) -> Result<(), Refusal> {
    let Some(query) = parts.uri.query() else { return Ok(()) };
    let is_credential = url::form_urlencoded::parse(query.as_bytes()).any(|(name, value)| {
        CREDENTIALS.contains(&name.to_ascii_lowercase().as_str()) || value.starts_with("API-")
    });
    if is_credential {
        return Err(Refusal::bad_request(
            code::INVALID_REQUEST,
            "a credential does not belong in the address, where logs keep it; send it in the \
             header X-Octopus-ApiKey, and replace this one",
        ));
    }
    Ok(())
}
