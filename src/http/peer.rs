//! The client of a request: the address of the connection, and the client address from a trusted
//! proxy.

use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use http::{Extensions, HeaderMap, HeaderName, header::FORWARDED, uri::Authority};

use crate::{
    config::{ForwardingHeaders, HttpSettings},
    octopus::Fingerprint,
    store::StoreKey,
};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Maximum number of proxies in a forwarding header.
const MAX_HOPS: usize = 32;

/// The peer of the connection, and the client. Inserted into the extensions of every request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::http) struct Peer {
    /// The address of the connection.
    pub(in crate::http) address: IpAddr,
    /// `true` if that address is in `http.trusted_proxies`.
    pub(in crate::http) is_trusted: bool,
    /// The address of the client: from a trusted proxy, or the address of the connection.
    pub(in crate::http) client: IpAddr,
    /// The host that the client requested, from a trusted proxy.
    pub(in crate::http) host: Option<Authority>,
    /// `true` if the client used TLS, according to a trusted proxy. `None` without that
    /// information.
    pub(in crate::http) is_secure: Option<bool>,
}

/// Returns the key of the limits per address. An IPv6 client usually has a whole /64 network, so
/// all addresses of the network have the same key.
pub(in crate::http) fn client_key(extensions: &Extensions) -> StoreKey {
    let client = extensions.get::<Peer>().map(|peer| peer.client.to_canonical());
    let of = |bytes: &[u8]| *Fingerprint::of([b"address", bytes]).as_bytes();
    match client {
        Some(IpAddr::V4(address)) => of(&address.octets()),
        Some(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments().map(u16::to_be_bytes);
            of(&[a, b, c, d].concat())
        }
        None => of(&[]),
    }
}

impl Peer {
    /// Determines the peer from the connection and the headers of a request. Without a connection,
    /// the peer is not trusted.
    pub(in crate::http) fn of_request(
        extensions: &Extensions,
        headers: &HeaderMap,
        http: &HttpSettings,
    ) -> Self {
        let address = extensions.get::<ConnectInfo<SocketAddr>>();
        let address = address.map_or(IpAddr::from([0, 0, 0, 0]), |ConnectInfo(peer)| peer.ip());
        Self::of(address, headers, http)
    }

    /// Returns the scheme that the client used: from a trusted proxy, or that of this server.
    pub(in crate::http) fn scheme(&self, http: &HttpSettings) -> &'static str {
        let own = http.tls.certificate.is_some();
        if self.is_secure.unwrap_or(own) { "https" } else { "http" }
    }

    /// Reads the forwarding headers if the connection is from a trusted proxy.
    fn of(address: IpAddr, headers: &HeaderMap, http: &HttpSettings) -> Self {
        let address = address.to_canonical();
        let is_trusted = http.trusted_proxies.contains(address);
        let peer = Self { address, is_trusted, client: address, host: None, is_secure: None };
        if !is_trusted {
            return peer;
        }
        let (hops, host, proto) = match http.forwarding {
            ForwardingHeaders::XForwarded => (
                entries(headers, &FORWARDED_FOR),
                entries(headers, &FORWARDED_HOST).pop(),
                entries(headers, &FORWARDED_PROTO).pop(),
            ),
            ForwardingHeaders::Forwarded => {
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

/// Returns the right-most address that is not a trusted proxy. Entries further left may be forged
/// by the client. An entry that is not an address ends the search.
fn client(peer: IpAddr, hops: &[String], http: &HttpSettings) -> IpAddr {
    let mut client = peer;
    for hop in hops.iter().rev().take(MAX_HOPS) {
        let Some(address) = address_of(hop) else { return client };
        client = address;
        if !http.trusted_proxies.contains(address) {
            return client;
        }
    }
    client
}

/// Returns the entries of a list header, of all its lines.
fn entries(headers: &HeaderMap, name: &HeaderName) -> Vec<String> {
    let lines = headers.get_all(name).iter().map(|line| line.to_str().unwrap_or_default());
    lines.flat_map(|line| line.split(',')).map(|entry| entry.trim().to_owned()).collect()
}

/// Returns a parameter of an entry of `Forwarded` (RFC 7239, section 4).
fn parameter(entry: &str, name: &str) -> Option<String> {
    let mut pairs = entry.split(';').filter_map(|pair| pair.trim().split_once('='));
    let (_, value) = pairs.find(|(key, _)| key.eq_ignore_ascii_case(name))?;
    Some(value.trim_matches('"').to_owned())
}

/// Parses an address with or without a port: `192.0.2.1:80`, `[2001:db8::1]:80`, `2001:db8::1`.
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
        forwarding: ForwardingHeaders,
        headers: &[(&'static str, &'static str)],
    ) -> Peer {
        let trusted_proxies = serde_json::from_str(r#"["10.0.0.0/8", "2001:db8::/32"]"#).unwrap();
        let http = HttpSettings { trusted_proxies, forwarding, ..HttpSettings::default() };
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_static(value));
        }
        Peer::of(address.parse().unwrap(), &map, &http)
    }

    #[test]
    fn client_is_the_rightmost_untrusted_address() {
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
            // The headers of an untrusted peer are ignored.
            ("192.0.2.7", "203.0.113.9", "192.0.2.7"),
            ("192.0.2.7", "10.0.0.1", "192.0.2.7"),
        ] {
            let headers = [("x-forwarded-for", header)];
            let found = peer(address, ForwardingHeaders::XForwarded, &headers);
            assert_eq!(found.client.to_string(), client, "{address}: {header}");
        }
    }

    #[test]
    fn repeated_headers_form_one_list() {
        let headers =
            [("x-forwarded-for", "192.0.2.1"), ("x-forwarded-for", "192.0.2.2, 10.0.0.4")];
        let found = peer("10.0.0.1", ForwardingHeaders::XForwarded, &headers);
        assert_eq!(found.client.to_string(), "192.0.2.2");
    }

    #[test]
    fn reads_only_the_configured_forwarding_headers() {
        let both = [
            ("x-forwarded-for", "192.0.2.1"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "a.example"),
            ("forwarded", "for=\"[2001:db9::2]:99\";Proto=http;host=b.example, for=10.1.1.1"),
        ];
        let found = peer("10.0.0.1", ForwardingHeaders::XForwarded, &both);
        assert_eq!(found.client.to_string(), "192.0.2.1");
        assert_eq!(found.host.unwrap(), "a.example");
        assert_eq!(found.is_secure, Some(true));
        let found = peer("10.0.0.1", ForwardingHeaders::Forwarded, &both);
        assert_eq!(found.client.to_string(), "2001:db9::2");
        assert_eq!((found.host, found.is_secure), (None, None));
        let one = [("forwarded", "for=192.0.2.3; proto=https; host=\"b.example:8443\"")];
        let found = peer("10.0.0.1", ForwardingHeaders::Forwarded, &one);
        assert_eq!(found.client.to_string(), "192.0.2.3");
        assert_eq!((found.host.unwrap().as_str(), found.is_secure), ("b.example:8443", Some(true)));
    }

    #[test]
    fn ignores_headers_of_untrusted_peers() {
        let headers = [
            ("x-forwarded-for", "192.0.2.1"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "a.example"),
        ];
        let found = peer("203.0.113.1", ForwardingHeaders::XForwarded, &headers);
        let address = "203.0.113.1".parse().unwrap();
        let expected =
            Peer { address, is_trusted: false, client: address, host: None, is_secure: None };
        assert_eq!(found, expected);
    }
}
