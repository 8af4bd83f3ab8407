//! Which values of `Host` and `Origin` are served.

use std::net::IpAddr;

use http::{HeaderValue, uri::Authority};
use url::Url;

/// The hosts and origins that are served besides loopback ones.
#[derive(Debug)]
pub(super) struct Allowed {
    hosts: Vec<(String, Option<u16>)>,
    origins: Vec<String>,
}

impl Allowed {
    pub(super) fn new(hosts: &[String], origins: &[String]) -> Self {
        let host = |text: &String| {
            let authority: Authority = text.parse().ok()?;
            Some((normal(authority.host()), authority.port_u16()))
        };
        Self {
            hosts: hosts.iter().filter_map(host).collect(),
            origins: origins.iter().filter_map(|text| origin(text)).collect(),
        }
    }

    /// Whether requests for this authority are meant for this server.
    pub(super) fn host(&self, authority: &str) -> bool {
        let Ok(authority) = authority.parse::<Authority>() else { return false };
        if authority.as_str().contains('@') {
            return false;
        }
        let host = normal(authority.host());
        let port = authority.port_u16();
        is_loopback(&host)
            || self.hosts.iter().any(|(allowed, allowed_port)| {
                *allowed == host && (allowed_port.is_none() || *allowed_port == port)
            })
    }

    /// Whether a page of this origin may call.
    pub(super) fn origin(&self, value: &HeaderValue) -> bool {
        let Some(origin) = value.to_str().ok().and_then(origin) else { return false };
        let loopback = Url::parse(&origin)
            .is_ok_and(|url| url.host_str().is_some_and(|host| is_loopback(&normal(host))));
        loopback || self.origins.contains(&origin)
    }
}

fn normal(host: &str) -> String {
    host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.').to_ascii_lowercase()
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// An origin in the form in which origins compare: scheme, host and port (RFC 6454, section 6.2).
/// `null` is none that could be allowed.
fn origin(text: &str) -> Option<String> {
    let origin = Url::parse(text).ok()?.origin();
    origin.is_tuple().then(|| origin.ascii_serialization())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_and_listed_hosts_are_served() {
        let allowed =
            Allowed::new(&["mcp.example.com".to_owned(), "other.example:8443".to_owned()], &[]);
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
            assert!(allowed.host(host), "{host}");
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
            assert!(!allowed.host(host), "{host}");
        }
    }

    #[test]
    fn loopback_and_listed_origins_may_call() {
        let allowed = Allowed::new(&[], &["https://App.example.com".to_owned()]);
        let check = |origin: &str| allowed.origin(&HeaderValue::from_str(origin).unwrap());
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
