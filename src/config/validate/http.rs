//! Validation of the listener and the sessions.

use std::net::IpAddr;

use crate::config::{AuthMode, Config, LoadedConfig, SessionStorage, StoreAddress};

/// Adds the mistakes in the settings of the listener.
pub(super) fn validate_listener(loaded: &mut LoadedConfig, config: &Config) {
    let open = !is_loopback_address(config.http.listen.ip());
    if open
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
                 the session IDs",
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
