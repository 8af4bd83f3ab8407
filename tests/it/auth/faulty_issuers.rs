//! Faulty issuers: errors, timeouts, endless or malformed key sets, wrong metadata, untrusted TLS.

use std::{fs, time::Duration};

use octopus_mcp::{
    config::{DurationSetting, TlsSettings},
    http::Certificates,
};
use serde_json::json;

use super::{
    certificates::TestCa,
    list_tools_with_token,
    test_issuer::{KeyEndpoint, Signer, TestIssuer},
};
use crate::support::{Reply, TestServer};

/// Sends a valid token to a server after the issuer was changed.
async fn reply_with_issuer(change: impl FnOnce(&TestIssuer)) -> Reply {
    let signer = Signer::new("one");
    let issuer = TestIssuer::start(&[&signer]);
    change(&issuer);
    let server = TestServer::with(|config| {
        issuer.configure(config);
        config.auth.oauth.timeout = DurationSetting(Duration::from_millis(500));
    })
    .await;
    list_tools_with_token(&server, &signer.sign(&issuer.claims())).await
}

fn assert_unavailable(reply: &Reply) {
    assert_eq!((reply.status, reply.header("retry-after")), (503, "5"), "{}", reply.text);
    assert_eq!(reply.json()["id"], "x");
    assert!(reply.error_message().contains("issuer does not respond"), "{}", reply.text);
    assert_eq!(reply.header("www-authenticate"), "", "the token is not rejected");
}

#[tokio::test]
async fn failing_issuer_answers_503_instead_of_401() {
    assert_unavailable(
        &reply_with_issuer(|issuer| issuer.set_key_endpoint(KeyEndpoint::Unavailable)).await,
    );
}

#[tokio::test]
async fn slow_issuer_times_out() {
    assert_unavailable(
        &reply_with_issuer(|issuer| issuer.set_key_endpoint(KeyEndpoint::Hangs)).await,
    );
}

#[tokio::test]
async fn rejects_endless_key_set() {
    assert_unavailable(
        &reply_with_issuer(|issuer| issuer.set_key_endpoint(KeyEndpoint::Endless)).await,
    );
}

#[tokio::test]
async fn rejects_malformed_key_set() {
    for text in ["", "no JSON", "[]", r#"{"keys":"none"}"#, r#"{"keys":[]}"#] {
        assert_unavailable(
            &reply_with_issuer(|issuer| {
                issuer.set_key_endpoint(KeyEndpoint::Text(text.to_owned()));
            })
            .await,
        );
    }
}

#[tokio::test]
async fn redirect_of_the_key_set_is_not_followed() {
    let signer = Signer::new("one");
    let target_issuer = TestIssuer::start(&[&signer]);
    let target_url = format!("{}/keys", target_issuer.url);
    assert_unavailable(
        &reply_with_issuer(|issuer| issuer.set_key_endpoint(KeyEndpoint::Redirect(target_url)))
            .await,
    );
    assert_eq!(target_issuer.request_counts(), (0, 0));
}

#[tokio::test]
async fn rejects_metadata_of_another_issuer() {
    let reply = reply_with_issuer(|issuer| {
        issuer.publish_metadata(json!({
            "issuer": "https://evil.example.com",
            "jwks_uri": format!("{}/keys", issuer.url),
        }));
    });
    assert_unavailable(&reply.await);
}

#[tokio::test]
async fn rejects_key_set_over_plain_http() {
    let reply = reply_with_issuer(|issuer| {
        let jwks_uri = "http://keys.example.com/keys";
        issuer.publish_metadata(json!({ "issuer": issuer.url, "jwks_uri": jwks_uri }));
    });
    assert_unavailable(&reply.await);
}

#[tokio::test]
async fn configured_jwks_uri_skips_discovery() {
    let signer = Signer::new("one");
    let issuer = TestIssuer::start(&[&signer]);
    issuer.publish_metadata(json!({}));
    let server = TestServer::with(|config| {
        issuer.configure(config);
        let url = format!("{}/keys", issuer.url).parse().unwrap();
        config.auth.oauth.issuers[0].jwks_uri = Some(url);
    })
    .await;
    assert_eq!(list_tools_with_token(&server, &signer.sign(&issuer.claims())).await.status, 200);
    assert_eq!(issuer.request_counts(), (1, 0));
}

#[tokio::test]
async fn issuer_with_untrusted_certificate_gets_no_request() {
    let folder = tempfile::tempdir().unwrap();
    let authority = TestCa::new();
    let pair = authority.signs(&["localhost"], |_| {});
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let ca = file("ca.pem", &authority.pem());
    let tls = TlsSettings {
        certificate: Some(file("certificate.pem", &pair.pem)),
        key: Some(file("key.pem", &pair.key)),
        ..TlsSettings::default()
    };
    let certificates = Certificates::load(&tls).await.unwrap().unwrap();
    let signer = Signer::new("one");
    let issuer = TestIssuer::start_tls(&[&signer], &certificates);
    for (trusted, status) in [(Some(ca), 200), (None, 503)] {
        let server = TestServer::with(|config| {
            issuer.configure(config);
            config.auth.oauth.issuers[0].ca_file = trusted;
        })
        .await;
        let reply = list_tools_with_token(&server, &signer.sign(&issuer.claims())).await;
        assert_eq!(reply.status, status, "{}", reply.text);
        assert_eq!(issuer.request_counts(), (1, 1), "an untrusted issuer gets no request");
    }
}
