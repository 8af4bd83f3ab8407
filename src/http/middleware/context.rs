//! Layer 7: resolves the request context: scope, instance and access.
//!
//! The context is resolved once per request. Inner layers, the protocol and the tools read the
//! result.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::{Extensions, StatusCode, header::WWW_AUTHENTICATE, request::Parts};

use super::{
    authentication::{Authentication, Challenge, api_key_challenge},
    endpoint::RejectionFacts,
};
use crate::{
    auth::{AuthMethod, Caller},
    http::{
        envelope::Envelope,
        rejection::{Rejection, code},
        request_scope::{self, PathScope},
    },
    mcp::{AdmissionError, McpProvider, Protocol, RequestContext},
    octopus::CredentialError,
};

/// Resolves the context of a request.
///
/// - Needs: [`Caller`] and [`PathScope`], which it removes; `Arc<Envelope>` of a POST request.
/// - Adds: `Arc<RequestContext>`.
/// - Rejects with: 400 (headers that contradict the path, unknown toolset or tool, credential of
///   the wrong kind), 404 (instance), 401 (no Octopus credential), 403 with a challenge (token
///   scope).
///
/// This layer sends no request to Octopus, so it runs before the rate limits.
pub(in crate::http) async fn resolve_context<O: McpProvider>(
    State((authentication, protocol)): State<(Arc<Authentication>, Protocol<O>)>,
    request: Request,
    next: Next,
) -> Response {
    let (mut parts, body) = request.into_parts();
    match resolve(&authentication, &*protocol.provider(), &mut parts) {
        Ok(context) => {
            parts.extensions.insert(Arc::new(context));
            next.run(Request::from_parts(parts, body)).await
        }
        Err(rejection) => rejection.to(&Envelope::id_of(&parts.extensions)),
    }
}

/// Returns the context that [`resolve_context`] inserted, or the default context without one.
pub(super) fn context_of(extensions: &Extensions) -> Arc<RequestContext> {
    extensions.get::<Arc<RequestContext>>().cloned().unwrap_or_default()
}

/// Converts an admission error to a rejection.
pub(super) fn not_served(caller: &Caller, error: &AdmissionError) -> Rejection {
    match error {
        // An authenticated caller gets no 401, because another proof of identity would not help.
        AdmissionError::Credential(CredentialError::Missing(_))
            if caller.identity.method == AuthMethod::Anonymous =>
        {
            Rejection::new(StatusCode::UNAUTHORIZED, error.to_string())
                .with_header(WWW_AUTHENTICATE, api_key_challenge(None))
        }
        AdmissionError::NotFound(_) => Rejection::new(StatusCode::NOT_FOUND, error.to_string()),
        AdmissionError::Credential(_) | AdmissionError::Invalid(_) => {
            Rejection::bad_request(code::INVALID_REQUEST, error.to_string())
        }
    }
}

fn resolve(
    authentication: &Authentication,
    provider: &impl McpProvider,
    parts: &mut Parts,
) -> Result<RequestContext, Rejection> {
    let PathScope(path) = parts.extensions.remove().unwrap_or_default();
    let scope = request_scope::with_headers(path, &parts.headers)
        .map_err(|message| Rejection::bad_request(code::INVALID_REQUEST, message))?;
    RejectionFacts::record_scope(&parts.extensions, &scope);
    let caller: Caller = parts.extensions.remove().unwrap_or_default();
    let context = provider.resolve(caller, scope);
    provider.check_request(&context).map_err(|error| not_served(&context.caller, &error))?;
    check_token_scope(authentication, provider, &context, parts)?;
    Ok(context)
}

/// Rejects a call whose access token lacks a scope, so that the client can request a token with
/// the required scope. A call that no token would allow is not rejected here, because the
/// tool returns the error for callers without access.
fn check_token_scope(
    authentication: &Authentication,
    provider: &impl McpProvider,
    context: &RequestContext,
    parts: &Parts,
) -> Result<(), Rejection> {
    let Some(authenticators) = authentication.auth.authenticators() else { return Ok(()) };
    let identity = &context.caller.identity;
    let call = Envelope::of(&parts.extensions)
        .filter(|envelope| identity.is_scoped && envelope.method.as_deref() == Some("tools/call"));
    let Some(Ok(call)) = call.map(Envelope::call_params) else { return Ok(()) };
    let Some(required) = provider.missing_token_scope(call, context) else { return Ok(()) };
    if !authenticators.oauth().is_some_and(|oauth| oauth.advertises(required)) {
        return Ok(());
    }
    let granted = identity.grants.scope;
    tracing::info!(
        required_scope = <&str>::from(required),
        granted_scope = <&str>::from(granted),
        "token scope insufficient"
    );
    let challenge = Challenge::new(authenticators, &authentication.addresses, parts);
    Err(challenge.insufficient(Some(granted), required))
}
