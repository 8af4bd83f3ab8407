//! What is still written and delivered at the end.

use std::time::Duration;

use tokio::{
    task::spawn_blocking,
    time::{error::Elapsed, timeout},
};

use crate::{
    audit::Audit,
    telemetry::{Metrics, Telemetry},
};

/// How long what was not written or delivered yet may take, once nothing runs any more. Whoever ends
/// the process waits for the drain and five seconds (`deploy`).
const DELIVERY: Duration = Duration::from_secs(4);
/// How long the last head of the audit may take, which goes into the log while that is delivered.
const HEAD: Duration = Duration::from_millis(500);

/// Writes and delivers what is left, all at once and within a time, and ends.
pub(super) async fn deliver(audit: &Audit, metrics: Metrics, telemetry: Option<Telemetry>) {
    // At a stop it is written once more, where records came in between.
    let _ = timeout(HEAD, audit.announce()).await;
    let kept = timeout(DELIVERY, audit.stop());
    let measured = timeout(DELIVERY, spawn_blocking(move || metrics.stop()));
    let told = timeout(DELIVERY, async {
        if let Some(telemetry) = telemetry {
            telemetry.stop().await;
        }
    });
    let (kept, measured, told) = tokio::join!(kept, measured, told);
    if let Err(Elapsed { .. }) = kept {
        tracing::error!("records of the audit may be lost: they are not written in time");
    }
    if measured.is_err() || told.is_err() {
        tracing::warn!("the collector does not answer: the last of what was told to it is lost");
    }
}
