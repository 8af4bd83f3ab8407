//! Faulty issuers: errors, timeouts, endless or malformed key sets, wrong metadata, untrusted TLS.

use std::{fs, time::Duration};

use octopus_mcp::{
    config::{Period, Tls},
    http::Certificates,
};
use serde_json::json;

use super::{
    bearing,
    certificate::Authority,
    issuer::{Mood, Signer, TestIssuer},
};
use crate::support::{Reply, TestServer};

/// Sends a valid token to a server after the issuer was changed.
async fn asked(change: impl FnOnce(&TestIssuer)) -> Reply {
    let signer = Signer::new("one");
    let issuer = TestIssuer::with(&[&signer]);
    change(&issuer);
    let server = TestServer::with(|config| {
        issuer.trusted(config);
        config.auth.oauth.timeout = Period(Duration::from_millis(500));
    })
    .await;
    bearing(&server, &signer.sign(&issuer.claims())).await
}

fn assert_unavailable(reply: &Reply) {
    assert_eq!((reply.status, reply.header("retry-after")), (503, "5"), "{}", reply.text);
    assert_eq!(reply.json()["id"], "x");
    assert!(reply.message().contains("issuer does not respond"), "{}", reply.text);
    assert_eq!(reply.header("www-authenticate"), "", "the token is not rejected");
}

#[tokio::test]
async fn an_issuer_that_fails_is_told_and_the_token_is_not_refused() {
    assert_unavailable(&asked(|issuer| issuer.is(Mood::Fails)).await);
}

#[tokio::test]
async fn an_issuer_that_is_slow_is_not_waited_for_longer_than_its_time() {
    assert_unavailable(&asked(|issuer| issuer.is(Mood::Hangs)).await);
}

#[tokio::test]
async fn an_endless_set_of_keys_is_not_read_to_its_end() {
    assert_unavailable(&asked(|issuer| issuer.is(Mood::Endless)).await);
}

#[tokio::test]
async fn a_malformed_set_of_keys_is_none() {
    for text in ["", "no JSON", "[]", r#"{"keys":"none"}"#, r#"{"keys":[]}"#] {
        assert_unavailable(&asked(|issuer| issuer.is(Mood::Says(text.to_owned()))).await);
    }
}

#[tokio::test]
async fn keys_are_not_looked_for_where_the_issuer_leads_elsewhere() {
    let signer = Signer::new("one");
    let elsewhere = TestIssuer::with(&[&signer]);
    let place = format!("{}/keys", elsewhere.url);
    assert_unavailable(&asked(|issuer| issuer.is(Mood::Leads(place))).await);
    assert_eq!(elsewhere.asked(), (0, 0));
}

#[tokio::test]
async fn a_description_of_another_issuer_is_not_believed() {
    let reply = asked(|issuer| {
        issuer.describes(json!({
            "issuer": "https://evil.example.com",
            "jwks_uri": format!("{}/keys", issuer.url),
        }));
    });
    assert_unavailable(&reply.await);
}

#[tokio::test]
async fn keys_that_come_over_http_are_not_believed() {
    let reply = asked(|issuer| {
        let jwks_uri = "http://keys.example.com/keys";
        issuer.describes(json!({ "issuer": issuer.url, "jwks_uri": jwks_uri }));
    });
    assert_unavailable(&reply.await);
}

#[tokio::test]
async fn a_place_for_keys_that_the_settings_name_needs_no_description() {
    let signer = Signer::new("one");
    let issuer = TestIssuer::with(&[&signer]);
    issuer.describes(json!({}));
    let server = TestServer::with(|config| {
        issuer.trusted(config);
        let place = format!("{}/keys", issuer.url).parse().unwrap();
        config.auth.oauth.issuers[0].jwks_uri = Some(place);
    })
    .await;
    assert_eq!(bearing(&server, &signer.sign(&issuer.claims())).await.status, 200);
    assert_eq!(issuer.asked(), (1, 0));
}

#[tokio::test]
async fn an_issuer_that_cannot_show_who_it_is_vouches_for_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let pair = authority.signs(&["localhost"], |_| {});
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let ca = file("ca.pem", &authority.pem());
    let tls = Tls {
        certificate: Some(file("certificate.pem", &pair.pem)),
        key: Some(file("key.pem", &pair.key)),
        ..Tls::default()
    };
    let certificates = Certificates::load(&tls).await.unwrap().unwrap();
    let signer = Signer::new("one");
    let issuer = TestIssuer::encrypted(&[&signer], &certificates);
    for (trusted, status) in [(Some(ca), 200), (None, 503)] {
        let server = TestServer::with(|config| {
            issuer.trusted(config);
            config.auth.oauth.issuers[0].ca_file = trusted;
        })
        .await;
        let reply = bearing(&server, &signer.sign(&issuer.claims())).await;
        assert_eq!(reply.status, status, "{}", reply.text);
        assert_eq!(issuer.asked(), (1, 1), "an untrusted issuer gets no request");
    }
}
