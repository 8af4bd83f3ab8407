//! The places at an instance: so many requests at once, and small reads beside logs.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{extract::Request, middleware::from_fn};
use octopus_mcp::config::Period;
use octopus_sample::{Fault, Sample, keys};
use serde_json::json;

use super::{CALLERS, server, spaces};
use crate::support::{TestServer, serve, soon};

/// How many requests were at the sample at once, at most.
fn counted(sample: &Sample) -> (axum::Router, Arc<AtomicUsize>) {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let seen = Arc::clone(&most);
    let router =
        sample.router().layer(from_fn(move |request: Request, next: axum::middleware::Next| {
            let (now, most) = (Arc::clone(&now), Arc::clone(&most));
            async move {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                let response = next.run(request).await;
                now.fetch_sub(1, Ordering::SeqCst);
                response
            }
        }));
    (router, seen)
}

#[tokio::test]
async fn so_many_requests_are_under_way_at_once_and_no_more() {
    let sample = Sample::new();
    sample.faults().add(Fault::on("/environments").delay(Duration::from_millis(200)));
    let (router, most) = counted(&sample);
    let octopus = serve(router);
    let server = server(|octopus_settings| {
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
        assert!(!called.is_error, "all of them came to their answer: {}", called.text);
    }
    assert_eq!(most.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn whoever_finds_no_place_in_time_is_told_so_and_nothing_is_sent() {
    let server = TestServer::with(|config| {
        config.octopus.concurrent_requests = 1;
        config.octopus.timeout = Period(Duration::from_millis(300));
        config.http.request_timeout = Period::seconds(5);
    })
    .await;
    server.call_as(keys::ADMIN, "list_environments", json!({ "space": "Default" })).await;
    server.sample.faults().add(Fault::on("/raw").endless());
    let log = json!({ "space": "Default", "taskId": "ServerTasks-90004" });
    let reads = server.call_as(keys::ADMIN, "get_task_raw", log);
    let waits = async {
        let raw = || server.sample.journal().iter().any(|entry| entry.path.ends_with("/raw"));
        soon(async || raw().then_some(())).await;
        server.sample.clear_journal();
        let said = spaces(&server, keys::DEFAULT_SPACE_ONLY).await.unwrap_err();
        assert!(said.contains("the instance 'default' is busy"), "{said}");
        assert!(said.contains("within 1 s") && said.contains("concurrent_requests"), "{said}");
        assert_eq!(server.sample.journal(), []);
    };
    // The one who reads without end has the only place until they give up.
    tokio::select! { _ = reads => panic!("it has no end"), () = waits => {} }
    soon(async || spaces(&server, keys::DEFAULT_SPACE_ONLY).await.ok()).await;
}

#[tokio::test]
async fn small_reads_go_on_while_logs_are_read() {
    let server = server(|octopus| {
        octopus.concurrent_requests = 2;
        octopus.timeout = Period(Duration::from_secs(2));
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
        soon(async || raw().then_some(())).await;
        for key in CALLERS.iter().cycle().take(40) {
            assert_eq!(spaces(&server, key).await, Ok(()));
        }
    };
    tokio::select! { _ = futures::future::join_all(logs) => panic!("no end"), () = small => {} }
}
