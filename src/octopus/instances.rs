//! The instances that there are. A request can name one of these and nothing else.

use std::{collections::BTreeMap, sync::Arc};

use super::{AnswerMemory, Brings, Client, Credentials, NoCredential, Source};
use crate::{compute::ComputePool, config, telemetry::Metrics};

/// One instance, as this server reaches it.
#[derive(Debug)]
pub struct Instance {
    /// What it is called here.
    pub name: String,
    /// The way to it.
    pub client: Client,
    /// The space that every call works in.
    pub space: Option<String>,
    /// Whether nothing may be changed there.
    pub read_only: bool,
    source: Source,
}

/// The instances that there are, by name.
#[derive(Debug)]
pub struct Instances {
    by_name: BTreeMap<String, Arc<Instance>>,
    default: Option<String>,
}

impl Instances {
    /// Creates the instances of the settings, with a compute pool and a memory budget of their own.
    /// Nothing is sent yet.
    pub fn from_config(config: &config::Config, metrics: &Metrics) -> Result<Self, String> {
        let compute = ComputePool::new(0, config.limits.compute_time.0);
        let memory = AnswerMemory::new(config.limits.bytes_in_flight.0);
        Self::sharing(config, metrics, &compute, &memory)
    }

    /// Creates the instances of the settings, which parse large answers in this pool and read them
    /// within this memory. Nothing is sent yet.
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

    /// The instance with this name.
    pub fn get(&self, name: &str) -> Option<&Arc<Instance>> {
        self.by_name.get(name)
    }

    /// The instance of callers who name none, where there is one.
    pub fn default(&self) -> Option<&Arc<Instance>> {
        self.get(self.default.as_deref()?)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Instance>> {
        self.by_name.values()
    }

    /// Whether there is more than one.
    pub fn are_several(&self) -> bool {
        self.by_name.len() > 1
    }
}

impl Instance {
    pub(super) fn source(&self) -> &Source {
        &self.source
    }

    /// What is wrong with what a caller brings, as far as that can be said without asking anybody.
    pub fn suits(&self, brings: &Brings) -> Result<(), NoCredential> {
        self.source.suits(&self.name, brings)
    }

    /// The credential that acts for a caller.
    pub async fn credentials(&self, brings: &Brings) -> Result<Credentials, NoCredential> {
        self.source.credentials(&self.name, brings).await
    }
}
