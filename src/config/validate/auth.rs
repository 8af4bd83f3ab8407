//! Validation of the authentication settings as a whole.

use std::collections::{BTreeMap, BTreeSet};

use http::HeaderName;
use url::Url;

use crate::config::{
    AuthMode, AuthModes, Config, IssuerSettings, LoadedConfig, auth::token_errors, is_loopback,
};

/// Adds the mistakes in the authentication settings.
pub(super) fn validate(loaded: &mut LoadedConfig, config: &Config) {
    let modes = config.auth_modes();
    check_exclusive_modes(loaded, &modes);
    check_tokens(loaded, config, &modes);
    check_oauth(loaded, config, &modes);
    check_proxy(loaded, config, &modes);
    check_certificate(loaded, config, &modes);
    for group in &config.auth.group_scopes {
        if group.group.is_empty() {
            loaded.add_error("auth.group_scopes", "each entry needs a `group` and a `scope`");
        }
    }
}

/// Checks that `none` and `octopus` are not combined with other modes, which they would bypass.
fn check_exclusive_modes(loaded: &mut LoadedConfig, modes: &AuthModes) {
    for (mode, name) in [(AuthMode::None, "none"), (AuthMode::Octopus, "octopus")] {
        if modes.has(mode) && modes.0.len() > 1 {
            let message = format!(
                "`{name}` does not authenticate callers to this server, so other modes would have \
                 no effect; remove it or use it alone. Callers of the other modes can still send \
                 their own Octopus credential in X-Octopus-ApiKey where an instance says \
                 credential = \"caller\""
            );
            loaded.add_error("auth.mode", &message);
        }
    }
    if modes.0.iter().enumerate().any(|(index, mode)| modes.0.iter().take(index).any(|m| m == mode))
    {
        loaded.add_error("auth.mode", "a mode is listed twice");
    }
}

fn check_tokens(loaded: &mut LoadedConfig, config: &Config, modes: &AuthModes) {
    let auth = &config.auth;
    if modes.has(AuthMode::Tokens) && auth.tokens.is_empty() && auth.tokens_file.is_none() {
        let message = "no tokens are configured; `octopus-mcp token new NAME` prints a token and \
                       the table [auth.tokens.NAME] for it";
        loaded.add_error("auth.tokens", message);
    }
    let instances: Vec<String> =
        config.instances_with_keys().into_iter().map(|(name, ..)| name.to_owned()).collect();
    for (key, message) in token_errors(&auth.tokens, &BTreeMap::new(), &instances) {
        loaded.add_error(&format!("auth.tokens.{key}"), &message);
    }
}

fn check_oauth(loaded: &mut LoadedConfig, config: &Config, modes: &AuthModes) {
    let oauth = &config.auth.oauth;
    if modes.has(AuthMode::Oauth) && oauth.issuers.is_empty() {
        loaded.add_error(
            "auth.oauth.issuers",
            "no issuer is configured; add one under [[auth.oauth.issuers]]",
        );
    }
    let mut seen = BTreeSet::new();
    for issuer in &oauth.issuers {
        if let Some(message) = issuer_error(issuer, config) {
            let message = format!("issuer '{}': {message}", issuer.issuer);
            loaded.add_error("auth.oauth.issuers", &message);
        }
        if !seen.insert(&issuer.issuer) {
            let message = format!("issuer '{}' is listed twice", issuer.issuer);
            loaded.add_error("auth.oauth.issuers", &message);
        }
    }
    if !oauth.issuers.is_empty() && !oauth.issuers.iter().any(|issuer| issuer.advertised) {
        loaded.add_error("auth.oauth.issuers", "at least one issuer needs `advertised = true`");
    }
    if oauth.clock_skew.0.as_secs() > 300 {
        loaded.add_error(
            "auth.oauth.clock_skew",
            "the maximum is 5m; synchronise the clocks instead",
        );
    }
    if oauth.timeout.0.is_zero() || oauth.timeout.0.as_secs() > 30 {
        loaded.add_error(
            "auth.oauth.timeout",
            "the timeout must be more than 0 and at most 30s, because requests wait for it",
        );
    }
    if oauth.keys_stale_for < oauth.keys_for {
        loaded.add_error(
            "auth.oauth.keys_stale_for",
            "the value must not be below auth.oauth.keys_for",
        );
    }
    let names = &oauth.scope_names;
    let mut seen_scopes = BTreeSet::new();
    for (key, list) in [("read", &names.read), ("deploy", &names.deploy), ("admin", &names.admin)] {
        let key = format!("auth.oauth.scope_names.{key}");
        if list.0.is_empty() {
            loaded.add_error(&key, "at least one scope is required");
        }
        for name in &list.0 {
            // Allowed characters of a scope: RFC 6749, section 3.3.
            if !name.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\') {
                let message = "a scope may only contain visible ASCII characters except quotes and \
                               backslashes";
                loaded.add_error(&key, message);
            }
            if !seen_scopes.insert(name) {
                loaded.add_error(&key, &format!("the scope `{name}` is used more than once"));
            }
        }
    }
    for group in &oauth.groups {
        if group.claim.is_empty() || group.value.is_empty() || group.group.is_empty() {
            loaded.add_error(
                "auth.oauth.groups",
                "each entry needs a `claim`, a `value` and a `group`",
            );
        }
    }
}

fn issuer_error(issuer: &IssuerSettings, config: &Config) -> Option<&'static str> {
    let url: Url = match issuer.issuer.parse() {
        Ok(url) => url,
        Err(_) => {
            return Some(
                "the issuer must be a URL as in its tokens, e.g. https://login.example.com",
            );
        }
    };
    let all = [Some(&url), issuer.discovery.as_ref(), issuer.jwks_uri.as_ref()];
    if !all.into_iter().flatten().all(is_authentic_source) {
        return Some("keys fetched over http can be forged; use https");
    }
    if issuer.algorithms.is_empty() {
        return Some("at least one algorithm is required");
    }
    if issuer.scope_claims.0.is_empty() && issuer.default_scope.is_none() {
        return Some("set `default_scope` or `scope_claims`");
    }
    if issuer.audiences.0.is_empty() && config.http.public_url.is_none() {
        return Some("set `audiences`, or http.public_url as the audience");
    }
    if issuer.audience_claim != "aud" && issuer.audiences.0.is_empty() {
        return Some("set `audiences`, because `audience_claim` is not `aud`");
    }
    None
}

/// Returns whether responses from the URL are authentic: HTTPS, or loopback.
fn is_authentic_source(url: &Url) -> bool {
    url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url))
}

fn check_proxy(loaded: &mut LoadedConfig, config: &Config, modes: &AuthModes) {
    let proxy = &config.auth.proxy;
    if modes.has(AuthMode::Proxy) && config.http.trusted_proxies.0.is_empty() {
        let message = "no trusted proxies are configured; list the proxies that may send identity \
                       headers, because any other client could forge them";
        loaded.add_error("http.trusted_proxies", message);
    }
    if config.http.trusted_proxies.0.iter().any(|network| network.prefix_len() == 0) {
        loaded.add_error(
            "http.trusted_proxies",
            "the network contains all addresses; list the proxies",
        );
    }
    let own = ["authorization", "x-octopus-apikey", "host", "cookie"];
    let mut seen = BTreeSet::new();
    for (key, name) in proxy.identity_headers() {
        let name = name.to_ascii_lowercase();
        if name.parse::<HeaderName>().is_err() || own.contains(&name.as_str()) {
            loaded
                .add_error(key, "the name is invalid or reserved and cannot be an identity header");
        } else if !seen.insert(name) {
            loaded.add_error(key, "another setting already uses this header");
        }
    }
}

fn check_certificate(loaded: &mut LoadedConfig, config: &Config, modes: &AuthModes) {
    let tls = &config.http.tls;
    if modes.has(AuthMode::Certificate) && tls.client_ca.is_none() {
        let message =
            "set a PEM file with the certificate authorities of accepted client certificates";
        loaded.add_error("http.tls.client_ca", message);
    }
    if tls.client_ca.is_some() && tls.certificate.is_none() {
        let message = "client certificates require TLS; set http.tls.certificate too";
        loaded.add_error("http.tls.client_ca", message);
    }
}
