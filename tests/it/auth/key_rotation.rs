//! Fetching, caching and rotation of issuer keys.

use std::time::Duration;

use octopus_mcp::config::{Config, DurationSetting};

use super::{
    list_tools_with_token,
    test_issuer::{KeyEndpoint, Signer, TestIssuer},
};
use crate::support::TestServer;

/// Starts a server that refreshes the keys of the issuer for every request.
async fn server_with_stale_keys(
    issuer: &TestIssuer,
    change: impl FnOnce(&mut Config),
) -> TestServer {
    TestServer::with(|config| {
        issuer.configure(config);
        config.auth.oauth.keys_for = DurationSetting(Duration::ZERO);
        config.auth.oauth.keys_refetch = DurationSetting(Duration::ZERO);
        change(config);
    })
    .await
}

#[tokio::test]
async fn fetches_new_keys_and_drops_removed_ones() {
    let (old, new) = (Signer::new("old"), Signer::new("new"));
    let issuer = TestIssuer::start(&[&old]);
    let server = TestServer::with(|config| {
        issuer.configure(config);
        config.auth.oauth.keys_refetch = DurationSetting(Duration::ZERO);
    })
    .await;
    assert_eq!(list_tools_with_token(&server, &old.sign(&issuer.claims())).await.status, 200);
    issuer.publish_keys(&[&old, &new]);
    assert_eq!(list_tools_with_token(&server, &new.sign(&issuer.claims())).await.status, 200);
    assert_eq!(list_tools_with_token(&server, &old.sign(&issuer.claims())).await.status, 200);
    assert_eq!(issuer.request_counts(), (2, 1), "one request per unknown key");
    issuer.publish_keys(&[&new]);
    let other = Signer::new("other");
    assert_eq!(list_tools_with_token(&server, &other.sign(&issuer.claims())).await.status, 401);
    assert_eq!(list_tools_with_token(&server, &old.sign(&issuer.claims())).await.status, 401);
    assert_eq!(list_tools_with_token(&server, &new.sign(&issuer.claims())).await.status, 200);
}

#[tokio::test]
async fn refreshes_keys_after_their_lifetime() {
    let (old, new) = (Signer::new("key"), Signer::new("key"));
    let issuer = TestIssuer::start(&[&old]);
    let server = server_with_stale_keys(&issuer, |_| {}).await;
    assert_eq!(list_tools_with_token(&server, &old.sign(&issuer.claims())).await.status, 200);
    issuer.publish_keys(&[&new]);
    assert_eq!(list_tools_with_token(&server, &old.sign(&issuer.claims())).await.status, 401);
    assert_eq!(list_tools_with_token(&server, &new.sign(&issuer.claims())).await.status, 200);
}

#[tokio::test]
async fn concurrent_requests_fetch_keys_once() {
    let signer = Signer::new("one");
    let issuer = TestIssuer::start(&[&signer]);
    let server = TestServer::with(|config| issuer.configure(config)).await;
    let token = signer.sign(&issuer.claims());
    let all = (0..40).map(|_| list_tools_with_token(&server, &token));
    for reply in futures::future::join_all(all).await {
        assert_eq!(reply.status, 200, "{}", reply.text);
    }
    assert_eq!(issuer.request_counts(), (1, 1));
}

#[tokio::test]
async fn unknown_key_ids_do_not_flood_the_issuer() {
    let signer = Signer::new("one");
    let issuer = TestIssuer::start(&[&signer]);
    let server = TestServer::with(|config| issuer.configure(config)).await;
    assert_eq!(list_tools_with_token(&server, &signer.sign(&issuer.claims())).await.status, 200);
    let tokens: Vec<String> = (0..30)
        .map(|n| signer.sign_with(&issuer.claims(), |h| h.kid = Some(format!("unknown-{n}"))))
        .collect();
    let all = tokens.iter().map(|token| list_tools_with_token(&server, token));
    for reply in futures::future::join_all(all).await {
        assert_eq!(reply.status, 401, "{}", reply.text);
    }
    assert!(issuer.request_counts().0 <= 2, "{:?}", issuer.request_counts());
}

#[tokio::test]
async fn cached_keys_work_while_the_issuer_is_down_with_backoff() {
    let signer = Signer::new("one");
    let issuer = TestIssuer::start(&[&signer]);
    let server = server_with_stale_keys(&issuer, |_| {}).await;
    let token = signer.sign(&issuer.claims());
    assert_eq!(list_tools_with_token(&server, &token).await.status, 200);
    issuer.set_key_endpoint(KeyEndpoint::Unavailable);
    let requests_before = issuer.request_counts().0;
    let start = tokio::time::Instant::now();
    for _ in 0..30 {
        assert_eq!(list_tools_with_token(&server, &token).await.status, 200);
    }
    // The pauses between attempts double, starting at 1 s.
    let max = 1 + usize::try_from(start.elapsed().as_secs()).unwrap();
    let requests = issuer.request_counts().0 - requests_before;
    assert!((1..=max).contains(&requests), "{requests} of {max}");
    // An unknown key may be new, which cannot be checked while the issuer is down.
    let other = Signer::new("other").sign(&issuer.claims());
    let reply = list_tools_with_token(&server, &other).await;
    assert_eq!((reply.status, reply.header("retry-after")), (503, "5"), "{}", reply.text);
    issuer.set_key_endpoint(KeyEndpoint::Normal);
    assert_eq!(list_tools_with_token(&server, &token).await.status, 200);
}

#[tokio::test]
async fn keys_past_the_stale_limit_are_not_used() {
    let signer = Signer::new("one");
    let issuer = TestIssuer::start(&[&signer]);
    let stale_for = DurationSetting(Duration::from_nanos(1));
    let server =
        server_with_stale_keys(&issuer, |config| config.auth.oauth.keys_stale_for = stale_for)
            .await;
    let token = signer.sign(&issuer.claims());
    assert_eq!(list_tools_with_token(&server, &token).await.status, 503);
}

#[tokio::test]
async fn cancelled_request_does_not_cancel_the_key_fetch() {
    let signer = Signer::new("one");
    let issuer = TestIssuer::start(&[&signer]);
    let mut config = Config::default();
    issuer.configure(&mut config);
    let authenticators = octopus_mcp::auth::Authenticators::from_config(
        &config,
        |_| Ok(()),
        &octopus_mcp::telemetry::Metrics::default(),
    )
    .unwrap();
    let token = signer.sign(&issuer.claims());
    {
        let mut cancelled = std::pin::pin!(authenticators.authenticate_bearer(&token, "/mcp"));
        let polled = futures::poll!(cancelled.as_mut());
        assert!(polled.is_pending());
    }
    assert_eq!(
        authenticators.authenticate_bearer(&token, "/mcp").await.unwrap().name,
        "maria.gomez"
    );
    assert_eq!(issuer.request_counts(), (1, 1));
}
