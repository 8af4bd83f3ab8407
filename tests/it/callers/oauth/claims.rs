//! Claims: validity period, audience and issuer.

use octopus_mcp::{callers::Ways, config::Config, telemetry::Metrics};
use serde_json::json;

use super::{ELSEWHERE, Setup, UNKNOWN_ISSUER};
use crate::callers::{
    bearing,
    issuer::{Signer, TestIssuer, now},
};

#[tokio::test]
async fn an_expired_token_is_refused() {
    let setup = Setup::new().await;
    setup.refuses(&json!({ "exp": now() - 60 }), "the token has expired").await;
}

#[tokio::test]
async fn clocks_may_be_a_little_off() {
    let setup = Setup::new().await;
    for change in [json!({ "exp": now() - 10 }), json!({ "nbf": now() + 10 })] {
        let token = setup.signer.sign(&setup.issuer.claims_with(&change));
        assert_eq!(bearing(&setup.server, &token).await.status, 200, "{change}");
    }
}

#[tokio::test]
async fn a_token_without_an_expiry_is_refused() {
    let setup = Setup::new().await;
    setup.refuses(&json!({ "exp": null }), "the token has no expiration time (exp)").await;
    setup.refuses(&json!({ "exp": "never" }), "the token has no expiration time (exp)").await;
}

#[tokio::test]
async fn a_token_that_is_not_good_yet_is_refused() {
    let setup = Setup::new().await;
    setup.refuses(&json!({ "nbf": now() + 300 }), "the token is not valid yet").await;
}

#[tokio::test]
async fn a_token_for_another_audience_is_refused() {
    let setup = Setup::new().await;
    for audience in [json!("api://other"), json!(["api://other"]), json!(null), json!([])] {
        setup.refuses(&json!({ "aud": audience }), ELSEWHERE).await;
    }
}

#[tokio::test]
async fn a_token_of_another_issuer_is_refused() {
    let setup = Setup::new().await;
    let slash = format!("{}/", setup.issuer.url);
    for issuer in [json!("https://evil.example.com"), json!(slash), json!(null), json!(7)] {
        setup.refuses(&json!({ "iss": issuer }), UNKNOWN_ISSUER).await;
    }
    let both = json!([setup.issuer.url, "https://evil.example.com"]);
    setup.refuses(&json!({ "iss": both }), UNKNOWN_ISSUER).await;
}

#[tokio::test]
async fn a_token_for_one_instance_is_not_accepted_at_another() {
    let signer = Signer::new("one");
    let issuer = TestIssuer::with(&[&signer]);
    let mut config = Config::default();
    issuer.trusted(&mut config);
    config.http.public_url = Some("https://mcp.example.com".parse().unwrap());
    config.auth.oauth.issuers[0].audiences.0.clear();
    let authenticators = Ways::from_config(&config, |_| Ok(()), &Metrics::default()).unwrap();
    let audience = json!({ "aud": "https://mcp.example.com/mcp/i/test" });
    let token = signer.sign(&issuer.claims_with(&audience));
    for (path, is_accepted) in [
        ("/mcp/i/test", true),
        ("/mcp/i/test/Default", true),
        ("/mcp/i/production", false),
        ("/mcp/i/test2", false),
        ("/mcp", false),
    ] {
        let result = authenticators.bearer(&token, path).await;
        let error = result.err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), (!is_accepted).then_some(ELSEWHERE), "{path}");
    }
    let other_server = json!({ "aud": "https://other.example.com/mcp" });
    let replayed = signer.sign(&issuer.claims_with(&other_server));
    let error = authenticators.bearer(&replayed, "/mcp").await.unwrap_err();
    assert_eq!(error.to_string(), ELSEWHERE, "a token for another server");
}
