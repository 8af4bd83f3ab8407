//! Flushes audit records, metrics, logs and traces at shutdown.

use std::time::Duration;

use tokio::{
    task::spawn_blocking,
    time::{error::Elapsed, timeout},
};

use crate::{
    audit::Audit,
    telemetry::{Metrics, Telemetry},
};

/// Time limit of each flush. The manifests in `deploy` kill the process 5 seconds after the drain.
const DELIVERY: Duration = Duration::from_secs(4);
/// Time limit for logging the last head of the audit chain, before the log itself is flushed.
const HEAD: Duration = Duration::from_millis(500);

/// Flushes audit records and telemetry concurrently, within the time limit, and stops them.
pub(super) async fn deliver(audit: &Audit, metrics: Metrics, telemetry: Option<Telemetry>) {
    // `Audit::stop` logs another head if records follow this one.
    let _ = timeout(HEAD, audit.announce()).await;
    let kept = timeout(DELIVERY, audit.stop());
    let measured = timeout(DELIVERY, spawn_blocking(move || metrics.stop()));
    let exported = timeout(DELIVERY, async {
        if let Some(telemetry) = telemetry {
            telemetry.stop().await;
        }
    });
    let (kept, measured, exported) = tokio::join!(kept, measured, exported);
    if let Err(Elapsed { .. }) = kept {
        tracing::error!("audit records may be lost: writing them timed out");
    }
    if measured.is_err() || exported.is_err() {
        tracing::warn!("telemetry export timed out: the last logs, traces or metrics are lost");
    }
}
