//! Flushes audit records, metrics, logs and traces at shutdown.

use std::time::Duration;

use tokio::{
    task::spawn_blocking,
    time::{error::Elapsed, timeout},
};

use crate::{
    audit::AuditLog,
    telemetry::{Metrics, Telemetry},
};

/// Timeout of each flush. The manifests in `deploy` kill the process 5 seconds after the drain.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(4);
/// Timeout for logging the last head of the audit chain, before the log itself is flushed.
const HEAD_TIMEOUT: Duration = Duration::from_millis(500);

/// Flushes and stops the audit log and telemetry concurrently, within the timeouts.
pub(super) async fn flush_all(audit: &AuditLog, metrics: Metrics, telemetry: Option<Telemetry>) {
    // `AuditLog::stop` logs another head if more records follow.
    let _ = timeout(HEAD_TIMEOUT, audit.announce()).await;
    let audit_stopped = timeout(FLUSH_TIMEOUT, audit.stop());
    let metrics_exported = timeout(FLUSH_TIMEOUT, spawn_blocking(move || metrics.shutdown()));
    let telemetry_exported = timeout(FLUSH_TIMEOUT, async {
        if let Some(telemetry) = telemetry {
            telemetry.shutdown().await;
        }
    });
    let (audit_stopped, metrics_exported, telemetry_exported) =
        tokio::join!(audit_stopped, metrics_exported, telemetry_exported);
    if let Err(Elapsed { .. }) = audit_stopped {
        tracing::error!("audit flush timed out; queued records may be lost");
    }
    if metrics_exported.is_err() || telemetry_exported.is_err() {
        tracing::warn!("telemetry export timed out; the last logs, traces or metrics are lost");
    }
}
