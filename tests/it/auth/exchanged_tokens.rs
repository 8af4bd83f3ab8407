//! Access tokens of callers that Octopus exchanges for its own tokens: tokens that Octopus
//! receives.

use octopus_mcp::config::{Config, CredentialSource, InstanceSettings};
use octopus_sample::{Sample, keys};
use serde_json::{Value, json};

use super::{
    LIST_TOOLS,
    test_issuer::{Signer, TestIssuer},
};
use crate::{
    support::{Reply, TestServer},
    token_exchange::recording_router,
};

/// Configures an instance to exchange the token of the caller for an Octopus token.
fn enable_exchange(instance: &mut InstanceSettings) {
    instance.api_key = None;
    instance.retries = 0;
    instance.credential = Some(CredentialSource::Exchange);
    instance.exchange.audience = Some(keys::SERVICE_ACCOUNT.to_owned());
}

async fn call(server: &TestServer, path: &str, token: &str, tool: &str, arguments: Value) -> Reply {
    let params = json!({ "name": tool, "arguments": arguments });
    let body = json!({ "jsonrpc": "2.0", "id": "x", "method": "tools/call", "params": params });
    let authorization = format!("Bearer {token}");
    let headers = [("x-octopus-apikey", ""), ("authorization", &*authorization)];
    server.post_at(path, &headers, body.to_string()).await
}

fn username(reply: &Reply) -> Value {
    reply.json()["result"]["structuredContent"]["username"].clone()
}

#[tokio::test]
async fn caller_token_is_sent_only_to_the_token_endpoint() {
    let signer = Signer::new("one");
    let issuer = TestIssuer::start(&[&signer]);
    let sample = Sample::new();
    let (router, requests) = recording_router(&sample);
    let server = TestServer::with_router(sample, router, |config| {
        issuer.configure(config);
        enable_exchange(&mut config.octopus);
    })
    .await;
    let token = |subject: &str| signer.sign(&issuer.claims_with(&json!({ "sub": subject })));
    let tokens = [token("maria"), token("ben")];
    for token in &tokens {
        for _ in 0..2 {
            let current_user = call(&server, "", token, "get_current_user", json!({})).await;
            assert_eq!(username(&current_user), "build-server", "{}", current_user.text);
            let arguments = json!({ "space": "Default", "taskId": "ServerTasks-90004" });
            let log = call(&server, "", token, "get_task_raw", arguments).await;
            assert_eq!(log.status, 200, "{}", log.text);
            for reply in [current_user, log] {
                assert!(!format!("{reply:?}").contains(token.as_str()), "{}", reply.text);
            }
        }
    }
    assert_eq!(server.sample.tokens().issued(), 2, "one exchange per caller, cached between calls");
    let requests = requests.lock().unwrap();
    let of_api: Vec<_> = requests.iter().filter(|(path, _)| path.starts_with("/api/")).collect();
    assert!(of_api.len() >= 8, "{requests:#?}");
    for (path, headers_and_body) in &of_api {
        let bearer =
            headers_and_body.split("\"Bearer ").nth(1).and_then(|rest| rest.split('"').next());
        let bearer = bearer.unwrap_or_else(|| panic!("{path}: {headers_and_body}"));
        assert!(
            bearer.len() > 20 && !bearer.contains('.'),
            "not a token of the sample: {path} {bearer}"
        );
    }
    for (path, headers_and_body) in requests.iter() {
        let count = tokens.iter().filter(|token| headers_and_body.contains(token.as_str())).count();
        assert_eq!(count, usize::from(path == "/token/v1"), "{path}");
        for token in &tokens {
            let signature = token.rsplit('.').next().unwrap();
            assert!(path == "/token/v1" || !headers_and_body.contains(signature), "{path}");
        }
    }
}

#[tokio::test]
async fn failed_exchange_sends_no_api_request() {
    let signer = Signer::new("one");
    let issuer = TestIssuer::start(&[&signer]);
    let server = TestServer::with(|config| {
        issuer.configure(config);
        enable_exchange(&mut config.octopus);
    })
    .await;
    let known = signer.sign(&issuer.claims());
    assert_eq!(
        username(&call(&server, "", &known, "get_current_user", json!({})).await),
        "build-server"
    );
    server.sample.clear_journal();
    let stranger = signer.sign(&issuer.claims_with(&json!({ "sub": "stranger" })));
    let result = call(&server, "", &stranger, "get_current_user", json!({})).await;
    assert_eq!((result.status, &result.json()["result"]["isError"]), (200, &json!(true)));
    assert!(result.text.contains("No OIDC identity matches"), "{}", result.text);
    let paths: Vec<_> = server.sample.journal().into_iter().map(|entry| entry.path).collect();
    assert!(paths.iter().all(|path| !path.starts_with("/api")), "{paths:?}");
}

#[tokio::test]
async fn token_for_one_instance_is_never_sent_to_another() {
    let signer = Signer::new("one");
    let issuer = TestIssuer::start(&[&signer]);
    let server = TestServer::with_instances(&["europe", "america"], |config: &mut Config| {
        issuer.configure(config);
        config.octopus = InstanceSettings::default();
        config.http.public_url = Some("https://mcp.example.com".parse().unwrap());
        // Without configured audiences, a token is valid for the endpoint in `aud` and for paths
        // below it.
        config.auth.oauth.issuers[0].audiences.0.clear();
        config.instances.values_mut().for_each(enable_exchange);
    })
    .await;
    let token = |path: &str| {
        let audience = format!("https://mcp.example.com{path}");
        signer.sign(&issuer.claims_with(&json!({ "aud": audience })))
    };
    let america = token("/mcp/i/america");
    let current_user = call(&server, "/i/america", &america, "get_current_user", json!({})).await;
    assert_eq!(username(&current_user), "build-server", "{}", current_user.text);
    assert_eq!(server.other_sample("america").tokens().issued(), 1);

    let authorization = format!("Bearer {america}");
    let bearer = [("x-octopus-apikey", ""), ("authorization", &*authorization)];
    let named = [&bearer[..], &[("x-octopus-instance", "america")]].concat();
    let both = [&bearer[..], &[("x-octopus-instance", "europe")]].concat();
    for (path, headers, status) in [
        ("/i/europe", &bearer[..], 401),
        ("/i/europe/Default", &bearer, 401),
        ("", &bearer, 401),
        // The path decides, not the instance header.
        ("", &named, 401),
        ("", &both, 401),
        ("/i/america", &both, 400),
    ] {
        let rejected = server.post_at(path, headers, LIST_TOOLS).await;
        assert_eq!(rejected.status, status, "{path}: {}", rejected.text);
        if status == 401 {
            assert_eq!(
                rejected.error_message(),
                "the token was issued for another resource",
                "{path}"
            );
            assert!(rejected.header("www-authenticate").contains("error=\"invalid_token\""));
        }
    }
    // A portal URL in the arguments does not reach the other instance either.
    let url = format!("{}/app#/Spaces-1/tasks/ServerTasks-90004", server.octopus_url());
    let result =
        call(&server, "/i/america", &america, "get_task_from_url", json!({ "url": url })).await;
    assert!(result.text.contains("this request is pinned to 'america'"), "{}", result.text);
    assert_eq!(server.sample.journal(), [], "the other instance received a request");
    assert_eq!(server.sample.tokens().issued(), 0);

    // A token for all instances is exchanged at each instance separately.
    let all = token("/mcp");
    for path in ["/i/america", "/i/europe", ""] {
        let current_user = call(&server, path, &all, "get_current_user", json!({})).await;
        assert_eq!(username(&current_user), "build-server", "{path}: {}", current_user.text);
    }
    assert_eq!(server.other_sample("america").tokens().issued(), 2);
    assert_eq!(server.sample.tokens().issued(), 1);
}
