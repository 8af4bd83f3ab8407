//! Unidentified callers are counted by their network address.

use octopus_mcp::config::{AuthMode, Config, CredentialSource, Modes, Networks, Secret, Sessions};
use octopus_sample::keys;
use serde_json::json;

use super::{LIST, WAIT, greeting};
use crate::support::{Era, Reply, TestServer};

const BAD: (&str, &str) = ("x-octopus-apikey", "guess");
const FORWARDED: &str = "x-forwarded-for";

fn few_failures(config: &mut Config, burst: u32) {
    config.limits.failed_rate = 1;
    config.limits.failed_burst = burst;
}

fn behind_a_proxy(config: &mut Config) {
    config.http.trusted_proxies = Networks(vec!["127.0.0.0/8".parse().unwrap()]);
}

fn is_refused(reply: &Reply) -> bool {
    if reply.status != 429 {
        return false;
    }
    assert_eq!(reply.code(), WAIT);
    let wait: u64 = reply.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!(reply.json()["error"]["data"]["retryAfter"], wait);
    assert_eq!(
        reply.header("www-authenticate"),
        "",
        "a blocked address gets no authentication challenge"
    );
    true
}

#[tokio::test]
async fn where_too_many_fail_nothing_is_looked_at_any_more() {
    let server = TestServer::with(|config| few_failures(config, 3)).await;
    for _ in 0..3 {
        assert_eq!(server.post(&[BAD], LIST).await.status, 401);
    }
    let refused = server.post(&[BAD], LIST).await;
    assert!(is_refused(&refused), "{refused:?}");
    assert_eq!(refused.json()["id"], "list-1");
    // A valid credential is rejected without verification too, because it could be a lucky guess.
    let refused = server.post(&[], LIST).await;
    assert!(is_refused(&refused), "{refused:?}");
    assert!(refused.message().contains("was not checked"), "{}", refused.text);
    assert!(is_refused(&server.post(&[("x-octopus-apikey", "")], LIST).await));
    assert!(is_refused(&server.post(&[BAD], greeting().to_string()).await));
}

#[tokio::test]
async fn whoever_was_let_in_a_moment_ago_is_still_served_where_others_fail() {
    let server = TestServer::with(|config| few_failures(config, 2)).await;
    assert_eq!(server.post(&[], LIST).await.status, 200);
    for _ in 0..2 {
        assert_eq!(server.post(&[BAD], LIST).await.status, 401);
    }
    assert!(is_refused(&server.post(&[BAD], LIST).await));
    assert_eq!(server.post(&[], LIST).await.status, 200);
    let other = [("x-octopus-apikey", keys::DEFAULT_SPACE_ONLY)];
    assert!(is_refused(&server.post(&other, LIST).await), "other credentials stay blocked");
}

#[tokio::test]
async fn whom_a_proxy_named_a_moment_ago_is_still_served_where_others_fail() {
    let server = TestServer::with(|config| {
        few_failures(config, 2);
        behind_a_proxy(config);
        config.auth.mode = Some(Modes(vec![AuthMode::Proxy, AuthMode::Tokens]));
        config.octopus.api_key = Some(Secret::from(keys::ADMIN.to_owned()));
    })
    .await;
    let from = (FORWARDED, "203.0.113.7");
    let named = async |user: &str, more: (&str, &str)| {
        let headers = [("x-octopus-apikey", ""), ("x-forwarded-user", user), from, more];
        server.post(&headers, LIST).await
    };
    let bad = ("authorization", "Bearer guess");
    assert_eq!(named("maria", ("cookie", "a=1")).await.status, 200);
    for _ in 0..2 {
        assert_eq!(named("", bad).await.status, 401);
    }
    assert!(is_refused(&named("", bad).await));
    for number in 0..3 {
        let cookie = format!("a={number}");
        assert_eq!(named("maria", ("cookie", &cookie)).await.status, 200);
    }
    assert!(is_refused(&named("otto", ("cookie", "a=1")).await), "other users stay blocked");
}

#[tokio::test]
async fn a_known_caller_who_lacks_a_header_fails_at_nothing_that_counts() {
    let server = TestServer::with(|config| {
        few_failures(config, 2);
        behind_a_proxy(config);
        config.auth.mode = Some(Modes(vec![AuthMode::Proxy]));
        config.octopus.credential = Some(CredentialSource::Caller);
    })
    .await;
    let named = async |user: &str, key: &str| {
        let headers = [("x-octopus-apikey", key), ("x-forwarded-user", user)];
        server.post(&headers, LIST).await
    };
    for _ in 0..5 {
        let told = named("maria", "").await;
        assert_eq!((told.status, told.code()), (400, -32600), "{}", told.text);
        assert!(told.message().contains("send the header X-Octopus-ApiKey"), "{}", told.text);
        assert_eq!(told.json()["id"], "list-1");
        assert_eq!(told.header("www-authenticate"), "", "no authentication challenge");
    }
    assert_eq!(named("", keys::ADMIN).await.status, 401, "the address is not blocked");
    assert_eq!(named("maria", keys::ADMIN).await.status, 200);
}

#[tokio::test]
async fn behind_a_trusted_proxy_the_address_counts_that_it_names() {
    let server = TestServer::with(|config| {
        few_failures(config, 2);
        behind_a_proxy(config);
    })
    .await;
    let from = async |address: &str| server.post(&[BAD, (FORWARDED, address)], LIST).await;
    for _ in 0..2 {
        assert_eq!(from("203.0.113.7").await.status, 401);
    }
    assert!(is_refused(&from("203.0.113.7").await));
    assert_eq!(from("203.0.113.8").await.status, 401, "each address has its own count");
    // Clients can forge all entries left of the last one.
    assert!(is_refused(&from("203.0.113.9, 203.0.113.7").await));
    assert_eq!(server.post(&[(FORWARDED, "203.0.113.8")], LIST).await.status, 200);
}

#[tokio::test]
async fn all_of_one_ipv6_network_is_one_address() {
    let server = TestServer::with(|config| {
        few_failures(config, 2);
        behind_a_proxy(config);
    })
    .await;
    let from = async |address: &str| server.post(&[BAD, (FORWARDED, address)], LIST).await;
    assert_eq!(from("2001:db8:1:2::1").await.status, 401);
    assert_eq!(from("2001:db8:1:2:ffff::9").await.status, 401);
    assert!(is_refused(&from("2001:db8:1:2:3:4:5:6").await));
    assert_eq!(from("2001:db8:1:3::1").await.status, 401);
    // The IPv6 form of an IPv4 address counts as the same address.
    assert_eq!(from("::ffff:203.0.113.7").await.status, 401);
    assert_eq!(from("203.0.113.7").await.status, 401);
    assert!(is_refused(&from("::ffff:203.0.113.7").await));
}

#[tokio::test]
async fn a_forged_address_of_whoever_is_no_trusted_proxy_changes_nothing() {
    let server = TestServer::with(|config| few_failures(config, 2)).await;
    let from = async |address: &str| {
        let forwarded = format!("for={address}");
        server.post(&[BAD, (FORWARDED, address), ("forwarded", &forwarded)], LIST).await
    };
    assert_eq!(from("203.0.113.1").await.status, 401);
    assert_eq!(from("203.0.113.2").await.status, 401);
    assert!(is_refused(&from("203.0.113.3").await));
}

/// Any well-formed key is accepted until Octopus has verified it, so invented keys cost nothing.
#[tokio::test]
async fn made_up_credentials_are_counted_by_address() {
    let server = TestServer::with(|config| {
        config.limits.unproven_rate = 1;
        config.limits.unproven_burst = 3;
        behind_a_proxy(config);
    })
    .await;
    let list = async |key: &str, address: &str| {
        server.post(&[("x-octopus-apikey", key), (FORWARDED, address)], LIST).await
    };
    for key in ["API-MADEUP1", "API-MADEUP2", "API-MADEUP3"] {
        assert_eq!(list(key, "203.0.113.7").await.status, 200);
    }
    assert!(is_refused(&list("API-MADEUP4", "203.0.113.7").await));
    for _ in 0..5 {
        let again = list("API-MADEUP1", "203.0.113.7").await;
        assert_eq!(again.status, 200, "a known caller is limited as a caller");
    }
    assert_eq!(list("API-MADEUP4", "203.0.113.8").await.status, 200);
}

#[tokio::test]
async fn greetings_of_credentials_that_only_octopus_can_judge_are_counted_by_address() {
    let server = TestServer::with(|config| {
        config.limits.unproven_rate = 1;
        config.limits.unproven_burst = 3;
    })
    .await;
    let greet = async || server.post(&[], greeting().to_string()).await;
    for _ in 0..2 {
        assert_eq!(greet().await.status, 200);
    }
    assert_eq!(server.ask(Era::Modern, "server/discover", json!({})).await.status, 200);
    let refused = greet().await;
    assert!(is_refused(&refused));
    assert_eq!(refused.json()["id"], "hello");
    assert!(refused.message().contains("new sessions"), "{}", refused.text);
    assert!(is_refused(&server.ask(Era::Modern, "server/discover", json!({})).await));
    assert_eq!(
        server.post(&[], LIST).await.status,
        200,
        "other requests than initialize are served"
    );
}

#[tokio::test]
async fn one_address_cannot_keep_all_sessions_from_the_others() {
    let server = TestServer::with(|config| {
        behind_a_proxy(config);
        config.http.sessions = Sessions::Memory;
        config.http.session_limit = 4;
    })
    .await;
    let greet = async |key: &str, address: &str| {
        let headers = [("x-octopus-apikey", key), (FORWARDED, address)];
        server.post(&headers, greeting().to_string()).await
    };
    let is_open = async |key: &str, session: &str| {
        let headers = [("x-octopus-apikey", key), ("mcp-session-id", session)];
        let status = server.post(&headers, LIST).await.status;
        assert!(matches!(status, 200 | 404), "{status}");
        status == 200
    };
    let made_up = ["API-MADEUP1", "API-MADEUP2", "API-MADEUP3", "API-MADEUP4"];
    let mut sessions = Vec::new();
    for key in made_up {
        let greeted = greet(key, "203.0.113.7").await;
        assert_eq!(greeted.status, 200);
        sessions.push(greeted.header("mcp-session-id").to_owned());
    }
    assert_eq!(greet("API-MADEUP5", "203.0.113.7").await.status, 503);
    for key in [keys::ADMIN, keys::DEFAULT_SPACE_ONLY] {
        let greeted = greet(key, "203.0.113.8").await;
        assert_eq!(greeted.status, 200, "{}", greeted.text);
        assert!(is_open(key, greeted.header("mcp-session-id")).await);
    }
    let mut open = Vec::new();
    for (key, session) in made_up.iter().zip(&sessions) {
        open.push(is_open(key, session).await);
    }
    assert_eq!(open, [false, false, true, true], "the least recently used sessions ended");
    let full = greet(keys::ADMIN, "203.0.113.8").await;
    assert_eq!(full.status, 503, "one address can hold at most half of the sessions");
}
