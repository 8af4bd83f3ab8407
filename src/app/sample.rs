//! Starts the embedded sample instance (cargo feature `sample`).

use std::net::SocketAddr;

use octopus_sample::{Sample, keys};

use super::StartError;
use crate::{
    config::{AuthMode, Config, Secret},
    http::{self, Listening},
};

/// Starts the sample instance on a loopback port and points the settings at it. Removes configured
/// credentials, so that credentials of a real instance are never sent to the sample.
pub(super) fn start_sample(config: &mut Config) -> Result<Listening, StartError> {
    let socket = super::bind("sample", SocketAddr::from(([127, 0, 0, 1], 0)))?;
    let router = Sample::new().router();
    let listening = http::listen(socket, router, None, &config.http)
        .map_err(|error| StartError::Listen { setting: "sample", error })?;
    config.octopus.url = format!("http://{}", listening.address).parse().ok();
    let uses_sample_key = config.auth_modes().has(AuthMode::None);
    config.octopus.api_key = uses_sample_key.then(|| Secret::from(keys::ADMIN.to_owned()));
    config.octopus.api_key_file = None;
    config.octopus.access_token = None;
    config.octopus.access_token_file = None;
    Ok(listening)
}
