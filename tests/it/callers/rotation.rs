//! Fetching, caching and rotation of issuer keys.

use std::time::Duration;

use octopus_mcp::config::Period;

use super::{
    bearing,
    issuer::{Mood, Signer, TestIssuer},
};
use crate::support::TestServer;

#[tokio::test]
async fn a_new_key_of_the_issuer_is_found_and_an_old_one_is_no_longer_good() {
    let (old, new) = (Signer::new("old"), Signer::new("new"));
    let issuer = TestIssuer::with(&[&old]);
    let server = TestServer::with(|config| {
        issuer.trusted(config);
        config.auth.oauth.keys_refetch = Period(Duration::ZERO);
    })
    .await;
    assert_eq!(bearing(&server, &old.sign(&issuer.claims())).await.status, 200);
    issuer.shows(&[&old, &new]);
    assert_eq!(bearing(&server, &new.sign(&issuer.claims())).await.status, 200);
    assert_eq!(bearing(&server, &old.sign(&issuer.claims())).await.status, 200);
    assert_eq!(issuer.asked(), (2, 1), "one request per unknown key");
    issuer.shows(&[&new]);
    let other = Signer::new("other");
    assert_eq!(bearing(&server, &other.sign(&issuer.claims())).await.status, 401);
    assert_eq!(bearing(&server, &old.sign(&issuer.claims())).await.status, 401);
    assert_eq!(bearing(&server, &new.sign(&issuer.claims())).await.status, 200);
}

#[tokio::test]
async fn keys_are_read_again_after_their_time() {
    let (old, new) = (Signer::new("key"), Signer::new("key"));
    let issuer = TestIssuer::with(&[&old]);
    let server = TestServer::with(|config| {
        issuer.trusted(config);
        config.auth.oauth.keys_refetch = Period(Duration::ZERO);
        config.auth.oauth.keys_for = Period(Duration::ZERO);
    })
    .await;
    assert_eq!(bearing(&server, &old.sign(&issuer.claims())).await.status, 200);
    issuer.shows(&[&new]);
    assert_eq!(bearing(&server, &old.sign(&issuer.claims())).await.status, 401);
    assert_eq!(bearing(&server, &new.sign(&issuer.claims())).await.status, 200);
}

#[tokio::test]
async fn requests_that_come_together_ask_the_issuer_once() {
    let signer = Signer::new("one");
    let issuer = TestIssuer::with(&[&signer]);
    let server = TestServer::with(|config| issuer.trusted(config)).await;
    let token = signer.sign(&issuer.claims());
    let all = (0..40).map(|_| bearing(&server, &token));
    for reply in futures::future::join_all(all).await {
        assert_eq!(reply.status, 200, "{}", reply.text);
    }
    assert_eq!(issuer.asked(), (1, 1));
}

#[tokio::test]
async fn unknown_keys_do_not_hammer_the_issuer() {
    let signer = Signer::new("one");
    let issuer = TestIssuer::with(&[&signer]);
    let server = TestServer::with(|config| issuer.trusted(config)).await;
    assert_eq!(bearing(&server, &signer.sign(&issuer.claims())).await.status, 200);
    let tokens: Vec<String> = (0..30)
        .map(|n| signer.sign_with(&issuer.claims(), |h| h.kid = Some(format!("unknown-{n}"))))
        .collect();
    let all = tokens.iter().map(|token| bearing(&server, token));
    for reply in futures::future::join_all(all).await {
        assert_eq!(reply.status, 401, "{}", reply.text);
    }
    assert!(issuer.asked().0 <= 2, "{:?}", issuer.asked());
}

#[tokio::test]
async fn known_keys_go_on_while_the_issuer_is_down_and_it_is_asked_seldom() {
    let signer = Signer::new("one");
    let issuer = TestIssuer::with(&[&signer]);
    let server = TestServer::with(|config| {
        issuer.trusted(config);
        config.auth.oauth.keys_for = Period(Duration::ZERO);
        config.auth.oauth.keys_refetch = Period(Duration::ZERO);
    })
    .await;
    let token = signer.sign(&issuer.claims());
    assert_eq!(bearing(&server, &token).await.status, 200);
    issuer.is(Mood::Fails);
    let requests_before = issuer.asked().0;
    let start = tokio::time::Instant::now();
    for _ in 0..30 {
        assert_eq!(bearing(&server, &token).await.status, 200);
    }
    // The pauses between attempts double, starting at 1 s.
    let max = 1 + usize::try_from(start.elapsed().as_secs()).unwrap();
    let requests = issuer.asked().0 - requests_before;
    assert!((1..=max).contains(&requests), "{requests} of {max}");
    // An unknown key may be new, which cannot be checked while the issuer is down.
    let other = Signer::new("other").sign(&issuer.claims());
    let reply = bearing(&server, &other).await;
    assert_eq!((reply.status, reply.header("retry-after")), (503, "5"), "{}", reply.text);
    issuer.is(Mood::Answers);
    assert_eq!(bearing(&server, &token).await.status, 200);
}

#[tokio::test]
async fn keys_that_are_too_old_are_not_used() {
    let signer = Signer::new("one");
    let issuer = TestIssuer::with(&[&signer]);
    let server = TestServer::with(|config| {
        issuer.trusted(config);
        config.auth.oauth.keys_for = Period(Duration::ZERO);
        config.auth.oauth.keys_refetch = Period(Duration::ZERO);
        config.auth.oauth.keys_stale_for = Period(Duration::from_nanos(1));
    })
    .await;
    let token = signer.sign(&issuer.claims());
    assert_eq!(bearing(&server, &token).await.status, 503);
}

#[tokio::test]
async fn a_request_that_ends_early_does_not_end_the_asking() {
    let signer = Signer::new("one");
    let issuer = TestIssuer::with(&[&signer]);
    let mut config = octopus_mcp::config::Config::default();
    issuer.trusted(&mut config);
    let authenticators = octopus_mcp::callers::Ways::from_config(
        &config,
        |_| Ok(()),
        &octopus_mcp::telemetry::Metrics::default(),
    )
    .unwrap();
    let token = signer.sign(&issuer.claims());
    {
        let mut cancelled = std::pin::pin!(authenticators.bearer(&token, "/mcp"));
        let polled = futures::poll!(cancelled.as_mut());
        assert!(polled.is_pending());
    }
    assert_eq!(authenticators.bearer(&token, "/mcp").await.unwrap().name, "maria.gomez");
    assert_eq!(issuer.asked(), (1, 1));
}
