//! The allow list for the headers `Host` and `Origin`.

use std::net::IpAddr;

use http::{HeaderValue, uri::Authority};
use url::Url;

/// The allowed hosts and origins. Loopback hosts and origins are always allowed.
#[derive(Debug)]
pub(in crate::http) struct AllowedHosts {
    hosts: Vec<(String, Option<u16>)>,
    origins: Vec<String>,
}

impl AllowedHosts {
    /// Creates the allow list from `HOST[:PORT]` and origins. An entry without a port allows every
    /// port.
    pub(in crate::http) fn new(hosts: &[String], origins: &[String]) -> Self {
        let host = |text: &String| {
            let authority: Authority = text.parse().ok()?;
            Some((normalize(authority.host()), authority.port_u16()))
        };
        Self {
            hosts: hosts.iter().filter_map(host).collect(),
            origins: origins.iter().filter_map(|text| origin(text)).collect(),
        }
    }

    /// Returns whether requests for this authority are allowed.
    pub(in crate::http) fn allows_host(&self, authority: &str) -> bool {
        let Ok(authority) = authority.parse::<Authority>() else { return false };
        if authority.as_str().contains('@') {
            return false;
        }
        let host = normalize(authority.host());
        let port = authority.port_u16();
        is_loopback(&host)
            || self.hosts.iter().any(|(allowed, allowed_port)| {
                *allowed == host && (allowed_port.is_none() || *allowed_port == port)
            })
    }

    /// Returns whether pages of this origin may send requests.
    pub(in crate::http) fn allows_origin(&self, value: &HeaderValue) -> bool {
        let Some(origin) = value.to_str().ok().and_then(origin) else { return false };
        let loopback = Url::parse(&origin)
            .is_ok_and(|url| url.host_str().is_some_and(|host| is_loopback(&normalize(host))));
        loopback || self.origins.contains(&origin)
    }
}

fn normalize(host: &str) -> String {
    host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.').to_ascii_lowercase()
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Serializes an origin for comparison: scheme, host and port (RFC 6454, section 6.2). Returns
/// `None` for `null`, which cannot be allowed.
fn origin(text: &str) -> Option<String> {
    let origin = Url::parse(text).ok()?.origin();
    origin.is_tuple().then(|| origin.ascii_serialization())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allows_loopback_and_listed_hosts() {
        let allowed = AllowedHosts::new(
            &["mcp.example.com".to_owned(), "other.example:8443".to_owned()],
            &[],
        );
        for host in [
            "localhost",
            "localhost:8080",
            "127.0.0.1:1",
            "127.9.9.9",
            "[::1]:8080",
            "LOCALHOST",
            "mcp.example.com",
            "MCP.example.com:443",
            "mcp.example.com.",
            "other.example:8443",
        ] {
            assert!(allowed.allows_host(host), "{host}");
        }
        for host in [
            "",
            "evil.example.com",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "other.example",
            "other.example:1",
            "0.0.0.0",
            "a@localhost",
            "mcp.example.com.evil.example",
            "10.0.0.1",
        ] {
            assert!(!allowed.allows_host(host), "{host}");
        }
    }

    #[test]
    fn allows_loopback_and_listed_origins() {
        let allowed = AllowedHosts::new(&[], &["https://App.example.com".to_owned()]);
        let check = |origin: &str| allowed.allows_origin(&HeaderValue::from_str(origin).unwrap());
        for origin in [
            "http://localhost:3000",
            "http://127.0.0.1",
            "https://app.example.com",
            "https://app.example.com:443",
            "http://[::1]:9",
        ] {
            assert!(check(origin), "{origin}");
        }
        for origin in [
            "null",
            "",
            "https://evil.example.com",
            "http://app.example.com",
            "https://app.example.com:8443",
            "https://app.example.com.evil.example",
            "localhost",
        ] {
            assert!(!check(origin), "{origin}");
        }
    }
}
