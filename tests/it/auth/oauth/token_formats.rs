//! Token types and malformed tokens.

use serde_json::json;

use super::{NOT_A_JWT, OAuthFixture};
use crate::auth::{assert_invalid_token, call_with_token, list_tools_with_token};

#[tokio::test]
async fn valid_token_uses_the_configured_octopus_credential() {
    let setup = OAuthFixture::new().await;
    let token = setup.signer.sign(&setup.issuer.claims());
    let called = call_with_token(&setup.server, &token, "list_spaces", &json!({})).await;
    assert_eq!(called.json()["result"]["structuredContent"]["totalResults"], 2, "{}", called.text);
    let journal = format!("{:?}", setup.server.sample.journal());
    assert!(!journal.contains(&token), "the token was sent to Octopus");
}

#[tokio::test]
async fn accepts_only_access_token_types() {
    let setup = OAuthFixture::new().await;
    for (typ, is_accepted) in [
        (Some("at+jwt"), true),
        (Some("application/at+jwt"), true),
        (Some("jwt"), true),
        (None, true),
        (Some("logout+jwt"), false),
        (Some("dpop+jwt"), false),
        (Some("secevent+jwt"), false),
    ] {
        let typ = typ.map(str::to_owned);
        let token =
            setup.signer.sign_with(&setup.issuer.claims(), |header| header.typ = typ.clone());
        let reply = list_tools_with_token(&setup.server, &token).await;
        if is_accepted {
            assert_eq!(reply.status, 200, "{typ:?}: {}", reply.text);
        } else {
            let message = "the token is not an access token; its typ header must be at+jwt or JWT";
            assert_invalid_token(&setup.server, &reply, &token, message);
        }
    }
    let critical = setup.signer.sign_with(&setup.issuer.claims(), |header| {
        header.crit = Some(vec!["b64".to_owned()]);
    });
    let message = "the token has critical header parameters (crit), which are not supported";
    setup.assert_rejects_token(&critical, message).await;
}

#[tokio::test]
async fn rejects_malformed_tokens() {
    let setup = OAuthFixture::new().await;
    for token in ["x", "a.b.c", "eyJhbGciOiJFUzI1NiJ9", "....", "API-NOTATOKENATALL"] {
        let rejected = list_tools_with_token(&setup.server, token).await;
        assert_invalid_token(&setup.server, &rejected, "", NOT_A_JWT);
    }
    let long = format!("eyJ{}.x.y", "a".repeat(17_000));
    setup.assert_rejects_token(&long, "the token is longer than 16 KiB").await;
    assert_eq!(
        setup.issuer.request_counts(),
        (0, 0),
        "malformed tokens cause no request to the issuer"
    );
}
