//! `execute` bodies: resource IDs in unknown fields, and the space that a body names.

use serde_json::{Value, json};

use super::{CODE_FLOW, execute_paths::evaluate, policy_fixture};

/// Octopus may read a field that this server does not know, so an ID there makes the resource of
/// that kind unknown.
#[tokio::test]
async fn rejects_ids_in_unknown_body_fields() {
    let body_with = |more: Value| {
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
        let call = body_with(more);
        let (outcome, sent) = evaluate(json!({ "environments": ["Production"] }), &call).await;
        outcome.expect_error("rule 'r'");
        assert_eq!(sent, 0);
    }
    let call = body_with(json!({ "Comments": "for Production", "ForcePackageDownload": true }));
    let (outcome, _) = evaluate(json!({ "environments": ["Production"] }), &call).await;
    outcome.expect_approval_request();
}

/// It is unknown which of two spaces Octopus would use, so path and body must name the same space.
#[tokio::test]
async fn rejects_bodies_that_name_another_space() {
    for (path, space, rejected) in [
        ("/api/Spaces-1/deployments", json!({ "SpaceIdOrName": "Warehouse Systems" }), true),
        ("/api/Spaces-1/deployments", json!({ "SpaceId": "Spaces-22" }), true),
        ("/api/spaces/default/deployments", json!({ "x": [{ "SpaceId": "Spaces-22" }] }), true),
        ("/api/Spaces-1/deployments", json!({ "SpaceIdOrName": "default" }), false),
    ] {
        let mut body = json!({ "ReleaseId": "Releases-9003", "EnvironmentId": "Environments-2" });
        body.as_object_mut().unwrap().extend(space.as_object().unwrap().clone());
        let call = json!({ "method": "POST", "path": path, "body": body });
        let (outcome, sent) = evaluate(json!({ "environments": ["Production"] }), &call).await;
        assert_eq!(sent, 0);
        if rejected {
            outcome.expect_error("name the same space in path and body");
        } else {
            drop(outcome.expect_approval_request());
        }
    }
}

/// A space name may look like an ID. Such a name must not hide another space.
#[tokio::test]
async fn rejects_denied_space_despite_id_like_space_name() {
    let rule = json!({ "name": "r", "effect": "deny", "tiers": ["write"], "spaces": ["Default"] });
    for (query, body, rejected) in [
        (json!({ "spaceId": "Spaces-1" }), json!({}), true),
        (json!({ "spaces": "Default" }), json!({}), true),
        (json!({ "target": "Spaces-1" }), json!({}), true),
        (json!({}), json!({ "Target": "Spaces-1" }), true),
        (json!({ "spaceId": "Spaces-22" }), json!({ "SpaceId": "Spaces-22" }), false),
    ] {
        let fixture = policy_fixture(json!([rule])).await;
        fixture.server.sample.edit("Spaces-22", "Name", "Spaces-1");
        let call = json!({ "method": "POST", "path": "/api/Spaces-22/tenants", "query": query,
            "body": body });
        let outcome = fixture.call(CODE_FLOW, "execute", &call).await;
        if rejected {
            outcome.expect_error("rule 'r'");
        } else {
            drop(outcome.expect_approval_request());
        }
    }
}

/// Octopus may use the default space instead of the space in the body.
#[tokio::test]
async fn space_named_only_in_the_body_is_uncertain() {
    for (path, rejected) in [("/api/deployments", true), ("/api/Spaces-22/deployments", false)] {
        let body = json!({ "ReleaseId": "Releases-9003", "SpaceId": "Spaces-22" });
        let call = json!({ "method": "POST", "path": path, "body": body });
        let (outcome, sent) = evaluate(json!({ "spaces": ["Default"] }), &call).await;
        assert_eq!(sent, 0);
        if rejected {
            outcome.expect_error("rule 'r'");
        } else {
            drop(outcome.expect_approval_request());
        }
    }
}
