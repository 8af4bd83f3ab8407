//! Builds the MCP provider from the settings.

use std::sync::Arc;

use super::{StartError, tool_access};
use crate::{
    access::InstanceRateLimit,
    approval::{ApprovalGate, Seal, TaskInitiators},
    audit::AuditLog,
    compute::ComputePool,
    config::Config,
    mcp::{MissingSpaceCache, OctopusProvider},
    octopus::{Instances, ResponseMemory},
    policy::PolicyEngine,
    store::Store,
    telemetry::Metrics,
    tool::{ActingUsers, Catalog, Limits, RecentCalls},
    toolsets::TOOLSETS,
};

/// Returns every tool, with descriptions that name the limits of the default settings.
pub fn catalog() -> Catalog {
    catalog_for(&Config::default())
}

/// Returns every tool, with descriptions that name the limits of these settings.
pub fn catalog_for(config: &Config) -> Catalog {
    Catalog::new(TOOLSETS, &limits(config))
}

fn limits(config: &Config) -> Limits {
    Limits {
        answer: config.tools.answer_bytes.0,
        answer_cap: config.tools.answer_bytes_cap.0,
        take: config.tools.take,
        take_cap: config.tools.take_cap,
    }
}

/// Builds a provider with its own audit, compute pool and memory budget, for stdio and benchmarks.
///
/// # Errors
///
/// Returns an error that names the setting, if a part cannot be built.
pub fn build_provider(config: &Config, metrics: &Metrics) -> Result<OctopusProvider, StartError> {
    let memory = ResponseMemory::new(config.limits.bytes_in_flight.0);
    build_provider_with(
        config,
        metrics,
        AuditLog::start(&config.audit)?,
        &compute_pool(config),
        &memory,
    )
}

/// Compiles the redaction patterns and the table of Octopus operations on a blocking thread.
///
/// Without this, the first call that needs them compiles them. A call that needs them during the
/// compilation waits.
pub fn warm_up() {
    tokio::task::spawn_blocking(|| {
        crate::sanitize::precompile();
        crate::octopus::operations::all();
    });
}

/// Creates the pool for CPU-bound work.
pub(super) fn compute_pool(config: &Config) -> ComputePool {
    let slots = usize::try_from(config.limits.compute_threads).unwrap_or_default();
    ComputePool::new(slots, config.limits.compute_time.0)
}

/// Builds a provider with this audit, compute pool and memory budget.
pub(super) fn build_provider_with(
    config: &Config,
    metrics: &Metrics,
    audit: AuditLog,
    compute: &ComputePool,
    memory: &ResponseMemory,
) -> Result<OctopusProvider, StartError> {
    // Initializes the secret patterns now, so that the first call does not wait for them.
    crate::sanitize::sanitize("");
    Ok(OctopusProvider {
        catalog: catalog_for(config),
        access: tool_access(config)?,
        instances: Arc::new(
            Instances::with_shared(config, metrics, compute, memory)
                .map_err(StartError::Setting)?,
        ),
        gate: Arc::new(ApprovalGate::new(
            config.tools.confirm,
            Seal::from_config(&config.tools).map_err(StartError::Setting)?,
        )),
        limits: limits(config),
        policy_engine: Arc::new(
            PolicyEngine::from_settings(&config.policy).map_err(StartError::Policy)?,
        ),
        task_initiators: Arc::new(TaskInitiators::new(Store::in_memory())),
        audit,
        acting_users: ActingUsers::default(),
        metrics: metrics.clone(),
        recent_calls: RecentCalls::default(),
        instance_rate: InstanceRateLimit::default(),
        missing_spaces: MissingSpaceCache::default(),
    })
}
