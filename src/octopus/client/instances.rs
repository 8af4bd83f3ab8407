//! The configured instances. A request can select one of these and nothing else.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    budget::ResponseMemory,
    credential_error::CredentialError,
    credential_provider::{CallerCredentials, CredentialProvider},
    credentials::Credentials,
    instance_client::Client,
};
use crate::{compute::ComputePool, config, telemetry::Metrics};

/// A configured instance.
#[derive(Debug)]
pub struct Instance {
    /// Name in the settings.
    pub name: String,
    /// Client of the instance.
    pub client: Client,
    /// Space that all calls are pinned to.
    pub space: Option<String>,
    /// Whether changes are disabled.
    pub read_only: bool,
    credential_provider: CredentialProvider,
}

/// The configured instances by name.
#[derive(Debug)]
pub struct Instances {
    by_name: BTreeMap<String, Arc<Instance>>,
    default: Option<String>,
}

impl Instances {
    /// Creates the instances from the settings, with an own compute pool and memory budget. Sends
    /// nothing yet.
    ///
    /// # Errors
    ///
    /// Returns a message that starts with the setting.
    pub fn from_config(config: &config::Config, metrics: &Metrics) -> Result<Self, String> {
        let compute = ComputePool::new(0, config.limits.compute_time.0);
        let memory = ResponseMemory::new(config.limits.bytes_in_flight.0);
        Self::with_shared(config, metrics, &compute, &memory)
    }

    /// Creates the instances from the settings; they share this compute pool and memory budget.
    /// Sends nothing yet.
    ///
    /// # Errors
    ///
    /// Returns a message that starts with the setting.
    pub fn with_shared(
        config: &config::Config,
        metrics: &Metrics,
        compute: &ComputePool,
        memory: &ResponseMemory,
    ) -> Result<Self, String> {
        let modes = config.auth_modes();
        let instances = config.instances_with_keys().into_iter().map(|(name, key, settings)| {
            let wrong = |error: String| format!("{key}.{error}");
            let url = settings.url.clone().ok_or_else(|| wrong("url is not set".to_owned()))?;
            let client =
                Client::new(name, url, settings, metrics, compute, memory).map_err(wrong)?;
            let instance = Instance {
                name: name.to_owned(),
                space: settings.space.clone(),
                read_only: settings.read_only,
                credential_provider: CredentialProvider::from_config(settings, &modes, &client)
                    .map_err(wrong)?,
                client,
            };
            Ok((name.to_owned(), Arc::new(instance)))
        });
        let by_name = instances.collect::<Result<_, String>>()?;
        Ok(Self { by_name, default: config.default_instance().map(str::to_owned) })
    }

    /// Returns the instance with this name.
    pub fn get(&self, name: &str) -> Option<&Arc<Instance>> {
        self.by_name.get(name)
    }

    /// Returns the instance of requests that select none, if there is a default.
    pub fn default(&self) -> Option<&Arc<Instance>> {
        self.get(self.default.as_deref()?)
    }

    /// Returns all instances, ordered by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Instance>> {
        self.by_name.values()
    }

    /// Returns whether several instances are configured.
    pub fn has_several(&self) -> bool {
        self.by_name.len() > 1
    }
}

impl Instance {
    pub(in crate::octopus) fn credential_provider(&self) -> &CredentialProvider {
        &self.credential_provider
    }

    /// Checks whether the caller's credentials fit the settings of the instance, without sending a
    /// request.
    pub fn check_credentials(&self, brings: &CallerCredentials) -> Result<(), CredentialError> {
        self.credential_provider.check(&self.name, brings)
    }

    /// Returns the Octopus credential that acts for a caller.
    pub async fn credentials(
        &self,
        brings: &CallerCredentials,
    ) -> Result<Credentials, CredentialError> {
        self.credential_provider.credentials(&self.name, brings).await
    }
}
