//! [`LiveServer`]: the parts of a running server that a configuration reload replaces.
//!
//! A reload builds all new parts first and then swaps them in, or changes nothing if one cannot be
//! built. Running requests end with the old parts. Sessions, pending approvals, the idempotency
//! store and counters continue.

use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use tokio_util::sync::CancellationToken;

use super::{fixed, tools};
use crate::{
    audit::Audit,
    compute::ComputePool,
    config::{Config, Sessions},
    http::{self, Auth, HttpState, RateLimits, Readiness, Swap},
    mcp::{self, Protocol, Settings, Tools},
    octopus::{AnswerMemory, Instances},
    rules::Clock,
    store::Store,
    telemetry::Metrics,
    tool::{Acting, InstanceRate, Starters},
};

/// The parts that a reload keeps.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) clock: Clock,
    pub(super) stop: CancellationToken,
    pub(super) readiness: Readiness,
    pub(super) store: Arc<Store>,
    pub(super) sessions: Option<Arc<mcp::Sessions>>,
    pub(super) audit: Audit,
    pub(super) metrics: Metrics,
    pub(super) memory: AnswerMemory,
    pub(super) starters: Arc<Starters>,
    pub(super) acting: Acting,
    pub(super) compute: ComputePool,
}

/// The reloadable parts of a running server. Clones share them.
#[derive(Debug, Clone)]
pub struct Live(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    kept: Kept,
    protocol: Protocol<Tools>,
    routes: Swap,
    instances: Arc<ArcSwap<Instances>>,
    config: Mutex<Config>,
}

impl Live {
    /// Builds the parts from these settings.
    pub(super) fn start(config: Config, kept: Kept) -> Result<Self, String> {
        let Kept { metrics, compute, memory, .. } = &kept;
        let mut tools = tools::of(&config, metrics, kept.audit.clone(), compute, memory)?;
        tools.gate = Arc::new(tools.gate.sharing(&kept.store));
        let (tools, settings, http) = parts(&config, &kept, tools)?;
        let instances = Arc::new(ArcSwap::new(Arc::clone(&tools.instances)));
        let protocol = Protocol::new(tools, settings);
        let routes = Swap::new(http::router(&http, protocol.clone()));
        Ok(Self(Arc::new(Inner { kept, protocol, routes, instances, config: Mutex::new(config) })))
    }

    /// Applies new settings. Returns the keys of changed settings that need a restart.
    ///
    /// # Errors
    ///
    /// A message if a part cannot be built; the previous settings then stay in force.
    pub fn apply(&self, mut config: Config) -> Result<Vec<&'static str>, String> {
        let Inner { kept, protocol, routes, instances, config: last } = &*self.0;
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        let unchanged = fixed::keep(&mut config, &last);
        let compute = kept.compute.with_call_time(config.limits.compute_time.0);
        let Kept { metrics, audit, memory, .. } = kept;
        let mut tools = tools::of(&config, metrics, audit.clone(), &compute, memory)?;
        let serving = protocol.offering();
        tools.gate = Arc::new(serving.gate.with(config.tools.confirm));
        tools.calls = serving.calls.clone();
        let (tools, settings, http) = parts(&config, kept, tools)?;
        kept.memory.resize(config.limits.bytes_in_flight.0);
        instances.store(Arc::clone(&tools.instances));
        protocol.serve_instead(tools, settings);
        routes.swap(http::router(&http, protocol.clone()));
        *last = config;
        Ok(unchanged)
    }

    pub(super) fn routes(&self) -> &Swap {
        &self.0.routes
    }

    pub(super) fn instances(&self) -> &Arc<ArcSwap<Instances>> {
        &self.0.instances
    }

    pub(super) fn metrics(&self) -> &Metrics {
        &self.0.kept.metrics
    }
}

/// Builds the HTTP state, and adds the persistent parts to the provider.
fn parts(
    config: &Config,
    kept: &Kept,
    mut tools: Tools,
) -> Result<(Tools, Settings, HttpState), String> {
    let auth = Auth::from_config(config, super::check::toolsets_of, &kept.metrics)?;
    let instance_rate = InstanceRate::new(&config.limits, &kept.store);
    tools.starters = Arc::clone(&kept.starters);
    tools.acting = kept.acting.clone();
    tools.instance_rate = instance_rate.clone();
    tools.rules = Arc::new(tools.rules.as_ref().clone().by(kept.clock.clone()));
    let settings = Settings {
        call_timeout: config.http.request_timeout.0,
        stop: kept.stop.clone(),
        local: None,
        sessions: config.http.sessions != Sessions::Off,
        metrics: kept.metrics.clone(),
    };
    let default = config.default_instance();
    let rates = RateLimits::new(&config.limits, default, &kept.store, instance_rate)
        .with_instances(Arc::clone(&tools.instances));
    let (readiness, sessions) = (kept.readiness.clone(), kept.sessions.clone());
    let http = HttpState::new(&config.http, &config.limits, rates, auth, readiness, sessions)
        .with_audit(kept.audit.clone())
        .with_metrics(kept.metrics.clone());
    Ok((tools, settings, http))
}
