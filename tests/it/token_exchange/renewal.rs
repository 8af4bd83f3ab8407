//! Renewal of exchanged tokens, and approvals across a renewal.

use std::time::Duration;

use octopus_sample::Sample;
use serde_json::json;

use super::{ExchangeFixture, unsigned_token};
use crate::support::wait_until_some;

#[tokio::test]
async fn token_is_renewed_before_it_expires() {
    let exchanging = ExchangeFixture::start(Sample::new(), "ci").await;
    exchanging.server.sample.tokens().set_lifetime(Duration::from_secs(2));
    exchanging.octopus_username().await;
    let renewed = async || {
        exchanging.octopus_username().await;
        (exchanging.server.sample.tokens().issued() >= 2).then_some(())
    };
    wait_until_some(renewed).await;
}

#[tokio::test]
async fn rejected_token_is_exchanged_again() {
    let exchanging = ExchangeFixture::start(Sample::new(), "ci").await;
    exchanging.octopus_username().await;
    exchanging.server.sample.tokens().revoke();
    let result = exchanging.call("list_spaces", json!({})).await;
    assert!(result.is_error && result.text.contains("rejected the credential"));
    wait_until_some(async || {
        let called = exchanging.call("list_spaces", json!({})).await;
        (!called.is_error).then_some(())
    })
    .await;
    assert_eq!(exchanging.exchange_count(), 2);
}

#[tokio::test]
async fn token_file_is_reloaded() {
    let exchanging = ExchangeFixture::start(Sample::new(), "ci").await;
    exchanging.octopus_username().await;
    std::fs::write(&exchanging.file, unsigned_token("another-job")).unwrap();
    exchanging.octopus_username().await;
    assert_eq!(exchanging.server.sample.tokens().issued(), 2);
}

#[tokio::test]
async fn approval_survives_token_renewal() {
    let exchanging =
        ExchangeFixture::with(Sample::new(), "ci", |config| config.tools.read_only = false).await;
    let (tool, mut arguments, request, _) = crate::approval::write_calls().remove(0);
    let preview = exchanging.call(tool, arguments.clone()).await.structured;
    assert_eq!(preview["confirmationRequired"], true, "{preview}");
    std::fs::write(&exchanging.file, unsigned_token("another-job")).unwrap();
    exchanging.server.sample.tokens().revoke();
    arguments["confirm"] = preview["confirm"].clone();
    let result = exchanging.call(tool, arguments).await;
    assert!(!result.is_error, "{}", result.text);
    assert_eq!(exchanging.server.sample.tokens().issued(), 2);
    let sent = exchanging.server.sample.changes();
    let [sent] = sent.as_slice() else { panic!("{sent:#?}") };
    assert_eq!(format!("{} {}", sent.method, sent.path), request);
}
