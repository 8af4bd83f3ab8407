//! What a body of `execute` names where it is not read, and which space it names.

use serde_json::{Value, json};

use super::paths::came;

/// A place that Octopus may read and this server does not makes its kind unknown.
#[tokio::test]
async fn a_place_in_an_unread_part_of_a_body_is_not_passed_over() {
    let made = |more: Value| {
        let mut body = json!({ "ReleaseId": "Releases-9003", "EnvironmentId": "Environments-2" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "method": "POST", "path": "/api/Spaces-1/deployments", "body": body })
    };
    for more in [
        json!({ "EnvironmentIds": [["Environments-3"]] }),
        json!({ "Deployment": { "EnvironmentId": "Environments-3" } }),
        json!({ "TargetEnvironment": "Production" }),
        json!({ "Targets": [{ "Where": "Environments-3" }] }),
        json!({ "Environments-3": true }),
        json!({ "Again": { "TaskId": "ServerTasks-90008" } }),
    ] {
        let call = made(more);
        let (refusal, sent) = came(json!({ "environments": ["Production"] }), &call).await;
        refusal.refused("rule 'r'");
        assert_eq!(sent, 0);
    }
    let call = made(json!({ "Comments": "for Production", "ForcePackageDownload": true }));
    let (came, _) = came(json!({ "environments": ["Production"] }), &call).await;
    came.asked();
}

/// Which of two spaces counts is unknown, so one is named.
#[tokio::test]
async fn a_body_that_names_another_space_than_the_path_is_refused() {
    for (path, space, refused) in [
        ("/api/Spaces-1/deployments", json!({ "SpaceIdOrName": "Warehouse Systems" }), true),
        ("/api/Spaces-1/deployments", json!({ "SpaceId": "Spaces-22" }), true),
        ("/api/spaces/default/deployments", json!({ "x": [{ "SpaceId": "Spaces-22" }] }), true),
        ("/api/Spaces-1/deployments", json!({ "SpaceIdOrName": "default" }), false),
    ] {
        let mut body = json!({ "ReleaseId": "Releases-9003", "EnvironmentId": "Environments-2" });
        body.as_object_mut().unwrap().extend(space.as_object().unwrap().clone());
        let call = json!({ "method": "POST", "path": path, "body": body });
        let (came, sent) = came(json!({ "environments": ["Production"] }), &call).await;
        assert_eq!(sent, 0);
        if refused { came.refused("name one space") } else { drop(came.asked()) }
    }
}
