//! Errors of the token exchange.

use octopus_sample::{Fault, Sample};
use serde_json::json;

use super::{ExchangeFixture, unsigned_token};
use crate::support::wait_until_some;

#[tokio::test]
async fn rejected_exchange_is_a_tool_error_and_cached() {
    for (sample, subject, expected) in [
        (Sample::new(), "stranger", "invalid_request No OIDC identity matches"),
        (Sample::with_version("2024.4.6962"), "stranger", "No OIDC identity matches"),
    ] {
        let exchanging = ExchangeFixture::start(sample, subject).await;
        for _ in 0..5 {
            let reply = exchanging.reply("list_spaces", &json!({})).await;
            assert_eq!(reply.status, 200, "{}", reply.text);
            let result = &reply.json()["result"];
            let error = result["content"][0]["text"].as_str().unwrap();
            assert_eq!(result["isError"], true, "{error}");
            assert!(
                error.contains("the instance 'default'") && error.contains(expected),
                "{error}"
            );
            assert!(error.contains("OIDC identity with those of your token"), "{error}");
            assert!(!error.contains(&unsigned_token(subject)), "{error}");
        }
        assert_eq!(exchanging.exchange_count(), 1, "a rejection is cached for a while");
    }
}

#[tokio::test]
async fn unavailable_token_endpoint_is_retried() {
    let exchanging = ExchangeFixture::start(Sample::new(), "ci").await;
    exchanging.server.sample.faults().add(Fault::on("/token/v1").status(503).times(1));
    let error = exchanging.call("list_spaces", json!({})).await;
    assert!(error.is_error && error.text.contains("Octopus returned 503:"), "{}", error.text);
    wait_until_some(async || {
        (!exchanging.call("list_spaces", json!({})).await.is_error).then_some(())
    })
    .await;
    assert_eq!(exchanging.exchange_count(), 2);
}

#[tokio::test]
async fn unsupported_or_malformed_exchange_is_reported() {
    let old = ExchangeFixture::start(Sample::with_version("2023.3.1"), "ci").await;
    let error = old.call("list_spaces", json!({})).await.text;
    assert!(error.contains("has no token endpoint"), "{error}");
    for (body, expected) in [
        ("<html>", "unexpected response from Octopus"),
        (r#"{"access_token":5}"#, "contains no access token"),
        (
            r#"{"access_token":"secret-in-an-odd-place","token_type":"mac"}"#,
            "contains no access token",
        ),
    ] {
        let server = ExchangeFixture::start(Sample::new(), "ci").await;
        let path = if body == "<html>" { "openid-configuration" } else { "/token/v1" };
        server.server.sample.faults().add(Fault::on(path).body(body));
        let error = server.call("list_spaces", json!({})).await;
        assert!(error.is_error && error.text.contains(expected), "{body}: {}", error.text);
        assert!(!error.text.contains("secret-in"), "{}", error.text);
    }
}
