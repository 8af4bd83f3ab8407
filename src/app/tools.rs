//! Builds the MCP provider from the settings.

use std::sync::Arc;

use super::policy;
use crate::{
    audit::Audit,
    compute::ComputePool,
    config::Config,
    mcp::{Absent, Tools},
    octopus::{AnswerMemory, Instances},
    rules::Rules,
    store::Store,
    telemetry::Metrics,
    tool::{Acting, Catalog, Gate, InstanceRate, LastCalls, Limits, Seal, Starters},
    toolsets::TOOLSETS,
};

/// Returns every tool, with descriptions that name the limits of the default settings.
pub fn catalog() -> Catalog {
    catalog_of(&Config::default())
}

/// Returns every tool, with descriptions that name the limits of these settings.
pub fn catalog_of(config: &Config) -> Catalog {
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
/// A message that names the setting, if a part cannot be built.
pub fn tools(config: &Config, metrics: &Metrics) -> Result<Tools, String> {
    let memory = AnswerMemory::new(config.limits.bytes_in_flight.0);
    of(config, metrics, Audit::start(&config.audit)?, &compute(config), &memory)
}

/// Compiles the redaction patterns and the table of Octopus operations on a blocking thread.
///
/// Otherwise the first call that needs them does it. A call that needs them during this waits.
pub fn prepare() {
    tokio::task::spawn_blocking(|| {
        crate::text::prepare();
        crate::octopus::operations::all();
    });
}

/// Creates the pool for CPU-bound work.
pub(super) fn compute(config: &Config) -> ComputePool {
    let slots = usize::try_from(config.limits.compute_threads).unwrap_or_default();
    ComputePool::new(slots, config.limits.compute_time.0)
}

/// Builds a provider with this audit, compute pool and memory budget.
pub(super) fn of(
    config: &Config,
    metrics: &Metrics,
    audit: Audit,
    compute: &ComputePool,
    memory: &AnswerMemory,
) -> Result<Tools, String> {
    // Initialize the secret patterns now, so that the first call does not wait for it.
    crate::text::door("");
    Ok(Tools {
        catalog: catalog_of(config),
        policy: policy(config)?,
        instances: Arc::new(Instances::sharing(config, metrics, compute, memory)?),
        gate: Arc::new(Gate::new(config.tools.confirm, Seal::from_config(&config.tools)?)),
        limits: limits(config),
        rules: Arc::new(
            Rules::of(&config.policy).map_err(|error| format!("policy.rules: {error}"))?,
        ),
        starters: Arc::new(Starters::new(Store::memory())),
        audit,
        acting: Acting::default(),
        metrics: metrics.clone(),
        calls: LastCalls::default(),
        instance_rate: InstanceRate::default(),
        absent: Absent::default(),
    })
}
