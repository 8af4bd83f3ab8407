//! The token endpoint: discovery, fallbacks, and rejection of other origins.

use octopus_sample::{Fault, Sample};
use serde_json::json;

use super::{ExchangeFixture, recording_router, unsigned_token};
use crate::support::serve;

#[tokio::test]
async fn exchanged_token_is_sent_only_to_the_token_endpoint() {
    let sample = Sample::new();
    let (router, requests) = recording_router(&sample);
    let octopus = serve(router);
    let exchanging = ExchangeFixture::with(sample, "ci", |config| {
        config.octopus.url = Some(format!("http://{}", octopus.address).parse().unwrap());
    })
    .await;
    exchanging.octopus_username().await;
    exchanging.call("list_environments", json!({ "space": "Default" })).await;
    let log = json!({ "space": "Default", "taskId": "ServerTasks-90004" });
    exchanging.call("get_task_raw", log).await;
    let requests = requests.lock().unwrap();
    assert!(requests.len() >= 6, "{requests:#?}");
    for (path, headers_and_body) in requests.iter() {
        let is_endpoint = path == "/token/v1";
        assert_eq!(headers_and_body.contains(&unsigned_token("ci")), is_endpoint, "{path}");
        assert_eq!(
            headers_and_body.to_lowercase().contains("authorization"),
            !is_endpoint && path.starts_with("/api"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn rejects_token_endpoint_of_another_origin() {
    let other_sample = Sample::new();
    let other = serve(other_sample.router());
    let exchanging = ExchangeFixture::start(Sample::new(), "ci").await;
    let metadata = json!({ "token_endpoint": format!("http://{}/token/v1", other.address) });
    let faults = exchanging.server.sample.faults();
    faults.add(Fault::on("openid-configuration").body(&metadata.to_string()));
    let result = exchanging.call("list_spaces", json!({})).await;
    assert!(
        result.is_error
            && result.text.contains("than the configured URL")
            && result.text.contains(&format!("http://{}", other.address))
            && result.text.contains("exchange.token_endpoint_origin"),
        "{}",
        result.text
    );
    assert_eq!(other_sample.journal(), []);
    // Redirects are not followed either.
    let exchanging = ExchangeFixture::start(Sample::new(), "ci").await;
    let target = format!("http://{}/token/v1", other.address);
    let redirect = Fault::on("/token/v1").status(307).redirect(&target);
    exchanging.server.sample.faults().add(redirect);
    let result = exchanging.call("list_spaces", json!({})).await;
    assert!(
        result.is_error && result.text.contains("redirects to another origin"),
        "{}",
        result.text
    );
    assert_eq!(other_sample.journal(), []);
}

#[tokio::test]
async fn token_endpoint_at_the_named_origin_is_allowed() {
    // One Octopus behind two origins: the server uses the first, Octopus advertises the second.
    let sample = Sample::new();
    let (router, requests) = recording_router(&sample);
    let public = serve(router);
    let stranger_sample = Sample::new();
    let stranger = serve(stranger_sample.router());
    let named = format!("http://{}", public.address);
    for (advertised, is_allowed) in
        [(named.clone(), true), (format!("http://{}", stranger.address), false)]
    {
        let exchanging = ExchangeFixture::with(sample.clone(), "ci", |config| {
            config.octopus.exchange.token_endpoint_origin = Some(named.parse().unwrap());
        })
        .await;
        let metadata = json!({ "token_endpoint": format!("{advertised}/token/v1") });
        let faults = exchanging.server.sample.faults();
        faults.clear();
        faults.add(Fault::on("openid-configuration").body(&metadata.to_string()));
        requests.lock().unwrap().clear();
        let result = exchanging.call("get_current_user", json!({})).await;
        assert_eq!(result.is_error, !is_allowed, "{}", result.text);
        let requests = requests.lock().unwrap();
        let paths: Vec<&str> = requests.iter().map(|(path, _)| path.as_str()).collect();
        let expected: &[&str] = if is_allowed { &["/token/v1"] } else { &[] };
        assert_eq!(paths, expected, "only the exchange goes to the named origin");
    }
    assert_eq!(stranger_sample.journal(), []);
}

#[tokio::test]
async fn falls_back_to_known_token_endpoints() {
    let exchanging = ExchangeFixture::start(Sample::new(), "ci").await;
    exchanging.server.sample.faults().add(Fault::on("openid-configuration").status(404));
    assert_eq!(exchanging.octopus_username().await, "build-server");
    assert!(exchanging.server.sample.journal().iter().any(|entry| entry.path == "/token/v1"));
    // The Octopus API reference documents an endpoint below /api.
    let exchanging = ExchangeFixture::start(Sample::new(), "ci").await;
    let faults = exchanging.server.sample.faults();
    faults.add(Fault::on("openid-configuration").status(404));
    faults.add(Fault::on("/token/v1").status(404).times(1));
    assert_eq!(exchanging.octopus_username().await, "build-server");
    assert_eq!(exchanging.exchange_count(), 2);
}
