//! [`LiveServer`]: the parts of a running server that a configuration reload replaces.
//!
//! A reload builds all new parts first and then swaps them in. It changes nothing if a part cannot
//! be built. Running requests end with the old parts. Sessions, pending approvals, the idempotency
//! store and counters continue.

use std::sync::Arc;

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use super::{StartError, page_facts::page_facts, provider, restart_only, verification};
use crate::{
    access::InstanceRateLimit,
    approval::TaskInitiators,
    audit::AuditLog,
    compute::ComputePool,
    config::{Config, SessionStorage},
    http::{self, Auth, HttpState, RateLimits, Readiness, Swap},
    mcp::{self, OctopusProvider, Protocol, ProtocolSettings},
    octopus::{Instances, ResponseMemory},
    policy::PolicyClock,
    store::Store,
    telemetry::Metrics,
    tool::ActingUsers,
};

/// The parts that continue after a reload.
#[derive(Debug, Clone)]
pub(super) struct PersistentParts {
    pub(super) clock: PolicyClock,
    pub(super) stop: CancellationToken,
    pub(super) readiness: Readiness,
    pub(super) store: Arc<Store>,
    pub(super) sessions: Option<Arc<mcp::SessionRegistry>>,
    pub(super) audit: AuditLog,
    pub(super) metrics: Metrics,
    pub(super) memory: ResponseMemory,
    pub(super) task_initiators: Arc<TaskInitiators>,
    pub(super) acting_users: ActingUsers,
    pub(super) compute: ComputePool,
}

/// The reloadable parts of a running server. Clones share them.
#[derive(Debug, Clone)]
pub struct LiveServer(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    persistent: PersistentParts,
    protocol: Protocol<OctopusProvider>,
    routes: Swap,
    instances: Arc<ArcSwap<Instances>>,
    config: Mutex<Config>,
}

/// Result of [`LiveServer::apply`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppliedSettings {
    /// Keys of the changed settings that are in force now.
    pub changed: Vec<String>,
    /// Keys of the changed settings that need a restart.
    pub need_restart: Vec<&'static str>,
}

impl LiveServer {
    /// Builds the reloadable parts from these settings.
    pub(super) fn start(config: Config, persistent: PersistentParts) -> Result<Self, StartError> {
        let PersistentParts { metrics, compute, memory, .. } = &persistent;
        let mut tools = provider::build_provider_with(
            &config,
            metrics,
            persistent.audit.clone(),
            compute,
            memory,
        )?;
        tools.gate = Arc::new(tools.gate.with_store(&persistent.store));
        let (tools, settings, http) = build_parts(&config, &persistent, tools)?;
        let instances = Arc::new(ArcSwap::new(Arc::clone(&tools.instances)));
        let protocol = Protocol::new(tools, settings);
        let routes = Swap::new(http::router(&http, protocol.clone()));
        Ok(Self(Arc::new(Inner {
            persistent,
            protocol,
            routes,
            instances,
            config: Mutex::new(config),
        })))
    }

    /// Applies new settings, and verifies the instances if their settings changed.
    ///
    /// # Errors
    ///
    /// Returns an error if a part cannot be built. The previous settings then stay in force.
    pub fn apply(&self, mut config: Config) -> Result<AppliedSettings, StartError> {
        let Inner { persistent, protocol, routes, instances, config: last } = &*self.0;
        let mut last = last.lock();
        let need_restart = restart_only::restore_running_values(&mut config, &last);
        let changed = config.changed_settings(&last);
        let compute = persistent.compute.with_call_time(config.limits.compute_time.0);
        let PersistentParts { metrics, audit, memory, .. } = persistent;
        let mut tools =
            provider::build_provider_with(&config, metrics, audit.clone(), &compute, memory)?;
        let serving = protocol.provider();
        tools.gate = Arc::new(serving.gate.with_mode(config.tools.confirm));
        tools.recent_calls = serving.recent_calls.clone();
        let (tools, settings, http) = build_parts(&config, persistent, tools)?;
        persistent.memory.resize(config.limits.bytes_in_flight.0);
        instances.store(Arc::clone(&tools.instances));
        protocol.replace_provider(tools, settings);
        routes.swap(http::router(&http, protocol.clone()));
        *last = config;
        drop(last);
        let is_instance =
            |key: &String| key.starts_with("octopus.") || key.starts_with("instances.");
        if changed.iter().any(is_instance) {
            self.verify_instances();
        }
        Ok(AppliedSettings { changed, need_restart })
    }

    /// Verifies the instances in the background, and logs the result.
    pub(super) fn verify_instances(&self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let config = self.0.config.lock().clone();
        let (instances, stop) = (self.0.instances.load_full(), self.0.persistent.stop.clone());
        runtime.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = verification::verify_and_log(&config, &instances) => {}
            }
        });
    }

    pub(super) fn routes(&self) -> &Swap {
        &self.0.routes
    }

    pub(super) fn instances(&self) -> &Arc<ArcSwap<Instances>> {
        &self.0.instances
    }

    pub(super) fn metrics(&self) -> &Metrics {
        &self.0.persistent.metrics
    }
}

/// Builds the HTTP state, and adds the persistent parts to the provider.
fn build_parts(
    config: &Config,
    persistent: &PersistentParts,
    mut tools: OctopusProvider,
) -> Result<(OctopusProvider, ProtocolSettings, HttpState), StartError> {
    let auth = Auth::from_config(config, super::check::check_token_toolsets, &persistent.metrics)?;
    let instance_rate = InstanceRateLimit::new(&config.limits, &persistent.store);
    tools.task_initiators = Arc::clone(&persistent.task_initiators);
    tools.acting_users = persistent.acting_users.clone();
    tools.instance_rate = instance_rate.clone();
    tools.policy_engine =
        Arc::new(tools.policy_engine.as_ref().clone().with_clock(persistent.clock.clone()));
    let settings = ProtocolSettings {
        call_timeout: config.http.request_timeout.0,
        stop: persistent.stop.clone(),
        local_caller: None,
        sessions: config.http.sessions != SessionStorage::Off,
        metrics: persistent.metrics.clone(),
    };
    let default = config.default_instance();
    let rates = RateLimits::new(&config.limits, default, &persistent.store, instance_rate)
        .with_instances(Arc::clone(&tools.instances));
    let (readiness, sessions) = (persistent.readiness.clone(), persistent.sessions.clone());
    let http = HttpState::new(&config.http, &config.limits, rates, auth, readiness, sessions)
        .with_page(page_facts(config, &tools))
        .with_audit(persistent.audit.clone())
        .with_metrics(persistent.metrics.clone());
    Ok((tools, settings, http))
}
