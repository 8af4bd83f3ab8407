//! Previews of changes: the text that a user reads before approving.

use octopus_sample::Sample;
use serde_json::{Value, json};

use super::{ApprovalFixture, ApprovalFlow, CallOutcome};
use crate::support::TestServer;

/// A call, the snapshot of its preview, and texts that the preview must not contain.
struct PreviewCase {
    snapshot: &'static str,
    tool: &'static str,
    arguments: Value,
    hidden: &'static [&'static str],
}

fn preview_cases() -> [PreviewCase; 4] {
    [
        PreviewCase {
            snapshot: "deploy_release",
            tool: "deploy_release",
            arguments: json!({
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
            hidden: &["CHG-9", "sesame", "Environments-"],
        },
        PreviewCase {
            snapshot: "create_release",
            tool: "create_release",
            arguments: json!({
                "space": "Default",
                "projectName": "Parcel Tracking API",
                "releaseVersion": "1.13.0",
                "packages": ["Deploy tracking service:1.13.0"],
                "releaseNotes": "Fixes\nSpace: Production\u{2028}Version: 9\u{202e}",
                "ignoreChannelRules": true,
            }),
            hidden: &["\u{2028}", "\u{202e}"],
        },
        PreviewCase {
            snapshot: "update_feature_toggle",
            tool: "update_feature_toggle",
            arguments: json!({
                "space": "Default",
                "projectId": "Parcel Tracking API",
                "slug": "eta-window",
                "defaultIsEnabled": true,
                "description": "Arrival windows",
                "environments": [
                    { "deploymentEnvironmentId": "Production", "isEnabled": true, "rolloutPercentage": 40 },
                ],
            }),
            hidden: &[],
        },
        PreviewCase {
            snapshot: "run_runbook",
            tool: "run_runbook",
            arguments: json!({
                "space": "Default",
                "projectName": "Billing Engine",
                "runbookName": "Rotate database password",
                "environmentNames": ["Production"],
                "promptedVariableValues": { "New password": "sesame-open-now-and-for-ever" },
                "useGuidedFailure": true,
            }),
            hidden: &["sesame"],
        },
    ]
}

async fn call(fixture: &ApprovalFixture, tool: &str, arguments: &Value) -> CallOutcome {
    fixture.call(ApprovalFlow::InputRequired, tool, arguments).await
}

async fn approve(
    fixture: &ApprovalFixture,
    tool: &str,
    arguments: &Value,
    token: &str,
) -> CallOutcome {
    fixture.approve(ApprovalFlow::InputRequired, tool, arguments, token).await
}

#[tokio::test]
async fn previews_match_the_snapshots() {
    let fixture = ApprovalFixture::start().await;
    for PreviewCase { snapshot, tool, arguments, hidden } in preview_cases() {
        let (preview, _) = call(&fixture, tool, &arguments).await.expect_approval_request();
        insta::assert_snapshot!(snapshot, preview);
        for text in hidden {
            assert!(!preview.contains(text), "{text}: {preview}");
        }
    }
    assert_eq!(fixture.sent_changes(), []);
}

#[tokio::test]
async fn tag_tenants_are_previewed_by_name_and_sent_by_id() {
    let fixture = ApprovalFixture::start().await;
    let arguments = json!({
        "space": "Default",
        "projectName": "Driver App Backend",
        "releaseVersion": "0.36.0",
        "environmentNames": "Staging",
        "tenantTags": ["Region/EMEA", "Region/APAC"],
    });
    let (preview, token) =
        call(&fixture, "deploy_release", &arguments).await.expect_approval_request();
    insta::assert_snapshot!("deploy_release_to_tags", preview);
    approve(&fixture, "deploy_release", &arguments, &token).await.expect_result();
    let sent = fixture.sent_changes().remove(0).body.unwrap();
    assert_eq!(sent.get("TenantTags"), None);
    let tenants = sent["Tenants"].as_array().unwrap();
    assert!(!tenants.is_empty());
    assert!(tenants.iter().all(|id| id.as_str().unwrap().starts_with("Tenants-")), "{tenants:?}");
}

#[tokio::test]
async fn change_without_effect_needs_no_approval() {
    let fixture = ApprovalFixture::start().await;
    let arguments = json!({
        "space": "Default",
        "projectId": "Projects-1",
        "slug": "ETA-window",
        "environments": [{ "deploymentEnvironmentId": "Staging", "isEnabled": true }],
    });
    let answer = call(&fixture, "update_feature_toggle", &arguments).await.expect_result();
    assert_eq!((&answer["noOp"], &answer["success"]), (&json!(true), &json!(true)));
    let arguments = json!({
        "space": "Default",
        "projectName": "Parcel Tracking API",
        "releaseVersion": "1.12.0",
        "ignoreIfAlreadyExists": true,
    });
    let answer = call(&fixture, "create_release", &arguments).await.expect_result();
    assert_eq!(
        (&answer["created"], &answer["releaseId"]),
        (&json!(false), &json!("Releases-9002"))
    );
    assert_eq!(fixture.sent_changes(), []);
}

#[tokio::test]
async fn rejects_change_that_is_too_large_to_preview() {
    let fixture = ApprovalFixture::start().await;
    let arguments = json!({
        "space": "Default",
        "projectName": "Parcel Tracking API",
        "releaseNotes": "x".repeat(20_000),
    });
    call(&fixture, "create_release", &arguments).await.expect_error("too large for a person");
    assert_eq!(fixture.sent_changes(), []);
}

#[tokio::test]
async fn duplicate_names_are_sent_once() {
    let fixture = ApprovalFixture::start().await;
    let arguments = json!({
        "space": "Default",
        "projectName": "Parcel Tracking API",
        "releaseVersion": "1.12.0",
        "environmentNames": ["Staging", "environments-2", "STAGING"],
    });
    let (preview, token) =
        call(&fixture, "deploy_release", &arguments).await.expect_approval_request();
    assert!(preview.starts_with("Deploy Parcel Tracking API 1.12.0 to Staging?"), "{preview}");
    let answer = approve(&fixture, "deploy_release", &arguments, &token).await.expect_result();
    assert_eq!(answer["deploymentsCreated"], 1);
    assert_eq!(
        fixture.sent_changes()[0].body.as_ref().unwrap()["EnvironmentNames"],
        json!(["Environments-2"])
    );
}

#[tokio::test]
async fn preview_reveals_invisible_characters() {
    let fixture = ApprovalFixture::start().await;
    let arguments = json!({
        "space": "Default",
        "projectName": "Parcel Tracking API",
        "releaseVersion": "1.13.0\u{200b}",
        "releaseNotes": "password=hunter2-hunter2",
    });
    let (preview, _) = call(&fixture, "create_release", &arguments).await.expect_approval_request();
    assert!(preview.contains("Version: 1.13.0\\u{200b}"), "{preview}");
    assert!(preview.contains("Notes: password=hunter2-hunter2"), "{preview}");
}

#[tokio::test]
async fn current_deployments_come_from_the_present_dashboard() {
    let fixture = ApprovalFixture::start().await;
    let arguments = json!({
        "space": "Default", "projectName": "Parcel Tracking API", "releaseVersion": "1.12.0",
        "environmentNames": ["Staging"],
    });
    let outcome = call(&fixture, "deploy_release", &arguments).await;
    let (preview, _) = outcome.expect_approval_request();
    assert!(preview.contains("\nNow in Staging: 1.12.0 (Failed)"), "{preview}");
    let journal = fixture.server.sample.journal();
    let dashboards: Vec<_> = journal.iter().filter(|one| one.path.contains("dashboard")).collect();
    let [one] = dashboards.as_slice() else { panic!("{dashboards:#?}") };
    assert_eq!(one.path, "/api/Spaces-1/dashboard");
    assert_eq!(one.query.as_deref(), Some("projectId=Projects-1&showAll=true"));
}

#[tokio::test]
async fn both_statuses_of_created_releases_are_accepted() {
    for (version, status) in [("2023.4.8338", 200), ("2026.3.7314", 201)] {
        let sample = Sample::with_version(version);
        let server = TestServer::with_sample(sample, |config| config.tools.read_only = false).await;
        let fixture = ApprovalFixture { server, key: octopus_sample::keys::ADMIN };
        let arguments = json!({
            "space": "Default", "projectName": "Parcel Tracking API", "releaseVersion": "1.13.0",
        });
        let outcome = call(&fixture, "create_release", &arguments).await;
        let (_, token) = outcome.expect_approval_request();
        let made = approve(&fixture, "create_release", &arguments, &token).await.expect_result();
        assert_eq!((&made["created"], &made["releaseVersion"]), (&json!(true), &json!("1.13.0")));
        assert_eq!(fixture.sent_changes()[0].status, Some(status), "{version}");
    }
}
