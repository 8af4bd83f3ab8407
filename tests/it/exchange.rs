//! The exchange of a token for one of Octopus: what acts, who gets to see which token, how long it
//! is kept, and what is said where there is none.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    body::Body,
    extract::Request,
    middleware::{Next, from_fn},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http_body_util::BodyExt;
use octopus_mcp::{
    config::{AuthMode, Config},
    octopus::{Brings, Instances, NoCredential},
    sample::{Fault, Sample, keys},
    telemetry::Metrics,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Called, Era, Reply, TestServer, serve, soon};

/// A token whose owner is called so. Nobody has signed it.
pub fn token(subject: &str) -> String {
    let claims = URL_SAFE_NO_PAD.encode(json!({ "sub": subject }).to_string());
    format!("eyJhbGciOiJub25lIn0.{claims}.c2ln")
}

/// What a sample instance is sent: each path, with the headers and the body.
pub type Seen = Arc<Mutex<Vec<(String, String)>>>;

/// The routes of a sample instance, and what is sent to them.
pub fn seen(sample: &Sample) -> (axum::Router, Seen) {
    let seen = Seen::default();
    let writes = Arc::clone(&seen);
    let router = sample.router().layer(from_fn(move |request: Request, next: Next| {
        let seen = Arc::clone(&writes);
        async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            let whole = format!("{:?} {}", parts.headers, String::from_utf8_lossy(&body));
            seen.lock().unwrap().push((parts.uri.to_string(), whole));
            next.run(Request::from_parts(parts, Body::from(body))).await
        }
    }));
    (router, seen)
}

/// A server that exchanges the token in a file.
struct Exchanging {
    server: TestServer,
    file: PathBuf,
    _folder: TempDir,
}

impl Exchanging {
    async fn start(sample: Sample, subject: &str) -> Self {
        Self::with(sample, subject, |_| {}).await
    }

    async fn with(sample: Sample, subject: &str, change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        std::fs::write(&file, token(subject)).unwrap();
        let server = TestServer::on(sample, |config| {
            config.auth.mode = Some(AuthMode::None.into());
            config.octopus.retries = 0;
            config.octopus.exchange.audience = Some(keys::SERVICE_ACCOUNT.to_owned());
            config.octopus.exchange.token_file = Some(file.clone());
            change(config);
        })
        .await;
        Self { server, file, _folder: folder }
    }

    async fn reply(&self, tool: &str, arguments: &Value) -> Reply {
        self.server
            .ask_as(Era::Legacy, "", "tools/call", json!({ "name": tool, "arguments": arguments }))
            .await
    }

    async fn call(&self, tool: &str, arguments: Value) -> Called {
        self.server.call_in(Era::Legacy, "", tool, arguments).await
    }

    /// The user that Octopus sees.
    async fn user(&self) -> String {
        let called = self.call("get_current_user", json!({})).await;
        assert!(!called.is_error, "{}", called.text);
        called.structured["username"].as_str().unwrap().to_owned()
    }

    /// How often a token was asked for.
    fn exchanges(&self) -> usize {
        let journal = self.server.sample.journal();
        journal.iter().filter(|entry| entry.path.ends_with("/token/v1")).count()
    }
}

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
    exchanging
        .server
        .sample
        .trouble()
        .add(Fault::on("/token/v1").delay(Duration::from_millis(200)));
    let users = futures::future::join_all((0..8).map(|_| exchanging.user())).await;
    assert!(users.iter().all(|user| user == "build-server"), "{users:?}");
    exchanging.user().await;
    assert_eq!((exchanging.exchanges(), exchanging.server.sample.tokens().given()), (1, 1));
}

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
async fn a_token_is_got_anew_shortly_before_its_end_and_no_call_fails() {
    let exchanging = Exchanging::start(Sample::new(), "ci").await;
    exchanging.server.sample.tokens().live_for(Duration::from_secs(2));
    exchanging.user().await;
    let renewed = async || {
        exchanging.user().await;
        (exchanging.server.sample.tokens().given() >= 2).then_some(())
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
    exchanging.server.sample.trouble().add(Fault::on("/token/v1").status(503).times(1));
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
        odd.server.sample.trouble().add(Fault::on(path).body(body));
        let said = odd.call("list_spaces", json!({})).await;
        assert!(said.is_error && said.text.contains(words), "{body}: {}", said.text);
        assert!(!said.text.contains("secret-in"), "{}", said.text);
    }
}

#[tokio::test]
async fn no_token_is_sent_to_an_endpoint_at_another_origin() {
    let elsewhere = Sample::new();
    let other = serve(elsewhere.router());
    let exchanging = Exchanging::start(Sample::new(), "ci").await;
    let foreign = json!({ "token_endpoint": format!("http://{}/token/v1", other.address) });
    let trouble = exchanging.server.sample.trouble();
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
    exchanging.server.sample.trouble().add(redirect);
    let said = exchanging.call("list_spaces", json!({})).await;
    assert!(said.is_error && said.text.contains("redirects to"), "{}", said.text);
    assert_eq!(elsewhere.journal(), []);
}

#[tokio::test]
async fn where_nothing_says_where_tokens_are_exchanged_it_is_where_octopus_has_had_it() {
    let exchanging = Exchanging::start(Sample::new(), "ci").await;
    exchanging.server.sample.trouble().add(Fault::on("openid-configuration").status(404));
    assert_eq!(exchanging.user().await, "build-server");
    assert!(exchanging.server.sample.journal().iter().any(|entry| entry.path == "/token/v1"));
    // Or below /api, as its reference says.
    let exchanging = Exchanging::start(Sample::new(), "ci").await;
    let trouble = exchanging.server.sample.trouble();
    trouble.add(Fault::on("openid-configuration").status(404));
    trouble.add(Fault::on("/token/v1").status(404).times(1));
    assert_eq!(exchanging.user().await, "build-server");
    assert_eq!(exchanging.exchanges(), 2);
}

#[tokio::test]
async fn a_token_file_is_read_again_when_it_changes() {
    let exchanging = Exchanging::start(Sample::new(), "ci").await;
    exchanging.user().await;
    std::fs::write(&exchanging.file, token("another-job")).unwrap();
    exchanging.user().await;
    assert_eq!(exchanging.server.sample.tokens().given(), 2);
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
    assert_eq!(exchanging.server.sample.tokens().given(), 2);
    let sent = exchanging.server.sample.changes();
    let [sent] = sent.as_slice() else { panic!("{sent:#?}") };
    assert_eq!(format!("{} {}", sent.method, sent.path), sends);
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
    assert_eq!(sample.tokens().given(), 1, "one exchange for all calls of one caller");
    let first = first.into_iter().next().unwrap().unwrap();
    let second = ask("ben").await.unwrap();
    assert_eq!(sample.tokens().given(), 2);
    // What acts is the same service account, so that is what it is known by.
    assert_eq!(first.fingerprint(), second.fingerprint());
    let refused = ask("stranger").await.unwrap_err();
    assert!(matches!(refused, NoCredential::Refused(..)), "{refused}");
    let none = instance.credentials(&Brings::default()).await.unwrap_err();
    assert_eq!(none, NoCredential::NoToken("default".to_owned()));
}
