//! The configured instances. A request can select one of these and nothing else.

use std::{collections::BTreeMap, sync::Arc};

use super::{AnswerMemory, Brings, Client, Credentials, NoCredential, Source};
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
    source: Source,
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
    /// A message that starts with the setting.
    pub fn from_config(config: &config::Config, metrics: &Metrics) -> Result<Self, String> {
        let compute = ComputePool::new(0, config.limits.compute_time.0);
        let memory = AnswerMemory::new(config.limits.bytes_in_flight.0);
        Self::sharing(config, metrics, &compute, &memory)
    }

    /// Creates the instances from the settings; they share this compute pool and memory budget.
    /// Sends nothing yet.
    ///
    /// # Errors
    ///
    /// A message that starts with the setting.
    pub fn sharing(
        config: &config::Config,
        metrics: &Metrics,
        compute: &ComputePool,
        memory: &AnswerMemory,
    ) -> Result<Self, String> {
        let modes = config.auth_modes();
        let made = config.each_instance().into_iter().map(|(name, key, settings)| {
            let wrong = |error: String| format!("{key}.{error}");
            let url = settings.url.clone().ok_or_else(|| wrong("url is not set".to_owned()))?;
            let client =
                Client::new(name, url, settings, metrics, compute, memory).map_err(wrong)?;
            let instance = Instance {
                name: name.to_owned(),
                space: settings.space.clone(),
                read_only: settings.read_only,
                source: Source::from_config(settings, &modes, &client).map_err(wrong)?,
                client,
            };
            Ok((name.to_owned(), Arc::new(instance)))
        });
        let by_name = made.collect::<Result<_, String>>()?;
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
    pub fn are_several(&self) -> bool {
        self.by_name.len() > 1
    }
}

impl Instance {
    pub(super) fn source(&self) -> &Source {
        &self.source
    }

    /// Checks whether the caller's credentials fit the settings of the instance, without sending a
    /// request.
    pub fn suits(&self, brings: &Brings) -> Result<(), NoCredential> {
        self.source.suits(&self.name, brings)
    }

    /// Returns the Octopus credential that acts for a caller.
    pub async fn credentials(&self, brings: &Brings) -> Result<Credentials, NoCredential> {
        self.source.credentials(&self.name, brings).await
    }
}
