//! `WWW-Authenticate`: what a client must bring, where what it brings is not enough.

use std::time::Duration;

use http::{
    HeaderValue, StatusCode,
    header::{RETRY_AFTER, WWW_AUTHENTICATE},
    request::Parts,
};

use super::{Gate, reached::Reached, refusal::Refusal};
use crate::callers::{Refused, Scope, Ways};

/// When a token that could not be checked may come again.
const AGAIN: Duration = Duration::from_secs(5);

/// What a request that is not let in is answered with.
pub(super) struct Challenge<'a> {
    ways: &'a Ways,
    /// Where the metadata of the endpoint is, where there are authorization servers.
    metadata: Option<String>,
}

impl<'a> Challenge<'a> {
    pub(super) fn of(ways: &'a Ways, gate: &Gate, parts: &Parts) -> Self {
        let reached = ways.oauth().and_then(|_| Reached::by(gate, parts));
        Self { ways, metadata: reached.map(|reached| reached.metadata(parts.uri.path())) }
    }

    /// Nothing came. There is no error then (RFC 6750, section 3.1).
    pub(super) fn missing(&self) -> Refusal {
        let bearer = self.ways.oauth().is_some() || self.ways.take_tokens();
        let words = match (self.ways.oauth(), self.ways.take_tokens()) {
            (Some(_), true) => {
                "send Authorization: Bearer with an access token of the authorization server, or \
                 with a token of this server"
            }
            (Some(_), false) => {
                "send Authorization: Bearer with an access token of the authorization server"
            }
            (None, true) => {
                "send Authorization: Bearer with the token that whoever runs this server gave you"
            }
            (None, false) if self.ways.proxy().is_some() => {
                "callers come through the proxy in front of this server, which says who they are"
            }
            (None, false) => "connect with the certificate of a client",
        };
        let value = match &self.metadata {
            Some(metadata) => format!("Bearer resource_metadata=\"{metadata}\""),
            None if bearer => "Bearer realm=\"octopus-mcp\"".to_owned(),
            // There is no scheme for these; a client can only show the words to a person.
            None => format!("Bearer realm=\"{words}\""),
        };
        let message = format!("the request does not say who calls; {words}");
        challenging(StatusCode::UNAUTHORIZED, message, &value)
    }

    /// What came is refused.
    pub(super) fn refused(&self, refused: &Refused) -> Refusal {
        match refused {
            Refused::Invalid(words) => self.invalid(words),
            Refused::Insufficient { has, needs } => self.insufficient(*has, *needs),
            // No challenge: there is nothing to ask for.
            Refused::Nothing(words) => Refusal::new(StatusCode::FORBIDDEN, *words),
            Refused::Unavailable(words) => {
                let again = HeaderValue::from(AGAIN.as_secs());
                Refusal::new(StatusCode::SERVICE_UNAVAILABLE, *words)
                    .with_header(RETRY_AFTER, again)
            }
        }
    }

    fn invalid(&self, words: &str) -> Refusal {
        let error = format!("error=\"invalid_token\", error_description=\"{}\"", plain(words));
        let value = match &self.metadata {
            Some(metadata) => format!("Bearer resource_metadata=\"{metadata}\", {error}"),
            None => format!("Bearer {error}"),
        };
        challenging(StatusCode::UNAUTHORIZED, words, &value)
    }

    /// The scopes are those that the token has and the one that is needed, since some clients ask
    /// for these alone the next time.
    pub(super) fn insufficient(&self, has: Option<Scope>, needs: Scope) -> Refusal {
        let word = |scope: Scope| self.ways.oauth().map_or(scope.name(), |oauth| oauth.word(scope));
        let scopes = [Scope::Read, Scope::Deploy, Scope::Admin].into_iter();
        let scopes = scopes.filter(|scope| has.is_some_and(|has| *scope <= has) || *scope == needs);
        let scopes: Vec<&str> = scopes.map(word).collect();
        let words = match has {
            None => format!("the token allows nothing here; it needs the scope {}", word(needs)),
            Some(has) => {
                format!("this needs the scope {}, and the token has {}", word(needs), word(has))
            }
        };
        let metadata = self.metadata.as_ref();
        let metadata =
            metadata.map_or_else(String::new, |at| format!("resource_metadata=\"{at}\", "));
        let value = format!(
            "Bearer error=\"insufficient_scope\", scope=\"{}\", {metadata}error_description=\"{}\"",
            scopes.join(" "),
            plain(&words)
        );
        challenging(StatusCode::FORBIDDEN, words, &value)
    }
}

/// A refusal with this challenge.
fn challenging(status: StatusCode, message: impl Into<String>, value: &str) -> Refusal {
    let value = HeaderValue::from_str(value).unwrap_or(HeaderValue::from_static("Bearer"));
    Refusal::new(status, message).with_header(WWW_AUTHENTICATE, value)
}

/// Words as they may stand in a description (RFC 6750, section 3).
fn plain(words: &str) -> String {
    words.chars().filter(|c| (' '..='~').contains(c) && *c != '"' && *c != '\\').collect()
}
