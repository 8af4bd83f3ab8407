//! A 404 of Octopus: the message names what was looked for, whatever Octopus says.

use octopus_mcp::config::Confirm;
use octopus_sample::{Fault, keys};
use serde_json::{Value, json};

use crate::support::TestServer;

const WORDS: &str = "The resource you requested was not found.";

async fn server() -> TestServer {
    TestServer::with(|config| {
        config.tools.read_only = false;
        config.tools.confirm = Confirm::Never;
    })
    .await
}

fn absent(path: &str) -> Fault {
    Fault::on(path).status(404).body(&json!({ "ErrorMessage": WORDS }).to_string())
}

fn deployment() -> Value {
    json!({
        "space": "Default",
        "projectName": "Parcel Tracking API",
        "releaseVersion": "1.12.0",
        "environmentNames": ["Staging"],
    })
}

#[tokio::test]
async fn a_404_names_what_was_looked_for() {
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
            deployment(),
            "no deployment preview 'Releases-",
        ),
        ("/runbookRuns/preview", "run_runbook", runbook, "no preview of a runbook run 'Runbooks-"),
        (
            "/Spaces-1/environments",
            "list_environments",
            json!({ "space": "Default" }),
            "there is no resource '/api/Spaces-1/environments'",
        ),
        ("/users/me", "get_current_user", json!({}), "there is no resource '/api/users/me'"),
    ] {
        server.sample.faults().clear();
        server.sample.faults().add(absent(path));
        let called = server.call_as(keys::ADMIN, tool, arguments).await;
        assert!(called.is_error && called.text.contains(names), "{tool}: {}", called.text);
        assert!(!called.text.contains("you requested"), "{tool}: {}", called.text);
    }
}

#[tokio::test]
async fn a_404_for_a_change_keeps_the_words_of_octopus() {
    let server = server().await;
    let missing = json!({ "ErrorMessage": "There is no channel 'Hotfix'." }).to_string();
    let path = "/deployments/create/untenanted/v1";
    server.sample.faults().add(Fault::on(path).method("POST").status(404).body(&missing));
    let called = server.call_as(keys::ADMIN, "deploy_release", deployment()).await;
    let expected = "Octopus refuses this (404): /api/Spaces-1/deployments/create/untenanted/v1: There \
                    is no channel 'Hotfix'.";
    assert!(called.is_error && called.text.contains(expected), "{}", called.text);
}
