//! Observable gauges and counters, whose values are read at each collection of metrics.

use std::sync::Arc;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::{
    audit::AuditLog,
    mcp::SessionRegistry,
    octopus::{CredentialExpiries, Instances, ResponseMemory},
    store::Store,
    telemetry::Metrics,
};

/// Registers the gauge of paused instances.
pub(super) fn instances(metrics: &Metrics, instances: &Arc<ArcSwap<Instances>>) {
    let paused = Arc::clone(instances);
    metrics.observe_gauge(
        "octopus_mcp.instance.paused",
        "",
        "1 while requests to an instance are paused because it does not respond, else 0.",
        move || {
            let now = paused.load();
            let paused = now.iter().map(|instance| {
                let value = f64::from(u8::from(instance.client.is_paused()));
                (value, vec![("octopus.instance", instance.name.clone())])
            });
            paused.collect()
        },
    );
}

/// Registers the gauge of the remaining lifetime of configured credentials.
///
/// It starts a task that requests the expiry from Octopus. Call it only if metrics are collected.
pub(super) fn credentials(
    metrics: &Metrics,
    instances: &Arc<ArcSwap<Instances>>,
    stop: &CancellationToken,
) {
    let expiries = Arc::new(CredentialExpiries::default());
    let instances_of_task = Arc::clone(instances);
    tokio::spawn(Arc::clone(&expiries).run(move || instances_of_task.load_full(), stop.clone()));
    metrics.observe_gauge(
        "octopus_mcp.credential.remaining",
        "d",
        "Days until a configured credential expires, if Octopus reports its expiry.",
        move || {
            let days = expiries.remaining_days(Timestamp::now()).into_iter();
            days.map(|((instance, name), days)| {
                (days, vec![("octopus.instance", instance), ("credential", name)])
            })
            .collect()
        },
    );
}

/// Registers the metrics of the memory budget for large responses.
pub(super) fn memory(metrics: &Metrics, memory: &ResponseMemory) {
    let (reserved, refused) = (memory.clone(), memory.clone());
    metrics.observe_gauge(
        "octopus_mcp.memory.reserved",
        "By",
        "Memory reserved for large responses of Octopus, from limits.bytes_in_flight and an equal \
         budget for parsed documents.",
        move || {
            let kib = u32::try_from(reserved.reserved() / 1024).unwrap_or(u32::MAX);
            vec![(f64::from(kib) * 1024.0, Vec::new())]
        },
    );
    metrics.observe_counter(
        "octopus_mcp.memory.refusals",
        "{answer}",
        "Responses of Octopus rejected because no memory was available in time.",
        move || refused.refusals(),
    );
}

/// Registers the metrics of the store that replicas share.
pub(super) fn store(metrics: &Metrics, store: &Arc<Store>) {
    let away = Arc::clone(store);
    metrics.observe_gauge(
        "octopus_mcp.store.away",
        "",
        "1 while the shared store does not respond and each replica counts alone, else 0.",
        move || vec![(f64::from(u8::from(away.is_unavailable())), Vec::new())],
    );
    let failures = Arc::clone(store);
    metrics.observe_counter(
        "octopus_mcp.store.failures",
        "{question}",
        "Failed requests to the shared store.",
        move || failures.failures(),
    );
}

/// Registers the gauge of sessions.
pub(super) fn sessions(metrics: &Metrics, sessions: &Arc<SessionRegistry>) {
    let sessions = Arc::clone(sessions);
    metrics.observe_gauge(
        "octopus_mcp.sessions",
        "{session}",
        "Open sessions of clients with MCP revisions before 2026-07-28.",
        move || {
            let count = u32::try_from(sessions.count()).unwrap_or(u32::MAX);
            vec![(f64::from(count), Vec::new())]
        },
    );
}

/// Registers the metrics of lost audit records and failed writes.
pub(super) fn audit(metrics: &Metrics, audit: &AuditLog) {
    let (lost, failed) = (audit.clone(), audit.clone());
    metrics.observe_counter(
        "octopus_mcp.audit.lost",
        "{record}",
        "Audit records lost because the queue was full.",
        move || lost.lost_records(),
    );
    metrics.observe_counter(
        "octopus_mcp.audit.failures",
        "{failure}",
        "Failed writes to an audit sink.",
        move || failed.write_failures(),
    );
}
