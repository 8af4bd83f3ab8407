//! Checks that the parts of the server can be built from the settings, so that `config` and `check`
//! report the same mistakes as the start of the server.

use super::{StartError, check::check_token_toolsets, connections};
use crate::{
    audit::{AuditError, AuditLog},
    auth::{AuthSetupError, Authenticators},
    config::{Config, LoadedConfig},
    http::Certificates,
    octopus::{ConfiguredCredential, http_client_error},
    policy::PolicyEngine,
    telemetry::{self, Metrics},
};

/// Adds a mistake for each part that cannot be built from the settings: credentials, trusted
/// certificates, TLS, tokens, rules, audit, log filter and connection limits.
///
/// Opens no port and sends nothing. It reads the files that the settings name, and checks that the
/// audit file can be written. Settings that already have a mistake are not checked again.
pub async fn check_startable(loaded: &mut LoadedConfig) {
    let config = loaded.config().clone();
    let mut found: Vec<(String, String)> = Vec::new();
    check_instances(&config, &mut found);
    check_callers(&config, &mut found);
    if let Err(error) = Certificates::load(&config.http.tls).await {
        found.push(("http.tls.certificate".to_owned(), error.to_string()));
    }
    if let Err(error) = PolicyEngine::from_settings(&config.policy) {
        found.push(("policy.rules".to_owned(), error));
    }
    match AuditLog::check(&config.audit) {
        Ok(()) => {}
        Err(AuditError::Key(error)) => {
            let key = if config.audit.chain_key.is_some() {
                "audit.chain_key"
            } else {
                "audit.chain_key_file"
            };
            found.push((key.to_owned(), error.to_string()));
        }
        Err(AuditError::File { path, error }) => {
            let message = format!(
                "cannot use the file {}: {error}; its folder must exist, and the user of the \
                 server must be able to write there",
                path.display()
            );
            found.push(("audit.file.path".to_owned(), message));
        }
        Err(error) => found.push(("audit".to_owned(), error.to_string())),
    }
    for (key, error) in telemetry::check(&config) {
        found.push((key.to_owned(), error.to_string()));
    }
    let limits = connections::listener_limits(&config, connections::descriptors());
    if let Err(error @ StartError::TooManyConnections { .. }) = limits {
        found.push(("limits.connections".to_owned(), error.to_string()));
    }
    found.retain(|(key, _)| !loaded.has_error(key));
    for (key, message) in found {
        // Some errors begin with the setting, for the log.
        let message = message.strip_prefix(&format!("{key}: ")).unwrap_or(&message);
        loaded.add_error(&key, message);
    }
}

fn check_instances(config: &Config, found: &mut Vec<(String, String)>) {
    // The sample instance uses no configured credential.
    if config.sample.enabled {
        return;
    }
    for (_, key, instance) in config.instances_with_keys() {
        let errors = ConfiguredCredential::setting_errors(instance).into_iter();
        found.extend(errors.map(|(setting, error)| (format!("{key}.{setting}"), error)));
        let error = instance.url.as_ref().and_then(|url| http_client_error(url, instance));
        let error = error.as_deref().and_then(|error| error.split_once(": "));
        found.extend(error.map(|(setting, error)| (format!("{key}.{setting}"), error.to_owned())));
    }
}

fn check_callers(config: &Config, found: &mut Vec<(String, String)>) {
    let built = Authenticators::from_config(config, check_token_toolsets, &Metrics::default());
    if let Err(error) = built {
        let key = match &error {
            AuthSetupError::TokensFile(_) => "auth.tokens_file",
            AuthSetupError::Issuer(_) => "auth.oauth.issuers",
            AuthSetupError::Random(_) => "auth.mode",
        };
        found.push((key.to_owned(), error.to_string()));
    }
}
