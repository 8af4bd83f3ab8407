//! Invalid arguments: rejected before an approval is requested.

use serde_json::json;

use super::{ApprovalFixture, ApprovalFlow};
use crate::support::Era;

/// Each row is a tool, its valid arguments, one changed argument, and the expected error.
#[tokio::test]
async fn invalid_arguments_are_rejected_before_approval() {
    let deploy = json!({
        "space": "Default",
        "projectName": "Parcel Tracking API",
        "releaseVersion": "1.12.0",
        "environmentNames": ["Staging"],
    });
    let create = json!({ "space": "Default", "projectName": "Parcel Tracking API" });
    let toggle = json!({ "space": "Default", "projectId": "Projects-1", "slug": "eta-window" });
    let mut described = toggle.clone();
    described["description"] = json!("Shorter");
    let mut patch = toggle.clone();
    patch["defaultIsEnabled"] = json!(true);
    let run = json!({
        "space": "Default",
        "projectName": "Parcel Tracking API",
        "runbookName": "Restart tracking workers",
        "environmentNames": ["Staging"],
    });
    let rows = [
        ("deploy_release", &deploy, "runAt", json!("tomorrow at ten"), "not a date and time"),
        ("deploy_release", &deploy, "runAt", json!("2099-01-01T10:00:00"), "with its zone"),
        ("deploy_release", &deploy, "runAt", json!("2020-01-01T10:00:00Z"), "is in the past"),
        ("deploy_release", &deploy, "runAt", json!(""), "not a date and time"),
        ("deploy_release", &deploy, "noRunAfter", json!("never"), "noRunAfter: "),
        ("deploy_release", &deploy, "releaseVersion", json!("1.12"), "'1.12.0'"),
        ("deploy_release", &deploy, "releaseVersion", json!(" "), "release '' not found"),
        (
            "deploy_release",
            &deploy,
            "releaseVersion",
            json!("../1.12.0"),
            "release '../1.12.0' not found",
        ),
        ("deploy_release", &deploy, "environmentNames", json!(["Stagin"]), "'Staging'"),
        ("deploy_release", &deploy, "environmentNames", json!([]), "empty list"),
        (
            "deploy_release",
            &deploy,
            "tenants",
            json!(["Northgate Parcels"]),
            "does not support tenants",
        ),
        ("deploy_release", &deploy, "variables", json!({ "x": "y" }), "no variable is prompted"),
        ("deploy_release", &deploy, "skipStepNames", json!(["Smoke"]), "'Smoke test'"),
        ("deploy_release", &deploy, "specificMachineNames", json!(["nope"]), "deployment target"),
        (
            "deploy_release",
            &deploy,
            "deploymentFreezeNames",
            json!(["Peak season"]),
            "require each other",
        ),
        ("deploy_release", &deploy, "projectName", json!("Route Planner"), "requires tenants"),
        (
            "deploy_release",
            &deploy,
            "projectName",
            json!("Billing Engine"),
            "release '1.12.0' not found",
        ),
        ("create_release", &create, "releaseVersion", json!("1.12.0"), "Releases-9002"),
        ("create_release", &create, "channelName", json!("Hotfixx"), "channel 'Hotfixx' not found"),
        ("create_release", &create, "gitRef", json!("main"), "is not in Git"),
        (
            "update_feature_toggle",
            &described,
            "slug",
            json!("nope"),
            "feature toggle 'nope' not found",
        ),
        ("update_feature_toggle", &toggle, "environments", json!([]), "nothing to change"),
        (
            "update_feature_toggle",
            &toggle,
            "environments",
            json!([{ "deploymentEnvironmentId": "Test", "isEnabled": true }]),
            "no entry for Test",
        ),
        (
            "update_feature_toggle",
            &toggle,
            "environments",
            json!([
                { "deploymentEnvironmentId": "Staging", "isEnabled": true },
                { "deploymentEnvironmentId": "Environments-2", "isEnabled": false },
            ]),
            "twice",
        ),
        (
            "update_feature_toggle",
            &toggle,
            "environments",
            json!([{ "deploymentEnvironmentId": "Staging", "rolloutPercentage": 101 }]),
            "expected 0 to 100",
        ),
        (
            "update_feature_toggle",
            &toggle,
            "environments",
            json!([{ "deploymentEnvironmentId": "Staging" }]),
            "give isEnabled or a percentage",
        ),
        (
            "update_feature_toggle",
            &toggle,
            "description",
            json!("x".repeat(1001)),
            "1001 characters; the maximum is 1000",
        ),
        (
            "run_runbook",
            &run,
            "runbookName",
            json!("Restart tracking"),
            "'Restart tracking workers'",
        ),
        ("run_runbook", &run, "runbookName", json!("Collect diagnostics"), "no published snapshot"),
        ("run_runbook", &run, "gitRef", json!("main"), "not in Git"),
        (
            "run_runbook",
            &run,
            "projectName",
            json!("Route Planner"),
            "give the branch, tag or commit to run in gitRef",
        ),
        (
            "run_runbook",
            &run,
            "runbookSnapshotId",
            json!("RunbookSnapshots-99"),
            "runbook snapshot 'RunbookSnapshots-99' not found",
        ),
        ("run_runbook", &run, "runbookSnapshotId", json!("Snapshot K4"), "'Snapshot K4T7QWZ'"),
        ("run_runbook", &run, "tenants", json!(["Northgate Parcels"]), "does not support tenants"),
        ("run_runbook", &run, "runAt", json!("2020-01-01T00:00:00Z"), "is in the past"),
        (
            "run_runbook",
            &run,
            "promptedVariableValues",
            json!({ "a": "b" }),
            "no variable is prompted",
        ),
    ];
    let fixture = ApprovalFixture::start().await;
    for (tool, valid, name, value, expected) in rows {
        let mut arguments = valid.clone();
        arguments[name] = value;
        for flow in [ApprovalFlow::InputRequired, ApprovalFlow::ConfirmCode(Era::Legacy)] {
            fixture.call(flow, tool, &arguments).await.expect_error(expected);
        }
    }
    assert_eq!(fixture.sent_changes(), []);
}

#[tokio::test]
async fn missing_prompted_variables_are_named_in_the_error() {
    let fixture = ApprovalFixture::start().await;
    let mut arguments = json!({
        "space": "Default",
        "projectName": "Billing Engine",
        "releaseVersion": "5.7.0",
        "environmentNames": ["Staging"],
    });
    let outcome = fixture.call(ApprovalFlow::InputRequired, "deploy_release", &arguments).await;
    outcome.expect_error("values are required for 'Change.Ticket' (Change ticket)");
    arguments["variables"] = json!({ "Change.Tickt": "CHG-1" });
    let outcome = fixture.call(ApprovalFlow::InputRequired, "deploy_release", &arguments).await;
    outcome.expect_error("prompt 'Change.Tickt' not found; did you mean 'Change.Ticket'?");
    arguments["variables"] = json!({ "Change.Ticket": "CHG-1" });
    let (_, token) = fixture
        .call(ApprovalFlow::InputRequired, "deploy_release", &arguments)
        .await
        .expect_approval_request();
    fixture
        .approve(ApprovalFlow::InputRequired, "deploy_release", &arguments, &token)
        .await
        .expect_result();
    let sent = fixture.sent_changes().remove(0).body.unwrap();
    assert_eq!(sent["Variables"], json!({ "Change.Ticket": "CHG-1" }));
}
