//! Validation of combinations of settings.

use std::net::IpAddr;

use super::{
    AuthMode, AuthModes, Config, InstanceSettings, LoadedConfig, SessionStorage, StoreAddress,
    audit, auth, instances, limits, rules, telemetry,
};

impl Config {
    /// Returns every instance with its name and the key of its section.
    pub fn instances_with_keys(&self) -> Vec<(&str, String, &InstanceSettings)> {
        if self.instances.is_empty() {
            return vec![(SINGLE_INSTANCE_NAME, "octopus".to_owned(), &self.octopus)];
        }
        let instances = self.instances.iter();
        instances
            .map(|(name, instance)| (name.as_str(), format!("instances.{name}"), instance))
            .collect()
    }

    /// Returns the name of the instance that is used if a client names none.
    pub fn default_instance(&self) -> Option<&str> {
        let instances = self.instances_with_keys();
        match instances.as_slice() {
            [(name, ..)] => Some(name),
            several => several.iter().find(|(_, _, one)| one.default).map(|(name, ..)| *name),
        }
    }

    /// Returns whether an Octopus credential for all callers is configured, in any form.
    pub fn has_credential(&self) -> bool {
        self.instances_with_keys().iter().any(|(_, _, instance)| instance.has_credential())
    }

    /// Returns the authentication modes: the setting, or the default for the configured credential.
    pub fn auth_modes(&self) -> AuthModes {
        self.auth.mode.clone().unwrap_or_else(|| {
            AuthModes::from(if self.has_credential() || self.sample.enabled {
                AuthMode::None
            } else {
                AuthMode::Octopus
            })
        })
    }
}

/// Name of the instance in `[octopus]`.
const SINGLE_INSTANCE_NAME: &str = "default";

/// Adds a mistake for every invalid combination of settings.
pub(super) fn validate(loaded: &mut LoadedConfig) {
    let config = loaded.config().clone();
    instances::validate(loaded, &config);
    auth::validate(loaded, &config);
    check_files(loaded, &config);
    check_listener(loaded, &config);
    check_answer_limits(loaded, &config);
    limits::validate(loaded, &config);
    check_change_settings(loaded, &config);
    rules::validate(loaded, &config);
    audit::validate(loaded, &config.audit);
    telemetry::validate(loaded, &config.telemetry);
}

/// Checks that all files named in the settings are readable.
fn check_files(loaded: &mut LoadedConfig, config: &Config) {
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
    for (_, key, instance) in config.instances_with_keys() {
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
            loaded.add_error(&key, &format!("cannot read the file {}: {error}", path.display()));
        }
    }
}

fn check_listener(loaded: &mut LoadedConfig, config: &Config) {
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

fn check_answer_limits(loaded: &mut LoadedConfig, config: &Config) {
    let tools = &config.tools;
    if tools.answer_bytes.0 < 1024 {
        loaded.add_error("tools.answer_bytes", "the size must be at least 1 KiB");
    }
    if tools.answer_bytes_cap < tools.answer_bytes {
        loaded
            .add_error("tools.answer_bytes_cap", "the value must not be below tools.answer_bytes");
    }
    if tools.take == 0 {
        loaded.add_error("tools.take", "the value must be at least 1");
    }
    if tools.take_cap < tools.take {
        loaded.add_error("tools.take_cap", "the value must not be below tools.take");
    }
}

/// Minimum length of a key in bytes.
const MIN_KEY_LEN: usize = 32;

fn check_change_settings(loaded: &mut LoadedConfig, config: &Config) {
    let tools = &config.tools;
    for (key, value) in
        [("tools.seal_key", &tools.seal_key), ("tools.seal_key_previous", &tools.seal_key_previous)]
    {
        if value.as_ref().is_some_and(|value| value.expose().len() < MIN_KEY_LEN) {
            let message = "the key is too short; use at least 32 characters, e.g. from `openssl rand \
                           -base64 32`";
            loaded.add_error(key, message);
        }
    }
    if tools.seal_key_previous.is_some() && tools.seal_key.is_none() {
        loaded.add_error("tools.seal_key_previous", "tools.seal_key, the current key, is not set");
    }
    if tools.allow_deletes && tools.read_only {
        loaded.add_error("tools.allow_deletes", "deletes require tools.read_only = false");
    }
    let http = &config.http;
    if http.sessions == SessionStorage::Store {
        if matches!(config.limits.store, StoreAddress::Memory) {
            loaded.add_error(
                "http.sessions",
                "limits.store is not set; set e.g. redis://HOST:6379, or use `memory`",
            );
        }
        if tools.seal_key.is_none() {
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
