//! Rejects requests with a disallowed host or origin, or with credentials in the URL.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{
    HeaderValue, StatusCode,
    header::{HOST, ORIGIN},
    request::Parts,
};

use crate::http::{
    public_address::PublicAddresses,
    rejection::{Rejection, code},
};

/// Runs [`check`] on requests without a message: event streams, session deletions, the web page.
///
/// - Needs: [`Peer`](crate::http::peer::Peer).
/// - Adds: nothing.
/// - Rejects with: 400 and 403.
pub(in crate::http) async fn guard(
    State(addresses): State<Arc<PublicAddresses>>,
    request: Request,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    match check(&addresses, &parts) {
        Ok(()) => next.run(Request::from_parts(parts, body)).await,
        Err(rejection) => rejection.into_response(),
    }
}

/// Checks `Host`, `Origin` and the query.
///
/// # Errors
///
/// Returns 403 for a host or origin that is not allowed, and 400 for a missing or repeated `Host`
/// or a credential in the query.
pub(super) fn check(addresses: &PublicAddresses, parts: &Parts) -> Result<(), Rejection> {
    check_host(addresses, parts)?;
    check_origin(addresses, parts)?;
    check_query(parts)
}

/// Rejects hosts that are not allowed, to prevent DNS rebinding: a page whose own host name
/// resolves to this server sends that name in `Host`.
fn check_host(addresses: &PublicAddresses, parts: &Parts) -> Result<(), Rejection> {
    let mut hosts = parts.headers.get_all(HOST).iter();
    let header = match (hosts.next(), hosts.next()) {
        (_, Some(_)) => {
            return Err(Rejection::bad_request(
                code::INVALID_REQUEST,
                "the header Host is repeated",
            ));
        }
        (header, None) => header.map(|value| value.to_str().unwrap_or_default()),
    };
    // HTTP/2 sends the authority instead of the header.
    let host = parts.uri.authority().map(http::uri::Authority::as_str).or(header);
    match host {
        Some(host) if addresses.allowed().allows_host(host) => Ok(()),
        Some(host) => Err(Rejection::new(
            StatusCode::FORBIDDEN,
            format!(
                "this server does not serve the host '{}'; its operator can add the host to \
                 http.allowed_hosts",
                host.chars().take(100).collect::<String>().escape_debug()
            ),
        )),
        None => {
            Err(Rejection::bad_request(code::INVALID_REQUEST, "the request has no Host header"))
        }
    }
}

/// Rejects requests from web pages of other origins. Pages of this server are always allowed.
fn check_origin(addresses: &PublicAddresses, parts: &Parts) -> Result<(), Rejection> {
    let own = || [addresses.public(parts), addresses.requested(parts)].into_iter().flatten();
    let is_allowed = |origin: &HeaderValue| {
        addresses.allowed().allows_origin(origin) || own().any(|own| own.has_origin(origin))
    };
    match parts.headers.get_all(ORIGIN).iter().find(|origin| !is_allowed(origin)) {
        None => Ok(()),
        Some(_) => Err(Rejection::new(
            StatusCode::FORBIDDEN,
            "pages of this origin may not send requests; the operator of the server can add the \
             origin to http.allowed_origins",
        )),
    }
}

/// Names of query parameters in which clients send credentials by mistake.
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

/// Rejects credentials in the URL, because logs and browser histories contain URLs.
fn check_query(parts: &Parts) -> Result<(), Rejection> {
    let Some(query) = parts.uri.query() else { return Ok(()) };
    let is_credential = url::form_urlencoded::parse(query.as_bytes()).any(|(name, value)| {
        CREDENTIALS.contains(&name.to_ascii_lowercase().as_str()) || value.starts_with("API-")
    });
    if is_credential {
        return Err(Rejection::bad_request(
            code::INVALID_REQUEST,
            "the URL contains a credential, and logs keep URLs; send it in the header \
             X-Octopus-ApiKey, and replace this credential",
        ));
    }
    Ok(())
}
