//! Two approvals of one call send one change; an equal call later is another change.

use octopus_mcp::config::Config;
use serde_json::{Value, json};

use super::{APPROVAL_FLOWS, ApprovalFixture, ApprovalFlow, write_calls};
use crate::support::Era;

/// Enables the audit log, so that each preview has its own audit ID, also in release notes.
fn enable_audit(config: &mut Config, folder: &tempfile::TempDir) {
    config.audit.file.path = Some(folder.path().join("audit.jsonl"));
}

#[tokio::test]
async fn concurrent_approvals_of_equal_calls_send_one_change() {
    for flow in APPROVAL_FLOWS {
        for (tool, arguments, ..) in write_calls() {
            let folder = tempfile::tempdir().unwrap();
            let fixture = ApprovalFixture::with(|config| enable_audit(config, &folder)).await;
            let (_, one) = fixture.call(flow, tool, &arguments).await.expect_approval_request();
            let (_, two) = fixture.call(flow, tool, &arguments).await.expect_approval_request();
            assert_ne!(one, two, "two approval requests");
            let approve = |token| fixture.approve(flow, tool, &arguments, token);
            let (first, second) = tokio::join!(approve(&one), approve(&two));
            assert_eq!(fixture.sent_changes().len(), 1, "{tool} was sent twice, {flow:?}");
            let (first, second) = (first.expect_result(), second.expect_result());
            let repeated = [&first, &second].map(|answer| answer["repeated"] == true);
            assert!(repeated[0] != repeated[1], "{tool}: {first} {second}");
            for key in ["releaseId", "deploymentTasks", "slug", "runbookRunTasks", "response"] {
                assert_eq!(first.get(key), second.get(key), "{tool}");
            }
        }
    }
}

/// The second approval arrives after the change. Its preview is outdated, and it gets the first
/// result.
#[tokio::test]
async fn later_approval_returns_the_outcome_of_the_first() {
    for flow in APPROVAL_FLOWS {
        for (tool, arguments, ..) in write_calls() {
            let fixture = ApprovalFixture::start().await;
            let (_, one) = fixture.call(flow, tool, &arguments).await.expect_approval_request();
            let (_, two) = fixture.call(flow, tool, &arguments).await.expect_approval_request();
            fixture.approve(flow, tool, &arguments, &two).await.expect_result();
            for token in [&one, &two] {
                let again = fixture.approve(flow, tool, &arguments, token).await.expect_result();
                assert_eq!(again["repeated"], true, "{tool}");
            }
            assert_eq!(fixture.sent_changes().len(), 1, "{tool} was sent twice, {flow:?}");
        }
    }
}

/// Names and IDs of the same resources identify the same change.
#[tokio::test]
async fn equal_change_with_different_names_and_ids_is_sent_once() {
    let (fixture, flow) = (ApprovalFixture::start().await, ApprovalFlow::ConfirmCode(Era::Modern));
    let call = |space: &str, environment: &str| -> Value {
        json!({ "space": space, "projectName": "Parcel Tracking API", "releaseVersion": "1.12.0",
            "environmentNames": [environment] })
    };
    let (first, second) = (call("Default", "Staging"), call("Spaces-1", "Environments-2"));
    let (_, first_code) =
        fixture.call(flow, "deploy_release", &first).await.expect_approval_request();
    let (_, second_code) =
        fixture.call(flow, "deploy_release", &second).await.expect_approval_request();
    let (one, two) = tokio::join!(
        fixture.approve(flow, "deploy_release", &first, &first_code),
        fixture.approve(flow, "deploy_release", &second, &second_code),
    );
    assert_eq!(one.expect_result()["deploymentTasks"], two.expect_result()["deploymentTasks"]);
    assert_eq!(fixture.sent_changes().len(), 1);
}

#[tokio::test]
async fn sequential_equal_calls_are_separate_changes() {
    let rename = json!({ "method": "PUT", "path": "/api/Spaces-1/tenants/Tenants-5",
        "body": { "Id": "Tenants-5", "Name": "Renamed", "SpaceId": "Spaces-1" } });
    let deploy = json!({ "space": "Default", "projectName": "Parcel Tracking API",
        "releaseVersion": "1.12.0", "environmentNames": ["Development"] });
    for flow in APPROVAL_FLOWS {
        for (tool, arguments) in [("execute", &rename), ("deploy_release", &deploy)] {
            let fixture = ApprovalFixture::start().await;
            for count in 1..=3 {
                let (_, token) =
                    fixture.call(flow, tool, arguments).await.expect_approval_request();
                let answer = fixture.approve(flow, tool, arguments, &token).await.expect_result();
                assert_eq!(answer.get("repeated"), None, "{tool}");
                assert_eq!(fixture.sent_changes().len(), count, "{tool}, {flow:?}");
            }
        }
    }
}

/// Different idempotency keys request two equal changes.
#[tokio::test]
async fn different_idempotency_keys_are_separate_changes() {
    let (fixture, flow) = (ApprovalFixture::start().await, ApprovalFlow::ConfirmCode(Era::Modern));
    let call = |key: &str| -> Value {
        json!({ "method": "POST", "path": "/api/Spaces-1/deployments/create/untenanted/v1",
            "idempotencyKey": key, "body": { "SpaceId": "Spaces-1", "SpaceIdOrName": "Spaces-1",
                "ProjectName": "Projects-1", "ReleaseVersion": "1.12.0",
                "EnvironmentNames": ["Environments-1"] } })
    };
    let (first, second) = (call("one"), call("two"));
    let (_, one) = fixture.call(flow, "execute", &first).await.expect_approval_request();
    let (_, two) = fixture.call(flow, "execute", &second).await.expect_approval_request();
    fixture.approve(flow, "execute", &first, &one).await.expect_result();
    fixture.approve(flow, "execute", &second, &two).await.expect_result();
    assert_eq!(fixture.sent_changes().len(), 2);
}
