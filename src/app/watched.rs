//! What is asked for whenever somebody looks at the metrics.

use std::sync::Arc;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::{
    audit::Audit,
    mcp::Sessions,
    octopus::{AnswerMemory, Expiries, Instances},
    store::Store,
    telemetry::Metrics,
};

/// How the instances are.
pub(super) fn instances(metrics: &Metrics, instances: &Arc<ArcSwap<Instances>>) {
    let paused = Arc::clone(instances);
    metrics.watch(
        "octopus_mcp.instance.paused",
        "",
        "Whether an instance does not answer and is left alone for a while.",
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

/// How long the credentials last that the settings name. Octopus is asked for that, so only where the
/// metrics go anywhere.
pub(super) fn credentials(
    metrics: &Metrics,
    instances: &Arc<ArcSwap<Instances>>,
    stop: &CancellationToken,
) {
    let expiries = Arc::new(Expiries::default());
    let asked = Arc::clone(instances);
    tokio::spawn(Arc::clone(&expiries).follow(move || asked.load_full(), stop.clone()));
    metrics.watch(
        "octopus_mcp.credential.remaining",
        "d",
        "How long a credential lasts that the settings name, as far as Octopus says it.",
        move || {
            let days = expiries.days(Timestamp::now()).into_iter();
            days.map(|((instance, name), days)| {
                (days, vec![("octopus.instance", instance), ("credential", name)])
            })
            .collect()
        },
    );
}

/// How much memory large answers take.
pub(super) fn memory(metrics: &Metrics, memory: &AnswerMemory) {
    let (reserved, refused) = (memory.clone(), memory.clone());
    metrics.watch(
        "octopus_mcp.memory.reserved",
        "By",
        "Memory that large answers of Octopus take, of limits.bytes_in_flight, and as much for what is parsed.",
        move || {
            let kib = u32::try_from(reserved.reserved() / 1024).unwrap_or(u32::MAX);
            vec![(f64::from(kib) * 1024.0, Vec::new())]
        },
    );
    metrics.watch_count(
        "octopus_mcp.memory.refusals",
        "{answer}",
        "Answers of Octopus that found no memory in time.",
        move || refused.refusals(),
    );
}

/// Whether what replicas share is there.
pub(super) fn store(metrics: &Metrics, store: &Arc<Store>) {
    let away = Arc::clone(store);
    metrics.watch(
        "octopus_mcp.store.away",
        "",
        "Whether the store that replicas share does not answer, so that each counts for itself.",
        move || vec![(f64::from(u8::from(away.is_away())), Vec::new())],
    );
    let failures = Arc::clone(store);
    metrics.watch_count(
        "octopus_mcp.store.failures",
        "{question}",
        "Questions to the store that replicas share which were not answered.",
        move || failures.failures(),
    );
}

/// How many sessions are kept.
pub(super) fn sessions(metrics: &Metrics, sessions: &Arc<Sessions>) {
    let sessions = Arc::clone(sessions);
    metrics.watch(
        "octopus_mcp.sessions",
        "{session}",
        "Sessions that are kept for clients of the earlier revisions.",
        move || {
            let count = u32::try_from(sessions.count()).unwrap_or(u32::MAX);
            vec![(f64::from(count), Vec::new())]
        },
    );
}

/// Whether every record is kept.
pub(super) fn audit(metrics: &Metrics, audit: &Audit) {
    let (lost, failed) = (audit.clone(), audit.clone());
    metrics.watch_count(
        "octopus_mcp.audit.lost",
        "{record}",
        "Records of the audit that found no place in the queue.",
        move || lost.lost(),
    );
    metrics.watch_count(
        "octopus_mcp.audit.failures",
        "{failure}",
        "Times that a place for records of the audit did not take them.",
        move || failed.failures(),
    );
}
