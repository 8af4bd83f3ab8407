//! The address by which clients reach this server.

use http::{HeaderValue, header::HOST, request::Parts, uri::Authority};
use url::Url;

use super::{
    Gate,
    peer::{Peer, scheme},
};

/// Where the metadata of a protected resource is (RFC 9728, section 3).
pub(super) const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// The address by which a client reaches this server: the setting, or what it asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reached {
    /// Scheme and host.
    origin: String,
    /// What stands before the paths of this server.
    prefix: String,
}

impl Reached {
    /// Reads it of a request. A host that is not served is none.
    pub(super) fn by(gate: &Gate, parts: &Parts) -> Option<Self> {
        if let Some(url) = &gate.http.public_url {
            let origin = url.origin().ascii_serialization();
            return Some(Self { origin, prefix: url.path().trim_end_matches('/').to_owned() });
        }
        Self::asked(gate, parts)
    }

    /// The address that this request asked, whatever the setting is.
    pub(super) fn asked(gate: &Gate, parts: &Parts) -> Option<Self> {
        let peer = parts.extensions.get::<Peer>();
        let asked = || {
            let header = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
            parts.uri.authority().map(Authority::as_str).or(header)
        };
        let told = peer.and_then(|peer| peer.host.as_ref()).map(Authority::as_str);
        let host = told.or_else(asked).filter(|host| gate.allowed.host(host))?;
        let scheme = scheme(peer, &gate.http);
        Some(Self { origin: format!("{scheme}://{host}"), prefix: String::new() })
    }

    /// Whether pages of this origin come from here. A proxy may not say which scheme it speaks, so
    /// host and port decide.
    pub(super) fn has_origin(&self, origin: &HeaderValue) -> bool {
        let parsed = |text: &str| Url::parse(text).ok().filter(Url::has_host);
        let theirs = origin.to_str().ok().and_then(parsed);
        let theirs = theirs.filter(|url| matches!(url.scheme(), "http" | "https"));
        parsed(&self.origin).zip(theirs).is_some_and(|(own, theirs)| {
            own.host_str() == theirs.host_str() && own.port() == theirs.port()
        })
    }

    /// The address of the endpoint with this path: the resource that a token is for.
    pub(super) fn resource(&self, path: &str) -> String {
        format!("{}{}{path}", self.origin, self.prefix)
    }

    /// Where the metadata of that resource is.
    pub(super) fn metadata(&self, path: &str) -> String {
        format!("{}{WELL_KNOWN}{}{path}", self.origin, self.prefix)
    }

    /// The path of the endpoint that stands behind the well-known one.
    pub(super) fn endpoint<'a>(&self, behind: &'a str) -> Option<&'a str> {
        if matches!(behind.trim_end_matches('/'), "") {
            return Some("/mcp");
        }
        let path = behind.strip_prefix(&self.prefix)?;
        (path == "/mcp" || path.starts_with("/mcp/")).then_some(path)
    }
}
