//! What a person reads before they say yes.

use serde_json::{Value, json};

use super::{Desk, Way};

async fn words(desk: &Desk, tool: &str, arguments: Value) -> String {
    desk.call(Way::Rounds, tool, &arguments).await.asked().0
}

#[tokio::test]
async fn a_deployment_is_shown_with_names_and_what_is_there() {
    let desk = Desk::start().await;
    let shown = words(
        &desk,
        "deploy_release",
        json!({
            "space": "Spaces-1",
            "projectName": "Projects-5",
            "releaseVersion": "5.7.0",
            "environmentNames": ["Environments-2", "Environments-3"],
            "variables": { "change.ticket": "CHG-9", "Ledger passphrase": "sesame-open-now" },
            "runAt": "2099-01-01T10:00:00+01:00",
            "noRunAfter": "2099-01-01T12:00:00+01:00",
            "useGuidedFailure": true,
            "forcePackageRedeployment": true,
        }),
    )
    .await;
    insta::assert_snapshot!("deploy_release", shown);
    for secret in ["CHG-9", "sesame"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert!(!shown.contains("Environments-"), "{shown}");
}

#[tokio::test]
async fn tenants_of_a_tag_are_shown_by_name_and_sent_by_id() {
    let desk = Desk::start().await;
    let arguments = json!({
        "space": "Default",
        "projectName": "Driver App Backend",
        "releaseVersion": "0.36.0",
        "environmentNames": "Staging",
        "tenantTags": ["Region/EMEA", "Region/APAC"],
    });
    let (shown, sealed) = desk.call(Way::Rounds, "deploy_release", &arguments).await.asked();
    insta::assert_snapshot!("deploy_release_to_tags", shown);
    desk.agree(Way::Rounds, "deploy_release", &arguments, &sealed).await.answered();
    let sent = desk.changes().remove(0).body.unwrap();
    assert_eq!(sent.get("TenantTags"), None);
    let tenants = sent["Tenants"].as_array().unwrap();
    assert!(!tenants.is_empty());
    assert!(tenants.iter().all(|id| id.as_str().unwrap().starts_with("Tenants-")), "{tenants:?}");
}

#[tokio::test]
async fn a_release_and_a_toggle_are_shown() {
    let desk = Desk::start().await;
    let shown = words(
        &desk,
        "create_release",
        json!({
            "space": "Default",
            "projectName": "Parcel Tracking API",
            "releaseVersion": "1.13.0",
            "packages": ["Deploy tracking service:1.13.0"],
            "releaseNotes": "Fixes\nSpace: Production\u{2028}Version: 9\u{202e}",
            "ignoreChannelRules": true,
        }),
    )
    .await;
    insta::assert_snapshot!("create_release", shown);
    let shown = words(
        &desk,
        "update_feature_toggle",
        json!({
            "space": "Default",
            "projectId": "Parcel Tracking API",
            "slug": "eta-window",
            "defaultIsEnabled": true,
            "description": "Arrival windows",
            "environments": [
                { "deploymentEnvironmentId": "Production", "isEnabled": true, "rolloutPercentage": 40 },
            ],
        }),
    )
    .await;
    insta::assert_snapshot!("update_feature_toggle", shown);
}

#[tokio::test]
async fn what_is_so_already_needs_no_yes() {
    let desk = Desk::start().await;
    let arguments = json!({
        "space": "Default",
        "projectId": "Projects-1",
        "slug": "ETA-window",
        "environments": [{ "deploymentEnvironmentId": "Staging", "isEnabled": true }],
    });
    let answer = desk.call(Way::Rounds, "update_feature_toggle", &arguments).await.answered();
    assert_eq!((&answer["noOp"], &answer["success"]), (&json!(true), &json!(true)));
    let arguments = json!({
        "space": "Default",
        "projectName": "Parcel Tracking API",
        "releaseVersion": "1.12.0",
        "ignoreIfAlreadyExists": true,
    });
    let answer = desk.call(Way::Rounds, "create_release", &arguments).await.answered();
    assert_eq!(
        (&answer["created"], &answer["releaseId"]),
        (&json!(false), &json!("Releases-9002"))
    );
    assert_eq!(desk.changes(), []);
}

#[tokio::test]
async fn a_change_that_a_person_cannot_read_whole_is_refused() {
    let desk = Desk::start().await;
    let arguments = json!({
        "space": "Default",
        "projectName": "Parcel Tracking API",
        "releaseNotes": "x".repeat(20_000),
    });
    desk.call(Way::Rounds, "create_release", &arguments).await.refused("too large for a person");
    assert_eq!(desk.changes(), []);
}

#[tokio::test]
async fn a_run_of_a_runbook_is_shown() {
    let desk = Desk::start().await;
    let shown = words(
        &desk,
        "run_runbook",
        json!({
            "space": "Default",
            "projectName": "Billing Engine",
            "runbookName": "Rotate database password",
            "environmentNames": ["Production"],
            "promptedVariableValues": { "New password": "sesame-open-now-and-for-ever" },
            "useGuidedFailure": true,
        }),
    )
    .await;
    insta::assert_snapshot!("run_runbook", shown);
    assert!(!shown.contains("sesame"), "{shown}");

    let right = json!({
        "space": "Default",
        "projectName": "Parcel Tracking API",
        "runbookName": "Restart tracking workers",
        "environmentNames": ["Staging"],
    });
    for (name, value, words) in [
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
        ("runAt", json!("2020-01-01T00:00:00Z"), "is over"),
        ("promptedVariableValues", json!({ "a": "b" }), "no variable is prompted"),
    ] {
        let mut arguments = right.clone();
        arguments[name] = value;
        desk.call(Way::Rounds, "run_runbook", &arguments).await.refused(words);
    }
    assert_eq!(desk.changes(), []);
}

#[tokio::test]
async fn what_is_named_twice_is_done_once() {
    let desk = Desk::start().await;
    let arguments = json!({
        "space": "Default",
        "projectName": "Parcel Tracking API",
        "releaseVersion": "1.12.0",
        "environmentNames": ["Staging", "environments-2", "STAGING"],
    });
    let (shown, sealed) = desk.call(Way::Rounds, "deploy_release", &arguments).await.asked();
    assert!(shown.starts_with("Deploy Parcel Tracking API 1.12.0 to Staging?"), "{shown}");
    let answer = desk.agree(Way::Rounds, "deploy_release", &arguments, &sealed).await.answered();
    assert_eq!(answer["deploymentsCreated"], 1);
    assert_eq!(
        desk.changes()[0].body.as_ref().unwrap()["EnvironmentNames"],
        json!(["Environments-2"])
    );
}

#[tokio::test]
async fn what_a_reader_would_not_see_is_shown() {
    let desk = Desk::start().await;
    let shown = words(
        &desk,
        "create_release",
        json!({
            "space": "Default",
            "projectName": "Parcel Tracking API",
            "releaseVersion": "1.13.0\u{200b}",
            "releaseNotes": "password=hunter2-hunter2",
        }),
    )
    .await;
    assert!(shown.contains("Version: 1.13.0\\u{200b}"), "{shown}");
    assert!(shown.contains("Notes: password=hunter2-hunter2"), "{shown}");
}
