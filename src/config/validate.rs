//! Settings that are each right and wrong together.

use std::net::IpAddr;

use url::Host;

use super::{AuthMode, Config, Loaded};

impl Config {
    /// Whether a credential for Octopus is configured, in any form.
    pub fn has_credential(&self) -> bool {
        let octopus = &self.octopus;
        octopus.api_key.is_some()
            || octopus.api_key_file.is_some()
            || octopus.access_token.is_some()
            || octopus.access_token_file.is_some()
    }

    /// How callers are told apart: the setting, or what fits the credential that is configured.
    pub fn auth_mode(&self) -> AuthMode {
        self.auth.mode.unwrap_or(if self.has_credential() || self.sample.enabled {
            AuthMode::None
        } else {
            AuthMode::Octopus
        })
    }
}

/// Adds a mistake for every pair of settings that cannot stand together.
pub(super) fn validate(loaded: &mut Loaded) {
    let config = loaded.config().clone();
    instance(loaded, &config);
    credential(loaded, &config);
    listener(loaded, &config);
    limits(loaded, &config);
    changes(loaded, &config);
}

fn instance(loaded: &mut Loaded, config: &Config) {
    match &config.octopus.url {
        None if config.sample.enabled => {}
        None => loaded.refuse(
            "octopus.url",
            "say which Octopus to reach: --server-url https://octopus.example.com, the variable \
             OCTOPUS_SERVER_URL, or `url` under [octopus] in the file; or try the embedded sample \
             instance with --sample",
        ),
        // `--sample` wins over a URL that happens to stand in the environment, and the other way.
        Some(_) if config.sample.enabled => {
            if loaded.layer("octopus.url") >= loaded.layer("sample.enabled") {
                loaded.refuse(
                    "octopus.url",
                    "the sample instance is on as well; leave one of the two out",
                );
            }
        }
        Some(url) => match url.scheme() {
            "https" => {}
            "http" if config.octopus.allow_http || is_loopback(url.host().as_ref()) => {}
            "http" => loaded.refuse(
                "octopus.url",
                "credentials would travel in clear text; use https, or say octopus.allow_http = \
                 true",
            ),
            _ => loaded.refuse("octopus.url", "the URL must begin with https://"),
        },
    }
    if let Some(url) = &config.octopus.url
        && (url.query().is_some() || !url.username().is_empty() || url.password().is_some())
    {
        loaded.refuse("octopus.url", "leave out the query and any user name or password");
    }
}

fn is_loopback(host: Option<&Host<&str>>) -> bool {
    match host {
        Some(Host::Domain(name)) => *name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn credential(loaded: &mut Loaded, config: &Config) {
    let octopus = &config.octopus;
    let given = [
        ("octopus.api_key", octopus.api_key.is_some()),
        ("octopus.api_key_file", octopus.api_key_file.is_some()),
        ("octopus.access_token", octopus.access_token.is_some()),
        ("octopus.access_token_file", octopus.access_token_file.is_some()),
    ];
    let mut given = given.into_iter().filter_map(|(key, is_given)| is_given.then_some(key));
    if let Some(first) = given.next() {
        for other in given {
            let message = format!(
                "`{first}` ({}) is given as well; keep the one that calls should use",
                loaded.origin(first)
            );
            loaded.refuse(other, &message);
        }
    }
    for (key, path) in [
        ("octopus.api_key_file", &octopus.api_key_file),
        ("octopus.access_token_file", &octopus.access_token_file),
        ("octopus.ca_file", &octopus.ca_file),
        ("http.tls.certificate", &config.http.tls.certificate),
        ("http.tls.key", &config.http.tls.key),
    ] {
        if let Some(path) = path
            && let Err(error) = std::fs::File::open(path)
        {
            loaded.refuse(key, &format!("the file cannot be read: {error}"));
        }
    }
}

fn listener(loaded: &mut Loaded, config: &Config) {
    let open = !is_loopback_address(config.http.listen.ip());
    if open
        && !config.sample.enabled
        && config.has_credential()
        && config.auth_mode() == AuthMode::None
        && !config.auth.allow_anonymous
    {
        loaded.refuse(
            "http.listen",
            "anybody who reaches this address would act with the configured Octopus credential. \
             Three ways out: listen on loopback (127.0.0.1); leave the credential out, so that \
             each caller sends their own (auth.mode = \"octopus\"); or accept it in writing with \
             auth.allow_anonymous = true",
        );
    }
    match (&config.http.tls.certificate, &config.http.tls.key) {
        (Some(_), None) => loaded.refuse("http.tls.key", "give the key of the certificate too"),
        (None, Some(_)) => loaded.refuse("http.tls.certificate", "give the certificate too"),
        _ => {}
    }
    if config
        .http
        .admin_listen
        .is_some_and(|admin| admin.port() != 0 && admin == config.http.listen)
    {
        loaded.refuse("http.admin_listen", "the main listener has this address already");
    }
    for origin in &config.http.allowed_origins.0 {
        if !origin.contains("://") {
            let message = format!("write `{origin}` with its scheme, as in https://{origin}");
            loaded.refuse("http.allowed_origins", &message);
        }
    }
    for host in &config.http.allowed_hosts.0 {
        if host.contains('/') {
            let message = format!("write `{host}` as a host name alone, or as name:port");
            loaded.refuse("http.allowed_hosts", &message);
        }
    }
}

fn is_loopback_address(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

fn limits(loaded: &mut Loaded, config: &Config) {
    let tools = &config.tools;
    if tools.answer_bytes.0 < 1024 {
        loaded.refuse("tools.answer_bytes", "leave at least 1 KiB, or no answer fits");
    }
    if tools.answer_bytes_cap < tools.answer_bytes {
        loaded.refuse("tools.answer_bytes_cap", "it must not be below tools.answer_bytes");
    }
    if tools.take == 0 {
        loaded.refuse("tools.take", "a list needs at least one item");
    }
    if tools.take_cap < tools.take {
        loaded.refuse("tools.take_cap", "it must not be below tools.take");
    }
    if config.limits.concurrent_requests == 0 {
        loaded.refuse("limits.concurrent_requests", "at least one request must be served");
    }
}

/// How short a key may be.
const SHORTEST_KEY: usize = 32;

fn changes(loaded: &mut Loaded, config: &Config) {
    let tools = &config.tools;
    for (key, value) in
        [("tools.seal_key", &tools.seal_key), ("tools.seal_key_previous", &tools.seal_key_previous)]
    {
        if value.as_ref().is_some_and(|value| value.expose().len() < SHORTEST_KEY) {
            loaded.refuse(key, "give at least 32 characters, as `openssl rand -base64 32` does");
        }
    }
    if tools.seal_key_previous.is_some() && tools.seal_key.is_none() {
        loaded.refuse("tools.seal_key_previous", "give tools.seal_key too, which seals now");
    }
    if tools.allow_deletes && tools.read_only {
        loaded.refuse("tools.allow_deletes", "nothing is deleted while tools.read_only is true");
    }
    let http = &config.http;
    for (key, limit) in [
        ("http.session_limit", http.session_limit),
        ("http.session_limit_per_caller", http.session_limit_per_caller),
    ] {
        if limit == 0 {
            loaded.refuse(key, "at least one session; http.sessions = \"off\" keeps none");
        }
    }
}
