//! Where a request comes from: whoever holds the connection, and for whom they say they do.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use axum::{
    extract::{ConnectInfo, Request, State},
    middleware::Next,
    response::Response,
};
use http::{HeaderMap, HeaderName, header::FORWARDED, uri::Authority};

use super::Gate;
use crate::config::{Forwarding, Http};

/// Whether a client came with TLS: as a trusted proxy says, or as this server itself speaks.
pub(super) fn scheme(peer: Option<&Peer>, http: &Http) -> &'static str {
    let own = http.tls.certificate.is_some();
    if peer.and_then(|peer| peer.is_secure).unwrap_or(own) { "https" } else { "http" }
}

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// How many hops are followed.
const MOST_HOPS: usize = 32;

/// Where a request comes from. Every request has this in its extensions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Peer {
    /// Whoever holds the connection.
    pub(super) address: IpAddr,
    /// Whether that is a proxy which the settings trust.
    pub(super) is_trusted: bool,
    /// The client: what a trusted proxy says, or whoever holds the connection.
    pub(super) client: IpAddr,
    /// The host that the client asked, as a trusted proxy says.
    pub(super) host: Option<Authority>,
    /// Whether the client came with TLS, as a trusted proxy says.
    pub(super) is_secure: Option<bool>,
}

/// Finds out where a request comes from.
pub(super) async fn find(
    State(gate): State<Arc<Gate>>,
    mut request: Request,
    next: Next,
) -> Response {
    // Where there is no socket, nobody is trusted.
    let address = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let address = address.map_or(IpAddr::from([0, 0, 0, 0]), |ConnectInfo(peer)| peer.ip());
    let peer = Peer::of(address, request.headers(), &gate.http);
    request.extensions_mut().insert(peer);
    next.run(request).await
}

impl Peer {
    /// Reads what the headers say, where whoever holds the connection may be believed.
    fn of(address: IpAddr, headers: &HeaderMap, http: &Http) -> Self {
        let address = address.to_canonical();
        let is_trusted = http.trusted_proxies.contain(address);
        let peer = Self { address, is_trusted, client: address, host: None, is_secure: None };
        if !is_trusted {
            return peer;
        }
        let (hops, host, proto) = match http.forwarding {
            Forwarding::XForwarded => (
                entries(headers, &FORWARDED_FOR),
                entries(headers, &FORWARDED_HOST).pop(),
                entries(headers, &FORWARDED_PROTO).pop(),
            ),
            Forwarding::Forwarded => {
                let entries = entries(headers, &FORWARDED);
                let of = |name| entries.last().and_then(|entry| parameter(entry, name));
                let hops = entries.iter().map(|entry| parameter(entry, "for").unwrap_or_default());
                (hops.collect(), of("host"), of("proto"))
            }
        };
        let is_secure = match proto.as_deref().map(str::to_ascii_lowercase).as_deref() {
            Some("https") => Some(true),
            Some("http") => Some(false),
            _ => None,
        };
        let client = client(address, &hops, http);
        Self { client, host: host.and_then(|host| host.parse().ok()), is_secure, ..peer }
    }
}

/// The right-most address that is no proxy of ours. What stands left of it, whoever sent the
/// request may have written; an entry that cannot be read ends what can be known.
fn client(peer: IpAddr, hops: &[String], http: &Http) -> IpAddr {
    let mut client = peer;
    for hop in hops.iter().rev().take(MOST_HOPS) {
        let Some(address) = address_of(hop) else { return client };
        client = address;
        if !http.trusted_proxies.contain(address) {
            return client;
        }
    }
    client
}

/// The entries of a header that is a list, over all its lines.
fn entries(headers: &HeaderMap, name: &HeaderName) -> Vec<String> {
    let lines = headers.get_all(name).iter().map(|line| line.to_str().unwrap_or_default());
    lines.flat_map(|line| line.split(',')).map(|entry| entry.trim().to_owned()).collect()
}

/// A parameter of an entry of `Forwarded` (RFC 7239, section 4).
fn parameter(entry: &str, name: &str) -> Option<String> {
    let mut pairs = entry.split(';').filter_map(|pair| pair.trim().split_once('='));
    let (_, value) = pairs.find(|(key, _)| key.eq_ignore_ascii_case(name))?;
    Some(value.trim_matches('"').to_owned())
}

/// An address, with or without a port: `192.0.2.1:80`, `[2001:db8::1]:80`, `2001:db8::1`.
fn address_of(hop: &str) -> Option<IpAddr> {
    let bare = || hop.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let address: Option<IpAddr> = hop.parse().ok().or_else(bare);
    let with_port = || hop.parse::<SocketAddr>().ok().map(|address| address.ip());
    address.or_else(with_port).map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn peer(
        address: &str,
        forwarding: Forwarding,
        headers: &[(&'static str, &'static str)],
    ) -> Peer {
        let trusted_proxies = serde_json::from_str(r#"["10.0.0.0/8", "2001:db8::/32"]"#).unwrap();
        let http = Http { trusted_proxies, forwarding, ..Http::default() };
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_static(value));
        }
        Peer::of(address.parse().unwrap(), &map, &http)
    }

    #[test]
    fn the_client_is_the_right_most_address_that_is_no_trusted_proxy() {
        for (address, header, client) in [
            ("10.0.0.1", "192.0.2.1", "192.0.2.1"),
            ("10.0.0.1", "203.0.113.9, 192.0.2.1", "192.0.2.1"),
            ("10.0.0.1", "203.0.113.9, 192.0.2.1, 10.0.0.2", "192.0.2.1"),
            ("10.0.0.1", "192.0.2.1:5000", "192.0.2.1"),
            ("10.0.0.1", "[2001:db9::1]:5000", "2001:db9::1"),
            ("10.0.0.1", "2001:db9::1", "2001:db9::1"),
            ("::ffff:10.0.0.1", "::ffff:192.0.2.1", "192.0.2.1"),
            ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
            ("10.0.0.1", "192.0.2.1, unknown", "10.0.0.1"),
            ("10.0.0.1", "192.0.2.1, unknown, 10.0.0.2", "10.0.0.2"),
            ("10.0.0.1", "", "10.0.0.1"),
            // Not a proxy of ours: nothing that it says counts.
            ("192.0.2.7", "203.0.113.9", "192.0.2.7"),
            ("192.0.2.7", "10.0.0.1", "192.0.2.7"),
        ] {
            let headers = [("x-forwarded-for", header)];
            let found = peer(address, Forwarding::XForwarded, &headers);
            assert_eq!(found.client.to_string(), client, "{address}: {header}");
        }
    }

    #[test]
    fn several_lines_of_a_header_are_one_list() {
        let headers =
            [("x-forwarded-for", "192.0.2.1"), ("x-forwarded-for", "192.0.2.2, 10.0.0.4")];
        let found = peer("10.0.0.1", Forwarding::XForwarded, &headers);
        assert_eq!(found.client.to_string(), "192.0.2.2");
    }

    #[test]
    fn one_family_of_headers_counts_and_the_other_is_anybodys() {
        let both = [
            ("x-forwarded-for", "192.0.2.1"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "a.example"),
            ("forwarded", "for=\"[2001:db9::2]:99\";Proto=http;host=b.example, for=10.1.1.1"),
        ];
        let found = peer("10.0.0.1", Forwarding::XForwarded, &both);
        assert_eq!(found.client.to_string(), "192.0.2.1");
        assert_eq!(found.host.unwrap(), "a.example");
        assert_eq!(found.is_secure, Some(true));
        let found = peer("10.0.0.1", Forwarding::Forwarded, &both);
        assert_eq!(found.client.to_string(), "2001:db9::2");
        assert_eq!((found.host, found.is_secure), (None, None));
        let one = [("forwarded", "for=192.0.2.3; proto=https; host=\"b.example:8443\"")];
        let found = peer("10.0.0.1", Forwarding::Forwarded, &one);
        assert_eq!(found.client.to_string(), "192.0.2.3");
        assert_eq!((found.host.unwrap().as_str(), found.is_secure), ("b.example:8443", Some(true)));
    }

    #[test]
    fn nothing_is_believed_of_a_peer_that_is_not_trusted() {
        let headers = [
            ("x-forwarded-for", "192.0.2.1"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "a.example"),
        ];
        let found = peer("203.0.113.1", Forwarding::XForwarded, &headers);
        let address = "203.0.113.1".parse().unwrap();
        let expected =
            Peer { address, is_trusted: false, client: address, host: None, is_secure: None };
        assert_eq!(found, expected);
    }
}
