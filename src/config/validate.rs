//! Validation of combinations of settings.

use std::net::IpAddr;

use super::{
    AuthMode, Config, Instance, Loaded, Modes, Sessions, StoreAddress, audit, auth, instances,
    limits, rules, telemetry,
};

impl Config {
    /// Returns every instance with its name and the key of its section.
    pub fn each_instance(&self) -> Vec<(&str, String, &Instance)> {
        if self.instances.is_empty() {
            return vec![(SINGLE, "octopus".to_owned(), &self.octopus)];
        }
        let instances = self.instances.iter();
        instances
            .map(|(name, instance)| (name.as_str(), format!("instances.{name}"), instance))
            .collect()
    }

    /// Returns the name of the instance that is used if a client names none.
    pub fn default_instance(&self) -> Option<&str> {
        let instances = self.each_instance();
        match instances.as_slice() {
            [(name, ..)] => Some(name),
            several => several.iter().find(|(_, _, one)| one.default).map(|(name, ..)| *name),
        }
    }

    /// Returns whether an Octopus credential for all callers is configured, in any form.
    pub fn has_credential(&self) -> bool {
        self.each_instance().iter().any(|(_, _, instance)| instance.has_credential())
    }

    /// Returns the authentication modes: the setting, or the default for the configured credential.
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

/// Name of the instance in `[octopus]`.
const SINGLE: &str = "default";

/// Adds a mistake for every invalid combination of settings.
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

/// Checks that all files named in the settings are readable.
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
            loaded.refuse(&key, &format!("cannot read the file {}: {error}", path.display()));
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
            "everyone who reaches this address could use the configured Octopus credential. \
             Solutions: listen on loopback (127.0.0.1); remove the credential, so that \
             callers send their own (auth.mode = \"octopus\"); or accept the risk with \
             auth.allow_anonymous = true",
        );
    }
    match (&config.http.tls.certificate, &config.http.tls.key) {
        (Some(_), None) => loaded.refuse(
            "http.tls.key",
            "http.tls.certificate is set; set the key of the certificate too",
        ),
        (None, Some(_)) => {
            loaded.refuse("http.tls.certificate", "http.tls.key is set; set the certificate too")
        }
        _ => {}
    }
    if config
        .http
        .admin_listen
        .is_some_and(|admin| admin.port() != 0 && admin == config.http.listen)
    {
        loaded.refuse("http.admin_listen", "http.listen already uses this address");
    }
    let times = [
        ("http.header_timeout", config.http.header_timeout),
        ("http.idle_timeout", config.http.idle_timeout),
    ];
    for (key, time) in times {
        if time.0.is_zero() {
            loaded.refuse(key, "the timeout must be more than 0, e.g. `10s`");
        }
    }
    for origin in &config.http.allowed_origins.0 {
        if !origin.contains("://") {
            let message = format!("origin `{origin}` has no scheme; write e.g. https://{origin}");
            loaded.refuse("http.allowed_origins", &message);
        }
    }
    for host in &config.http.allowed_hosts.0 {
        if host.contains('/') {
            let message = format!("`{host}` is not a host name; write `name` or `name:port`");
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
        loaded.refuse("tools.answer_bytes", "the size must be at least 1 KiB");
    }
    if tools.answer_bytes_cap < tools.answer_bytes {
        loaded.refuse("tools.answer_bytes_cap", "the value must not be below tools.answer_bytes");
    }
    if tools.take == 0 {
        loaded.refuse("tools.take", "the value must be at least 1");
    }
    if tools.take_cap < tools.take {
        loaded.refuse("tools.take_cap", "the value must not be below tools.take");
    }
}

/// Minimum length of a key in bytes.
const SHORTEST_KEY: usize = 32;

fn changes(loaded: &mut Loaded, config: &Config) {
    let tools = &config.tools;
    for (key, value) in
        [("tools.seal_key", &tools.seal_key), ("tools.seal_key_previous", &tools.seal_key_previous)]
    {
        if value.as_ref().is_some_and(|value| value.expose().len() < SHORTEST_KEY) {
            let message = "the key is too short; use at least 32 characters, e.g. from `openssl rand \
                           -base64 32`";
            loaded.refuse(key, message);
        }
    }
    if tools.seal_key_previous.is_some() && tools.seal_key.is_none() {
        loaded.refuse("tools.seal_key_previous", "tools.seal_key, the current key, is not set");
    }
    if tools.allow_deletes && tools.read_only {
        loaded.refuse("tools.allow_deletes", "deletes require tools.read_only = false");
    }
    let http = &config.http;
    if http.sessions == Sessions::Store {
        if matches!(config.limits.store, StoreAddress::Memory) {
            loaded.refuse(
                "http.sessions",
                "limits.store is not set; set e.g. redis://HOST:6379, or use `memory`",
            );
        }
        if tools.seal_key.is_none() {
            loaded.refuse(
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
            loaded.refuse(
                key,
                "the value must be at least 1; http.sessions = \"off\" disables sessions",
            );
        }
    }
}
