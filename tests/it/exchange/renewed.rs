//! When a token is got anew, and what outlives that.

use std::time::Duration;

use octopus_sample::Sample;
use serde_json::json;

use super::{Exchanging, token};
use crate::support::soon;

#[tokio::test]
async fn a_token_is_got_anew_shortly_before_its_end_and_no_call_fails() {
    let exchanging = Exchanging::start(Sample::new(), "ci").await;
    exchanging.server.sample.tokens().set_lifetime(Duration::from_secs(2));
    exchanging.user().await;
    let renewed = async || {
        exchanging.user().await;
        (exchanging.server.sample.tokens().issued() >= 2).then_some(())
    };
    soon(renewed).await;
}

#[tokio::test]
async fn a_token_that_octopus_refuses_before_its_end_is_got_anew() {
    let exchanging = Exchanging::start(Sample::new(), "ci").await;
    exchanging.user().await;
    exchanging.server.sample.tokens().revoke();
    let said = exchanging.call("list_spaces", json!({})).await;
    assert!(said.is_error && said.text.contains("does not accept this credential"));
    soon(async || {
        let called = exchanging.call("list_spaces", json!({})).await;
        (!called.is_error).then_some(())
    })
    .await;
    assert_eq!(exchanging.exchanges(), 2);
}

#[tokio::test]
async fn a_token_file_is_read_again_when_it_changes() {
    let exchanging = Exchanging::start(Sample::new(), "ci").await;
    exchanging.user().await;
    std::fs::write(&exchanging.file, token("another-job")).unwrap();
    exchanging.user().await;
    assert_eq!(exchanging.server.sample.tokens().issued(), 2);
}

#[tokio::test]
async fn a_yes_outlives_the_renewal_of_the_token() {
    let exchanging =
        Exchanging::with(Sample::new(), "ci", |config| config.tools.read_only = false).await;
    let (tool, mut arguments, sends, _) = crate::consent::changes().remove(0);
    let asked = exchanging.call(tool, arguments.clone()).await.structured;
    assert_eq!(asked["confirmationRequired"], true, "{asked}");
    std::fs::write(&exchanging.file, token("another-job")).unwrap();
    exchanging.server.sample.tokens().revoke();
    arguments["confirm"] = asked["confirm"].clone();
    let done = exchanging.call(tool, arguments).await;
    assert!(!done.is_error, "{}", done.text);
    assert_eq!(exchanging.server.sample.tokens().issued(), 2);
    let sent = exchanging.server.sample.changes();
    let [sent] = sent.as_slice() else { panic!("{sent:#?}") };
    assert_eq!(format!("{} {}", sent.method, sent.path), sends);
}
