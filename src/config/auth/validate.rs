//! What the settings of callers may not say together.

use std::collections::{BTreeMap, BTreeSet};

use http::HeaderName;
use url::Url;

use super::{
    super::{Config, Loaded, is_loopback},
    AuthMode, Issuer, Modes, token,
};

/// Adds the mistakes in the settings of callers.
pub(in crate::config) fn validate(loaded: &mut Loaded, config: &Config) {
    let modes = config.auth_modes();
    alone(loaded, &modes);
    tokens(loaded, config, &modes);
    oauth(loaded, config, &modes);
    proxy(loaded, config, &modes);
    certificate(loaded, config, &modes);
    for group in &config.auth.group_scopes {
        if group.group.is_empty() {
            loaded.refuse("auth.group_scopes", "each needs a `group` and a `scope`");
        }
    }
}

/// A caller who is known by nothing would make the other ways pointless.
fn alone(loaded: &mut Loaded, modes: &Modes) {
    for (mode, word) in [(AuthMode::None, "none"), (AuthMode::Octopus, "octopus")] {
        if modes.has(mode) && modes.0.len() > 1 {
            let message = format!(
                "`{word}` lets in callers who prove nothing to this server, so no other way would \
                 count; leave it out, or leave it alone. Callers of the other ways still bring \
                 their own Octopus credential in X-Octopus-ApiKey where an instance says \
                 credential = \"caller\""
            );
            loaded.refuse("auth.mode", &message);
        }
    }
    if modes.0.iter().enumerate().any(|(place, mode)| modes.0.iter().take(place).any(|m| m == mode))
    {
        loaded.refuse("auth.mode", "one of the ways is there twice");
    }
}

fn tokens(loaded: &mut Loaded, config: &Config, modes: &Modes) {
    let auth = &config.auth;
    if modes.has(AuthMode::Tokens) && auth.tokens.is_empty() && auth.tokens_file.is_none() {
        let message = "there are no tokens; `octopus-mcp token new NAME` prints one with the table \
                       [auth.tokens.NAME] to write here";
        loaded.refuse("auth.tokens", message);
    }
    let instances: Vec<String> =
        config.each_instance().into_iter().map(|(name, ..)| name.to_owned()).collect();
    for (key, message) in token::mistakes(&auth.tokens, &BTreeMap::new(), &instances) {
        loaded.refuse(&format!("auth.tokens.{key}"), &message);
    }
}

fn oauth(loaded: &mut Loaded, config: &Config, modes: &Modes) {
    let oauth = &config.auth.oauth;
    if modes.has(AuthMode::Oauth) && oauth.issuers.is_empty() {
        loaded.refuse("auth.oauth.issuers", "name an authorization server: [[auth.oauth.issuers]]");
    }
    let mut known = BTreeSet::new();
    for issuer in &oauth.issuers {
        if let Some(message) = wrong(issuer, config) {
            let message = format!("the issuer '{}': {message}", issuer.issuer);
            loaded.refuse("auth.oauth.issuers", &message);
        }
        if !known.insert(&issuer.issuer) {
            let message = format!("the issuer '{}' is there twice", issuer.issuer);
            loaded.refuse("auth.oauth.issuers", &message);
        }
    }
    if !oauth.issuers.is_empty() && !oauth.issuers.iter().any(|issuer| issuer.advertised) {
        loaded.refuse("auth.oauth.issuers", "clients must be told of one: `advertised = true`");
    }
    if oauth.clock_skew.0.as_secs() > 300 {
        loaded.refuse("auth.oauth.clock_skew", "five minutes at most; set the clocks instead");
    }
    if oauth.timeout.0.is_zero() || oauth.timeout.0.as_secs() > 30 {
        loaded.refuse("auth.oauth.timeout", "between a moment and 30s, since a request waits");
    }
    if oauth.keys_stale_for < oauth.keys_for {
        loaded.refuse("auth.oauth.keys_stale_for", "it must not be below auth.oauth.keys_for");
    }
    let names = &oauth.scope_names;
    let mut words = BTreeSet::new();
    for (key, list) in [("read", &names.read), ("deploy", &names.deploy), ("admin", &names.admin)] {
        let key = format!("auth.oauth.scope_names.{key}");
        if list.0.is_empty() {
            loaded.refuse(&key, "give at least one word");
        }
        for word in &list.0 {
            // RFC 6749, section 3.3: what a scope may be made of.
            if !word.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\') {
                loaded.refuse(&key, "a scope is made of visible letters, without quotes");
            }
            if !words.insert(word) {
                loaded.refuse(&key, &format!("the word `{word}` means something else already"));
            }
        }
    }
    for group in &oauth.groups {
        if group.claim.is_empty() || group.value.is_empty() || group.group.is_empty() {
            loaded.refuse("auth.oauth.groups", "each needs a `claim`, a `value` and a `group`");
        }
    }
}

fn wrong(issuer: &Issuer, config: &Config) -> Option<&'static str> {
    let url: Url = match issuer.issuer.parse() {
        Ok(url) => url,
        Err(_) => return Some("write the issuer as its tokens have it: https://login.example.com"),
    };
    let all = [Some(&url), issuer.discovery.as_ref(), issuer.jwks_uri.as_ref()];
    if !all.into_iter().flatten().all(is_safe) {
        return Some("keys that come over http are anybody's; use https");
    }
    if issuer.algorithms.is_empty() {
        return Some("name at least one of the algorithms");
    }
    if issuer.scope_claims.0.is_empty() && issuer.default_scope.is_none() {
        return Some("without `scope_claims` give a `default_scope`");
    }
    if issuer.audiences.0.is_empty() && config.http.public_url.is_none() {
        return Some("give its `audiences`, or http.public_url, which is the audience then");
    }
    if issuer.audience_claim != "aud" && issuer.audiences.0.is_empty() {
        return Some("give its `audiences`, since they stand in a claim of their own");
    }
    None
}

/// Whether what comes from there is from there: HTTPS, or loopback.
fn is_safe(url: &Url) -> bool {
    url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url))
}

fn proxy(loaded: &mut Loaded, config: &Config, modes: &Modes) {
    let proxy = &config.auth.proxy;
    if modes.has(AuthMode::Proxy) && config.http.trusted_proxies.0.is_empty() {
        let message = "say which proxies may name callers; from anybody else the header would be \
                       a password that everybody knows";
        loaded.refuse("http.trusted_proxies", message);
    }
    if config.http.trusted_proxies.0.iter().any(|network| network.prefix_len() == 0) {
        loaded.refuse("http.trusted_proxies", "this is everybody; name the proxies");
    }
    let own = ["authorization", "x-octopus-apikey", "host", "cookie"];
    let mut known = BTreeSet::new();
    for (key, name) in proxy.headers() {
        let name = name.to_ascii_lowercase();
        if name.parse::<HeaderName>().is_err() || own.contains(&name.as_str()) {
            loaded.refuse(key, "this cannot be the header of a proxy");
        } else if !known.insert(name) {
            loaded.refuse(key, "another setting names this header already");
        }
    }
}

fn certificate(loaded: &mut Loaded, config: &Config, modes: &Modes) {
    let tls = &config.http.tls;
    if modes.has(AuthMode::Certificate) && tls.client_ca.is_none() {
        let message = "say whose certificates are good: a PEM file with certificate authorities";
        loaded.refuse("http.tls.client_ca", message);
    }
    if tls.client_ca.is_some() && tls.certificate.is_none() {
        let message = "certificates of clients come with TLS; give http.tls.certificate too";
        loaded.refuse("http.tls.client_ca", message);
    }
    if let Some(url) = &config.http.public_url
        && (!matches!(url.scheme(), "http" | "https")
            || url.host().is_none()
            || url.query().is_some()
            || url.fragment().is_some()
            || !url.username().is_empty()
            || url.password().is_some())
    {
        let message = "write it as https://mcp.example.com, without query and user name";
        loaded.refuse("http.public_url", message);
    }
}
