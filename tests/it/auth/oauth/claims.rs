//! Claims: validity period, audience and issuer.

use octopus_mcp::{auth::Authenticators, config::Config, telemetry::Metrics};
use serde_json::json;

use super::{OAuthFixture, OTHER_RESOURCE, UNKNOWN_ISSUER};
use crate::auth::{
    list_tools_with_token,
    test_issuer::{Signer, TestIssuer, now},
};

#[tokio::test]
async fn rejects_expired_token() {
    let setup = OAuthFixture::new().await;
    setup.assert_rejects_claims(&json!({ "exp": now() - 60 }), "the token has expired").await;
}

#[tokio::test]
async fn accepts_small_clock_skew() {
    let setup = OAuthFixture::new().await;
    for change in [json!({ "exp": now() - 10 }), json!({ "nbf": now() + 10 })] {
        let token = setup.signer.sign(&setup.issuer.claims_with(&change));
        assert_eq!(list_tools_with_token(&setup.server, &token).await.status, 200, "{change}");
    }
}

#[tokio::test]
async fn rejects_token_without_expiration() {
    let setup = OAuthFixture::new().await;
    setup
        .assert_rejects_claims(&json!({ "exp": null }), "the token has no expiration time (exp)")
        .await;
    setup
        .assert_rejects_claims(&json!({ "exp": "never" }), "the token has no expiration time (exp)")
        .await;
}

#[tokio::test]
async fn rejects_token_before_nbf() {
    let setup = OAuthFixture::new().await;
    setup.assert_rejects_claims(&json!({ "nbf": now() + 300 }), "the token is not valid yet").await;
}

#[tokio::test]
async fn rejects_token_for_another_audience() {
    let setup = OAuthFixture::new().await;
    for audience in [json!("api://other"), json!(["api://other"]), json!(null), json!([])] {
        setup.assert_rejects_claims(&json!({ "aud": audience }), OTHER_RESOURCE).await;
    }
}

#[tokio::test]
async fn rejects_token_of_another_issuer() {
    let setup = OAuthFixture::new().await;
    let slash = format!("{}/", setup.issuer.url);
    for issuer in [json!("https://evil.example.com"), json!(slash), json!(null), json!(7)] {
        setup.assert_rejects_claims(&json!({ "iss": issuer }), UNKNOWN_ISSUER).await;
    }
    let both = json!([setup.issuer.url, "https://evil.example.com"]);
    setup.assert_rejects_claims(&json!({ "iss": both }), UNKNOWN_ISSUER).await;
}

#[tokio::test]
async fn token_for_one_instance_is_rejected_at_another() {
    let signer = Signer::new("one");
    let issuer = TestIssuer::start(&[&signer]);
    let mut config = Config::default();
    issuer.configure(&mut config);
    config.http.public_url = Some("https://mcp.example.com".parse().unwrap());
    config.auth.oauth.issuers[0].audiences.0.clear();
    let authenticators =
        Authenticators::from_config(&config, |_| Ok(()), &Metrics::default()).unwrap();
    let audience = json!({ "aud": "https://mcp.example.com/mcp/i/test" });
    let token = signer.sign(&issuer.claims_with(&audience));
    for (path, is_accepted) in [
        ("/mcp/i/test", true),
        ("/mcp/i/test/Default", true),
        ("/mcp/i/production", false),
        ("/mcp/i/test2", false),
        ("/mcp", false),
    ] {
        let result = authenticators.authenticate_bearer(&token, path).await;
        let error = result.err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), (!is_accepted).then_some(OTHER_RESOURCE), "{path}");
    }
    let other_server = json!({ "aud": "https://other.example.com/mcp" });
    let replayed = signer.sign(&issuer.claims_with(&other_server));
    let error = authenticators.authenticate_bearer(&replayed, "/mcp").await.unwrap_err();
    assert_eq!(error.to_string(), OTHER_RESOURCE, "a token for another server");
}
