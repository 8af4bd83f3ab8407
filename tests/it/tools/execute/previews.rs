//! POSTs that only read previews.

use octopus_sample::keys;
use serde_json::{Value, json};

use crate::{policy::set_rules, support::TestServer};

const DEPLOYMENTS: &str = "/api/Spaces-1/releases/Releases-9001/deployments/previews";

fn previews(environments: &[&str]) -> Value {
    let all: Vec<Value> =
        environments.iter().map(|id| json!({ "EnvironmentId": id, "TenantId": null })).collect();
    json!({ "method": "POST", "path": DEPLOYMENTS, "body": {
        "SpaceId": "Spaces-1", "ReleaseId": "Releases-9001", "DeploymentPreviews": all } })
}

/// They need no approval, and a server without write tools permits them.
#[tokio::test]
async fn previews_are_reads_without_approval() {
    for read_only in [true, false] {
        let server = TestServer::with(|config| config.tools.read_only = read_only).await;
        let mut arguments = previews(&["Environments-1", "Environments-3"]);
        arguments["maxBytes"] = json!(102_400);
        let answer = server.call_ok("execute", arguments).await;
        assert_eq!((&answer["tier"], &answer["method"]), (&json!("read"), &json!("POST")));
        let shown = answer["response"].as_array().unwrap();
        assert_eq!(shown.len(), 2, "{answer}");
        assert!(shown[0]["StepsToExecute"].is_array(), "{answer}");
        let sent = server.sample.journal().pop().unwrap();
        assert_eq!((sent.method.as_str(), sent.path.as_str()), ("POST", DEPLOYMENTS));
        assert_eq!(server.sample.changes(), []);
    }
}

#[tokio::test]
async fn previews_of_runbook_runs_are_reads() {
    let server = TestServer::start().await;
    let arguments = json!({ "method": "POST",
        "path": "/api/Spaces-1/projects/Projects-1/runbooks/Runbooks-1/runbookRuns/previews",
        "body": { "SpaceId": "Spaces-1", "ProjectId": "Projects-1", "RunbookId": "Runbooks-1",
            "DeploymentPreviews": [{ "EnvironmentId": "Environments-2" }] } });
    let answer = server.call_ok("execute", arguments).await;
    assert_eq!(answer["response"].as_array().unwrap().len(), 1, "{answer}");
}

#[tokio::test]
async fn other_posts_of_a_read_only_server_are_rejected() {
    let server = TestServer::start().await;
    for path in [
        "/api/Spaces-1/deployments",
        "/api/Spaces-1/releases/Releases-9001/deployments",
        "/api/Spaces-1/environments/previews",
    ] {
        let arguments = json!({ "method": "POST", "path": path, "body": {} });
        let message = server.call_error("execute", arguments).await;
        assert!(message.contains("does not allow tools that change things"), "{message}");
    }
}

/// Rules about reads apply to the documents that path and body name.
#[tokio::test]
async fn read_rules_apply_to_previews() {
    for (condition, allowed, denied) in [
        (json!({ "environments": ["Production"] }), Some("Environments-2"), "Environments-3"),
        (json!({ "environments": ["*", "!Staging"] }), Some("Environments-2"), "Environments-1"),
        (json!({ "projects": ["Parcel Tracking API"] }), None, "Environments-2"),
    ] {
        let server = TestServer::with(|config| {
            let mut rule = condition.clone();
            (rule["name"], rule["effect"], rule["tiers"]) =
                (json!("closed"), json!("deny"), json!(["read"]));
            set_rules(config, &json!([rule]));
        })
        .await;
        let message = server.call_error("execute", previews(&[denied])).await;
        assert!(message.contains("rule 'closed'"), "{condition}: {message}");
        assert!(server.sample.journal().iter().all(|sent| sent.method == "GET"), "{condition}");
        // A name that is not in the known form may be any environment.
        let mut hidden = previews(&[denied]);
        hidden["body"]["DeploymentPreviews"] = json!([{ "environmentid": [denied] }]);
        let message = server.call_error("execute", hidden).await;
        assert!(message.contains("rule 'closed'"), "{condition}: {message}");
        if let Some(allowed) = allowed {
            let called = server.call_as(keys::ADMIN, "execute", previews(&[allowed])).await;
            assert!(!called.is_error, "{condition}: {}", called.text);
        }
    }
}
