//! Two approvals of one call send one change; an equal call later is another change.

use octopus_mcp::config::Config;
use serde_json::{Value, json};

use super::{Desk, WAYS, Way, changes};
use crate::support::Era;

/// Enables the audit log, so that each preview has its own audit ID, also in release notes.
fn audited(config: &mut Config, folder: &tempfile::TempDir) {
    config.audit.file.path = Some(folder.path().join("audit.jsonl"));
}

#[tokio::test]
async fn two_approvals_at_one_moment_are_one_change() {
    for flow in WAYS {
        for (tool, arguments, ..) in changes() {
            let folder = tempfile::tempdir().unwrap();
            let fixture = Desk::with(|config| audited(config, &folder)).await;
            let (_, one) = fixture.call(flow, tool, &arguments).await.asked();
            let (_, two) = fixture.call(flow, tool, &arguments).await.asked();
            assert_ne!(one, two, "two approval requests");
            let agree = |token| fixture.agree(flow, tool, &arguments, token);
            let (first, second) = tokio::join!(agree(&one), agree(&two));
            assert_eq!(fixture.changes().len(), 1, "{tool} was sent twice, {flow:?}");
            let (first, second) = (first.answered(), second.answered());
            let repeated = [&first, &second].map(|answer| answer["repeated"] == true);
            assert!(repeated[0] != repeated[1], "{tool}: {first} {second}");
            for key in ["releaseId", "deploymentTasks", "slug", "runbookRunTasks", "response"] {
                assert_eq!(first.get(key), second.get(key), "{tool}");
            }
        }
    }
}

/// The second approval arrives after the change. Its preview is outdated, and it gets the first result.
#[tokio::test]
async fn approval_after_the_change_gets_its_outcome() {
    for flow in WAYS {
        for (tool, arguments, ..) in changes() {
            let fixture = Desk::start().await;
            let (_, one) = fixture.call(flow, tool, &arguments).await.asked();
            let (_, two) = fixture.call(flow, tool, &arguments).await.asked();
            fixture.agree(flow, tool, &arguments, &two).await.answered();
            for token in [&one, &two] {
                let again = fixture.agree(flow, tool, &arguments, token).await.answered();
                assert_eq!(again["repeated"], true, "{tool}");
            }
            assert_eq!(fixture.changes().len(), 1, "{tool} was sent twice, {flow:?}");
        }
    }
}

/// Names and IDs of the same resources identify the same change.
#[tokio::test]
async fn one_change_in_two_spellings_is_made_once() {
    let (fixture, flow) = (Desk::start().await, Way::Code(Era::Modern));
    let call = |space: &str, environment: &str| -> Value {
        json!({ "space": space, "projectName": "Parcel Tracking API", "releaseVersion": "1.12.0",
            "environmentNames": [environment] })
    };
    let (first, second) = (call("Default", "Staging"), call("Spaces-1", "Environments-2"));
    let (_, one) = fixture.call(flow, "deploy_release", &first).await.asked();
    let (_, two) = fixture.call(flow, "deploy_release", &second).await.asked();
    let (one, two) = tokio::join!(
        fixture.agree(flow, "deploy_release", &first, &one),
        fixture.agree(flow, "deploy_release", &second, &two),
    );
    assert_eq!(one.answered()["deploymentTasks"], two.answered()["deploymentTasks"]);
    assert_eq!(fixture.changes().len(), 1);
}

#[tokio::test]
async fn equal_calls_one_after_the_other_are_two_changes() {
    let rename = json!({ "method": "PUT", "path": "/api/Spaces-1/tenants/Tenants-5",
        "body": { "Id": "Tenants-5", "Name": "Renamed", "SpaceId": "Spaces-1" } });
    let deploy = json!({ "space": "Default", "projectName": "Parcel Tracking API",
        "releaseVersion": "1.12.0", "environmentNames": ["Development"] });
    for flow in WAYS {
        for (tool, arguments) in [("execute", &rename), ("deploy_release", &deploy)] {
            let fixture = Desk::start().await;
            for count in 1..=3 {
                let (_, token) = fixture.call(flow, tool, arguments).await.asked();
                let answer = fixture.agree(flow, tool, arguments, &token).await.answered();
                assert_eq!(answer.get("repeated"), None, "{tool}");
                assert_eq!(fixture.changes().len(), count, "{tool}, {flow:?}");
            }
        }
    }
}

/// Different idempotency keys request two equal changes.
#[tokio::test]
async fn two_keys_of_the_caller_are_two_changes() {
    let (fixture, flow) = (Desk::start().await, Way::Code(Era::Modern));
    let call = |key: &str| -> Value {
        json!({ "method": "POST", "path": "/api/Spaces-1/deployments/create/untenanted/v1",
            "idempotencyKey": key, "body": { "SpaceId": "Spaces-1", "SpaceIdOrName": "Spaces-1",
                "ProjectName": "Projects-1", "ReleaseVersion": "1.12.0",
                "EnvironmentNames": ["Environments-1"] } })
    };
    let (first, second) = (call("one"), call("two"));
    let (_, one) = fixture.call(flow, "execute", &first).await.asked();
    let (_, two) = fixture.call(flow, "execute", &second).await.asked();
    fixture.agree(flow, "execute", &first, &one).await.answered();
    fixture.agree(flow, "execute", &second, &two).await.answered();
    assert_eq!(fixture.changes().len(), 2);
}
