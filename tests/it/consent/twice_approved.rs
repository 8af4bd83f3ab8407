//! Two approvals of one and the same call are one change; an equal call later is another one.

use octopus_mcp::config::Config;
use serde_json::{Value, json};

use super::{Desk, WAYS, Way, changes};
use crate::support::Era;

/// An audit, so that each question has an ID, and the notes of a release hold it.
fn audited(config: &mut Config, folder: &tempfile::TempDir) {
    config.audit.file.path = Some(folder.path().join("audit.jsonl"));
}

#[tokio::test]
async fn two_approvals_at_one_moment_are_one_change() {
    for way in WAYS {
        for (tool, arguments, ..) in changes() {
            let folder = tempfile::tempdir().unwrap();
            let desk = Desk::with(|config| audited(config, &folder)).await;
            let (_, one) = desk.call(way, tool, &arguments).await.asked();
            let (_, two) = desk.call(way, tool, &arguments).await.asked();
            assert_ne!(one, two, "two questions");
            let agree = |sealed| desk.agree(way, tool, &arguments, sealed);
            let (first, second) = tokio::join!(agree(&one), agree(&two));
            assert_eq!(desk.changes().len(), 1, "{tool} was sent twice, {way:?}");
            let (first, second) = (first.answered(), second.answered());
            let repeated = [&first, &second].map(|answer| answer["repeated"] == true);
            assert!(repeated[0] != repeated[1], "{tool}: {first} {second}");
            for key in ["releaseId", "deploymentTasks", "slug", "runbookRunTasks", "response"] {
                assert_eq!(first.get(key), second.get(key), "{tool}");
            }
        }
    }
}

/// The second approval comes when the change is made already: what it showed is no more, and the
/// answer is that of the first.
#[tokio::test]
async fn approval_after_the_change_gets_its_outcome() {
    for way in WAYS {
        for (tool, arguments, ..) in changes() {
            let desk = Desk::start().await;
            let (_, one) = desk.call(way, tool, &arguments).await.asked();
            let (_, two) = desk.call(way, tool, &arguments).await.asked();
            desk.agree(way, tool, &arguments, &two).await.answered();
            for sealed in [&one, &two] {
                let again = desk.agree(way, tool, &arguments, sealed).await.answered();
                assert_eq!(again["repeated"], true, "{tool}");
            }
            assert_eq!(desk.changes().len(), 1, "{tool} was sent twice, {way:?}");
        }
    }
}

/// The same change in other words is the same change.
#[tokio::test]
async fn one_change_in_two_spellings_is_made_once() {
    let (desk, way) = (Desk::start().await, Way::Code(Era::Modern));
    let call = |space: &str, environment: &str| -> Value {
        json!({ "space": space, "projectName": "Parcel Tracking API", "releaseVersion": "1.12.0",
            "environmentNames": [environment] })
    };
    let (first, second) = (call("Default", "Staging"), call("Spaces-1", "Environments-2"));
    let (_, one) = desk.call(way, "deploy_release", &first).await.asked();
    let (_, two) = desk.call(way, "deploy_release", &second).await.asked();
    let (one, two) = tokio::join!(
        desk.agree(way, "deploy_release", &first, &one),
        desk.agree(way, "deploy_release", &second, &two),
    );
    assert_eq!(one.answered()["deploymentTasks"], two.answered()["deploymentTasks"]);
    assert_eq!(desk.changes().len(), 1);
}

#[tokio::test]
async fn equal_calls_one_after_the_other_are_two_changes() {
    let rename = json!({ "method": "PUT", "path": "/api/Spaces-1/tenants/Tenants-5",
        "body": { "Id": "Tenants-5", "Name": "Renamed", "SpaceId": "Spaces-1" } });
    let deploy = json!({ "space": "Default", "projectName": "Parcel Tracking API",
        "releaseVersion": "1.12.0", "environmentNames": ["Development"] });
    for way in WAYS {
        for (tool, arguments) in [("execute", &rename), ("deploy_release", &deploy)] {
            let desk = Desk::start().await;
            for count in 1..=3 {
                let (_, sealed) = desk.call(way, tool, arguments).await.asked();
                let answer = desk.agree(way, tool, arguments, &sealed).await.answered();
                assert_eq!(answer.get("repeated"), None, "{tool}");
                assert_eq!(desk.changes().len(), count, "{tool}, {way:?}");
            }
        }
    }
}

/// Two keys of the caller say that two equal changes are wanted.
#[tokio::test]
async fn two_keys_of_the_caller_are_two_changes() {
    let (desk, way) = (Desk::start().await, Way::Code(Era::Modern));
    let call = |key: &str| -> Value {
        json!({ "method": "POST", "path": "/api/Spaces-1/deployments/create/untenanted/v1",
            "idempotencyKey": key, "body": { "SpaceId": "Spaces-1", "SpaceIdOrName": "Spaces-1",
                "ProjectName": "Projects-1", "ReleaseVersion": "1.12.0",
                "EnvironmentNames": ["Environments-1"] } })
    };
    let (first, second) = (call("one"), call("two"));
    let (_, one) = desk.call(way, "execute", &first).await.asked();
    let (_, two) = desk.call(way, "execute", &second).await.asked();
    desk.agree(way, "execute", &first, &one).await.answered();
    desk.agree(way, "execute", &second, &two).await.answered();
    assert_eq!(desk.changes().len(), 2);
}
