//! Where tokens are exchanged: there they are sent, and nowhere else.

use octopus_sample::{Fault, Sample};
use serde_json::json;

use super::{Exchanging, seen, token};
use crate::support::serve;

#[tokio::test]
async fn the_token_that_is_exchanged_goes_to_the_token_endpoint_and_nowhere_else() {
    let sample = Sample::new();
    let (router, seen) = seen(&sample);
    let octopus = serve(router);
    let exchanging = Exchanging::with(sample, "ci", |config| {
        config.octopus.url = Some(format!("http://{}", octopus.address).parse().unwrap());
    })
    .await;
    exchanging.user().await;
    exchanging.call("list_environments", json!({ "space": "Default" })).await;
    let log = json!({ "space": "Default", "taskId": "ServerTasks-90004" });
    exchanging.call("get_task_raw", log).await;
    let seen = seen.lock().unwrap();
    assert!(seen.len() >= 6, "{seen:#?}");
    for (path, whole) in seen.iter() {
        let is_endpoint = path == "/token/v1";
        assert_eq!(whole.contains(&token("ci")), is_endpoint, "{path}");
        assert_eq!(
            whole.to_lowercase().contains("authorization"),
            !is_endpoint && path.starts_with("/api"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn no_token_is_sent_to_an_endpoint_at_another_origin() {
    let elsewhere = Sample::new();
    let other = serve(elsewhere.router());
    let exchanging = Exchanging::start(Sample::new(), "ci").await;
    let foreign = json!({ "token_endpoint": format!("http://{}/token/v1", other.address) });
    let trouble = exchanging.server.sample.faults();
    trouble.add(Fault::on("openid-configuration").body(&foreign.to_string()));
    let said = exchanging.call("list_spaces", json!({})).await;
    assert!(
        said.is_error && said.text.contains("at another address than its own"),
        "{}",
        said.text
    );
    assert_eq!(elsewhere.journal(), []);
    // Nor does it follow a redirect.
    let exchanging = Exchanging::start(Sample::new(), "ci").await;
    let target = format!("http://{}/token/v1", other.address);
    let redirect = Fault::on("/token/v1").status(307).redirect(&target);
    exchanging.server.sample.faults().add(redirect);
    let said = exchanging.call("list_spaces", json!({})).await;
    assert!(said.is_error && said.text.contains("redirects to"), "{}", said.text);
    assert_eq!(elsewhere.journal(), []);
}

#[tokio::test]
async fn where_nothing_says_where_tokens_are_exchanged_it_is_where_octopus_has_had_it() {
    let exchanging = Exchanging::start(Sample::new(), "ci").await;
    exchanging.server.sample.faults().add(Fault::on("openid-configuration").status(404));
    assert_eq!(exchanging.user().await, "build-server");
    assert!(exchanging.server.sample.journal().iter().any(|entry| entry.path == "/token/v1"));
    // Or below /api, as its reference says.
    let exchanging = Exchanging::start(Sample::new(), "ci").await;
    let trouble = exchanging.server.sample.faults();
    trouble.add(Fault::on("openid-configuration").status(404));
    trouble.add(Fault::on("/token/v1").status(404).times(1));
    assert_eq!(exchanging.user().await, "build-server");
    assert_eq!(exchanging.exchanges(), 2);
}
