//! Validation of the listener and the sessions.

use std::net::IpAddr;

use url::Url;

use crate::config::{AuthMode, Config, LoadedConfig, SessionStorage, StoreAddress};

/// Adds the mistakes in the settings of the listener.
pub(super) fn validate_listener(loaded: &mut LoadedConfig, config: &Config) {
    let open = !is_loopback_address(config.http.listen.ip());
    // Without a readable mode, the default mode says nothing about the intended access.
    if open
        && !loaded.has_error("auth.mode")
        && !config.sample.enabled
        && config.has_credential()
        && config.auth_modes().has(AuthMode::None)
        && !config.auth.allow_anonymous
    {
        loaded.add_error(
            "http.listen",
            "everyone who reaches this address could use the configured Octopus credential. \
             Solutions: listen on loopback (127.0.0.1); remove the credential, so that \
             callers send their own (auth.mode = \"octopus\"); or accept the risk with \
             auth.allow_anonymous = true",
        );
    }
    match (&config.http.tls.certificate, &config.http.tls.key) {
        (Some(_), None) => loaded.add_error(
            "http.tls.key",
            "http.tls.certificate is set; set the key of the certificate too",
        ),
        (None, Some(_)) => {
            loaded
                .add_error("http.tls.certificate", "http.tls.key is set; set the certificate too");
        }
        _ => {}
    }
    if config
        .http
        .admin_listen
        .is_some_and(|admin| admin.port() != 0 && admin == config.http.listen)
    {
        loaded.add_error("http.admin_listen", "http.listen already uses this address");
    }
    let times = [
        ("http.header_timeout", config.http.header_timeout),
        ("http.idle_timeout", config.http.idle_timeout),
    ];
    for (key, time) in times {
        if time.0.is_zero() {
            loaded.add_error(key, "the timeout must be more than 0, e.g. `10s`");
        }
    }
    for origin in &config.http.allowed_origins.0 {
        if !origin.contains("://") {
            let message = format!("origin `{origin}` has no scheme; write e.g. https://{origin}");
            loaded.add_error("http.allowed_origins", &message);
        }
    }
    for host in &config.http.allowed_hosts.0 {
        if host.contains('/') {
            let message = format!("`{host}` is not a host name; write `name` or `name:port`");
            loaded.add_error("http.allowed_hosts", &message);
        }
    }
}

/// Adds the mistakes in the public URL.
pub(super) fn validate_public_url(loaded: &mut LoadedConfig, config: &Config) {
    const KEY: &str = "http.public_url";
    let Some(url) = &config.http.public_url else { return };
    if !matches!(url.scheme(), "http" | "https")
        || url.host().is_none()
        || url.query().is_some()
        || url.fragment().is_some()
        || !url.username().is_empty()
        || url.password().is_some()
    {
        let message = "expected a URL such as https://mcp.example.com, without query, fragment, user \
                       name and password";
        loaded.add_error(KEY, message);
    } else if let Some(base) = url_before(url, &["mcp"]) {
        let message = format!("the server adds /mcp to this URL; use the base URL {base}");
        loaded.add_error(KEY, &message);
    }
}

/// Returns the URL up to the first path segment that is one of these words, without user name,
/// password, query and fragment. `None` if the path has no such segment.
pub(super) fn url_before(url: &Url, words: &[&str]) -> Option<String> {
    let segments: Vec<&str> = url.path_segments()?.collect();
    let is_word = |segment: &&str| words.iter().any(|word| word.eq_ignore_ascii_case(segment));
    let end = segments.iter().position(is_word)?;
    let mut base = url.clone();
    base.set_query(None);
    base.set_fragment(None);
    base.set_username("").ok()?;
    base.set_password(None).ok()?;
    base.set_path(&segments.into_iter().take(end).collect::<Vec<_>>().join("/"));
    Some(base.as_str().trim_end_matches('/').to_owned())
}

fn is_loopback_address(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

/// Adds the mistakes in the settings of sessions.
pub(super) fn validate_sessions(loaded: &mut LoadedConfig, config: &Config) {
    let http = &config.http;
    if http.sessions == SessionStorage::Store {
        if matches!(config.limits.store, StoreAddress::Memory) {
            loaded.add_error(
                "http.sessions",
                "limits.store is not set; set e.g. redis://HOST:6379, or use `memory`",
            );
        }
        if config.tools.seal_key.is_none() {
            loaded.add_error(
                "tools.seal_key",
                "http.sessions = \"store\" requires a key, the same on all replicas, which seals \
                 the session IDs; set one with at least 32 characters, e.g. from `openssl rand \
                 -base64 32`",
            );
        }
    }
    for (key, limit) in [
        ("http.session_limit", http.session_limit),
        ("http.session_limit_per_caller", http.session_limit_per_caller),
    ] {
        if limit == 0 {
            loaded.add_error(
                key,
                "the value must be at least 1; http.sessions = \"off\" disables sessions",
            );
        }
    }
}
