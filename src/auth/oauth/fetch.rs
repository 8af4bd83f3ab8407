//! Fetches the metadata and key set of an issuer, within size and time limits.

use std::time::Duration;

use reqwest::{Client, redirect};
use serde::Deserialize;
use url::Url;

use super::{
    error::IssuerSetupError,
    keys::{self, VerificationKey},
};
use crate::{
    config::{self, is_loopback},
    telemetry::{Metrics, UpstreamTelemetry},
};

/// The maximum size of a document, in bytes.
const MAX_DOCUMENT_BYTES: usize = 256 * 1024;

/// The route labels of requests in metrics. They replace the URLs, which differ by issuer.
const DISCOVERY_ROUTE: &str = "{discovery}";
const KEYS_ROUTE: &str = "{keys}";

/// The text of a failed fetch, for the log.
type FetchError = String;

/// The used fields of the issuer metadata (RFC 8414, section 3.2; `OpenID` Connect Discovery 1.0,
/// section 4.2).
#[derive(Deserialize)]
struct IssuerMetadata {
    issuer: String,
    jwks_uri: Url,
}

/// HTTP client for the documents of one issuer.
#[derive(Debug)]
pub(super) struct IssuerClient {
    http: Client,
    metrics: Metrics,
}

impl IssuerClient {
    /// Creates the client without sending a request. `timeout` limits each request.
    pub(super) fn new(
        issuer: &config::IssuerSettings,
        timeout: Duration,
        metrics: &Metrics,
    ) -> Result<Self, IssuerSetupError> {
        Ok(Self { http: build_http_client(issuer, timeout)?, metrics: metrics.clone() })
    }

    /// Returns the URL of the issuer's key set, from the settings or else from the issuer metadata.
    pub(super) async fn discover_keys_url(
        &self,
        issuer: &config::IssuerSettings,
    ) -> Result<Url, FetchError> {
        if let Some(url) = &issuer.jwks_uri {
            return Ok(url.clone());
        }
        let mut last = "the issuer is not a valid URL".to_owned();
        for url in metadata_urls(issuer) {
            let document = match self.get(&url, DISCOVERY_ROUTE).await {
                Ok(document) => document,
                Err(error) => {
                    last = format!("{url}: {error}");
                    continue;
                }
            };
            let Ok(description) = serde_json::from_slice::<IssuerMetadata>(&document) else {
                last = format!("{url}: the response is not issuer metadata with jwks_uri");
                continue;
            };
            // The issuer must match (RFC 8414, section 3.3). A configured metadata URL may use
            // another name.
            if description.issuer != issuer.issuer && issuer.discovery.is_none() {
                let other = description.issuer.escape_debug();
                return Err(format!("{url}: the metadata belongs to the issuer '{other}'"));
            }
            if description.jwks_uri.scheme() != "https" && !is_loopback(&description.jwks_uri) {
                return Err(format!(
                    "{url}: jwks_uri must use https, because http does not authenticate the keys"
                ));
            }
            return Ok(description.jwks_uri);
        }
        Err(last)
    }

    /// Fetches the current keys.
    pub(super) async fn fetch_keys(&self, url: &Url) -> Result<Vec<VerificationKey>, FetchError> {
        let document =
            self.get(url, KEYS_ROUTE).await.map_err(|error| format!("{url}: {error}"))?;
        keys::parse_key_set(&document).map_err(|error| format!("{url}: {error}"))
    }

    /// Fetches a document and checks its size.
    async fn get(&self, url: &Url, route: &str) -> Result<Vec<u8>, FetchError> {
        let request = self.http.get(url.clone()).header("accept", "application/json");
        let telemetry = UpstreamTelemetry::new(None, url, &self.metrics);
        let sent = telemetry.send(route, request).await;
        let mut response = sent.map_err(|error| describe_error(&error).to_owned())?;
        if response.status() != 200 {
            return Err(format!("HTTP {}", response.status().as_u16()));
        }
        let mut document = Vec::new();
        while let Some(chunk) =
            response.chunk().await.map_err(|error| describe_error(&error).to_owned())?
        {
            if document.len() + chunk.len() > MAX_DOCUMENT_BYTES {
                return Err(format!("the document is larger than {MAX_DOCUMENT_BYTES} bytes"));
            }
            document.extend_from_slice(&chunk);
        }
        Ok(document)
    }
}

/// Returns the URLs that may serve the metadata of an issuer. `OpenID` Connect Discovery appends
/// the well-known path to the issuer; RFC 8414 inserts it before the path of the issuer.
fn metadata_urls(issuer: &config::IssuerSettings) -> Vec<Url> {
    if let Some(url) = &issuer.discovery {
        return vec![url.clone()];
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
    let with_path = |path: String| {
        let mut url = url.clone();
        url.set_path(&path);
        url.set_query(None);
        url.set_fragment(None);
        url
    };
    paths.into_iter().map(with_path).collect()
}

/// Creates the HTTP client for one issuer.
fn build_http_client(
    issuer: &config::IssuerSettings,
    timeout: Duration,
) -> Result<Client, IssuerSetupError> {
    // Fails if another TLS provider is already installed, which works too.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let mut builder = Client::builder()
        .connect_timeout(timeout)
        .timeout(timeout)
        .redirect(redirect::Policy::none())
        .pool_idle_timeout(Duration::from_mins(1))
        .user_agent(concat!("octopus-mcp/", env!("CARGO_PKG_VERSION")));
    if issuer.issuer.parse().is_ok_and(|url: Url| is_loopback(&url)) {
        // Proxies in the environment cannot reach a loopback address of this machine.
        builder = builder.no_proxy();
    }
    if let Some(path) = &issuer.ca_file {
        let pem = std::fs::read(path)
            .map_err(|error| IssuerSetupError::ReadCaFile { path: path.clone(), error })?;
        let trusted = reqwest::Certificate::from_pem_bundle(&pem)
            .map_err(|error| IssuerSetupError::InvalidCaFile { path: path.clone(), error })?;
        builder = builder.tls_certs_merge(trusted);
    }
    builder.build().map_err(IssuerSetupError::HttpClient)
}

fn describe_error(error: &reqwest::Error) -> &'static str {
    if error.is_builder() {
        "the URL cannot be requested"
    } else if error.is_timeout() {
        "the request timed out"
    } else if error.is_connect() {
        "the connection failed"
    } else {
        "the response was interrupted"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_urls_follow_openid_connect_and_rfc_8414() {
        let urls = |issuer: &str| {
            let issuer = config::IssuerSettings {
                issuer: issuer.to_owned(),
                ..config::IssuerSettings::default()
            };
            metadata_urls(&issuer).into_iter().map(String::from).collect::<Vec<_>>()
        };
        assert_eq!(
            urls("https://id.example.com"),
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
        assert_eq!(urls("https://id.example.com/realms/octopus"), both);
        assert_eq!(urls("https://id.example.com/realms/octopus/"), both);
    }
}
