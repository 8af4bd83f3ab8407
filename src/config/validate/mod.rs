//! Validation of combinations of settings. Each file checks one section of the settings.

mod audit;
mod auth;
mod checks;
mod files;
mod http;
mod instances;
mod limits;
mod policy;
mod telemetry;
mod tools;
mod warnings;

use super::loaded::LoadedConfig;

/// Adds a mistake for every invalid combination of settings.
pub(super) fn validate(loaded: &mut LoadedConfig) {
    let config = loaded.config().clone();
    instances::validate(loaded, &config);
    auth::validate(loaded, &config);
    files::validate(loaded, &config);
    http::validate_listener(loaded, &config);
    http::validate_public_url(loaded, &config);
    tools::validate_answer_limits(loaded, &config.tools);
    limits::validate(loaded, &config);
    tools::validate_changes(loaded, &config.tools);
    http::validate_sessions(loaded, &config);
    policy::validate(loaded, &config);
    audit::validate(loaded, &config.audit);
    telemetry::validate(loaded, &config.telemetry);
}
