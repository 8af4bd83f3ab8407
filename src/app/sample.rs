//! Starts the embedded sample instance (cargo feature `sample`).

use std::net::SocketAddr;

use octopus_sample::{Sample, keys};

use super::StartError;
use crate::{
    config::{AuthMode, Config, CredentialSource, Secret, TokenExchangeSettings},
    http::{self, Listening},
};

/// Documented API keys of the sample instance: key and description.
pub const SAMPLE_KEYS: &[(&str, &str)] = &[
    (keys::ADMIN, "administrator of both spaces"),
    (keys::VIEW_ONLY, "may only read, in the default space"),
    (keys::WAREHOUSE_SPACE_ONLY, "the space Warehouse Systems only"),
];

/// Starts the sample instance on a loopback port and points the settings at it. Removes configured
/// credentials, so that credentials of a real instance are never sent to the sample.
///
/// If callers send no Octopus credential, they act as the administrator of the sample.
pub(super) fn start_sample(config: &mut Config) -> Result<Listening, StartError> {
    let socket = super::bind("sample", SocketAddr::from(([127, 0, 0, 1], 0)))?;
    let router = Sample::new().router();
    let listening = http::listen(socket, router, None, &config.http)
        .map_err(|error| StartError::Listen { setting: "sample", error })?;
    config.octopus.url = format!("http://{}", listening.address).parse().ok();
    let callers_send_keys = config.auth_modes().has(AuthMode::Octopus)
        || config.octopus.credential == Some(CredentialSource::Caller);
    config.octopus.api_key = (!callers_send_keys).then(|| Secret::from(keys::ADMIN.to_owned()));
    // With an API key only, the default is the same as without authentication.
    config.octopus.credential = callers_send_keys.then_some(CredentialSource::Caller);
    config.octopus.groups.clear();
    config.octopus.exchange = TokenExchangeSettings::default();
    config.octopus.api_key_file = None;
    config.octopus.access_token = None;
    config.octopus.access_token_file = None;
    Ok(listening)
}
