//! Who calls, with which credential, and that nothing of one caller reaches another.

use octopus_mcp::config::{AuthMode, Secret};
use octopus_sample::{Fault, Sample, keys};
use serde_json::json;

use crate::support::{Era, TestServer};

const LIST: &str = r#"{"jsonrpc":"2.0","id":"x","method":"tools/list"}"#;
const SPACES: &str =
    r#"{"jsonrpc":"2.0","id":"x","method":"tools/call","params":{"name":"list_spaces"}}"#;

#[tokio::test]
async fn without_a_credential_a_caller_is_told_which_header_to_send() {
    let server = TestServer::start().await;
    for body in [LIST, SPACES, r#"{"jsonrpc":"2.0","id":"x","method":"server/discover"}"#] {
        let refused = server.post(&[("x-octopus-apikey", "")], body).await;
        assert_eq!(refused.status, 401);
        assert_eq!(refused.json()["id"], "x");
        assert!(refused.message().contains("X-Octopus-ApiKey"), "{}", refused.text);
        let challenge = refused.header("www-authenticate");
        assert!(challenge.starts_with("Bearer ") && challenge.contains("X-Octopus-ApiKey"));
        assert!(!challenge.contains("error="), "nothing was sent, so nothing was wrong");
    }
}

#[tokio::test]
async fn a_credential_that_cannot_be_one_is_refused_without_being_repeated() {
    let server = TestServer::start().await;
    for (headers, says) in [
        ([("x-octopus-apikey", "hunter2"), ("x", "")], "looks like API-"),
        ([("x-octopus-apikey", "eyJhbGci.hunter2.x"), ("x", "")], "Authorization: Bearer"),
        ([("x-octopus-apikey", ""), ("authorization", "Bearer API-HUNTER2")], "X-Octopus-ApiKey"),
        ([("x-octopus-apikey", ""), ("authorization", "Basic aHVudGVyMg==")], "Bearer"),
        ([("x-octopus-apikey", ""), ("authorization", "Bearer")], "Bearer"),
    ] {
        let refused = server.post(&headers, LIST).await;
        assert_eq!(refused.status, 401, "{headers:?}");
        assert!(refused.message().contains(says), "{headers:?}: {}", refused.text);
        assert!(refused.header("www-authenticate").contains("invalid_token"));
        for secret in ["hunter2", "HUNTER2", "aHVudGVyMg"] {
            assert!(!format!("{refused:?}").contains(secret));
        }
    }
    let two = [("x-octopus-apikey", keys::ADMIN), ("authorization", "Bearer x")];
    assert_eq!(server.post(&two, LIST).await.status, 400);
    let two = [("x-octopus-apikey", keys::ADMIN), ("X-Octopus-ApiKey", "API-OTHER")];
    assert_eq!(server.post(&two, LIST).await.status, 400);
}

#[tokio::test]
async fn an_access_token_acts_for_its_owner() {
    let server = TestServer::start().await;
    let token = format!("Bearer {}", keys::ADMIN_ACCESS_TOKEN);
    let headers = [("x-octopus-apikey", ""), ("authorization", token.as_str())];
    let answer = server.post(&headers, SPACES).await.json();
    assert_eq!(answer["result"]["structuredContent"]["totalResults"], 2, "{answer}");
}

#[tokio::test]
async fn a_configured_key_serves_whoever_sends_none_and_nobody_else() {
    let server = TestServer::with_configured_key().await;
    let spaces = async |headers: &[(&str, &str)]| {
        let answer = server.post(headers, SPACES).await;
        (answer.status, answer.json()["result"].clone())
    };
    let (_, own) = spaces(&[("x-octopus-apikey", "")]).await;
    assert_eq!(own["structuredContent"]["totalResults"], 2);
    let (_, theirs) = spaces(&[("x-octopus-apikey", keys::WAREHOUSE_SPACE_ONLY)]).await;
    assert_eq!(theirs["structuredContent"]["totalResults"], 1);
    // A key that Octopus refuses, or that is none, never becomes the configured one.
    let (status, refused) = spaces(&[("x-octopus-apikey", "API-UNKNOWN")]).await;
    assert_eq!((status, &refused["isError"]), (200, &json!(true)));
    let (status, _) = spaces(&[("x-octopus-apikey", "unknown")]).await;
    assert_eq!(status, 401);
    let (status, _) = spaces(&[("x-octopus-apikey", ""), ("authorization", "Bearer x")]).await;
    assert_eq!(status, 401);
}

#[tokio::test]
async fn in_octopus_mode_a_configured_key_is_never_used() {
    let server = TestServer::with(|config| {
        config.octopus.api_key = Some(Secret::from(keys::ADMIN.to_owned()));
        config.auth.mode = Some(AuthMode::Octopus.into());
    })
    .await;
    assert_eq!(server.post(&[("x-octopus-apikey", "")], SPACES).await.status, 401);
}

#[tokio::test]
async fn a_key_file_is_read_again_when_it_changes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    std::fs::write(&path, keys::ADMIN).unwrap();
    let server = TestServer::with(|config| config.octopus.api_key_file = Some(path.clone())).await;
    let total = async || {
        let answer = server.post(&[("x-octopus-apikey", "")], SPACES).await.json();
        answer["result"]["structuredContent"]["totalResults"].clone()
    };
    assert_eq!(total().await, 2);
    std::fs::write(&path, format!("{}\n", keys::WAREHOUSE_SPACE_ONLY)).unwrap();
    assert_eq!(total().await, 1);
}

#[tokio::test]
async fn two_callers_interleaved_never_see_each_others_data() {
    let server = TestServer::with(|config| config.limits.concurrent_calls_per_caller = 200).await;
    let freight = [keys::DEFAULT_SPACE_ONLY, "Spaces-1", "Default"];
    let warehouse = [keys::WAREHOUSE_SPACE_ONLY, "Spaces-22", "Warehouse Systems"];
    let calls = (0..200).map(|turn| {
        let (mine, other) = if turn % 2 == 0 { (freight, warehouse) } else { (warehouse, freight) };
        let server = &server;
        let era = if turn % 4 < 2 { Era::Legacy } else { Era::Modern };
        async move {
            let [key, id, name] = mine;
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
            assert!(foreign.text.contains("there is no space"), "{}", foreign.text);
        }
    });
    let calls: Vec<_> = calls.collect();
    futures::future::join_all(calls).await;
}

#[tokio::test]
async fn octopus_hears_the_credential_and_who_asks_and_nothing_else_does() {
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
async fn a_credential_never_follows_a_redirect_to_another_origin() {
    let elsewhere = Sample::new();
    let other = crate::support::serve(elsewhere.router());
    let server = TestServer::start().await;
    let target = format!("http://localhost:{}/api/spaces", other.address.port());
    server.sample.faults().add(Fault::on("/api/spaces").redirect(&target));
    let said = server.failure("list_spaces", json!({})).await;
    assert!(said.contains("redirects to") && said.contains("localhost"), "{said}");
    assert!(elsewhere.journal().is_empty(), "{:?}", elsewhere.journal());
    // Within the instance it is followed.
    server.sample.faults().clear();
    let within = Fault::on("/api/spaces").redirect("/api/Spaces-1/projects").times(1);
    server.sample.faults().add(within);
    let followed = server.call_as(keys::ADMIN, "list_spaces", json!({})).await;
    assert!(!followed.is_error, "{}", followed.text);
}
