//! Who acts with the exchanged token, and for how many calls and callers there is one.

use std::time::Duration;

use octopus_mcp::{
    config::{AuthMode, Config},
    octopus::{Brings, Instances, NoCredential},
    telemetry::Metrics,
};
use octopus_sample::{Fault, Sample, keys};
use serde_json::json;

use super::{Exchanging, token};
use crate::support::{Era, serve};

#[tokio::test]
async fn the_service_account_acts_with_its_rights_and_no_more() {
    for sample in [Sample::new(), Sample::with_version("2024.4.6962")] {
        let exchanging = Exchanging::start(sample, "ci").await;
        assert_eq!(exchanging.user().await, "build-server");
        let spaces = exchanging.call("list_spaces", json!({})).await.structured;
        assert_eq!(spaces["totalResults"], 1, "{spaces}");
        let said = exchanging.call("find_accounts", json!({ "space": "Default" })).await;
        assert!(said.is_error && said.text.contains("AccountView"), "{}", said.text);
    }
}

#[tokio::test]
async fn one_token_serves_many_calls_and_calls_at_one_moment_wait_for_one_exchange() {
    let exchanging = Exchanging::start(Sample::new(), "ci").await;
    exchanging.server.sample.faults().add(Fault::on("/token/v1").delay(Duration::from_millis(200)));
    let users = futures::future::join_all((0..8).map(|_| exchanging.user())).await;
    assert!(users.iter().all(|user| user == "build-server"), "{users:?}");
    exchanging.user().await;
    assert_eq!((exchanging.exchanges(), exchanging.server.sample.tokens().issued()), (1, 1));
}

#[tokio::test]
async fn a_callers_own_key_is_refused_where_the_exchange_acts() {
    let exchanging = Exchanging::start(Sample::new(), "ci").await;
    let params = json!({ "name": "list_spaces" });
    let reply = exchanging.server.ask_as(Era::Legacy, keys::ADMIN, "tools/call", params).await;
    assert_eq!(reply.status, 400, "{}", reply.text);
    assert!(reply.message().contains("acts with a credential of its own"), "{}", reply.text);
    assert_eq!(exchanging.server.sample.journal(), []);
}

#[tokio::test]
async fn each_caller_has_their_own_token_exchanged() {
    let sample = Sample::new();
    let octopus = serve(sample.router());
    let mut config = Config::default();
    config.auth.mode = Some(AuthMode::Oauth.into());
    config.octopus.url = Some(format!("http://{}", octopus.address).parse().unwrap());
    config.octopus.exchange.audience = Some(keys::SERVICE_ACCOUNT.to_owned());
    let instances = Instances::from_config(&config, &Metrics::default()).unwrap();
    let instance = instances.default().unwrap();
    let ask = async |subject: &str| {
        let token = Some(token(subject).into());
        instance.credentials(&Brings { token, ..Brings::default() }).await
    };
    let first = futures::future::join_all((0..8).map(|_| ask("ann"))).await;
    assert_eq!(sample.tokens().issued(), 1, "one exchange for all calls of one caller");
    let first = first.into_iter().next().unwrap().unwrap();
    let second = ask("ben").await.unwrap();
    assert_eq!(sample.tokens().issued(), 2);
    // What acts is the same service account, so that is what it is known by.
    assert_eq!(first.fingerprint(), second.fingerprint());
    let refused = ask("stranger").await.unwrap_err();
    assert!(matches!(refused, NoCredential::Refused(..)), "{refused}");
    let none = instance.credentials(&Brings::default()).await.unwrap_err();
    assert_eq!(none, NoCredential::NoToken("default".to_owned()));
}
