//! Tests of changes, permissions and the journal.

use serde_json::json;

use super::test_client::{get, reason, send, send_as};
use super::*;

#[tokio::test]
async fn changes_affect_one_instance_only() {
    let (one, other) = (Sample::new(), Sample::new());
    let body = json!({ "Name": "Sandbox", "Description": "Play here" });
    let (status, made) = send(&one, "POST", "Spaces-1/environments", body.clone()).await;
    assert_eq!((status, made["Id"].as_str()), (201, Some("Environments-23")));
    let path = "Spaces-1/environments/Environments-23";
    assert_eq!(get(&one, path).await["Slug"], "sandbox");
    assert_eq!(send(&other, "GET", path, json!(null)).await.0, 404);
    let (status, rejected) = send(&one, "POST", "Spaces-1/environments", body).await;
    assert_eq!(status, 400);
    assert!(reason(&rejected).contains("already in use"), "{rejected}");

    let mut changed = get(&one, path).await;
    changed["Name"] = json!("Playground");
    assert_eq!(send(&one, "PUT", path, changed).await.0, 200);
    assert_eq!(get(&one, path).await["Name"], "Playground");
    assert_eq!(send(&one, "DELETE", path, json!(null)).await.0, 200);
    assert_eq!(send(&one, "GET", path, json!(null)).await.0, 404);
    assert_eq!(send(&one, "DELETE", path, json!(null)).await.0, 404);

    let changes = one.changes();
    let outcomes: Vec<_> =
        changes.iter().map(|entry| (entry.method.as_str(), entry.status)).collect();
    let expected = [
        ("POST", Some(201)),
        ("POST", Some(400)),
        ("PUT", Some(200)),
        ("DELETE", Some(200)),
        ("DELETE", Some(404)),
    ];
    assert_eq!(outcomes, expected);
    assert_eq!(changes[0].body.as_ref().map(|body| &body["Name"]), Some(&json!("Sandbox")));
    assert_eq!(changes[3].body, None);
    assert!(other.changes().is_empty());
}

#[tokio::test]
async fn view_only_users_cannot_write() {
    let sample = Sample::new();
    let deploy = json!({
        "ProjectName": "Label Printing Service", "ReleaseVersion": "1.4.0",
        "EnvironmentNames": ["Staging"],
    });
    let rows = [
        ("POST", "deployments/create/untenanted/v1", deploy, "DeploymentCreate"),
        ("POST", "releases/create/v1", json!({}), "ReleaseCreate"),
        ("POST", "runbook-runs/create/v1", json!({}), "RunbookRunCreate"),
        ("POST", "tasks/ServerTasks-90008/cancel", json!(null), "TaskCancel"),
        ("PUT", "projects/Projects-1/featuretoggles/eta-window", json!({}), "FeatureToggleEdit"),
        ("DELETE", "tenants/Tenants-1", json!(null), "TenantDelete"),
    ];
    for (method, path, body, permission) in rows {
        let path = format!("Spaces-1/{path}");
        let (status, body) = send_as(&sample, keys::VIEW_ONLY, method, &path, body).await;
        assert_eq!(status, 403, "{path} {body}");
        let message = body["ErrorMessage"].as_str().unwrap_or_default();
        assert!(message.ends_with(&format!("Missing permission: {permission}")), "{message}");
    }
    let path = "Spaces-1/projects/Projects-1/featuretoggles";
    assert_eq!(send_as(&sample, keys::VIEW_ONLY, "GET", path, json!(null)).await.0, 200);
}

#[tokio::test]
async fn deleting_a_project_deletes_its_resources() {
    let sample = Sample::new();
    assert_eq!(send(&sample, "DELETE", "Spaces-1/projects/Projects-6", json!(null)).await.0, 200);
    for path in ["projects/label-printing-service", "releases/Releases-9008", "channels/Channels-6"]
    {
        assert_eq!(send(&sample, "GET", &format!("Spaces-1/{path}"), json!(null)).await.0, 404);
    }
    let path = "Spaces-1/projectgroups/ProjectGroups-2";
    assert_eq!(send(&sample, "DELETE", path, json!(null)).await.0, 400);
    let body = json!({
        "Name": "Fleet Health", "ProjectGroupId": "ProjectGroups-2", "LifecycleId": "Lifecycles-9",
    });
    let (status, rejected) = send(&sample, "POST", "Spaces-1/projects", body).await;
    assert_eq!((status, reason(&rejected)), (400, "The resource 'Lifecycles-9' was not found."));
    assert_eq!(send(&sample, "PATCH", "Spaces-1/projects", json!({})).await.0, 405);
}

#[tokio::test]
async fn strict_mode_refuses_unknown_parameters_and_fields() {
    let sample = Sample::with_version("2023.4.8600");
    let release = json!({
        "SpaceId": "Spaces-1", "SpaceIdOrName": "Spaces-1", "ProjectName": "Projects-1",
        "ReleaseVersion": "9.9.9", "CustomFields": {},
    });
    let rows = [
        ("GET", "tasks?tenantTag=Region/EMEA", json!(null), "unknown parameter 'tenantTag'"),
        ("GET", "tasks?take=many", json!(null), "'many' is not an integer"),
        ("POST", "releases/create/v1", release, "unknown field 'CustomFields'"),
    ];
    for (method, path, body, _) in &rows[..2] {
        let path = format!("Spaces-1/{path}");
        assert_eq!(send(&sample, method, &path, body.clone()).await.0, 200, "{path}");
    }
    sample.refuse_unknown(true);
    for (method, path, body, expected) in rows {
        let path = format!("Spaces-1/{path}");
        let (status, answer) = send(&sample, method, &path, body).await;
        assert_eq!(status, 400, "{path} {answer}");
        assert!(reason(&answer).contains(expected), "{path} {answer}");
    }
    let tenant = get(&sample, "Spaces-1/tenants/Tenants-5").await;
    let path = "Spaces-1/tenants/Tenants-5";
    assert_eq!(send(&sample, "PUT", path, tenant).await.0, 200, "a resource as it was read");
    let newest = Sample::new();
    newest.refuse_unknown(true);
    let path = "Spaces-1/tasks?tenantTag=Region/EMEA";
    assert_eq!(send(&newest, "GET", path, json!(null)).await.0, 200, "2026.3 has the parameter");
    let between = Sample::with_version("2025.1.1");
    between.refuse_unknown(true);
    assert_eq!(send(&between, "GET", path, json!(null)).await.0, 200, "2025.1 can have it");
}
