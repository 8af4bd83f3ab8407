//! Concurrency limit of an instance: maximum number of requests, and small reads beside log
//! streams.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{extract::Request, middleware::from_fn};
use octopus_mcp::config::DurationSetting;
use octopus_sample::{Fault, Sample, keys};
use serde_json::json;

use super::{CALLERS, list_spaces, server_without_retries};
use crate::support::{TestServer, serve, wait_until_some};

/// Returns a router of the sample, and the highest number of concurrent requests that it counted.
fn counting_router(sample: &Sample) -> (axum::Router, Arc<AtomicUsize>) {
    let (now, max) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let result = Arc::clone(&max);
    let router =
        sample.router().layer(from_fn(move |request: Request, next: axum::middleware::Next| {
            let (now, max) = (Arc::clone(&now), Arc::clone(&max));
            async move {
                max.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                let response = next.run(request).await;
                now.fetch_sub(1, Ordering::SeqCst);
                response
            }
        }));
    (router, result)
}

#[tokio::test]
async fn limits_concurrent_requests_to_octopus() {
    let sample = Sample::new();
    sample.faults().add(Fault::on("/environments").delay(Duration::from_millis(200)));
    let (router, max) = counting_router(&sample);
    let octopus = serve(router);
    let server = server_without_retries(|octopus_settings| {
        octopus_settings.url = Some(format!("http://{}", octopus.address).parse().unwrap());
        octopus_settings.concurrent_requests = 3;
    })
    .await;
    let calls = (0..24).map(|skip| {
        let key = CALLERS[skip % CALLERS.len()];
        let arguments = json!({ "space": "Default", "skip": skip });
        server.call_as(key, "list_environments", arguments)
    });
    for called in futures::future::join_all(calls).await {
        assert!(!called.is_error, "all calls complete: {}", called.text);
    }
    assert_eq!(max.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn request_without_permit_fails_and_sends_nothing() {
    let server = TestServer::with(|config| {
        config.octopus.concurrent_requests = 1;
        config.octopus.timeout = DurationSetting(Duration::from_millis(300));
        config.http.request_timeout = DurationSetting::seconds(5);
    })
    .await;
    server.call_as(keys::ADMIN, "list_environments", json!({ "space": "Default" })).await;
    server.sample.faults().add(Fault::on("/raw").endless());
    let log = json!({ "space": "Default", "taskId": "ServerTasks-90004" });
    let stream = server.call_as(keys::ADMIN, "get_task_raw", log);
    let other = async {
        let raw = || server.sample.journal().iter().any(|entry| entry.path.ends_with("/raw"));
        wait_until_some(async || raw().then_some(())).await;
        server.sample.clear_journal();
        let error = list_spaces(&server, keys::DEFAULT_SPACE_ONLY).await.unwrap_err();
        assert!(
            error.contains("the concurrency limit for the instance 'default' is reached"),
            "{error}"
        );
        assert!(error.contains("no request finished within 1 s"), "{error}");
        assert!(error.contains("concurrent_requests"), "{error}");
        assert_eq!(server.sample.journal(), []);
    };
    // The endless read holds the only permit until its client disconnects.
    tokio::select! { _ = stream => panic!("the endless read ended"), () = other => {} }
    wait_until_some(async || list_spaces(&server, keys::DEFAULT_SPACE_ONLY).await.ok()).await;
}

#[tokio::test]
async fn small_reads_continue_while_logs_are_streamed() {
    let server = server_without_retries(|octopus| {
        octopus.concurrent_requests = 2;
        octopus.timeout = DurationSetting(Duration::from_secs(2));
    })
    .await;
    let log = json!({ "space": "Default", "taskId": "ServerTasks-90004" });
    for key in [keys::ADMIN, keys::VIEW_ONLY] {
        server.call_as(key, "list_environments", json!({ "space": "Default" })).await;
    }
    server.sample.faults().add(Fault::on("/raw").endless());
    let logs = [keys::ADMIN, keys::VIEW_ONLY, keys::DEFAULT_SPACE_ONLY]
        .map(|key| server.call_as(key, "get_task_raw", log.clone()));
    let small = async {
        let raw = || server.sample.journal().iter().any(|entry| entry.path.ends_with("/raw"));
        wait_until_some(async || raw().then_some(())).await;
        for key in CALLERS.iter().cycle().take(40) {
            assert_eq!(list_spaces(&server, key).await, Ok(()));
        }
    };
    tokio::select! { _ = futures::future::join_all(logs) => panic!("an endless read ended"), () = small => {} }
}
