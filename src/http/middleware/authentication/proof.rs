//! Authenticates callers by a proof of identity: a bearer token, the header of a trusted proxy, or
//! a client certificate.

use http::{
    HeaderMap, HeaderName, StatusCode,
    header::{AUTHORIZATION, WWW_AUTHENTICATE},
    request::Parts,
};

use super::{
    Auth,
    challenge::Challenge,
    credential::{API_KEY, bearer_token, single},
};
use crate::{
    auth::{AuthMethod, Authenticators, Caller, ProxyHeaders},
    http::{
        peer::Peer,
        public_address::PublicAddresses,
        rejection::{Rejection, code},
        server::ClientCertificate,
    },
    octopus::{Credentials, Fingerprint},
};

/// Returns the caller of a request, authenticated by its proof of identity.
///
/// # Errors
///
/// Returns 401 for a missing or invalid proof, 400 for two proofs or a malformed header, and 403
/// for a proof without access. Returns 503 if the issuer of a token is not available.
pub(super) async fn caller(
    authenticators: &Authenticators,
    addresses: &PublicAddresses,
    parts: &Parts,
) -> Result<Caller, Rejection> {
    let challenge = Challenge::new(authenticators, addresses, parts);
    let bearer =
        if accepts_bearer(authenticators) { single(&parts.headers, &AUTHORIZATION)? } else { None };
    let named = proxy_identity(authenticators, parts)?;
    let certificate = if authenticators.accepts_certificates() { certificate(parts) } else { None };
    let proofs = [bearer.is_some(), named.is_some(), certificate.is_some()];
    if proofs.into_iter().filter(|proof| *proof).count() > 1 {
        return Err(Rejection::bad_request(
            code::INVALID_REQUEST,
            "the request has two proofs of identity; send one of them: a token in Authorization, \
             the header of the proxy, or a client certificate",
        ));
    }
    let mut token = None;
    let identity = match (bearer, named, certificate) {
        (Some(authorization), ..) => {
            let token_text = require_bearer_token(authorization)?;
            let identity = authenticators.authenticate_bearer(token_text, parts.uri.path()).await;
            let identity = identity.map_err(|error| {
                tracing::info!(reason = %error, "token rejected");
                challenge.rejected(&error)
            })?;
            // Kept only for the token exchange (`octopus.exchange`).
            token = (identity.method == AuthMethod::Oauth).then(|| token_text.to_owned().into());
            identity
        }
        (_, Some(named), _) => {
            authenticators.authenticate_proxy(&named).map_err(|error| challenge.rejected(&error))?
        }
        (_, _, Some(der)) => authenticators.authenticate_certificate(der).map_err(|error| {
            tracing::info!(reason = %error, "client certificate rejected");
            challenge.rejected(&error)
        })?,
        (None, None, None) => return Err(challenge.missing()),
    };
    Ok(Caller { identity, own_credentials: own_credential(&parts.headers)?, subject_token: token })
}

fn accepts_bearer(authenticators: &Authenticators) -> bool {
    authenticators.oauth().is_some() || authenticators.accepts_tokens()
}

/// Returns a fingerprint of the credential headers, the caller named by a trusted proxy, and the
/// client certificate. Returns `None` if the request has none of these.
pub(super) fn fingerprint(auth: &Auth, parts: &Parts) -> Option<Fingerprint> {
    let (proxy, certificates, bearer) = match auth {
        Auth::Authenticated(authenticators) => (
            authenticators.proxy(),
            authenticators.accepts_certificates(),
            accepts_bearer(authenticators),
        ),
        Auth::Octopus | Auth::None | Auth::Open => (None, false, true),
    };
    // The header of an untrusted peer does not name a caller.
    let is_trusted = parts.extensions.get::<Peer>().is_some_and(|peer| peer.is_trusted);
    let user = proxy.filter(|_| is_trusted).and_then(|proxy| proxy.user_header.parse().ok());
    let names = [API_KEY].into_iter().chain(bearer.then_some(AUTHORIZATION)).chain(user);
    let values = names.flat_map(|name| {
        let values = parts.headers.get_all(&name).iter().map(|value| value.as_bytes().to_vec());
        values.flat_map(|value| [name.as_str().as_bytes().to_vec(), value]).collect::<Vec<_>>()
    });
    let certificate = certificate(parts).filter(|_| certificates);
    let certificate = certificate.into_iter().flat_map(|der| [b"certificate".to_vec(), der.into()]);
    let all: Vec<Vec<u8>> = values.chain(certificate).collect();
    (!all.is_empty()).then(|| Fingerprint::of(all.iter().map(Vec::as_slice)))
}

/// Returns the bearer token of an Authorization header.
fn require_bearer_token(authorization: &str) -> Result<&str, Rejection> {
    bearer_token(authorization).filter(|token| !token.is_empty()).ok_or_else(|| {
        Rejection::bad_request(
            code::INVALID_REQUEST,
            "the Authorization header must be `Bearer` and a token",
        )
        .with_header(
            WWW_AUTHENTICATE,
            http::HeaderValue::from_static("Bearer error=\"invalid_request\""),
        )
    })
}

/// Returns the caller's own Octopus credential. The instance settings decide whether it is used.
fn own_credential(headers: &HeaderMap) -> Result<Option<Credentials>, Rejection> {
    let Some(key) = single(headers, &API_KEY)? else { return Ok(None) };
    let own = Credentials::api_key(key).map_err(|error| {
        Rejection::bad_request(code::INVALID_REQUEST, format!("X-Octopus-ApiKey: {error}"))
    })?;
    Ok(Some(own))
}

/// Returns the caller that a trusted proxy names in its headers.
///
/// # Errors
///
/// Returns 401 if an untrusted peer sends these headers.
fn proxy_identity<'a>(
    authenticators: &Authenticators,
    parts: &'a Parts,
) -> Result<Option<ProxyHeaders<'a>>, Rejection> {
    let Some(settings) = authenticators.proxy() else { return Ok(None) };
    let value = |name: &str| match name.parse::<HeaderName>() {
        Ok(name) => single(&parts.headers, &name),
        Err(_) => Ok(None),
    };
    let optional = |name: &Option<String>| name.as_deref().map_or(Ok(None), value);
    let (groups, name) = (optional(&settings.groups_header)?, optional(&settings.name_header)?);
    let Some(user) = value(&settings.user_header)? else { return Ok(None) };
    if !parts.extensions.get::<Peer>().is_some_and(|peer| peer.is_trusted) {
        let message = format!(
            "the header {} is accepted from the trusted proxy in front of this server only",
            settings.user_header
        );
        tracing::warn!("rejected identity header from untrusted peer");
        let challenge = http::HeaderValue::from_static("Bearer realm=\"octopus-mcp\"");
        let rejection = Rejection::new(StatusCode::UNAUTHORIZED, message);
        return Err(rejection.with_header(WWW_AUTHENTICATE, challenge));
    }
    Ok(Some(ProxyHeaders { user, groups, name }))
}

/// Returns the client certificate of the TLS connection.
fn certificate(parts: &Parts) -> Option<&[u8]> {
    parts.extensions.get().map(|ClientCertificate(der)| der.as_ref())
}
