//! Who calls, and with which Octopus credential.
//!
//! Two questions that are never mixed: whether the caller may use this server, and which Octopus
//! credential acts. Nothing falls back from a credential that was sent and is not right.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION, WWW_AUTHENTICATE},
    request::Parts,
};

use super::{
    Gate,
    envelope::Envelope,
    proof,
    recorded::Learned,
    refusal::{Refusal, code},
};
use crate::{
    callers::{Caller, CheckToken, Ways},
    config::{self, AuthMode, Config, Modes},
    octopus::Credentials,
    telemetry::Metrics,
};

pub(super) const API_KEY: HeaderName = HeaderName::from_static("x-octopus-apikey");

/// Headers that nothing may print.
pub(super) fn sensitive_headers() -> [HeaderName; 4] {
    [API_KEY, AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE]
}

/// How callers are known.
#[derive(Debug)]
pub enum Auth {
    /// By their Octopus credential; without one there is no entry.
    Octopus,
    /// Not at all: whoever they are, with a credential of their own or none.
    None,
    /// Not at all, for offerings that need no credential.
    Open,
    /// By what they prove to this server.
    Ways(Box<Ways>),
}

impl Auth {
    /// The ways that the settings name. `check` is asked about the tokens of a file.
    pub fn from_config(
        config: &Config,
        check: CheckToken,
        metrics: &Metrics,
    ) -> Result<Self, String> {
        let modes = config.auth_modes();
        if Modes::PROOFS.into_iter().any(|mode| modes.has(mode)) {
            return Ok(Self::Ways(Box::new(Ways::from_config(config, check, metrics)?)));
        }
        Ok(if modes.has(AuthMode::None) { Self::None } else { Self::Octopus })
    }

    async fn caller(&self, gate: &Gate, parts: &Parts) -> Result<Caller, Refusal> {
        match self {
            Self::Open => Ok(Caller::default()),
            Self::Octopus | Self::None => self.by_credential(&parts.headers),
            Self::Ways(ways) => proof::caller(ways, gate, parts).await,
        }
    }

    /// The headers that name callers, beside the usual ones. They go no further.
    fn headers(&self) -> impl Iterator<Item = HeaderName> {
        let proxy = match self {
            Self::Ways(ways) => ways.proxy(),
            _ => None,
        };
        proxy.into_iter().flat_map(config::Proxy::headers).filter_map(|(_, name)| name.parse().ok())
    }

    fn by_credential(&self, headers: &HeaderMap) -> Result<Caller, Refusal> {
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
            (None, None, Self::Octopus) => return Err(missing()),
            (None, None, _) => return Ok(Caller::default()),
        };
        Ok(Caller::of_octopus(credentials))
    }
}

/// That nobody knows who calls: how an answer is marked that says so.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unidentified;

/// Finds out who calls, and tells the protocol. The headers go no further.
pub(super) async fn identify(
    State(gate): State<Arc<Gate>>,
    request: Request,
    next: Next,
) -> Response {
    let (mut parts, body) = request.into_parts();
    match gate.auth.caller(&gate, &parts).await {
        Ok(caller) => {
            for name in sensitive_headers().into_iter().chain(gate.auth.headers()) {
                parts.headers.remove(name);
            }
            Learned::caller(&parts.extensions, &caller.who);
            parts.extensions.insert(caller);
            next.run(Request::from_parts(parts, body)).await
        }
        Err(refusal) => {
            let is_unidentified = refusal.status() == StatusCode::UNAUTHORIZED;
            let envelope = parts.extensions.get::<Envelope>();
            let id = envelope.map(|envelope| envelope.id.clone()).unwrap_or_default();
            let mut response = refusal.to(&id);
            if is_unidentified {
                response.extensions_mut().insert(Unidentified);
            }
            response
        }
    }
}

/// The one value of a header. Two would leave open which of them counts.
pub(super) fn only<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> Result<Option<&'a str>, Refusal> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => {
            let text = value.to_str().map_err(|_| {
                let message = format!("the header {name} is not plain text");
                Refusal::bad_request(code::INVALID_REQUEST, message)
            })?;
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
pub(super) fn challenge(error: Option<&str>) -> HeaderValue {
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
