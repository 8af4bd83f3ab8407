//! Ambiguous references: changes reject a name that matches two resources, and reads treat an ID as
//! an ID.

use serde_json::{Value, json};

use super::{
    CODE_FLOW,
    id_like_names::{AMBIGUOUS_MESSAGE, deploy_parcel, restart_runbook},
    policy_fixture,
};
use crate::approval::CallOutcome;

/// An ambiguous name is rejected if the Octopus endpoint accepts only names.
#[tokio::test]
async fn rejects_ambiguous_names_in_changes() {
    let run = |key: &str, value: Value| {
        let mut arguments = restart_runbook("Staging");
        arguments[key] = value;
        arguments
    };
    let deploy = |key: &str, value: Value| {
        let mut arguments = deploy_parcel("Staging");
        arguments[key] = value;
        arguments
    };
    let (by_id, id_like) = (json!("Runbooks-1"), "looks like an ID");
    let freezes = json!({ "space": "Default", "projectName": "Parcel Tracking API",
        "releaseVersion": "1.12.0", "environmentNames": ["Staging"],
        "deploymentFreezeNames": ["DeploymentFreezes-1"], "deploymentFreezeOverrideReason": "x" });
    for (id, key, value, tool, arguments, expected) in [
        (
            "Runbooks-1",
            "Name",
            "Runbooks-3",
            "run_runbook",
            run("runbookName", by_id.clone()),
            AMBIGUOUS_MESSAGE,
        ),
        (
            "Runbooks-1",
            "Name",
            "Runbooks-99",
            "run_runbook",
            run("runbookName", by_id.clone()),
            id_like,
        ),
        (
            "Runbooks-3",
            "Slug",
            "Restart tracking workers",
            "run_runbook",
            run("runbookName", by_id),
            AMBIGUOUS_MESSAGE,
        ),
        (
            "RunbookSnapshots-1",
            "Name",
            "RunbookSnapshots-2",
            "run_runbook",
            restart_runbook("Staging"),
            AMBIGUOUS_MESSAGE,
        ),
        (
            "Machines-9",
            "Name",
            "Machines-14",
            "deploy_release",
            deploy("specificMachineNames", json!(["Machines-9"])),
            id_like,
        ),
        (
            "Machines-9",
            "Name",
            "Machines-14",
            "run_runbook",
            run("excludedMachineNames", json!(["Machines-9"])),
            id_like,
        ),
        (
            "Releases-9001",
            "Version",
            "Releases-99999",
            "deploy_release",
            deploy("releaseVersion", json!("Releases-99999")),
            "looks like a release ID",
        ),
        (
            "Spaces-22",
            "Name",
            "Spaces-1",
            "deploy_release",
            deploy_parcel("Staging"),
            AMBIGUOUS_MESSAGE,
        ),
        (
            "Spaces-22",
            "Name",
            "Spaces-1",
            "run_runbook",
            restart_runbook("Staging"),
            AMBIGUOUS_MESSAGE,
        ),
        ("Spaces-22", "Name", "Spaces-22", "deploy_release", freezes, id_like),
    ] {
        let fixture = policy_fixture(json!([])).await;
        fixture.server.sample.edit(id, key, value);
        let outcome = fixture.call(CODE_FLOW, tool, &arguments).await;
        let CallOutcome::Failed(message) = &outcome else {
            panic!("{id} {key} {value}: {outcome:?}")
        };
        assert!(message.contains(expected), "{id} {key} {value}: {message}");
        assert_eq!(fixture.sent_changes(), []);
    }
}

/// A read resolves the ID first, alone and in a list, so an equal name cannot bypass a rule.
#[tokio::test]
async fn rejects_denied_id_despite_equal_name() {
    let rule = json!([{ "name": "secret", "effect": "deny", "tiers": ["read"],
        "environment_tags": ["stage/live"] }]);
    for environments in [&["Environments-3"][..], &["Environments-3", "Development"]] {
        let fixture = policy_fixture(rule.clone()).await;
        fixture.server.sample.edit("Environments-2", "Name", "Environments-3");
        let arguments = json!({ "space": "Default", "environments": environments });
        let outcome = fixture.call(CODE_FLOW, "list_deployments", &arguments).await;
        outcome.expect_error("rule 'secret'");
    }
}
