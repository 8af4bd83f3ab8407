//! Exact text of the `WWW-Authenticate` challenges.

use octopus_mcp::config::{AuthMode, AuthModes, Secret};
use octopus_sample::{Fault, Sample, keys};
use serde_json::json;

use super::{
    LIST_SPACES, LIST_TOOLS, call_with_token, list_tools, list_tools_with_token, metadata_url,
    send,
    test_issuer::{Signer, TestIssuer, now},
};
use crate::support::TestServer;

#[tokio::test]
async fn challenge_without_token_has_no_error() {
    let issuer = TestIssuer::start(&[]);
    let server = TestServer::with(|config| issuer.configure(config)).await;
    let rejected = list_tools(&server, &[]).await;
    assert_eq!((rejected.status, &rejected.json()["id"]), (401, &json!("x")));
    let challenge = format!("Bearer resource_metadata=\"{}\"", metadata_url(&server));
    assert_eq!(rejected.header("www-authenticate"), challenge);
    assert!(rejected.error_message().contains("Authorization: Bearer"), "{}", rejected.text);
    assert_eq!(issuer.request_counts(), (0, 0));
    // An Octopus API key alone does not authenticate the caller in this mode.
    let key = send(&server, &[("x-octopus-apikey", keys::ADMIN)], LIST_TOOLS).await;
    assert_eq!((key.status, key.header("www-authenticate")), (401, &*challenge));
}

#[tokio::test]
async fn challenge_uses_the_public_url() {
    let issuer = TestIssuer::start(&[]);
    let server = TestServer::with(|config| {
        issuer.configure(config);
        config.http.public_url = Some("https://mcp.example.com".parse().unwrap());
    })
    .await;
    for host in ["mcp.example.com", "127.0.0.1:1"] {
        let rejected = list_tools(&server, &[("host", host)]).await;
        assert_eq!(
            rejected.header("www-authenticate"),
            "Bearer resource_metadata=\"https://mcp.example.com/.well-known/\
             oauth-protected-resource/mcp\"",
        );
    }
}

#[tokio::test]
async fn expired_token_has_its_own_challenge() {
    let signer = Signer::new("one");
    let issuer = TestIssuer::start(&[&signer]);
    let server = TestServer::with(|config| issuer.configure(config)).await;
    let token = signer.sign(&issuer.claims_with(&json!({ "exp": now() - 600 })));
    let rejected = list_tools_with_token(&server, &token).await;
    let challenge = format!(
        "Bearer resource_metadata=\"{}\", error=\"invalid_token\", error_description=\"the token \
         has expired\"",
        metadata_url(&server)
    );
    assert_eq!((rejected.status, rejected.header("www-authenticate")), (401, &*challenge));
}

#[tokio::test]
async fn token_without_scopes_gets_the_required_scope() {
    let signer = Signer::new("one");
    let issuer = TestIssuer::start(&[&signer]);
    let server = TestServer::with(|config| issuer.configure(config)).await;
    let token = signer.sign(&issuer.claims_with(&json!({ "scope": "openid profile" })));
    let rejected = list_tools_with_token(&server, &token).await;
    assert_eq!((rejected.status, &rejected.json()["id"]), (403, &json!("x")));
    let challenge = format!(
        "Bearer error=\"insufficient_scope\", scope=\"octopus:read\", resource_metadata=\"{}\", \
         error_description=\"the token has no scope of this server; it needs the scope octopus:read\"",
        metadata_url(&server)
    );
    assert_eq!(rejected.header("www-authenticate"), challenge);
}

#[tokio::test]
async fn malformed_authorization_header_is_a_bad_request() {
    let issuer = TestIssuer::start(&[]);
    let server = TestServer::with(|config| issuer.configure(config)).await;
    for authorization in ["Basic aHVudGVyMg==", "Bearer", "Bearer ", "hunter2"] {
        let rejected = list_tools(&server, &[("authorization", authorization)]).await;
        assert_eq!(rejected.status, 400, "{authorization}: {}", rejected.text);
        assert_eq!(rejected.header("www-authenticate"), "Bearer error=\"invalid_request\"");
        assert!(!format!("{rejected:?}").contains("hunter2"));
    }
    let two =
        list_tools(&server, &[("authorization", "Bearer a"), ("Authorization", "Bearer b")]).await;
    assert_eq!(two.status, 400, "{}", two.text);
    assert!(
        two.error_message()
            .contains("the header authorization appears more than once; send it once"),
        "{}",
        two.text
    );
}

#[tokio::test]
async fn octopus_401_and_403_are_tool_errors_without_challenge() {
    let signer = Signer::new("one");
    let issuer = TestIssuer::start(&[&signer]);
    let sample = Sample::new();
    let server = TestServer::with_sample(sample, |config| issuer.configure(config)).await;
    let token = signer.sign(&issuer.claims());
    for status in [401, 403] {
        server.sample.faults().clear();
        server.sample.faults().add(Fault::on("/api/spaces").status(status));
        let answer = call_with_token(&server, &token, "list_spaces", &json!({})).await;
        assert_eq!((answer.status, answer.header("www-authenticate")), (200, ""), "{status}");
        assert_eq!(answer.json()["result"]["isError"], true, "{status}: {}", answer.text);
    }
}

#[tokio::test]
async fn missing_octopus_credential_names_the_header() {
    let signer = Signer::new("one");
    let issuer = TestIssuer::start(&[&signer]);
    let server = TestServer::with(|config| {
        issuer.configure(config);
        config.octopus.api_key = None::<Secret>;
    })
    .await;
    let authorization = format!("Bearer {}", signer.sign(&issuer.claims()));
    let without = send(&server, &[("authorization", &authorization)], LIST_SPACES).await;
    assert_eq!(without.status, 400);
    assert!(without.error_message().contains("X-Octopus-ApiKey"), "{}", without.text);
    assert_eq!(without.header("www-authenticate"), "", "another token would not help");
    let both = [("authorization", &*authorization), ("x-octopus-apikey", keys::DEFAULT_SPACE_ONLY)];
    let with = send(&server, &both, LIST_SPACES).await;
    assert_eq!(with.json()["result"]["structuredContent"]["totalResults"], 1, "{}", with.text);
    let wrong = [("authorization", &*authorization), ("x-octopus-apikey", "hunter2")];
    let wrong = send(&server, &wrong, LIST_SPACES).await;
    assert_eq!(wrong.status, 400, "{}", wrong.text);
    assert!(wrong.error_message().contains("look like API-") && !wrong.text.contains("hunter2"));
}

#[tokio::test]
async fn rejects_octopus_key_if_server_has_its_own() {
    let signer = Signer::new("one");
    let issuer = TestIssuer::start(&[&signer]);
    let server = TestServer::with(|config| issuer.configure(config)).await;
    let authorization = format!("Bearer {}", signer.sign(&issuer.claims()));
    let both = [("authorization", &*authorization), ("x-octopus-apikey", keys::ADMIN)];
    let rejected = send(&server, &both, LIST_SPACES).await;
    assert_eq!(rejected.status, 400, "{}", rejected.text);
    assert!(
        rejected.error_message().contains("remove the header X-Octopus-ApiKey"),
        "{}",
        rejected.text
    );
}

#[tokio::test]
async fn rejects_two_proofs_of_identity() {
    let signer = Signer::new("one");
    let issuer = TestIssuer::start(&[&signer]);
    let server = TestServer::with(|config| {
        issuer.configure(config);
        config.auth.mode = Some(AuthModes(vec![AuthMode::Oauth, AuthMode::Proxy]));
        config.http.trusted_proxies = serde_json::from_str("\"127.0.0.1\"").unwrap();
        config.octopus.api_key = Some(Secret::from(keys::ADMIN.to_owned()));
    })
    .await;
    let authorization = format!("Bearer {}", signer.sign(&issuer.claims()));
    let (token, user) = (("authorization", &*authorization), ("x-forwarded-user", "maria"));
    for (headers, status) in
        [(&[token][..], 200), (&[user], 200), (&[token, user], 400), (&[], 401)]
    {
        let reply = list_tools(&server, headers).await;
        assert_eq!(reply.status, status, "{}", reply.text);
        if status == 400 {
            assert!(reply.error_message().contains("two proofs of identity"), "{}", reply.text);
        }
    }
}
