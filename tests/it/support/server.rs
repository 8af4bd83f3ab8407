//! A server under test and the sample instances behind it: start and shutdown.

use std::{collections::BTreeMap, time::Duration};

use octopus_mcp::{
    app::{self, RunningServer},
    config::{Config, InstanceSettings, Secret},
    http::Listening,
    policy::PolicyClock,
};
use octopus_sample::{Sample, keys};

use super::{client, serve};

/// A running server and its sample instances.
pub struct TestServer {
    /// The sample instance. If there are several, that of the default instance.
    pub sample: Sample,
    pub url: String,
    pub http: reqwest::Client,
    pub running: Option<RunningServer>,
    /// The settings with which the server was started.
    pub config: Config,
    octopus: Listening,
    /// The sample instances of all instances other than the default.
    others: BTreeMap<String, (Sample, Listening)>,
}

impl TestServer {
    /// Starts a server with default settings, where each caller sends an Octopus API key.
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// Starts a server with changed settings.
    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        Self::with_sample(Sample::new(), change).await
    }

    /// Starts a server on this sample instance.
    pub async fn with_sample(sample: Sample, change: impl FnOnce(&mut Config)) -> Self {
        let router = sample.router();
        Self::start_with(PolicyClock::default(), sample, router, change).await
    }

    /// Like `with_sample`, with this clock for the policy.
    pub async fn with_clock(
        clock: PolicyClock,
        sample: Sample,
        change: impl FnOnce(&mut Config),
    ) -> Self {
        let router = sample.router();
        Self::start_with(clock, sample, router, change).await
    }

    /// Starts a server on a router that wraps a sample instance.
    pub async fn with_router(
        sample: Sample,
        router: axum::Router,
        change: impl FnOnce(&mut Config),
    ) -> Self {
        Self::start_with(PolicyClock::default(), sample, router, change).await
    }

    async fn start_with(
        clock: PolicyClock,
        sample: Sample,
        router: axum::Router,
        change: impl FnOnce(&mut Config),
    ) -> Self {
        let octopus = serve(router);
        let mut config = Config::default();
        config.octopus.url = Some(format!("http://{}", octopus.address).parse().unwrap());
        config.http.listen = ([127, 0, 0, 1], 0).into();
        config.http.drain_timeout = octopus_mcp::config::DurationSetting::seconds(2);
        change(&mut config);
        Box::pin(Self::start_server(clock, config, sample, octopus, BTreeMap::new())).await
    }

    /// Starts a server with several instances of these names, each with its own sample instance.
    /// The first is the default; callers send API keys.
    pub async fn with_instances(names: &[&str], change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::default();
        for name in names {
            config.instances.insert((*name).to_owned(), InstanceSettings::default());
        }
        config.instances.get_mut(names[0]).unwrap().default = true;
        config.http.drain_timeout = octopus_mcp::config::DurationSetting::seconds(2);
        change(&mut config);
        Box::pin(Self::with_config(PolicyClock::default(), config)).await
    }

    /// Starts a server with these settings and a sample instance for each configured instance.
    pub async fn with_config(clock: PolicyClock, mut config: Config) -> Self {
        config.http.listen = ([127, 0, 0, 1], 0).into();
        config.http.admin_listen = None;
        let default = config.default_instance().unwrap().to_owned();
        let mut samples: BTreeMap<String, (Sample, Listening)> = BTreeMap::new();
        for (name, instance) in &mut config.instances {
            let sample = Sample::new();
            let octopus = serve(sample.router());
            instance.url = Some(format!("http://{}", octopus.address).parse().unwrap());
            samples.insert(name.clone(), (sample, octopus));
        }
        let (sample, octopus) = samples.remove(&default).unwrap();
        Box::pin(Self::start_server(clock, config, sample, octopus, samples)).await
    }

    /// Starts the server. Its sample instances refuse parameters and fields that Octopus does not
    /// know, so that every test finds a client that sends them.
    async fn start_server(
        clock: PolicyClock,
        config: Config,
        sample: Sample,
        octopus: Listening,
        others: BTreeMap<String, (Sample, Listening)>,
    ) -> Self {
        for sample in others.values().map(|(sample, _)| sample).chain([&sample]) {
            sample.refuse_unknown(true);
        }
        let tls = config.http.tls.certificate.is_some();
        let running = app::start_with_clock(config.clone(), clock).await.unwrap();
        let url = running.endpoint(tls);
        Self { sample, url, http: client(), running: Some(running), config, octopus, others }
    }

    /// Returns the sample instance of an instance other than the default.
    pub fn other_sample(&self, name: &str) -> &Sample {
        &self.others[name].0
    }

    /// Returns the base URL of an instance other than the default.
    pub fn other_address(&self, name: &str) -> String {
        format!("http://{}", self.others[name].1.address)
    }

    /// Stops the sample instance of an instance other than the default; connections to it are then
    /// refused.
    pub async fn stop_other(&mut self, name: &str) {
        let (_, listening) = self.others.remove(name).unwrap();
        listening.stop(Duration::ZERO).await;
    }

    /// Starts a server with a configured API key, so that callers need none.
    pub async fn with_configured_key() -> Self {
        Self::with(|config| config.octopus.api_key = Some(Secret::from(keys::ADMIN.to_owned())))
            .await
    }

    /// Returns the base URL of the sample instance.
    pub fn octopus_url(&self) -> String {
        format!("http://{}", self.octopus.address)
    }
}
