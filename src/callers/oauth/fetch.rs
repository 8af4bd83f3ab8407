//! The documents of an issuer: where they are, and reading them within bounds.

use std::time::Duration;

use reqwest::{Client, redirect};
use serde::Deserialize;
use url::Url;

use super::keys::{self, Key};
use crate::{
    config::{self, is_loopback},
    telemetry::{Asking, Metrics},
    text::cause,
};

/// How large a document of an issuer may be.
const LARGEST: usize = 256 * 1024;

/// What its documents are called where requests are measured, in place of their addresses.
const DISCOVERY: &str = "{discovery}";
const KEYS: &str = "{keys}";

/// What a failure of an issuer is called in the log.
type Failed = String;

/// What an issuer says of itself, as far as it is read (RFC 8414, section 3.2; `OpenID` Connect
/// Discovery, section 4.2).
#[derive(Deserialize)]
struct Description {
    issuer: String,
    jwks_uri: Url,
}

/// What reads the documents of one issuer.
#[derive(Debug)]
pub(super) struct Fetch {
    connections: Client,
    metrics: Metrics,
}

impl Fetch {
    /// Nothing is sent yet. A request has this time.
    pub(super) fn new(
        issuer: &config::Issuer,
        timeout: Duration,
        metrics: &Metrics,
    ) -> Result<Self, String> {
        Ok(Self { connections: connections(issuer, timeout)?, metrics: metrics.clone() })
    }

    /// Where the keys of an issuer are.
    pub(super) async fn discover(&self, issuer: &config::Issuer) -> Result<Url, Failed> {
        if let Some(url) = &issuer.jwks_uri {
            return Ok(url.clone());
        }
        let mut last = "its address does not read".to_owned();
        for place in places(issuer) {
            let document = match self.get(&place, DISCOVERY).await {
                Ok(document) => document,
                Err(error) => {
                    last = format!("{place}: {error}");
                    continue;
                }
            };
            let Ok(description) = serde_json::from_slice::<Description>(&document) else {
                last = format!("{place}: no description of an issuer");
                continue;
            };
            // RFC 8414, section 3.3. A place that the settings name may speak for another name.
            if description.issuer != issuer.issuer && issuer.discovery.is_none() {
                let other = description.issuer.escape_debug();
                return Err(format!("{place}: it describes '{other}'"));
            }
            if description.jwks_uri.scheme() != "https" && !is_loopback(&description.jwks_uri) {
                return Err(format!("{place}: its keys come over http, and could be anybody's"));
            }
            return Ok(description.jwks_uri);
        }
        Err(last)
    }

    /// The keys that are there now.
    pub(super) async fn keys(&self, place: &Url) -> Result<Vec<Key>, Failed> {
        let document = self.get(place, KEYS).await.map_err(|error| format!("{place}: {error}"))?;
        keys::read(&document).map_err(|error| format!("{place}: {error}"))
    }

    /// Reads a document within its size. The client has the time limit.
    async fn get(&self, place: &Url, what: &str) -> Result<Vec<u8>, Failed> {
        let request = self.connections.get(place.clone()).header("accept", "application/json");
        let asking = Asking::new(None, place, &self.metrics);
        let sent = asking.send(what, request).await;
        let mut response = sent.map_err(|error| words(&error).to_owned())?;
        if response.status() != 200 {
            return Err(format!("HTTP {}", response.status().as_u16()));
        }
        let mut document = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(|error| words(&error).to_owned())? {
            if document.len() + piece.len() > LARGEST {
                return Err(format!("more than {LARGEST} bytes"));
            }
            document.extend_from_slice(&piece);
        }
        Ok(document)
    }
}

/// Where an issuer may describe itself: as `OpenID` Connect has it, and as RFC 8414 has it, which
/// puts the path of the issuer behind the well-known one.
fn places(issuer: &config::Issuer) -> Vec<Url> {
    if let Some(place) = &issuer.discovery {
        return vec![place.clone()];
    }
    let Ok(url) = issuer.issuer.parse::<Url>() else { return Vec::new() };
    let path = url.path().trim_end_matches('/').to_owned();
    let mut paths = vec![
        format!("{path}/.well-known/openid-configuration"),
        format!("/.well-known/oauth-authorization-server{path}"),
    ];
    if !path.is_empty() {
        paths.push(format!("/.well-known/openid-configuration{path}"));
    }
    let place = |path: String| {
        let mut place = url.clone();
        place.set_path(&path);
        place.set_query(None);
        place.set_fragment(None);
        place
    };
    paths.into_iter().map(place).collect()
}

/// The connections to one issuer.
fn connections(issuer: &config::Issuer, timeout: Duration) -> Result<Client, String> {
    // The one place that chooses; a provider that somebody installed before is as good.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let mut builder = Client::builder()
        .connect_timeout(timeout)
        .timeout(timeout)
        .redirect(redirect::Policy::none())
        .pool_idle_timeout(Duration::from_mins(1))
        .user_agent(concat!("octopus-mcp/", env!("CARGO_PKG_VERSION")));
    if issuer.issuer.parse().is_ok_and(|url: Url| is_loopback(&url)) {
        // A proxy of the environment is for other machines.
        builder = builder.no_proxy();
    }
    if let Some(path) = &issuer.ca_file {
        let wrong = |error: &dyn std::fmt::Display| {
            format!("auth.oauth.issuers: ca_file: {}: {error}", path.display())
        };
        let pem = std::fs::read(path).map_err(|error| wrong(&error))?;
        let trusted = reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| wrong(&error))?;
        builder = builder.tls_certs_merge(trusted);
    }
    builder.build().map_err(|error| format!("no HTTP client: {}", cause(&error)))
}

fn words(error: &reqwest::Error) -> &'static str {
    if error.is_builder() {
        "its address cannot be requested"
    } else if error.is_timeout() {
        "it took too long"
    } else if error.is_connect() {
        "it cannot be reached"
    } else {
        "it broke off"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_describes_itself_in_the_usual_places() {
        let places = |issuer: &str| {
            let issuer = config::Issuer { issuer: issuer.to_owned(), ..config::Issuer::default() };
            places(&issuer).into_iter().map(String::from).collect::<Vec<_>>()
        };
        assert_eq!(
            places("https://id.example.com"),
            [
                "https://id.example.com/.well-known/openid-configuration",
                "https://id.example.com/.well-known/oauth-authorization-server",
            ]
        );
        let both = [
            "https://id.example.com/realms/octopus/.well-known/openid-configuration",
            "https://id.example.com/.well-known/oauth-authorization-server/realms/octopus",
            "https://id.example.com/.well-known/openid-configuration/realms/octopus",
        ];
        assert_eq!(places("https://id.example.com/realms/octopus"), both);
        assert_eq!(places("https://id.example.com/realms/octopus/"), both);
    }
}
