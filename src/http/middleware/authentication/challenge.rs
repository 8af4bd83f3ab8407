//! `WWW-Authenticate` challenges, which name the credential or scope that a request needs.

use std::time::Duration;

use http::{
    HeaderValue, StatusCode,
    header::{RETRY_AFTER, WWW_AUTHENTICATE},
    request::Parts,
};

use crate::{
    auth::{AuthError, Authenticators, TokenScope},
    http::{public_address::PublicAddresses, rejection::Rejection},
};

/// Value of `Retry-After` for a token that could not be checked.
const RETRY: Duration = Duration::from_secs(5);

/// Builds the rejections of requests that are not authenticated or lack a scope.
pub(in crate::http) struct Challenge<'a> {
    authenticators: &'a Authenticators,
    /// The URL of the metadata of the endpoint, if authorization servers are configured.
    metadata: Option<String>,
}

impl<'a> Challenge<'a> {
    pub(in crate::http) fn new(
        authenticators: &'a Authenticators,
        addresses: &PublicAddresses,
        parts: &Parts,
    ) -> Self {
        let address = authenticators.oauth().and_then(|_| addresses.public(parts));
        Self { authenticators, metadata: address.map(|address| address.metadata(parts.uri.path())) }
    }

    /// Rejects a request without a proof of identity. The challenge has no error code (RFC 6750,
    /// section 3.1).
    pub(super) fn missing(&self) -> Rejection {
        let bearer = self.authenticators.oauth().is_some() || self.authenticators.accepts_tokens();
        let instruction = match (self.authenticators.oauth(), self.authenticators.accepts_tokens())
        {
            (Some(_), true) => {
                "send Authorization: Bearer with an access token of the authorization server, or \
                 with a token of this server"
            }
            (Some(_), false) => {
                "send Authorization: Bearer with an access token of the authorization server"
            }
            (None, true) => {
                "send Authorization: Bearer with a token from the operator of this server"
            }
            (None, false) if self.authenticators.proxy().is_some() => {
                "connect through the proxy in front of this server, which authenticates callers"
            }
            (None, false) => "connect with a client certificate",
        };
        let value = match &self.metadata {
            Some(metadata) => format!("Bearer resource_metadata=\"{metadata}\""),
            None if bearer => "Bearer realm=\"octopus-mcp\"".to_owned(),
            // No authentication scheme exists for proxies and certificates, so the client can only
            // show the text to the user.
            None => format!("Bearer realm=\"{instruction}\""),
        };
        let message = format!("the request is not authenticated; {instruction}");
        with_challenge(StatusCode::UNAUTHORIZED, message, &value)
    }

    /// Rejects a request whose proof was not accepted.
    pub(super) fn rejected(&self, auth_error: &AuthError) -> Rejection {
        match auth_error {
            AuthError::Invalid(message) => self.invalid(message),
            AuthError::InsufficientScope { granted, required } => {
                self.insufficient(*granted, *required)
            }
            // No challenge, because no other token would help.
            AuthError::NoAccess(message) => Rejection::new(StatusCode::FORBIDDEN, *message),
            AuthError::Unavailable(message) => {
                let retry = HeaderValue::from(RETRY.as_secs());
                Rejection::new(StatusCode::SERVICE_UNAVAILABLE, *message)
                    .with_header(RETRY_AFTER, retry)
            }
        }
    }

    fn invalid(&self, message: &str) -> Rejection {
        let error =
            format!("error=\"invalid_token\", error_description=\"{}\"", description(message));
        let value = match &self.metadata {
            Some(metadata) => format!("Bearer resource_metadata=\"{metadata}\", {error}"),
            None => format!("Bearer {error}"),
        };
        with_challenge(StatusCode::UNAUTHORIZED, message, &value)
    }

    /// Rejects a request whose token lacks a scope. The challenge contains the scopes of the token
    /// and the required scope, because some clients request exactly these scopes next.
    pub(in crate::http) fn insufficient(
        &self,
        has: Option<TokenScope>,
        needs: TokenScope,
    ) -> Rejection {
        let scope_name = |scope: TokenScope| {
            self.authenticators.oauth().map_or(<&str>::from(scope), |oauth| oauth.scope_name(scope))
        };
        let scopes = [TokenScope::Read, TokenScope::Deploy, TokenScope::Admin].into_iter();
        let scopes = scopes.filter(|scope| has.is_some_and(|has| *scope <= has) || *scope == needs);
        let scopes: Vec<&str> = scopes.map(scope_name).collect();
        let message = match has {
            None => {
                format!(
                    "the token has no scope of this server; it needs the scope {}",
                    scope_name(needs)
                )
            }
            Some(has) => {
                format!(
                    "this needs the scope {}, and the token has {}",
                    scope_name(needs),
                    scope_name(has)
                )
            }
        };
        let metadata = self.metadata.as_ref();
        let metadata =
            metadata.map_or_else(String::new, |at| format!("resource_metadata=\"{at}\", "));
        let value = format!(
            "Bearer error=\"insufficient_scope\", scope=\"{}\", {metadata}error_description=\"{}\"",
            scopes.join(" "),
            description(&message)
        );
        with_challenge(StatusCode::FORBIDDEN, message, &value)
    }
}

/// Returns a rejection with this challenge.
fn with_challenge(status: StatusCode, message: impl Into<String>, value: &str) -> Rejection {
    let value = HeaderValue::from_str(value).unwrap_or(HeaderValue::from_static("Bearer"));
    Rejection::new(status, message).with_header(WWW_AUTHENTICATE, value)
}

/// Removes characters that are not allowed in an error description (RFC 6750, section 3).
fn description(message: &str) -> String {
    message.chars().filter(|c| (' '..='~').contains(c) && *c != '"' && *c != '\\').collect()
}
