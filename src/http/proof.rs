//! The one proof of a request of who calls.

use http::{
    HeaderMap, HeaderName, StatusCode,
    header::{AUTHORIZATION, WWW_AUTHENTICATE},
    request::Parts,
};

use super::{
    Auth, Gate,
    auth::{API_KEY, only},
    challenge::Challenge,
    peer::Peer,
    refusal::{Refusal, code},
    server::ClientCertificate,
};
use crate::{
    callers::{Caller, Named, Way, Ways},
    octopus::{Credentials, Fingerprint},
};

/// Who calls, by the one proof that the request brings.
pub(super) async fn caller(ways: &Ways, gate: &Gate, parts: &Parts) -> Result<Caller, Refusal> {
    let challenge = Challenge::of(ways, gate, parts);
    let bearer = if takes_bearer(ways) { only(&parts.headers, &AUTHORIZATION)? } else { None };
    let named = named(ways, parts)?;
    let certificate = if ways.take_certificates() { certificate(parts) } else { None };
    let proofs = [bearer.is_some(), named.is_some(), certificate.is_some()];
    if proofs.into_iter().filter(|proof| *proof).count() > 1 {
        return Err(Refusal::bad_request(
            code::INVALID_REQUEST,
            "the request says in two ways who calls; send one of them: a token in Authorization, \
             the header of the proxy, or the certificate of the client",
        ));
    }
    let mut token = None;
    let who = match (bearer, named, certificate) {
        (Some(authorization), ..) => {
            let sent = bearer_token(authorization)?;
            let who = ways.bearer(sent, parts.uri.path()).await;
            let who = who.map_err(|refused| {
                tracing::info!(reason = %refused, "a token was refused");
                challenge.refused(&refused)
            })?;
            // For an exchange where the settings have one, and for nothing else.
            token = (who.way == Way::Oauth).then(|| sent.to_owned().into());
            who
        }
        (_, Some(named), _) => ways.named(&named).map_err(|refused| challenge.refused(&refused))?,
        (_, _, Some(der)) => ways.certified(der).map_err(|refused| {
            tracing::info!(reason = %refused, "a certificate was refused");
            challenge.refused(&refused)
        })?,
        (None, None, None) => return Err(challenge.missing()),
    };
    Ok(Caller { who, own: own(&parts.headers)?, token })
}

fn takes_bearer(ways: &Ways) -> bool {
    ways.oauth().is_some() || ways.take_tokens()
}

/// Tells what a request proves who calls with from everything else that could be sent: the headers
/// that hold credentials, and whom a trusted proxy or a certificate names. `None`: nothing.
pub(super) fn sent(auth: &Auth, parts: &Parts) -> Option<Fingerprint> {
    let (proxy, certificates, bearer) = match auth {
        Auth::Ways(ways) => (ways.proxy(), ways.take_certificates(), takes_bearer(ways)),
        Auth::Octopus | Auth::None | Auth::Open => (None, false, true),
    };
    // From anybody but a trusted proxy the header names nobody, whatever stands in it.
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

/// The token of RFC 6750, section 2.1.
fn bearer_token(authorization: &str) -> Result<&str, Refusal> {
    let token = authorization.trim().split_once(' ').and_then(|(scheme, token)| {
        scheme.eq_ignore_ascii_case("bearer").then_some(token.trim_start())
    });
    token.filter(|token| !token.is_empty()).ok_or_else(|| {
        Refusal::bad_request(code::INVALID_REQUEST, "Authorization must be `Bearer` and a token")
            .with_header(
                WWW_AUTHENTICATE,
                http::HeaderValue::from_static("Bearer error=\"invalid_request\""),
            )
    })
}

/// Their own Octopus credential. Whether it may act, the instance says.
fn own(headers: &HeaderMap) -> Result<Option<Credentials>, Refusal> {
    let Some(key) = only(headers, &API_KEY)? else { return Ok(None) };
    let own = Credentials::api_key(key).map_err(|error| {
        Refusal::bad_request(code::INVALID_REQUEST, format!("X-Octopus-ApiKey: {error}"))
    })?;
    Ok(Some(own))
}

/// Whom the headers of a proxy name. From anybody but a trusted proxy they are a lie.
fn named<'a>(ways: &Ways, parts: &'a Parts) -> Result<Option<Named<'a>>, Refusal> {
    let Some(settings) = ways.proxy() else { return Ok(None) };
    let value = |name: &str| match name.parse::<HeaderName>() {
        Ok(name) => only(&parts.headers, &name),
        Err(_) => Ok(None),
    };
    let optional = |name: &Option<String>| name.as_deref().map_or(Ok(None), value);
    let (groups, name) = (optional(&settings.groups_header)?, optional(&settings.name_header)?);
    let Some(user) = value(&settings.user_header)? else { return Ok(None) };
    if !parts.extensions.get::<Peer>().is_some_and(|peer| peer.is_trusted) {
        let message = format!(
            "the header {} is believed of the proxy in front of this server alone",
            settings.user_header
        );
        tracing::warn!("a peer that is no trusted proxy named a caller");
        let challenge = http::HeaderValue::from_static("Bearer realm=\"octopus-mcp\"");
        let refusal = Refusal::new(StatusCode::UNAUTHORIZED, message);
        return Err(refusal.with_header(WWW_AUTHENTICATE, challenge));
    }
    Ok(Some(Named { user, groups, name }))
}

/// The certificate of the client, where TLS is ours and it gave one.
fn certificate(parts: &Parts) -> Option<&[u8]> {
    parts.extensions.get().map(|ClientCertificate(der)| der.as_ref())
}
