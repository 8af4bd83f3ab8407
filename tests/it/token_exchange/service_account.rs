//! Exchanged tokens: permissions of the service account, and sharing between calls and callers.

use std::time::Duration;

use octopus_mcp::{
    config::{AuthMode, Config},
    octopus::{CallerCredentials, CredentialError, Instances},
    telemetry::Metrics,
};
use octopus_sample::{Fault, Sample, keys};
use serde_json::json;

use super::{ExchangeFixture, unsigned_token};
use crate::support::{Era, serve};

#[tokio::test]
async fn service_account_permissions_apply() {
    for sample in [Sample::new(), Sample::with_version("2024.4.6962")] {
        let exchanging = ExchangeFixture::start(sample, "ci").await;
        assert_eq!(exchanging.octopus_username().await, "build-server");
        let spaces = exchanging.call("list_spaces", json!({})).await.structured;
        assert_eq!(spaces["totalResults"], 1, "{spaces}");
        let result = exchanging.call("find_accounts", json!({ "space": "Default" })).await;
        assert!(result.is_error && result.text.contains("AccountView"), "{}", result.text);
    }
}

#[tokio::test]
async fn concurrent_calls_share_one_exchange() {
    let exchanging = ExchangeFixture::start(Sample::new(), "ci").await;
    exchanging.server.sample.faults().add(Fault::on("/token/v1").delay(Duration::from_millis(200)));
    let users = futures::future::join_all((0..8).map(|_| exchanging.octopus_username())).await;
    assert!(users.iter().all(|user| user == "build-server"), "{users:?}");
    exchanging.octopus_username().await;
    assert_eq!((exchanging.exchange_count(), exchanging.server.sample.tokens().issued()), (1, 1));
}

#[tokio::test]
async fn rejects_caller_key_if_exchange_is_configured() {
    let exchanging = ExchangeFixture::start(Sample::new(), "ci").await;
    let params = json!({ "name": "list_spaces" });
    let reply = exchanging.server.rpc_as(Era::Legacy, keys::ADMIN, "tools/call", params).await;
    assert_eq!(reply.status, 400, "{}", reply.text);
    assert!(
        reply.error_message().contains("has its own Octopus credential for the instance"),
        "{}",
        reply.text
    );
    assert_eq!(exchanging.server.sample.journal(), []);
}

#[tokio::test]
async fn exchanges_one_token_per_caller() {
    let sample = Sample::new();
    let octopus = serve(sample.router());
    let mut config = Config::default();
    config.auth.mode = Some(AuthMode::Oauth.into());
    config.octopus.url = Some(format!("http://{}", octopus.address).parse().unwrap());
    config.octopus.exchange.audience = Some(keys::SERVICE_ACCOUNT.to_owned());
    let instances = Instances::from_config(&config, &Metrics::default()).unwrap();
    let instance = instances.default().unwrap();
    let ask = async |subject: &str| {
        let token = Some(unsigned_token(subject).into());
        instance.credentials(&CallerCredentials { token, ..CallerCredentials::default() }).await
    };
    let first = futures::future::join_all((0..8).map(|_| ask("ann"))).await;
    assert_eq!(sample.tokens().issued(), 1, "one exchange for all calls of one caller");
    let first = first.into_iter().next().unwrap().unwrap();
    let second = ask("ben").await.unwrap();
    assert_eq!(sample.tokens().issued(), 2);
    // Both tokens belong to the same service account, which determines the fingerprint.
    assert_eq!(first.fingerprint(), second.fingerprint());
    let error = ask("stranger").await.unwrap_err();
    assert!(matches!(error, CredentialError::ExchangeRejected(..)), "{error}");
    assert!(error.to_string().contains("No OIDC identity matches"), "{error}");
    let missing = instance.credentials(&CallerCredentials::default()).await.unwrap_err();
    assert_eq!(missing, CredentialError::NoToken("default".to_owned()));
}
