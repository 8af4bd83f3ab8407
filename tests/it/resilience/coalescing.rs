//! Coalescing of concurrent identical reads: one request per caller, never shared between callers.

use std::time::Duration;

use octopus_sample::{Fault, keys};
use serde_json::json;

use super::{CALLERS, server_without_retries};

#[tokio::test]
async fn coalesces_concurrent_identical_reads_per_caller() {
    let server = server_without_retries(|_| {}).await;
    for key in CALLERS {
        server.call_as(key, "list_environments", json!({ "space": "Default" })).await;
    }
    let call_at_once = async |callers: &[&str], fault: Fault| {
        server.sample.faults().clear();
        server.sample.faults().add(fault);
        server.sample.clear_journal();
        let arguments = || json!({ "space": "Default", "skip": 0 });
        let calls = callers.iter().map(|key| server.call_as(key, "list_environments", arguments()));
        let called = futures::future::join_all(calls).await;
        (server.sample.journal().len(), called)
    };
    let slow = Fault::on("/environments").delay(Duration::from_secs(2));
    let (request_count, called) = call_at_once(&[keys::ADMIN; 8], slow.clone()).await;
    assert_eq!(request_count, 1);
    assert!(called.iter().all(|call| !call.is_error && call.structured == called[0].structured));
    let (request_count, _) =
        call_at_once(&[keys::ADMIN, keys::VIEW_ONLY, keys::ADMIN], slow.clone()).await;
    assert_eq!(request_count, 2);
    // All waiting calls get the error, and later calls send a new request.
    let (request_count, called) = call_at_once(&[keys::ADMIN; 8], slow.status(500).times(1)).await;
    assert_eq!(request_count, 1);
    assert!(called.iter().all(|call| call.is_error && call.text.contains("500")));
    let next = server.call_as(keys::ADMIN, "list_environments", json!({ "space": "Default" }));
    assert!(!next.await.is_error);
}
