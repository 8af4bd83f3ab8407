//! Callers who are known.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use octopus_mcp::config::Sessions;
use octopus_sample::{Fault, keys};
use serde_json::json;

use super::{LIST, WAIT, few, greeting, is_told_to_wait, served};
use crate::support::{ERAS, Era, LEGACY, TestServer, client, reply, soon};

#[tokio::test]
async fn a_caller_over_the_rate_is_told_so_in_http_200_in_both_eras() {
    for era in ERAS {
        let server = TestServer::with(|config| few(config, 2)).await;
        let call = async || server.ask(era, "tools/call", json!({ "name": "list_spaces" })).await;
        for left in ["1", "0"] {
            let reply = call().await;
            assert!(!is_told_to_wait(&reply));
            assert_eq!(reply.header("x-ratelimit-limit"), "2");
            assert_eq!(reply.header("x-ratelimit-remaining"), left);
            assert_eq!(reply.header("retry-after"), "");
        }
        server.sample.clear_journal();
        let reply = call().await;
        assert!(is_told_to_wait(&reply));
        assert_eq!(reply.json()["id"], 1);
        assert_eq!(reply.header("x-ratelimit-limit"), "2");
        assert_eq!(reply.header("x-ratelimit-remaining"), "0");
        let reset: u64 = reply.header("x-ratelimit-reset").parse().unwrap();
        assert!((61..=120).contains(&reset), "all of it, not one alone: {reset}");
        assert!(reply.message().contains("nothing was done"), "{}", reply.text);
        assert!(server.sample.journal().is_empty(), "Octopus is not asked");
    }
}

#[tokio::test]
async fn greetings_pings_and_notifications_are_never_limited() {
    let server = TestServer::with(|config| few(config, 1)).await;
    assert_eq!(served(&server, &[], 2).await, 1);
    for _ in 0..20 {
        let discovered = server.ask(Era::Modern, "server/discover", json!({})).await;
        assert_eq!(discovered.json()["result"]["resultType"], "complete");
        assert_eq!(discovered.header("x-ratelimit-limit"), "", "it does not count");
        let greeted = server.post(&[], greeting().to_string()).await;
        assert_eq!(greeted.json()["result"]["protocolVersion"], LEGACY);
        assert_eq!(server.ask(Era::Legacy, "ping", json!({})).await.json()["result"], json!({}));
        let ready = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
        assert_eq!(server.post(&[], ready).await.status, 202);
    }
    assert_eq!(served(&server, &[], 1).await, 0, "what is limited still is");
}

#[tokio::test]
async fn whoever_goes_on_far_over_the_rate_is_refused_with_429() {
    let server = TestServer::with(|config| {
        few(config, 2);
        config.limits.far_over = 3;
    })
    .await;
    assert_eq!(served(&server, &[], 6).await, 2);
    let refused = server.post(&[], LIST).await;
    assert_eq!((refused.status, refused.code()), (429, WAIT));
    assert_eq!(refused.json()["id"], "list-1");
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!(refused.header("x-ratelimit-remaining"), "0");
    let discovered = server.ask(Era::Modern, "server/discover", json!({})).await;
    assert_eq!(discovered.status, 200, "a greeting is served even then");
    assert_eq!(server.post(&[], greeting().to_string()).await.status, 200);
}

#[tokio::test]
async fn two_callers_do_not_take_from_each_other() {
    let server = TestServer::with(|config| few(config, 3)).await;
    assert_eq!(served(&server, &[], 5).await, 3);
    let other = [("x-octopus-apikey", keys::DEFAULT_SPACE_ONLY)];
    assert_eq!(served(&server, &other, 5).await, 3);
    assert_eq!(served(&server, &[], 1).await, 0);
}

#[tokio::test]
async fn what_was_spent_comes_back() {
    let server = TestServer::with(|config| {
        config.limits.caller_rate = 60;
        config.limits.caller_burst = 1;
        config.limits.far_over = 1_000_000;
    })
    .await;
    assert!(!is_told_to_wait(&server.post(&[], LIST).await));
    assert!(is_told_to_wait(&server.post(&[], LIST).await));
    soon(async || (!is_told_to_wait(&server.post(&[], LIST).await)).then_some(())).await;
}

#[tokio::test]
async fn all_callers_together_are_limited_at_an_instance_and_told_which() {
    let server = TestServer::with(|config| {
        config.limits.instance_rate = 1;
        config.limits.instance_burst = 3;
    })
    .await;
    let other = [("x-octopus-apikey", keys::DEFAULT_SPACE_ONLY)];
    assert_eq!(served(&server, &[], 2).await + served(&server, &other, 2).await, 3);
    for _ in 0..20 {
        let told = server.post(&[], LIST).await;
        assert!(is_told_to_wait(&told), "none of them alone is to blame, so never 429");
        assert!(told.message().contains("instance 'default'"), "{}", told.text);
        assert_eq!(told.header("x-ratelimit-limit"), "3");
    }
}

#[tokio::test]
async fn a_rate_of_nothing_is_no_limit() {
    let server = TestServer::with(|config| {
        config.limits.caller_rate = 0;
        config.limits.caller_burst = 0;
    })
    .await;
    assert_eq!(served(&server, &[], 5).await, 5);
    assert_eq!(server.post(&[], LIST).await.header("x-ratelimit-limit"), "");
}

#[tokio::test]
async fn a_caller_has_so_many_calls_under_way_and_others_have_theirs() {
    let server = TestServer::with(|config| config.limits.concurrent_calls_per_caller = 2).await;
    server.sample.faults().add(Fault::on("/spaces").delay(Duration::from_mins(1)));
    let call = async |key: &str| {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        // Each another read: identical ones of one caller become one.
        let skip = NUMBER.fetch_add(1, Ordering::Relaxed);
        let params = json!({ "name": "list_spaces", "arguments": { "skip": skip } });
        server.ask_as(Era::Modern, key, "tools/call", params).await
    };
    let under_way = async |count: usize| {
        soon(async || {
            let asked = server.sample.journal();
            let asked = asked.iter().filter(|entry| entry.path.ends_with("/spaces")).count();
            (asked == count).then_some(())
        })
        .await;
    };
    let check = async {
        under_way(2).await;
        let told = call(keys::ADMIN).await;
        assert_eq!((told.status, told.code()), (200, WAIT));
        assert!(told.message().contains("2 requests under way"), "{}", told.text);
        assert_eq!(told.json()["id"], 1);
        let other = server.ask_as(Era::Modern, keys::DEFAULT_SPACE_ONLY, "tools/list", json!({}));
        assert!(other.await.json()["result"].is_object());
        let discovered = server.ask(Era::Modern, "server/discover", json!({})).await;
        assert!(discovered.json()["result"].is_object(), "a greeting needs no place");
    };
    tokio::select! {
        _ = async { tokio::join!(call(keys::ADMIN), call(keys::ADMIN)) } => panic!("too early"),
        () = check => {}
    }
    // Both were dropped with their connections, and so their places are free.
    server.sample.faults().clear();
    soon(async || call(keys::ADMIN).await.json()["result"].is_object().then_some(())).await;
}

#[tokio::test]
async fn opening_streams_counts_and_ending_sessions_does_not() {
    let server = TestServer::with(|config| {
        few(config, 1);
        config.http.sessions = Sessions::Memory;
    })
    .await;
    let session =
        server.post(&[], greeting().to_string()).await.header("mcp-session-id").to_owned();
    let ask = |method| {
        let request = client().request(method, &server.url);
        request
            .header("accept", "text/event-stream")
            .header("x-octopus-apikey", keys::ADMIN)
            .header("mcp-protocol-version", LEGACY)
            .header("mcp-session-id", &session)
    };
    let stream = ask(reqwest::Method::GET).send().await.unwrap();
    assert_eq!(stream.status(), 200);
    let refused = reply(ask(reqwest::Method::GET)).await;
    assert_eq!((refused.status, refused.code()), (429, WAIT));
    assert!(!refused.header("retry-after").is_empty());
    assert_eq!(reply(ask(reqwest::Method::DELETE)).await.status, 204);
}

#[tokio::test]
async fn pages_of_allowed_origins_may_read_what_is_left() {
    let server = TestServer::with(|config| few(config, 1)).await;
    for _ in 0..2 {
        let reply = server.post(&[("origin", "http://localhost:3000")], LIST).await;
        let exposed = reply.header("access-control-expose-headers").to_owned();
        for name in ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"] {
            assert!(exposed.contains(name), "{exposed}");
        }
    }
}
