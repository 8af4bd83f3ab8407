//! Octopus credentials of callers, and isolation between callers.

use octopus_mcp::config::{AuthMode, Secret};
use octopus_sample::{Fault, Sample, keys};
use serde_json::json;

use crate::support::{Era, TestServer};

const LIST_TOOLS: &str = r#"{"jsonrpc":"2.0","id":"x","method":"tools/list"}"#;
const LIST_SPACES: &str =
    r#"{"jsonrpc":"2.0","id":"x","method":"tools/call","params":{"name":"list_spaces"}}"#;

#[tokio::test]
async fn missing_credential_names_the_header() {
    let server = TestServer::start().await;
    for body in
        [LIST_TOOLS, LIST_SPACES, r#"{"jsonrpc":"2.0","id":"x","method":"server/discover"}"#]
    {
        let rejected = server.post(&[("x-octopus-apikey", "")], body).await;
        assert_eq!(rejected.status, 401);
        assert_eq!(rejected.json()["id"], "x");
        assert!(rejected.error_message().contains("X-Octopus-ApiKey"), "{}", rejected.text);
        let challenge = rejected.header("www-authenticate");
        assert!(challenge.starts_with("Bearer ") && challenge.contains("X-Octopus-ApiKey"));
        assert!(!challenge.contains("error="), "a missing credential is not an invalid one");
    }
}

#[tokio::test]
async fn rejects_malformed_credential_without_echoing_it() {
    let server = TestServer::start().await;
    for (headers, expected) in [
        ([("x-octopus-apikey", "hunter2"), ("x", "")], "look like API-"),
        ([("x-octopus-apikey", "eyJhbGci.hunter2.x"), ("x", "")], "Authorization: Bearer"),
        ([("x-octopus-apikey", ""), ("authorization", "Bearer API-HUNTER2")], "X-Octopus-ApiKey"),
        ([("x-octopus-apikey", ""), ("authorization", "Basic aHVudGVyMg==")], "Bearer"),
        ([("x-octopus-apikey", ""), ("authorization", "Bearer")], "Bearer"),
    ] {
        let rejected = server.post(&headers, LIST_TOOLS).await;
        assert_eq!(rejected.status, 401, "{headers:?}");
        assert!(rejected.error_message().contains(expected), "{headers:?}: {}", rejected.text);
        assert!(rejected.header("www-authenticate").contains("invalid_token"));
        for secret in ["hunter2", "HUNTER2", "aHVudGVyMg"] {
            assert!(!format!("{rejected:?}").contains(secret));
        }
    }
    let headers = [("x-octopus-apikey", keys::ADMIN), ("authorization", "Bearer x")];
    let rejected = server.post(&headers, LIST_TOOLS).await;
    assert_eq!(rejected.status, 400, "{}", rejected.text);
    assert!(rejected.error_message().contains("X-Octopus-ApiKey"), "{}", rejected.text);
    let headers = [("x-octopus-apikey", keys::ADMIN), ("X-Octopus-ApiKey", "API-OTHER")];
    let rejected = server.post(&headers, LIST_TOOLS).await;
    assert_eq!(rejected.status, 400, "{}", rejected.text);
    assert!(
        rejected.error_message().contains("appears more than once; send it once"),
        "{}",
        rejected.text
    );
}

#[tokio::test]
async fn access_token_is_sent_to_octopus() {
    let server = TestServer::start().await;
    let token = format!("Bearer {}", keys::ADMIN_ACCESS_TOKEN);
    let headers = [("x-octopus-apikey", ""), ("authorization", token.as_str())];
    let answer = server.post(&headers, LIST_SPACES).await.json();
    assert_eq!(answer["result"]["structuredContent"]["totalResults"], 2, "{answer}");
}

#[tokio::test]
async fn configured_key_is_used_only_without_caller_credential() {
    let server = TestServer::with_configured_key().await;
    let spaces = async |headers: &[(&str, &str)]| {
        let answer = server.post(headers, LIST_SPACES).await;
        (answer.status, answer.json()["result"].clone())
    };
    let (_, configured) = spaces(&[("x-octopus-apikey", "")]).await;
    assert_eq!(configured["structuredContent"]["totalResults"], 2);
    let (_, of_caller) = spaces(&[("x-octopus-apikey", keys::WAREHOUSE_SPACE_ONLY)]).await;
    assert_eq!(of_caller["structuredContent"]["totalResults"], 1);
    // The configured key never replaces a rejected or malformed key of the caller.
    let (status, rejected) = spaces(&[("x-octopus-apikey", "API-UNKNOWN")]).await;
    assert_eq!((status, &rejected["isError"]), (200, &json!(true)));
    assert!(rejected.to_string().contains("rejected the credential"), "{rejected}");
    let (status, _) = spaces(&[("x-octopus-apikey", "unknown")]).await;
    assert_eq!(status, 401);
    let (status, _) = spaces(&[("x-octopus-apikey", ""), ("authorization", "Bearer x")]).await;
    assert_eq!(status, 401);
}

#[tokio::test]
async fn rejected_configured_key_is_reported_to_the_operator() {
    let server = TestServer::with_configured_key().await;
    let rejected = r#"{"ErrorMessage":"The API key you provided was not valid."}"#;
    server.sample.faults().add(Fault::on("/api").status(401).body(rejected));
    let call = async |key: &str| server.call_as(key, "list_spaces", json!({})).await.text;
    let of_server = call("").await;
    assert!(of_server.contains("Octopus rejected the credential of this server"), "{of_server}");
    assert!(of_server.contains("the server operator should replace the credential"), "{of_server}");
    assert!(!of_server.contains("My API Keys"), "{of_server}");
    let of_caller =
        TestServer::start().await.call_as("API-UNKNOWN", "list_spaces", json!({})).await;
    assert!(of_caller.text.contains("Octopus rejected the credential: "), "{}", of_caller.text);
    assert!(of_caller.text.contains("My API Keys"), "{}", of_caller.text);
}

#[tokio::test]
async fn configured_key_is_not_used_in_octopus_mode() {
    let server = TestServer::with(|config| {
        config.octopus.api_key = Some(Secret::from(keys::ADMIN.to_owned()));
        config.auth.mode = Some(AuthMode::Octopus.into());
    })
    .await;
    assert_eq!(server.post(&[("x-octopus-apikey", "")], LIST_SPACES).await.status, 401);
}

#[tokio::test]
async fn key_file_is_reloaded() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    std::fs::write(&path, keys::ADMIN).unwrap();
    let server = TestServer::with(|config| config.octopus.api_key_file = Some(path.clone())).await;
    let total = async || {
        let answer = server.post(&[("x-octopus-apikey", "")], LIST_SPACES).await.json();
        answer["result"]["structuredContent"]["totalResults"].clone()
    };
    assert_eq!(total().await, 2);
    std::fs::write(&path, format!("{}\n", keys::WAREHOUSE_SPACE_ONLY)).unwrap();
    assert_eq!(total().await, 1);
}

#[tokio::test]
async fn interleaved_callers_never_see_each_others_data() {
    let server = TestServer::with(|config| config.limits.concurrent_calls_per_caller = 200).await;
    let freight = [keys::DEFAULT_SPACE_ONLY, "Spaces-1", "Default"];
    let warehouse = [keys::WAREHOUSE_SPACE_ONLY, "Spaces-22", "Warehouse Systems"];
    let calls = (0..200).map(|turn| {
        let (own, other) = if turn % 2 == 0 { (freight, warehouse) } else { (warehouse, freight) };
        let server = &server;
        let era = if turn % 4 < 2 { Era::Legacy } else { Era::Modern };
        async move {
            let [key, id, name] = own;
            let spaces = server.call_in(era, key, "list_spaces", json!({})).await;
            assert_eq!(spaces.structured["totalResults"], 1);
            assert_eq!(spaces.structured["items"][0]["id"], id);
            let projects =
                server.call_in(era, key, "list_projects", json!({ "space": name })).await;
            assert!(
                projects.structured["items"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .all(|project| project["spaceId"] == id)
            );
            let foreign =
                server.call_in(era, key, "list_projects", json!({ "space": other[2] })).await;
            assert!(foreign.is_error, "{}", foreign.text);
            let expected = format!("space '{}' not found", other[2]);
            assert!(foreign.text.contains(&expected), "{}", foreign.text);
        }
    });
    let calls: Vec<_> = calls.collect();
    futures::future::join_all(calls).await;
}

#[tokio::test]
async fn octopus_receives_credential_and_user_agent() {
    let server = TestServer::start().await;
    server.call_as(keys::DEFAULT_SPACE_ONLY, "list_spaces", json!({})).await;
    let journal = server.sample.journal();
    let entry = journal.last().unwrap();
    assert_eq!(entry.user.as_deref(), Some("freight.releases"));
    let agent = entry.user_agent.as_deref().unwrap();
    assert!(agent.starts_with(concat!("octopus-mcp/", env!("CARGO_PKG_VERSION"))), "{agent}");
    assert!(agent.contains("test/1"), "{agent}");
}

#[tokio::test]
async fn redirect_to_another_origin_is_not_followed() {
    let foreign = Sample::new();
    let other = crate::support::serve(foreign.router());
    let server = TestServer::start().await;
    let target = format!("http://localhost:{}/api/spaces", other.address.port());
    server.sample.faults().add(Fault::on("/api/spaces").redirect(&target));
    let error = server.call_error("list_spaces", json!({})).await;
    assert!(
        error.contains("redirects to another origin") && error.contains("localhost"),
        "{error}"
    );
    assert!(foreign.journal().is_empty(), "{:?}", foreign.journal());
    // A redirect to the same origin is followed.
    server.sample.faults().clear();
    let within = Fault::on("/api/spaces").redirect("/api/Spaces-1/projects").times(1);
    server.sample.faults().add(within);
    let followed = server.call_as(keys::ADMIN, "list_spaces", json!({})).await;
    assert!(!followed.is_error, "{}", followed.text);
}
