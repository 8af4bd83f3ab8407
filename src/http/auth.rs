//! Who calls, and with which Octopus credential.
//!
//! Two questions that are never mixed: whether the caller may use this server, and which Octopus
//! credential acts. In the modes that there are, the answer to both is the credential: the
//! caller's own, or the configured one where the settings let anybody use it. Nothing falls back
//! from a credential that was sent and is not right.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION, WWW_AUTHENTICATE},
};

use super::{
    Gate,
    envelope::Envelope,
    refusal::{Refusal, code},
};
use crate::{
    config::AuthMode,
    mcp::Caller,
    octopus::{Configured, Credentials},
};

const API_KEY: HeaderName = HeaderName::from_static("x-octopus-apikey");

/// Headers that nothing may print.
pub(super) fn sensitive_headers() -> [HeaderName; 4] {
    [API_KEY, AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE]
}

/// How callers are known.
#[derive(Debug)]
pub enum Auth {
    /// By their Octopus credential; without one there is no entry.
    Octopus,
    /// Not at all: with their own credential, or else with the configured one.
    None(Option<Configured>),
    /// Not at all, for offerings that need no credential.
    Open,
}

impl Auth {
    /// The way that the settings name.
    pub fn new(mode: AuthMode, configured: Option<Configured>) -> Self {
        match mode {
            AuthMode::Octopus => Self::Octopus,
            AuthMode::None => Self::None(configured),
        }
    }

    fn caller(&self, headers: &HeaderMap) -> Result<Caller, Refusal> {
        if matches!(self, Self::Open) {
            return Ok(Caller::default());
        }
        let key = only(headers, &API_KEY)?;
        let authorization = only(headers, &AUTHORIZATION)?;
        let credentials = match (key, authorization, self) {
            (Some(_), Some(_), _) => {
                return Err(Refusal::bad_request(
                    code::INVALID_REQUEST,
                    "two credentials: send X-Octopus-ApiKey or Authorization, not both",
                ));
            }
            (Some(key), None, _) => {
                Credentials::api_key(key).map_err(|error| refused(&error.to_string()))?
            }
            (None, Some(authorization), Self::Octopus) => bearer(authorization)?,
            (None, Some(_), _) => {
                return Err(refused(
                    "this server takes no Authorization header; send your key in \
                     X-Octopus-ApiKey, or nothing to use the configured one",
                ));
            }
            (None, None, Self::None(Some(configured))) => configured.read().map_err(|reason| {
                tracing::error!(reason, "the configured credential cannot be read");
                Refusal::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "the configured Octopus credential cannot be read; whoever runs this server \
                     finds the reason in its log",
                )
                .with_code(code::INTERNAL)
            })?,
            (None, None, _) => return Err(missing()),
        };
        Ok(Caller { credentials: Some(credentials) })
    }
}

/// Finds out who calls, and tells the protocol. The headers go no further.
pub(super) async fn identify(
    State(gate): State<Arc<Gate>>,
    mut request: Request,
    next: Next,
) -> Response {
    match gate.auth.caller(request.headers()) {
        Ok(caller) => {
            for name in sensitive_headers() {
                request.headers_mut().remove(name);
            }
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(refusal) => refusal.to(&Envelope::id_of(&request)),
    }
}

/// The one value of a header. Two would leave open which of them counts.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Refusal> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => {
            let text = value.to_str().map_err(|_| refused("the credential is not plain text"))?;
            Ok(Some(text))
        }
        (Some(_), Some(_)) => {
            let message = format!("the header {name} is there twice");
            Err(Refusal::bad_request(code::INVALID_REQUEST, message))
        }
    }
}

/// An access token as RFC 6750, section 2.1, sends it.
fn bearer(authorization: &str) -> Result<Credentials, Refusal> {
    match authorization.trim().split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
            Credentials::access_token(token).map_err(|error| refused(&error.to_string()))
        }
        _ => Err(refused("Authorization must be `Bearer` and an Octopus access token")),
    }
}

/// The challenge names the header, because a client can only show it to a person: there is no
/// token to fetch (RFC 9110, section 11.6.1).
fn challenge(error: Option<&str>) -> HeaderValue {
    let error = error.map_or_else(String::new, |error| format!(", error=\"{error}\""));
    let text = format!(
        "Bearer realm=\"Octopus Deploy: send the header X-Octopus-ApiKey with your API \
         key\"{error}"
    );
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("Bearer"))
}

fn missing() -> Refusal {
    Refusal::new(
        StatusCode::UNAUTHORIZED,
        "no Octopus credential came with the request; send the header X-Octopus-ApiKey: API-... \
         with your API key, or Authorization: Bearer with an Octopus access token",
    )
    .with_header(WWW_AUTHENTICATE, challenge(None))
}

fn refused(message: &str) -> Refusal {
    Refusal::new(StatusCode::UNAUTHORIZED, message)
        .with_header(WWW_AUTHENTICATE, challenge(Some("invalid_token")))
}
