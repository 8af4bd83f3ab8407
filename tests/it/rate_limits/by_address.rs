//! Unidentified callers are counted by their network address.

use octopus_mcp::config::{
    AuthMode, AuthModes, Config, CredentialSource, Networks, Secret, SessionStorage,
};
use octopus_sample::keys;
use serde_json::json;

use super::{LIST, RATE_LIMITED_CODE, initialize_request};
use crate::support::{Era, Reply, TestServer};

const BAD: (&str, &str) = ("x-octopus-apikey", "guess");
const FORWARDED: &str = "x-forwarded-for";

fn limit_failures(config: &mut Config, burst: u32) {
    config.limits.failed_rate = 1;
    config.limits.failed_burst = burst;
}

fn trust_local_proxies(config: &mut Config) {
    config.http.trusted_proxies = Networks(vec!["127.0.0.0/8".parse().unwrap()]);
}

fn is_address_blocked(reply: &Reply) -> bool {
    if reply.status != 429 {
        return false;
    }
    assert_eq!(reply.error_code(), RATE_LIMITED_CODE);
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
async fn blocks_address_after_too_many_failures() {
    let server = TestServer::with(|config| limit_failures(config, 3)).await;
    for _ in 0..3 {
        assert_eq!(server.post(&[BAD], LIST).await.status, 401);
    }
    let rejected = server.post(&[BAD], LIST).await;
    assert!(is_address_blocked(&rejected), "{rejected:?}");
    assert_eq!(rejected.json()["id"], "list-1");
    // A valid credential is rejected without verification too, because it could be a lucky guess.
    let rejected = server.post(&[], LIST).await;
    assert!(is_address_blocked(&rejected), "{rejected:?}");
    assert!(rejected.error_message().contains("was not checked"), "{}", rejected.text);
    assert!(is_address_blocked(&server.post(&[("x-octopus-apikey", "")], LIST).await));
    assert!(is_address_blocked(&server.post(&[BAD], initialize_request().to_string()).await));
}

#[tokio::test]
async fn known_credential_is_served_from_blocked_address() {
    let server = TestServer::with(|config| limit_failures(config, 2)).await;
    assert_eq!(server.post(&[], LIST).await.status, 200);
    for _ in 0..2 {
        assert_eq!(server.post(&[BAD], LIST).await.status, 401);
    }
    assert!(is_address_blocked(&server.post(&[BAD], LIST).await));
    assert_eq!(server.post(&[], LIST).await.status, 200);
    let other = [("x-octopus-apikey", keys::DEFAULT_SPACE_ONLY)];
    assert!(is_address_blocked(&server.post(&other, LIST).await), "other credentials stay blocked");
}

#[tokio::test]
async fn known_proxy_user_is_served_from_blocked_address() {
    let server = TestServer::with(|config| {
        limit_failures(config, 2);
        trust_local_proxies(config);
        config.auth.mode = Some(AuthModes(vec![AuthMode::Proxy, AuthMode::Tokens]));
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
    assert!(is_address_blocked(&named("", bad).await));
    for number in 0..3 {
        let cookie = format!("a={number}");
        assert_eq!(named("maria", ("cookie", &cookie)).await.status, 200);
    }
    assert!(
        is_address_blocked(&named("otto", ("cookie", "a=1")).await),
        "other users stay blocked"
    );
}

#[tokio::test]
async fn missing_header_is_not_an_authentication_failure() {
    let server = TestServer::with(|config| {
        limit_failures(config, 2);
        trust_local_proxies(config);
        config.auth.mode = Some(AuthModes(vec![AuthMode::Proxy]));
        config.octopus.credential = Some(CredentialSource::Caller);
    })
    .await;
    let named = async |user: &str, key: &str| {
        let headers = [("x-octopus-apikey", key), ("x-forwarded-user", user)];
        server.post(&headers, LIST).await
    };
    for _ in 0..5 {
        let rejected = named("maria", "").await;
        assert_eq!((rejected.status, rejected.error_code()), (400, -32600), "{}", rejected.text);
        assert!(
            rejected.error_message().contains("send the header X-Octopus-ApiKey"),
            "{}",
            rejected.text
        );
        assert_eq!(rejected.json()["id"], "list-1");
        assert_eq!(rejected.header("www-authenticate"), "", "no authentication challenge");
    }
    assert_eq!(named("", keys::ADMIN).await.status, 401, "the address is not blocked");
    assert_eq!(named("maria", keys::ADMIN).await.status, 200);
}

#[tokio::test]
async fn trusted_proxy_header_names_the_address() {
    let server = TestServer::with(|config| {
        limit_failures(config, 2);
        trust_local_proxies(config);
    })
    .await;
    let from = async |address: &str| server.post(&[BAD, (FORWARDED, address)], LIST).await;
    for _ in 0..2 {
        assert_eq!(from("203.0.113.7").await.status, 401);
    }
    assert!(is_address_blocked(&from("203.0.113.7").await));
    assert_eq!(from("203.0.113.8").await.status, 401, "each address has its own count");
    // Clients can forge all entries except the last.
    assert!(is_address_blocked(&from("203.0.113.9, 203.0.113.7").await));
    assert_eq!(server.post(&[(FORWARDED, "203.0.113.8")], LIST).await.status, 200);
}

#[tokio::test]
async fn ipv6_network_counts_as_one_address() {
    let server = TestServer::with(|config| {
        limit_failures(config, 2);
        trust_local_proxies(config);
    })
    .await;
    let from = async |address: &str| server.post(&[BAD, (FORWARDED, address)], LIST).await;
    assert_eq!(from("2001:db8:1:2::1").await.status, 401);
    assert_eq!(from("2001:db8:1:2:ffff::9").await.status, 401);
    assert!(is_address_blocked(&from("2001:db8:1:2:3:4:5:6").await));
    assert_eq!(from("2001:db8:1:3::1").await.status, 401);
    // The IPv6 form of an IPv4 address is the same address.
    assert_eq!(from("::ffff:203.0.113.7").await.status, 401);
    assert_eq!(from("203.0.113.7").await.status, 401);
    assert!(is_address_blocked(&from("::ffff:203.0.113.7").await));
}

#[tokio::test]
async fn ignores_forwarded_address_of_untrusted_peer() {
    let server = TestServer::with(|config| limit_failures(config, 2)).await;
    let from = async |address: &str| {
        let forwarded = format!("for={address}");
        server.post(&[BAD, (FORWARDED, address), ("forwarded", &forwarded)], LIST).await
    };
    assert_eq!(from("203.0.113.1").await.status, 401);
    assert_eq!(from("203.0.113.2").await.status, 401);
    assert!(is_address_blocked(&from("203.0.113.3").await));
}

/// Any well-formed key is accepted until Octopus has verified it, so invented keys cost nothing.
#[tokio::test]
async fn invented_credentials_are_counted_by_address() {
    let server = TestServer::with(|config| {
        config.limits.unproven_rate = 1;
        config.limits.unproven_burst = 3;
        trust_local_proxies(config);
    })
    .await;
    let list = async |key: &str, address: &str| {
        server.post(&[("x-octopus-apikey", key), (FORWARDED, address)], LIST).await
    };
    for key in ["API-MADEUP1", "API-MADEUP2", "API-MADEUP3"] {
        assert_eq!(list(key, "203.0.113.7").await.status, 200);
    }
    assert!(is_address_blocked(&list("API-MADEUP4", "203.0.113.7").await));
    for _ in 0..5 {
        let again = list("API-MADEUP1", "203.0.113.7").await;
        assert_eq!(again.status, 200, "a known caller is limited as a caller");
    }
    assert_eq!(list("API-MADEUP4", "203.0.113.8").await.status, 200);
}

#[tokio::test]
async fn unverified_initialize_requests_are_counted_by_address() {
    let server = TestServer::with(|config| {
        config.limits.unproven_rate = 1;
        config.limits.unproven_burst = 3;
    })
    .await;
    let initialize = async || server.post(&[], initialize_request().to_string()).await;
    for _ in 0..2 {
        assert_eq!(initialize().await.status, 200);
    }
    assert_eq!(server.rpc(Era::Modern, "server/discover", json!({})).await.status, 200);
    let rejected = initialize().await;
    assert!(is_address_blocked(&rejected));
    assert_eq!(rejected.json()["id"], "hello");
    assert!(rejected.error_message().contains("new sessions"), "{}", rejected.text);
    assert!(is_address_blocked(&server.rpc(Era::Modern, "server/discover", json!({})).await));
    assert_eq!(
        server.post(&[], LIST).await.status,
        200,
        "other requests than initialize are served"
    );
}

#[tokio::test]
async fn one_address_cannot_exhaust_all_sessions() {
    let server = TestServer::with(|config| {
        trust_local_proxies(config);
        config.http.sessions = SessionStorage::Memory;
        config.http.session_limit = 4;
    })
    .await;
    let initialize = async |key: &str, address: &str| {
        let headers = [("x-octopus-apikey", key), (FORWARDED, address)];
        server.post(&headers, initialize_request().to_string()).await
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
        let initialized = initialize(key, "203.0.113.7").await;
        assert_eq!(initialized.status, 200);
        sessions.push(initialized.header("mcp-session-id").to_owned());
    }
    assert_eq!(initialize("API-MADEUP5", "203.0.113.7").await.status, 503);
    for key in [keys::ADMIN, keys::DEFAULT_SPACE_ONLY] {
        let initialized = initialize(key, "203.0.113.8").await;
        assert_eq!(initialized.status, 200, "{}", initialized.text);
        assert!(is_open(key, initialized.header("mcp-session-id")).await);
    }
    let mut open = Vec::new();
    for (key, session) in made_up.iter().zip(&sessions) {
        open.push(is_open(key, session).await);
    }
    assert_eq!(open, [false, false, true, true], "the least recently used sessions ended");
    let full = initialize(keys::ADMIN, "203.0.113.8").await;
    assert_eq!(full.status, 503, "one address can hold at most half of the sessions");
}
