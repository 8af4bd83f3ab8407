//! Settings that are each right and wrong together.

use std::net::IpAddr;

use super::{
    AuthMode, Config, Instance, Loaded, Modes, Sessions, StoreAddress, audit, auth, instances,
    limits, rules, telemetry,
};

impl Config {
    /// Every instance with its name and the key of its settings.
    pub fn each_instance(&self) -> Vec<(&str, String, &Instance)> {
        if self.instances.is_empty() {
            return vec![(SINGLE, "octopus".to_owned(), &self.octopus)];
        }
        let instances = self.instances.iter();
        instances
            .map(|(name, instance)| (name.as_str(), format!("instances.{name}"), instance))
            .collect()
    }

    /// The name of the instance of callers who name none.
    pub fn default_instance(&self) -> Option<&str> {
        let instances = self.each_instance();
        match instances.as_slice() {
            [(name, ..)] => Some(name),
            several => several.iter().find(|(_, _, one)| one.default).map(|(name, ..)| *name),
        }
    }

    /// Whether a credential for Octopus that anybody may use is configured, in any form.
    pub fn has_credential(&self) -> bool {
        self.each_instance().iter().any(|(_, _, instance)| instance.has_credential())
    }

    /// How callers are told apart: the setting, or what fits the credential that is configured.
    pub fn auth_modes(&self) -> Modes {
        self.auth.mode.clone().unwrap_or_else(|| {
            Modes::from(if self.has_credential() || self.sample.enabled {
                AuthMode::None
            } else {
                AuthMode::Octopus
            })
        })
    }
}

/// What the one instance is called, where there are no names.
const SINGLE: &str = "default";

/// Adds a mistake for every pair of settings that cannot stand together.
pub(super) fn validate(loaded: &mut Loaded) {
    let config = loaded.config().clone();
    instances::validate(loaded, &config);
    auth::validate(loaded, &config);
    files(loaded, &config);
    listener(loaded, &config);
    sizes(loaded, &config);
    limits::validate(loaded, &config);
    changes(loaded, &config);
    rules::validate(loaded, &config);
    audit::validate(loaded, &config.audit);
    telemetry::validate(loaded, &config.telemetry);
}

/// Files that the settings name must be there.
fn files(loaded: &mut Loaded, config: &Config) {
    let tls = &config.http.tls;
    let mut files = vec![
        ("http.tls.certificate".to_owned(), &tls.certificate),
        ("http.tls.key".to_owned(), &tls.key),
        ("http.tls.client_ca".to_owned(), &tls.client_ca),
        ("auth.tokens_file".to_owned(), &config.auth.tokens_file),
        ("limits.store_ca_file".to_owned(), &config.limits.store_ca_file),
    ];
    let issuers = config.auth.oauth.issuers.iter();
    files.extend(issuers.map(|issuer| ("auth.oauth.issuers".to_owned(), &issuer.ca_file)));
    for (_, key, instance) in config.each_instance() {
        files.extend([
            (format!("{key}.api_key_file"), &instance.api_key_file),
            (format!("{key}.access_token_file"), &instance.access_token_file),
            (format!("{key}.ca_file"), &instance.ca_file),
            (format!("{key}.exchange.token_file"), &instance.exchange.token_file),
        ]);
        let groups = instance.groups.iter();
        files.extend(groups.map(|group| (format!("{key}.groups"), &group.api_key_file)));
    }
    for (key, path) in files {
        if let Some(path) = path
            && let Err(error) = std::fs::File::open(path)
        {
            loaded.refuse(&key, &format!("the file {} cannot be read: {error}", path.display()));
        }
    }
}

fn listener(loaded: &mut Loaded, config: &Config) {
    let open = !is_loopback_address(config.http.listen.ip());
    if open
        && !config.sample.enabled
        && config.has_credential()
        && config.auth_modes().has(AuthMode::None)
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
    let times = [
        ("http.header_timeout", config.http.header_timeout),
        ("http.idle_timeout", config.http.idle_timeout),
    ];
    for (key, time) in times {
        if time.0.is_zero() {
            loaded.refuse(key, "give connections some time, as in \"10s\"");
        }
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

fn sizes(loaded: &mut Loaded, config: &Config) {
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
    if http.sessions == Sessions::Store {
        if matches!(config.limits.store, StoreAddress::Memory) {
            loaded.refuse(
                "http.sessions",
                "give limits.store too, as in redis://HOST:6379; `memory` keeps sessions without it",
            );
        }
        if tools.seal_key.is_none() {
            loaded.refuse(
                "tools.seal_key",
                "give one, the same for all replicas: it seals the IDs of sessions where \
                 http.sessions = \"store\"",
            );
        }
    }
    for (key, limit) in [
        ("http.session_limit", http.session_limit),
        ("http.session_limit_per_caller", http.session_limit_per_caller),
    ] {
        if limit == 0 {
            loaded.refuse(key, "at least one session; http.sessions = \"off\" keeps none");
        }
    }
}
