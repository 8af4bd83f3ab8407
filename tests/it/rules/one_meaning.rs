//! Ambiguous references: changes reject a name that matches two resources, and reads treat an ID as
//! an ID.

use serde_json::{Value, json};

use super::{
    CODE, desk,
    renamed::{CONFUSABLE, parcel, restart},
};
use crate::consent::Came;

/// Where the Octopus endpoint accepts only names, an ambiguous name is rejected.
#[tokio::test]
async fn name_that_stands_for_two_things_is_not_sent() {
    let run = |key: &str, value: Value| {
        let mut arguments = restart("Staging");
        arguments[key] = value;
        arguments
    };
    let deploy = |key: &str, value: Value| {
        let mut arguments = parcel("Staging");
        arguments[key] = value;
        arguments
    };
    let (by_id, id_like) = (json!("Runbooks-1"), "looks like an ID");
    let freezes = json!({ "space": "Default", "projectName": "Parcel Tracking API",
        "releaseVersion": "1.12.0", "environmentNames": ["Staging"],
        "deploymentFreezeNames": ["DeploymentFreezes-1"], "deploymentFreezeOverrideReason": "x" });
    for (id, key, value, tool, arguments, words) in [
        (
            "Runbooks-1",
            "Name",
            "Runbooks-3",
            "run_runbook",
            run("runbookName", by_id.clone()),
            CONFUSABLE,
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
            CONFUSABLE,
        ),
        (
            "RunbookSnapshots-1",
            "Name",
            "RunbookSnapshots-2",
            "run_runbook",
            restart("Staging"),
            CONFUSABLE,
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
        ("Spaces-22", "Name", "Spaces-1", "deploy_release", parcel("Staging"), CONFUSABLE),
        ("Spaces-22", "Name", "Spaces-1", "run_runbook", restart("Staging"), CONFUSABLE),
        ("Spaces-22", "Name", "Spaces-22", "deploy_release", freezes, id_like),
    ] {
        let desk = desk(json!([])).await;
        desk.server.sample.edit(id, key, value);
        let came = desk.call(CODE, tool, &arguments).await;
        let Came::Refused(message) = &came else { panic!("{id} {key} {value}: {came:?}") };
        assert!(message.contains(words), "{id} {key} {value}: {message}");
        assert_eq!(desk.changes(), []);
    }
}

/// A read resolves the ID first, alone and in a list, so an equal name cannot bypass a rule.
#[tokio::test]
async fn read_of_a_denied_id_is_refused_whatever_else_is_named_so() {
    let rule = json!([{ "name": "secret", "effect": "deny", "tiers": ["read"],
        "environment_tags": ["stage/live"] }]);
    for environments in [&["Environments-3"][..], &["Environments-3", "Development"]] {
        let desk = desk(rule.clone()).await;
        desk.server.sample.edit("Environments-2", "Name", "Environments-3");
        let arguments = json!({ "space": "Default", "environments": environments });
        let came = desk.call(CODE, "list_deployments", &arguments).await;
        came.refused("rule 'secret'");
    }
}
