//! Patterns that are as costly as the limits permit, and their effect on other callers.

use std::{sync::mpsc, time::Duration};

use futures::{FutureExt, StreamExt, stream::FuturesUnordered};
use octopus_mcp::{compute::CallerKey, config::DurationSetting};
use octopus_sample::keys;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::{BIG_TASK, CheckedServer, arguments};
use crate::support::{Era, TestServer};

/// A pattern with about a thousand active automaton states at each byte.
const COSTLY: &str = r"[a-z0-9][\t-~]{1000}[^\t-~]";
const LONG: DurationSetting = DurationSetting(Duration::from_hours(1));

fn costly_search() -> Value {
    let mut search = arguments(&json!({ "pattern": COSTLY }));
    search["taskId"] = json!(BIG_TASK);
    search
}

#[tokio::test]
async fn rejects_patterns_with_thousands_of_states() {
    let server = CheckedServer::start().await;
    for pattern in [r"[a-z0-9][\t-~]{9000}[^\t-~]", r"(?:\w{100}\s){100}"] {
        let expected =
            &["pattern: ", "the pattern is too large after its repetitions are expanded"];
        server
            .assert_error_contains(
                "grep_task_log",
                arguments(&json!({ "pattern": pattern })),
                expected,
            )
            .await;
        let message = server.call_error("grep_llms_txt", json!({ "pattern": pattern })).await;
        assert!(message.contains("too large"), "{message}");
    }
}

#[tokio::test]
async fn searches_of_one_caller_do_not_block_another() {
    let server = TestServer::with(|config| {
        config.limits.compute_threads = 1;
        config.limits.compute_time = LONG;
        config.http.request_timeout = LONG;
    })
    .await;
    // A caller gets a share of the compute pool after Octopus has accepted its key.
    for key in [keys::ADMIN, keys::VIEW_ONLY] {
        assert!(!server.call_as(key, "list_spaces", json!({})).await.is_error);
    }
    let mut flood: FuturesUnordered<_> =
        (0..8).map(|_| server.call_as(keys::ADMIN, "grep_task_log", costly_search())).collect();
    let other = async {
        for _ in 0..3 {
            let pong = server.rpc_as(Era::Legacy, keys::VIEW_ONLY, "ping", json!({})).await;
            assert_eq!(pong.json()["result"], json!({}));
        }
        let search = arguments(&json!({ "pattern": "Task" }));
        let found = server.call_as(keys::VIEW_ONLY, "grep_task_log", search).await;
        assert!(!found.is_error, "{}", found.text);
    };
    // Every search of the flood takes billions of steps on the 13.6 MB log, in the only compute
    // slot.
    let mut other = Box::pin(other);
    tokio::select! {
        biased;
        ended = flood.next() => panic!("a search of the flood ended first: {ended:?}"),
        () = &mut other => {}
    }
    assert!(flood.next().now_or_never().is_none());
}

/// Another caller occupies the only slot of the pool. A search on the worker of its own call
/// would complete here.
#[tokio::test]
async fn call_timeout_fires_while_waiting_for_compute_slot() {
    let server = TestServer::with(|config| {
        config.limits.compute_threads = 1;
        config.http.request_timeout = DurationSetting::seconds(1);
    })
    .await;
    let (begun, has_begun) = oneshot::channel();
    let (release, released) = mpsc::channel::<()>();
    let pool = &server.running.as_ref().unwrap().compute;
    let other = pool.run(CallerKey::new([0; 32]), move |_| {
        let _ = begun.send(());
        let _ = released.recv_timeout(Duration::from_secs(30));
        Ok(())
    });
    let search = || {
        let search = arguments(&json!({ "pattern": "Task" }));
        server.call_as(keys::ADMIN, "grep_task_log", search)
    };
    let waiting = async {
        has_begun.await.unwrap();
        let ended = search().await;
        drop(release);
        ended
    };
    let (other, ended) = tokio::join!(other, waiting);
    assert_eq!(other, Ok(()));
    assert!(ended.is_error && ended.text.contains("longer than 1 s"), "{}", ended.text);
    assert!(!search().await.is_error);
}

#[tokio::test]
async fn costly_search_stops_at_the_call_timeout() {
    let server = TestServer::with(|config| {
        config.limits.compute_threads = 1;
        config.limits.compute_time = LONG;
        config.http.request_timeout = DurationSetting::seconds(1);
    })
    .await;
    let ended = server.call_as(keys::ADMIN, "grep_task_log", costly_search()).await;
    assert!(ended.is_error && ended.text.contains("longer than 1 s"), "{}", ended.text);
    // The slot is released although the search had not completed.
    let search = json!({ "pattern": "Releases" });
    let found = server.call_as(keys::ADMIN, "grep_llms_txt", search).await;
    assert!(!found.is_error, "{}", found.text);
}

#[tokio::test]
async fn compute_time_of_a_call_is_limited() {
    let server = TestServer::with(|config| {
        config.limits.compute_time = DurationSetting(Duration::from_millis(50));
        config.http.request_timeout = LONG;
    })
    .await;
    let ended = server.call_as(keys::ADMIN, "grep_task_log", costly_search()).await;
    assert!(ended.is_error, "{}", ended.text);
    for expected in ["0.05 s of compute time", "limits.compute_time", "a simpler pattern"] {
        assert!(ended.text.contains(expected), "{}", ended.text);
    }
}
