//! Invalid arguments: rejected before an approval is requested.

use serde_json::{Value, json};

use super::{ApprovalFixture, ApprovalFlow};
use crate::support::Era;

/// An argument that replaces the valid one, and the expected error.
type Row = (&'static str, Value, &'static str);

/// Calls a tool with its valid arguments and one invalid argument, for each row, in both approval
/// flows.
async fn assert_rejected(tool: &str, valid: &Value, rows: impl IntoIterator<Item = Row>) {
    let fixture = ApprovalFixture::start().await;
    for (name, value, expected) in rows {
        let mut arguments = valid.clone();
        arguments[name] = value;
        for flow in [ApprovalFlow::InputRequired, ApprovalFlow::ConfirmCode(Era::Legacy)] {
            fixture.call(flow, tool, &arguments).await.expect_error(expected);
        }
    }
    assert_eq!(fixture.sent_changes(), []);
}

#[tokio::test]
async fn invalid_arguments_of_deployments_are_rejected_before_approval() {
    let valid = json!({
        "space": "Default",
        "projectName": "Parcel Tracking API",
        "releaseVersion": "1.12.0",
        "environmentNames": ["Staging"],
    });
    let rows = [
        ("runAt", json!("tomorrow at ten"), "not a date and time"),
        ("runAt", json!("2099-01-01T10:00:00"), "with its zone"),
        ("runAt", json!("2020-01-01T10:00:00Z"), "is in the past"),
        ("runAt", json!(""), "not a date and time"),
        ("noRunAfter", json!("never"), "noRunAfter: "),
        ("releaseVersion", json!("1.12"), "'1.12.0'"),
        ("releaseVersion", json!(" "), "release '' not found"),
        ("releaseVersion", json!("../1.12.0"), "release '../1.12.0' not found"),
        ("environmentNames", json!(["Stagin"]), "'Staging'"),
        ("environmentNames", json!([]), "empty list"),
        ("tenants", json!(["Northgate Parcels"]), "does not support tenants"),
        ("variables", json!({ "x": "y" }), "no variable is prompted"),
        ("skipStepNames", json!(["Smoke"]), "'Smoke test'"),
        ("specificMachineNames", json!(["nope"]), "deployment target"),
        ("deploymentFreezeNames", json!(["Peak season"]), "require each other"),
        ("projectName", json!("Route Planner"), "requires tenants"),
        ("projectName", json!("Billing Engine"), "release '1.12.0' not found"),
    ];
    assert_rejected("deploy_release", &valid, rows).await;
}

#[tokio::test]
async fn invalid_arguments_of_releases_are_rejected_before_approval() {
    let valid = json!({ "space": "Default", "projectName": "Parcel Tracking API" });
    let rows = [
        ("releaseVersion", json!("1.12.0"), "Releases-9002"),
        ("channelName", json!("Hotfixx"), "channel 'Hotfixx' not found"),
        ("gitRef", json!("main"), "is not in Git"),
    ];
    assert_rejected("create_release", &valid, rows).await;
}

#[tokio::test]
async fn invalid_arguments_of_feature_toggles_are_rejected_before_approval() {
    let valid = json!({ "space": "Default", "projectId": "Projects-1", "slug": "eta-window" });
    let mut described = valid.clone();
    described["description"] = json!("Shorter");
    assert_rejected(
        "update_feature_toggle",
        &described,
        [("slug", json!("nope"), "feature toggle 'nope' not found")],
    )
    .await;
    let rows = [
        ("environments", json!([]), "nothing to change"),
        (
            "environments",
            json!([{ "deploymentEnvironmentId": "Test", "isEnabled": true }]),
            "no entry for Test",
        ),
        (
            "environments",
            json!([
                { "deploymentEnvironmentId": "Staging", "isEnabled": true },
                { "deploymentEnvironmentId": "Environments-2", "isEnabled": false },
            ]),
            "twice",
        ),
        (
            "environments",
            json!([{ "deploymentEnvironmentId": "Staging", "rolloutPercentage": 101 }]),
            "expected 0 to 100",
        ),
        (
            "environments",
            json!([{ "deploymentEnvironmentId": "Staging" }]),
            "give isEnabled or a percentage",
        ),
        ("description", json!("x".repeat(1001)), "1001 characters; the maximum is 1000"),
    ];
    assert_rejected("update_feature_toggle", &valid, rows).await;
}

#[tokio::test]
async fn invalid_arguments_of_runbook_runs_are_rejected_before_approval() {
    let valid = json!({
        "space": "Default",
        "projectName": "Parcel Tracking API",
        "runbookName": "Restart tracking workers",
        "environmentNames": ["Staging"],
    });
    let rows = [
        ("runbookName", json!("Restart tracking"), "'Restart tracking workers'"),
        ("runbookName", json!("Collect diagnostics"), "no published snapshot"),
        ("gitRef", json!("main"), "not in Git"),
        ("projectName", json!("Route Planner"), "give the branch, tag or commit to run in gitRef"),
        (
            "runbookSnapshotId",
            json!("RunbookSnapshots-99"),
            "runbook snapshot 'RunbookSnapshots-99' not found",
        ),
        ("runbookSnapshotId", json!("Snapshot K4"), "'Snapshot K4T7QWZ'"),
        ("tenants", json!(["Northgate Parcels"]), "does not support tenants"),
        ("runAt", json!("2020-01-01T00:00:00Z"), "is in the past"),
        ("promptedVariableValues", json!({ "a": "b" }), "no variable is prompted"),
    ];
    assert_rejected("run_runbook", &valid, rows).await;
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
