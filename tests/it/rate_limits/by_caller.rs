//! Limits of identified callers.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use octopus_mcp::config::SessionStorage;
use octopus_sample::{Fault, keys};
use serde_json::json;

use super::{
    LIST, RATE_LIMITED_CODE, count_served, initialize_request, is_rate_limited, limit_caller_to,
};
use crate::support::{ERAS, Era, LEGACY_VERSION, TestServer, client, send, wait_until_some};

#[tokio::test]
async fn rate_limit_error_uses_http_200_in_both_eras() {
    for era in ERAS {
        let server = TestServer::with(|config| limit_caller_to(config, 2)).await;
        let call = async || server.rpc(era, "tools/call", json!({ "name": "list_spaces" })).await;
        for left in ["1", "0"] {
            let reply = call().await;
            assert!(!is_rate_limited(&reply));
            assert_eq!(reply.header("x-ratelimit-limit"), "2");
            assert_eq!(reply.header("x-ratelimit-remaining"), left);
            assert_eq!(reply.header("retry-after"), "");
        }
        server.sample.clear_journal();
        let reply = call().await;
        assert!(is_rate_limited(&reply));
        assert_eq!(reply.json()["id"], 1);
        assert_eq!(reply.header("x-ratelimit-limit"), "2");
        assert_eq!(reply.header("x-ratelimit-remaining"), "0");
        let reset: u64 = reply.header("x-ratelimit-reset").parse().unwrap();
        assert!((61..=120).contains(&reset), "reset is the time until the full burst: {reset}");
        assert!(reply.error_message().contains("nothing was done"), "{}", reply.text);
        assert!(server.sample.journal().is_empty(), "a limited call sends no upstream request");
    }
}

#[tokio::test]
async fn initialize_ping_and_notifications_are_not_limited() {
    let server = TestServer::with(|config| limit_caller_to(config, 1)).await;
    assert_eq!(count_served(&server, &[], 2).await, 1);
    for _ in 0..20 {
        let discovered = server.rpc(Era::Modern, "server/discover", json!({})).await;
        assert_eq!(discovered.json()["result"]["resultType"], "complete");
        assert_eq!(discovered.header("x-ratelimit-limit"), "", "discovery is not counted");
        let initialized = server.post(&[], initialize_request().to_string()).await;
        assert_eq!(initialized.json()["result"]["protocolVersion"], LEGACY_VERSION);
        assert_eq!(server.rpc(Era::Legacy, "ping", json!({})).await.json()["result"], json!({}));
        let ready = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
        assert_eq!(server.post(&[], ready).await.status, 202);
    }
    assert_eq!(count_served(&server, &[], 1).await, 0, "list requests stay limited");
}

#[tokio::test]
async fn rejects_sustained_overload_with_429() {
    let server = TestServer::with(|config| {
        limit_caller_to(config, 2);
        config.limits.far_over = 3;
    })
    .await;
    assert_eq!(count_served(&server, &[], 6).await, 2);
    let rejected = server.post(&[], LIST).await;
    assert_eq!((rejected.status, rejected.error_code()), (429, RATE_LIMITED_CODE));
    assert_eq!(rejected.json()["id"], "list-1");
    let wait: u64 = rejected.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!(rejected.header("x-ratelimit-remaining"), "0");
    let discovered = server.rpc(Era::Modern, "server/discover", json!({})).await;
    assert_eq!(discovered.status, 200, "discovery is served under overload");
    assert_eq!(server.post(&[], initialize_request().to_string()).await.status, 200);
}

#[tokio::test]
async fn callers_have_separate_limits() {
    let server = TestServer::with(|config| limit_caller_to(config, 3)).await;
    assert_eq!(count_served(&server, &[], 5).await, 3);
    let other = [("x-octopus-apikey", keys::DEFAULT_SPACE_ONLY)];
    assert_eq!(count_served(&server, &other, 5).await, 3);
    assert_eq!(count_served(&server, &[], 1).await, 0);
}

#[tokio::test]
async fn limit_refills_over_time() {
    let server = TestServer::with(|config| {
        config.limits.caller_rate = 60;
        config.limits.caller_burst = 1;
        config.limits.far_over = 1_000_000;
    })
    .await;
    assert!(!is_rate_limited(&server.post(&[], LIST).await));
    assert!(is_rate_limited(&server.post(&[], LIST).await));
    wait_until_some(async || (!is_rate_limited(&server.post(&[], LIST).await)).then_some(())).await;
}

#[tokio::test]
async fn instance_limit_applies_to_all_callers() {
    let server = TestServer::with(|config| {
        config.limits.instance_rate = 1;
        config.limits.instance_burst = 3;
    })
    .await;
    let other = [("x-octopus-apikey", keys::DEFAULT_SPACE_ONLY)];
    assert_eq!(count_served(&server, &[], 2).await + count_served(&server, &other, 2).await, 3);
    for _ in 0..20 {
        let rejected = server.post(&[], LIST).await;
        assert!(
            is_rate_limited(&rejected),
            "the shared limit never returns 429, since no single caller exceeds it"
        );
        assert!(rejected.error_message().contains("instance 'default'"), "{}", rejected.text);
        assert_eq!(rejected.header("x-ratelimit-limit"), "3");
    }
}

#[tokio::test]
async fn rate_of_zero_disables_the_limit() {
    let server = TestServer::with(|config| {
        config.limits.caller_rate = 0;
        config.limits.caller_burst = 0;
    })
    .await;
    assert_eq!(count_served(&server, &[], 5).await, 5);
    assert_eq!(server.post(&[], LIST).await.header("x-ratelimit-limit"), "");
}

#[tokio::test]
async fn concurrent_calls_are_limited_per_caller() {
    let server = TestServer::with(|config| config.limits.concurrent_calls_per_caller = 2).await;
    server.sample.faults().add(Fault::on("/spaces").delay(Duration::from_mins(1)));
    let call = async |key: &str| {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        // Each call differs, because identical concurrent reads of one caller are coalesced.
        let skip = NUMBER.fetch_add(1, Ordering::Relaxed);
        let params = json!({ "name": "list_spaces", "arguments": { "skip": skip } });
        server.rpc_as(Era::Modern, key, "tools/call", params).await
    };
    let under_way = async |count: usize| {
        wait_until_some(async || {
            let lookups = server.sample.journal();
            let lookups = lookups.iter().filter(|entry| entry.path.ends_with("/spaces")).count();
            (lookups == count).then_some(())
        })
        .await;
    };
    let check = async {
        under_way(2).await;
        let rejected = call(keys::ADMIN).await;
        assert_eq!((rejected.status, rejected.error_code()), (200, RATE_LIMITED_CODE));
        assert!(rejected.error_message().contains("2 concurrent requests"), "{}", rejected.text);
        assert_eq!(rejected.json()["id"], 1);
        let other = server.rpc_as(Era::Modern, keys::DEFAULT_SPACE_ONLY, "tools/list", json!({}));
        assert!(other.await.json()["result"].is_object());
        let discovered = server.rpc(Era::Modern, "server/discover", json!({})).await;
        assert!(discovered.json()["result"].is_object(), "discovery needs no permit");
    };
    tokio::select! {
        _ = async { tokio::join!(call(keys::ADMIN), call(keys::ADMIN)) } => panic!("the calls must still be running"),
        () = check => {}
    }
    // Both calls were dropped with their connections, which releases their permits.
    server.sample.faults().clear();
    wait_until_some(async || call(keys::ADMIN).await.json()["result"].is_object().then_some(()))
        .await;
}

#[tokio::test]
async fn opening_streams_counts_but_ending_sessions_does_not() {
    let server = TestServer::with(|config| {
        limit_caller_to(config, 1);
        config.http.sessions = SessionStorage::Memory;
    })
    .await;
    let session = server
        .post(&[], initialize_request().to_string())
        .await
        .header("mcp-session-id")
        .to_owned();
    let ask = |method| {
        let request = client().request(method, &server.url);
        request
            .header("accept", "text/event-stream")
            .header("x-octopus-apikey", keys::ADMIN)
            .header("mcp-protocol-version", LEGACY_VERSION)
            .header("mcp-session-id", &session)
    };
    let stream = ask(reqwest::Method::GET).send().await.unwrap();
    assert_eq!(stream.status(), 200);
    let rejected = send(ask(reqwest::Method::GET)).await;
    assert_eq!((rejected.status, rejected.error_code()), (429, RATE_LIMITED_CODE));
    assert!(!rejected.header("retry-after").is_empty());
    // The first rejection is no sign that the client ignores anything.
    assert!(!rejected.error_message().contains("ignores Retry-After"), "{}", rejected.text);
    assert_eq!(send(ask(reqwest::Method::DELETE)).await.status, 204);
}

#[tokio::test]
async fn allowed_origins_can_read_rate_limit_headers() {
    let server = TestServer::with(|config| limit_caller_to(config, 1)).await;
    for _ in 0..2 {
        let reply = server.post(&[("origin", "http://localhost:3000")], LIST).await;
        let exposed = reply.header("access-control-expose-headers").to_owned();
        for name in ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"] {
            assert!(exposed.contains(name), "{exposed}");
        }
    }
}
