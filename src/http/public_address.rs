//! The public address of this server: `http.public_url`, or the host of the request.

use http::{HeaderValue, header::HOST, request::Parts, uri::Authority};
use url::Url;

use super::{hosts::AllowedHosts, peer::Peer};
use crate::config::HttpSettings;

/// Path of the metadata of a protected resource (RFC 9728, section 3).
pub(in crate::http) const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// The allowed hosts, and the settings that determine the public address of this server.
#[derive(Debug)]
pub(in crate::http) struct PublicAddresses {
    allowed: AllowedHosts,
    http: HttpSettings,
}

/// A public address of this server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::http) struct PublicAddress {
    /// Scheme and host.
    origin: String,
    /// Path prefix in front of the paths of this server.
    prefix: String,
}

impl PublicAddresses {
    /// Reads the settings. The host of `http.public_url` is always allowed.
    pub(in crate::http) fn new(http: &HttpSettings) -> Self {
        let public = http.public_url.as_ref().and_then(|url| url.host_str().map(str::to_owned));
        let hosts: Vec<String> = http.allowed_hosts.0.iter().cloned().chain(public).collect();
        Self { allowed: AllowedHosts::new(&hosts, &http.allowed_origins.0), http: http.clone() }
    }

    pub(in crate::http) fn allowed(&self) -> &AllowedHosts {
        &self.allowed
    }

    /// Returns the public address: `http.public_url`, or the address in the request. `None` if the
    /// host of the request is not allowed.
    pub(in crate::http) fn public(&self, parts: &Parts) -> Option<PublicAddress> {
        if let Some(url) = &self.http.public_url {
            let origin = url.origin().ascii_serialization();
            let prefix = url.path().trim_end_matches('/').to_owned();
            return Some(PublicAddress { origin, prefix });
        }
        self.requested(parts)
    }

    /// Returns the address in the request, without `http.public_url`. `None` if its host is not
    /// allowed.
    pub(in crate::http) fn requested(&self, parts: &Parts) -> Option<PublicAddress> {
        let peer = parts.extensions.get::<Peer>();
        let requested = || {
            let header = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
            parts.uri.authority().map(Authority::as_str).or(header)
        };
        let forwarded = peer.and_then(|peer| peer.host.as_ref()).map(Authority::as_str);
        let host = forwarded.or_else(requested).filter(|host| self.allowed.allows_host(host))?;
        let own = if self.http.tls.certificate.is_some() { "https" } else { "http" };
        let scheme = peer.map_or(own, |peer| peer.scheme(&self.http));
        Some(PublicAddress { origin: format!("{scheme}://{host}"), prefix: String::new() })
    }
}

impl PublicAddress {
    /// Returns whether an `Origin` header names this server. Compares only host and port, because a
    /// proxy does not always forward the scheme of the client.
    pub(in crate::http) fn has_origin(&self, origin: &HeaderValue) -> bool {
        let parsed = |text: &str| Url::parse(text).ok().filter(Url::has_host);
        let other = origin.to_str().ok().and_then(parsed);
        let other = other.filter(|url| matches!(url.scheme(), "http" | "https"));
        parsed(&self.origin).zip(other).is_some_and(|(own, other)| {
            own.host_str() == other.host_str() && own.port() == other.port()
        })
    }

    /// Returns the URL of the endpoint with this path: the resource identifier of an access token.
    pub(in crate::http) fn resource(&self, path: &str) -> String {
        format!("{}{}{path}", self.origin, self.prefix)
    }

    /// Returns the URL of the metadata of the endpoint with this path.
    pub(in crate::http) fn metadata(&self, path: &str) -> String {
        format!("{}{WELL_KNOWN}{}{path}", self.origin, self.prefix)
    }

    /// Returns the path of the endpoint for a metadata request. `after` is the part of the path
    /// after [`WELL_KNOWN`].
    pub(in crate::http) fn endpoint<'a>(&self, after: &'a str) -> Option<&'a str> {
        if matches!(after.trim_end_matches('/'), "") {
            return Some("/mcp");
        }
        let path = after.strip_prefix(&self.prefix)?;
        (path == "/mcp" || path.starts_with("/mcp/")).then_some(path)
    }
}
