//! Callers whose access token Octopus exchanges for one of its own: what Octopus gets to see.

use octopus_mcp::config::{Config, CredentialSource, Instance};
use octopus_sample::{Sample, keys};
use serde_json::{Value, json};

use super::{
    LIST,
    issuer::{Signer, TestIssuer},
};
use crate::{
    exchange::seen,
    support::{Reply, TestServer},
};

/// Settings of an instance that acts with what its Octopus gives for the caller's token.
fn exchanging(instance: &mut Instance) {
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
async fn octopus_sees_the_exchanged_token_and_the_callers_own_at_the_token_endpoint_alone() {
    let signer = Signer::new("one");
    let issuer = TestIssuer::with(&[&signer]);
    let sample = Sample::new();
    let (router, seen) = seen(&sample);
    let server = TestServer::behind(sample, router, |config| {
        issuer.trusted(config);
        exchanging(&mut config.octopus);
    })
    .await;
    let token = |subject: &str| signer.sign(&issuer.claims_with(&json!({ "sub": subject })));
    let tokens = [token("maria"), token("ben")];
    for token in &tokens {
        for _ in 0..2 {
            let me = call(&server, "", token, "get_current_user", json!({})).await;
            assert_eq!(username(&me), "build-server", "{}", me.text);
            let arguments = json!({ "space": "Default", "taskId": "ServerTasks-90004" });
            let log = call(&server, "", token, "get_task_raw", arguments).await;
            assert_eq!(log.status, 200, "{}", log.text);
            for reply in [me, log] {
                assert!(!format!("{reply:?}").contains(token.as_str()), "{}", reply.text);
            }
        }
    }
    assert_eq!(server.sample.tokens().issued(), 2, "one for each caller, kept between calls");
    let seen = seen.lock().unwrap();
    let of_api: Vec<_> = seen.iter().filter(|(path, _)| path.starts_with("/api/")).collect();
    assert!(of_api.len() >= 8, "{seen:#?}");
    for (path, whole) in &of_api {
        let given = whole.split("\"Bearer ").nth(1).and_then(|rest| rest.split('"').next());
        let given = given.unwrap_or_else(|| panic!("{path}: {whole}"));
        assert!(given.len() > 20 && !given.contains('.'), "no token of the sample: {path} {given}");
    }
    for (path, whole) in seen.iter() {
        let comes = tokens.iter().filter(|token| whole.contains(token.as_str())).count();
        assert_eq!(comes, usize::from(path == "/token/v1"), "{path}");
        for token in &tokens {
            let signature = token.rsplit('.').next().unwrap();
            assert!(path == "/token/v1" || !whole.contains(signature), "{path}");
        }
    }
}

#[tokio::test]
async fn a_caller_whose_token_octopus_does_not_exchange_does_nothing_as_anybody_else() {
    let signer = Signer::new("one");
    let issuer = TestIssuer::with(&[&signer]);
    let server = TestServer::with(|config| {
        issuer.trusted(config);
        exchanging(&mut config.octopus);
    })
    .await;
    let known = signer.sign(&issuer.claims());
    assert_eq!(
        username(&call(&server, "", &known, "get_current_user", json!({})).await),
        "build-server"
    );
    server.sample.clear_journal();
    let stranger = signer.sign(&issuer.claims_with(&json!({ "sub": "stranger" })));
    let said = call(&server, "", &stranger, "get_current_user", json!({})).await;
    assert_eq!((said.status, &said.json()["result"]["isError"]), (200, &json!(true)));
    assert!(said.text.contains("No OIDC identity matches"), "{}", said.text);
    let paths: Vec<_> = server.sample.journal().into_iter().map(|entry| entry.path).collect();
    assert!(paths.iter().all(|path| !path.starts_with("/api")), "{paths:?}");
}

#[tokio::test]
async fn a_token_for_one_instance_is_refused_at_another_and_nothing_of_it_gets_there() {
    let signer = Signer::new("one");
    let issuer = TestIssuer::with(&[&signer]);
    let server = TestServer::several(&["europe", "america"], |config: &mut Config| {
        issuer.trusted(config);
        config.octopus = Instance::default();
        config.http.public_url = Some("https://mcp.example.com".parse().unwrap());
        // None configured: a token is for the endpoint that it names, and for those below it.
        config.auth.oauth.issuers[0].audiences.0.clear();
        config.instances.values_mut().for_each(exchanging);
    })
    .await;
    let token = |path: &str| {
        let audience = format!("https://mcp.example.com{path}");
        signer.sign(&issuer.claims_with(&json!({ "aud": audience })))
    };
    let america = token("/mcp/i/america");
    let me = call(&server, "/i/america", &america, "get_current_user", json!({})).await;
    assert_eq!(username(&me), "build-server", "{}", me.text);
    assert_eq!(server.other("america").tokens().issued(), 1);

    let authorization = format!("Bearer {america}");
    let bearer = [("x-octopus-apikey", ""), ("authorization", &*authorization)];
    let named = [&bearer[..], &[("x-octopus-instance", "america")]].concat();
    let both = [&bearer[..], &[("x-octopus-instance", "europe")]].concat();
    for (path, headers, status) in [
        ("/i/europe", &bearer[..], 401),
        ("/i/europe/Default", &bearer, 401),
        ("", &bearer, 401),
        // The address decides, and not what else the request says.
        ("", &named, 401),
        ("", &both, 401),
        ("/i/america", &both, 400),
    ] {
        let refused = server.post_at(path, headers, LIST).await;
        assert_eq!(refused.status, status, "{path}: {}", refused.text);
        if status == 401 {
            assert_eq!(refused.message(), "the token was made for another resource", "{path}");
            assert!(refused.header("www-authenticate").contains("error=\"invalid_token\""));
        }
    }
    // Nor does an address among the arguments lead there.
    let url = format!("{}/app#/Spaces-1/tasks/ServerTasks-90004", server.octopus());
    let said =
        call(&server, "/i/america", &america, "get_task_from_url", json!({ "url": url })).await;
    assert!(said.text.contains("this request is held to 'america'"), "{}", said.text);
    assert_eq!(server.sample.journal(), [], "Europe heard of it");
    assert_eq!(server.sample.tokens().issued(), 0);

    // A token for all of them is exchanged at each for itself.
    let all = token("/mcp");
    for path in ["/i/america", "/i/europe", ""] {
        let me = call(&server, path, &all, "get_current_user", json!({})).await;
        assert_eq!(username(&me), "build-server", "{path}: {}", me.text);
    }
    assert_eq!(server.other("america").tokens().issued(), 2);
    assert_eq!(server.sample.tokens().issued(), 1);
}
