//! The offering of this product, as the settings want it.

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

/// Every tool.
pub fn catalog() -> Catalog {
    Catalog::new(TOOLSETS)
}

/// The offering of this product, for itself.
pub fn tools(config: &Config, metrics: &Metrics) -> Result<Tools, String> {
    let memory = AnswerMemory::new(config.limits.bytes_in_flight.0);
    of(config, metrics, Audit::start(&config.audit)?, &compute(config), &memory)
}

/// Prepares, on a thread of its own, what is otherwise prepared at its first use: the patterns of
/// redaction, and the table of Octopus's operations. Calls that need one of them earlier wait for it.
pub fn prepare() {
    tokio::task::spawn_blocking(|| {
        crate::text::prepare();
        crate::octopus::operations::all();
    });
}

/// The pool for CPU-bound work, as the settings want it.
pub(super) fn compute(config: &Config) -> ComputePool {
    let slots = usize::try_from(config.limits.compute_threads).unwrap_or_default();
    ComputePool::new(slots, config.limits.compute_time.0)
}

/// The same, with calls recorded there, and large answers within this memory.
pub(super) fn of(
    config: &Config,
    metrics: &Metrics,
    audit: Audit,
    compute: &ComputePool,
    memory: &AnswerMemory,
) -> Result<Tools, String> {
    // The hints of secrets are made ready at the first use, which should not be a caller's.
    crate::text::door("");
    Ok(Tools {
        catalog: catalog(),
        policy: policy(config)?,
        instances: Arc::new(Instances::sharing(config, metrics, compute, memory)?),
        gate: Arc::new(Gate::new(config.tools.confirm, Seal::from_config(&config.tools)?)),
        limits: Limits {
            answer: config.tools.answer_bytes.0,
            answer_cap: config.tools.answer_bytes_cap.0,
            take: config.tools.take,
            take_cap: config.tools.take_cap,
        },
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
