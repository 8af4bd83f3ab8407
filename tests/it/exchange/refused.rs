//! Errors of the token exchange.

use octopus_sample::{Fault, Sample};
use serde_json::json;

use super::{Exchanging, token};
use crate::support::soon;

#[tokio::test]
async fn a_refused_exchange_is_told_in_a_tool_error_in_whatever_shape_it_came() {
    for (sample, subject, expected) in [
        (Sample::new(), "stranger", "invalid_request No OIDC identity matches"),
        (Sample::with_version("2024.4.6962"), "stranger", "No OIDC identity matches"),
    ] {
        let exchanging = Exchanging::start(sample, subject).await;
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
            assert!(!error.contains(&token(subject)), "{error}");
        }
        assert_eq!(exchanging.exchanges(), 1, "a rejection is cached for a while");
    }
}

#[tokio::test]
async fn an_octopus_that_cannot_exchange_now_is_no_refusal_and_asked_again_soon() {
    let exchanging = Exchanging::start(Sample::new(), "ci").await;
    exchanging.server.sample.faults().add(Fault::on("/token/v1").status(503).times(1));
    let error = exchanging.call("list_spaces", json!({})).await;
    assert!(error.is_error && error.text.contains("Octopus returned 503:"), "{}", error.text);
    soon(async || (!exchanging.call("list_spaces", json!({})).await.is_error).then_some(())).await;
    assert_eq!(exchanging.exchanges(), 2);
}

#[tokio::test]
async fn an_octopus_that_exchanges_nothing_says_so() {
    let old = Exchanging::start(Sample::with_version("2023.3.1"), "ci").await;
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
        let server = Exchanging::start(Sample::new(), "ci").await;
        let path = if body == "<html>" { "openid-configuration" } else { "/token/v1" };
        server.server.sample.faults().add(Fault::on(path).body(body));
        let error = server.call("list_spaces", json!({})).await;
        assert!(error.is_error && error.text.contains(expected), "{body}: {}", error.text);
        assert!(!error.text.contains("secret-in"), "{}", error.text);
    }
}
