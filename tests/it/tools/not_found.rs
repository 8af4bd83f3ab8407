//! 404 responses of Octopus: the error message names the missing resource, independent of the text
//! that Octopus returns.

use octopus_mcp::config::ApprovalMode;
use octopus_sample::{Fault, keys};
use serde_json::{Value, json};

use crate::support::TestServer;

const OCTOPUS_MESSAGE: &str = "The resource you requested was not found.";

async fn server() -> TestServer {
    TestServer::with(|config| {
        config.tools.read_only = false;
        config.tools.confirm = ApprovalMode::Never;
    })
    .await
}

fn not_found_fault(path: &str) -> Fault {
    Fault::on(path).status(404).body(&json!({ "ErrorMessage": OCTOPUS_MESSAGE }).to_string())
}

fn deployment_arguments() -> Value {
    json!({
        "space": "Default",
        "projectName": "Parcel Tracking API",
        "releaseVersion": "1.12.0",
        "environmentNames": ["Staging"],
    })
}

#[tokio::test]
async fn not_found_error_names_the_missing_resource() {
    let server = server().await;
    let runbook = json!({
        "space": "Default",
        "projectName": "Parcel Tracking API",
        "runbookName": "restart-tracking-workers",
        "environmentNames": ["Staging"],
    });
    for (path, tool, arguments, names) in [
        (
            "/deployments/preview",
            "deploy_release",
            deployment_arguments(),
            "deployment preview 'Releases-",
        ),
        ("/runbookRuns/preview", "run_runbook", runbook, "preview of a runbook run 'Runbooks-"),
        (
            "/Spaces-1/environments",
            "list_environments",
            json!({ "space": "Default" }),
            "resource '/api/Spaces-1/environments",
        ),
        ("/users/me", "get_current_user", json!({}), "resource '/api/users/me' not found"),
    ] {
        server.sample.faults().clear();
        server.sample.faults().add(not_found_fault(path));
        let called = server.call_as(keys::ADMIN, tool, arguments).await;
        assert!(called.is_error && called.text.contains(names), "{tool}: {}", called.text);
        assert!(called.text.contains("' not found"), "{tool}: {}", called.text);
        assert!(!called.text.contains("you requested"), "{tool}: {}", called.text);
    }
}

#[tokio::test]
async fn not_found_error_of_a_change_keeps_octopus_message() {
    let server = server().await;
    let missing = json!({ "ErrorMessage": "There is no channel 'Hotfix'." }).to_string();
    let path = "/deployments/create/untenanted/v1";
    server.sample.faults().add(Fault::on(path).method("POST").status(404).body(&missing));
    let called = server.call_as(keys::ADMIN, "deploy_release", deployment_arguments()).await;
    let expected = "Octopus rejected the request (404): \
                    /api/Spaces-1/deployments/create/untenanted/v1: There is no channel 'Hotfix'.";
    assert!(called.is_error && called.text.contains(expected), "{}", called.text);
}
