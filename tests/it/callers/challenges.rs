//! `WWW-Authenticate`, word for word.

use octopus_mcp::config::{AuthMode, Modes, Secret};
use octopus_sample::{Fault, Sample, keys};
use serde_json::json;

use super::{
    LIST, SPACES, bearing, calling,
    issuer::{Signer, TestIssuer, now},
    list, metadata_of, send,
};
use crate::support::TestServer;

#[tokio::test]
async fn without_a_token_there_is_no_error_in_the_challenge() {
    let issuer = TestIssuer::with(&[]);
    let server = TestServer::with(|config| issuer.trusted(config)).await;
    let refused = list(&server, &[]).await;
    assert_eq!((refused.status, &refused.json()["id"]), (401, &json!("x")));
    let challenge = format!("Bearer resource_metadata=\"{}\"", metadata_of(&server));
    assert_eq!(refused.header("www-authenticate"), challenge);
    assert!(refused.message().contains("Authorization: Bearer"), "{}", refused.text);
    assert_eq!(issuer.asked(), (0, 0));
    // An Octopus key alone says nothing of who calls.
    let key = send(&server, &[("x-octopus-apikey", keys::ADMIN)], LIST).await;
    assert_eq!((key.status, key.header("www-authenticate")), (401, &*challenge));
}

#[tokio::test]
async fn the_challenge_names_the_address_that_clients_know() {
    let issuer = TestIssuer::with(&[]);
    let server = TestServer::with(|config| {
        issuer.trusted(config);
        config.http.public_url = Some("https://mcp.example.com".parse().unwrap());
    })
    .await;
    for host in ["mcp.example.com", "127.0.0.1:1"] {
        let refused = list(&server, &[("host", host)]).await;
        assert_eq!(
            refused.header("www-authenticate"),
            "Bearer resource_metadata=\"https://mcp.example.com/.well-known/\
             oauth-protected-resource/mcp\"",
        );
    }
}

#[tokio::test]
async fn an_expired_token_is_told_apart_from_none() {
    let signer = Signer::new("one");
    let issuer = TestIssuer::with(&[&signer]);
    let server = TestServer::with(|config| issuer.trusted(config)).await;
    let token = signer.sign(&issuer.claims_with(&json!({ "exp": now() - 600 })));
    let refused = bearing(&server, &token).await;
    let challenge = format!(
        "Bearer resource_metadata=\"{}\", error=\"invalid_token\", error_description=\"the token \
         has expired\"",
        metadata_of(&server)
    );
    assert_eq!((refused.status, refused.header("www-authenticate")), (401, &*challenge));
}

#[tokio::test]
async fn a_token_without_any_of_our_scopes_is_told_which_to_ask_for() {
    let signer = Signer::new("one");
    let issuer = TestIssuer::with(&[&signer]);
    let server = TestServer::with(|config| issuer.trusted(config)).await;
    let token = signer.sign(&issuer.claims_with(&json!({ "scope": "openid profile" })));
    let refused = bearing(&server, &token).await;
    assert_eq!((refused.status, &refused.json()["id"]), (403, &json!("x")));
    let challenge = format!(
        "Bearer error=\"insufficient_scope\", scope=\"octopus:read\", resource_metadata=\"{}\", \
         error_description=\"the token allows nothing here; it needs the scope octopus:read\"",
        metadata_of(&server)
    );
    assert_eq!(refused.header("www-authenticate"), challenge);
}

#[tokio::test]
async fn authorization_that_is_no_bearer_token_is_a_bad_request() {
    let issuer = TestIssuer::with(&[]);
    let server = TestServer::with(|config| issuer.trusted(config)).await;
    for authorization in ["Basic aHVudGVyMg==", "Bearer", "Bearer ", "hunter2"] {
        let refused = list(&server, &[("authorization", authorization)]).await;
        assert_eq!(refused.status, 400, "{authorization}: {}", refused.text);
        assert_eq!(refused.header("www-authenticate"), "Bearer error=\"invalid_request\"");
        assert!(!format!("{refused:?}").contains("hunter2"));
    }
    let two = list(&server, &[("authorization", "Bearer a"), ("Authorization", "Bearer b")]).await;
    assert_eq!(two.status, 400, "{}", two.text);
}

#[tokio::test]
async fn what_octopus_refuses_never_becomes_a_refusal_of_the_token() {
    let signer = Signer::new("one");
    let issuer = TestIssuer::with(&[&signer]);
    let sample = Sample::new();
    let server = TestServer::on(sample, |config| issuer.trusted(config)).await;
    let token = signer.sign(&issuer.claims());
    for status in [401, 403] {
        server.sample.faults().clear();
        server.sample.faults().add(Fault::on("/api/spaces").status(status));
        let answer = calling(&server, &token, "list_spaces", &json!({})).await;
        assert_eq!((answer.status, answer.header("www-authenticate")), (200, ""), "{status}");
        assert_eq!(answer.json()["result"]["isError"], true, "{status}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_caller_whose_own_octopus_credential_is_missing_is_told_which_header() {
    let signer = Signer::new("one");
    let issuer = TestIssuer::with(&[&signer]);
    let server = TestServer::with(|config| {
        issuer.trusted(config);
        config.octopus.api_key = None::<Secret>;
    })
    .await;
    let authorization = format!("Bearer {}", signer.sign(&issuer.claims()));
    let without = send(&server, &[("authorization", &authorization)], SPACES).await;
    assert_eq!(without.status, 400);
    assert!(without.message().contains("X-Octopus-ApiKey"), "{}", without.text);
    assert_eq!(without.header("www-authenticate"), "", "no other token would help");
    let both = [("authorization", &*authorization), ("x-octopus-apikey", keys::DEFAULT_SPACE_ONLY)];
    let with = send(&server, &both, SPACES).await;
    assert_eq!(with.json()["result"]["structuredContent"]["totalResults"], 1, "{}", with.text);
    let wrong = [("authorization", &*authorization), ("x-octopus-apikey", "hunter2")];
    let wrong = send(&server, &wrong, SPACES).await;
    assert_eq!(wrong.status, 400, "{}", wrong.text);
    assert!(wrong.message().contains("looks like API-") && !wrong.text.contains("hunter2"));
}

#[tokio::test]
async fn a_key_beside_the_proof_is_refused_where_another_credential_acts() {
    let signer = Signer::new("one");
    let issuer = TestIssuer::with(&[&signer]);
    let server = TestServer::with(|config| issuer.trusted(config)).await;
    let authorization = format!("Bearer {}", signer.sign(&issuer.claims()));
    let both = [("authorization", &*authorization), ("x-octopus-apikey", keys::ADMIN)];
    let refused = send(&server, &both, SPACES).await;
    assert_eq!(refused.status, 400, "{}", refused.text);
    assert!(refused.message().contains("leave X-Octopus-ApiKey out"), "{}", refused.text);
}

#[tokio::test]
async fn two_proofs_are_one_too_many() {
    let signer = Signer::new("one");
    let issuer = TestIssuer::with(&[&signer]);
    let server = TestServer::with(|config| {
        issuer.trusted(config);
        config.auth.mode = Some(Modes(vec![AuthMode::Oauth, AuthMode::Proxy]));
        config.http.trusted_proxies = serde_json::from_str("\"127.0.0.1\"").unwrap();
        config.octopus.api_key = Some(Secret::from(keys::ADMIN.to_owned()));
    })
    .await;
    let authorization = format!("Bearer {}", signer.sign(&issuer.claims()));
    let (token, user) = (("authorization", &*authorization), ("x-forwarded-user", "maria"));
    for (headers, status) in
        [(&[token][..], 200), (&[user], 200), (&[token, user], 400), (&[], 401)]
    {
        let reply = list(&server, headers).await;
        assert_eq!(reply.status, status, "{}", reply.text);
        if status == 400 {
            assert!(reply.message().contains("in two ways"), "{}", reply.text);
        }
    }
}
