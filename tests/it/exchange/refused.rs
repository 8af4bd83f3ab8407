//! What is said where no token is given in exchange.

use octopus_sample::{Fault, Sample};
use serde_json::json;

use super::{Exchanging, token};
use crate::support::soon;

#[tokio::test]
async fn a_refused_exchange_is_told_in_a_tool_error_in_whatever_shape_it_came() {
    for (sample, subject, words) in [
        (Sample::new(), "stranger", "invalid_request No OIDC identity matches"),
        (Sample::with_version("2024.4.6962"), "stranger", "No OIDC identity matches"),
    ] {
        let exchanging = Exchanging::start(sample, subject).await;
        for _ in 0..5 {
            let reply = exchanging.reply("list_spaces", &json!({})).await;
            assert_eq!(reply.status, 200, "{}", reply.text);
            let result = &reply.json()["result"];
            let said = result["content"][0]["text"].as_str().unwrap();
            assert_eq!(result["isError"], true, "{said}");
            assert!(said.contains("the instance 'default'") && said.contains(words), "{said}");
            assert!(said.contains("OIDC identity with those of your token"), "{said}");
            assert!(!said.contains(&token(subject)), "{said}");
        }
        assert_eq!(exchanging.exchanges(), 1, "a refusal is believed for a while");
    }
}

#[tokio::test]
async fn an_octopus_that_cannot_exchange_now_is_no_refusal_and_asked_again_soon() {
    let exchanging = Exchanging::start(Sample::new(), "ci").await;
    exchanging.server.sample.faults().add(Fault::on("/token/v1").status(503).times(1));
    let said = exchanging.call("list_spaces", json!({})).await;
    assert!(said.is_error && said.text.contains("cannot answer now (503)"), "{}", said.text);
    soon(async || (!exchanging.call("list_spaces", json!({})).await.is_error).then_some(())).await;
    assert_eq!(exchanging.exchanges(), 2);
}

#[tokio::test]
async fn an_octopus_that_exchanges_nothing_says_so() {
    let old = Exchanging::start(Sample::with_version("2023.3.1"), "ci").await;
    let said = old.call("list_spaces", json!({})).await.text;
    assert!(said.contains("exchanges no tokens"), "{said}");
    for (body, words) in [
        ("<html>", "does not look like one of Octopus"),
        (r#"{"access_token":5}"#, "holds no token"),
        (r#"{"access_token":"secret-in-an-odd-place","token_type":"mac"}"#, "holds no token"),
    ] {
        let odd = Exchanging::start(Sample::new(), "ci").await;
        let path = if body == "<html>" { "openid-configuration" } else { "/token/v1" };
        odd.server.sample.faults().add(Fault::on(path).body(body));
        let said = odd.call("list_spaces", json!({})).await;
        assert!(said.is_error && said.text.contains(words), "{body}: {}", said.text);
        assert!(!said.text.contains("secret-in"), "{}", said.text);
    }
}
