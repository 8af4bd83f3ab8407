//! `execute` calls are evaluated by the targets of path and body, or denied if the targets are
//! unknown.

use serde_json::{Value, json};

use super::{CODE_FLOW, policy_fixture};
use crate::approval::CallOutcome;

pub(super) async fn evaluate(rule: Value, call: &Value) -> (CallOutcome, usize) {
    let mut rule = rule;
    (rule["name"], rule["effect"]) = (json!("r"), json!("deny"));
    let fixture = policy_fixture(json!([rule])).await;
    let outcome = fixture.call(CODE_FLOW, "execute", call).await;
    (outcome, fixture.sent_changes().len())
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "the test cases are one table")]
async fn paths_are_evaluated_by_their_target() {
    let production = json!({ "environments": ["Production"] });
    let staging = json!({ "environments": ["Staging"] });
    let parcel = json!({ "projects": ["Parcel Tracking API"] });
    let body = |body: Value| Some(body);
    for (method, path, body, rule, rejected) in [
        // A task resolves to its deployment, and the deployment to environment, project and tenant.
        ("POST", "/api/Spaces-1/tasks/ServerTasks-90008/cancel", None, production.clone(), true),
        ("POST", "/api/tasks/ServerTasks-90008/cancel", None, production.clone(), true),
        ("POST", "/api/Spaces-1/tasks/ServerTasks-90008/cancel", None, staging.clone(), false),
        (
            "POST",
            "/api/Spaces-1/tasks/ServerTasks-90008/cancel",
            None,
            json!({ "tenants": ["Brightwater*"] }),
            true,
        ),
        (
            "POST",
            "/api/Spaces-1/tasks/ServerTasks-90008/cancel",
            None,
            json!({ "tenants": ["Hollis*"] }),
            false,
        ),
        (
            "POST",
            "/api/Spaces-1/interruptions/Interruptions-9008/submit",
            body(json!({})),
            production.clone(),
            true,
        ),
        (
            "POST",
            "/api/Spaces-1/interruptions/Interruptions-9008/submit",
            body(json!({})),
            staging.clone(),
            false,
        ),
        // The body of a create request names the target, in any letter case.
        (
            "POST",
            "/api/Spaces-1/deployments",
            body(json!({ "ReleaseId": "Releases-9003", "EnvironmentId": "Environments-3" })),
            production.clone(),
            true,
        ),
        (
            "POST",
            "/api/Spaces-1/deployments",
            body(json!({ "ReleaseId": "Releases-9003", "environmentid": "Environments-3" })),
            production.clone(),
            true,
        ),
        (
            "POST",
            "/api/Spaces-1/deployments",
            body(
                json!({ "ReleaseId": "Releases-9003", "EnvironmentId": "Environments-2", "ENVIRONMENTID": "Environments-3" }),
            ),
            production.clone(),
            true,
        ),
        (
            "POST",
            "/api/Spaces-1/deployments",
            body(json!({ "ReleaseId": "Releases-9003", "EnvironmentId": "Environments-2" })),
            production.clone(),
            false,
        ),
        (
            "POST",
            "/api/spaces/default/Deployments",
            body(json!({ "ReleaseId": "Releases-9003", "EnvironmentId": "production" })),
            production.clone(),
            true,
        ),
        (
            "POST",
            "/api/Spaces-1/deployments/create/untenanted/v1",
            body(
                json!({ "ProjectName": "Parcel Tracking API", "EnvironmentNames": ["Staging", "Production"] }),
            ),
            production.clone(),
            true,
        ),
        (
            "POST",
            "/api/Spaces-1/deployments/create/untenanted/v1",
            body(json!({ "ProjectName": "Parcel Tracking API", "EnvironmentNames": ["Staging"] })),
            production.clone(),
            false,
        ),
        (
            "POST",
            "/api/Spaces-1/releases",
            body(json!({ "ProjectId": "Projects-1", "Version": "9.9.9" })),
            parcel.clone(),
            true,
        ),
        (
            "POST",
            "/api/Spaces-1/releases",
            body(json!({ "ProjectId": "Projects-2", "Version": "9.9.9" })),
            parcel.clone(),
            false,
        ),
        // A new release is deployed automatically to the environments that the project's lifecycles
        // name.
        (
            "POST",
            "/api/Spaces-1/releases",
            body(json!({ "ProjectId": "Projects-1", "Version": "9.9.9" })),
            production.clone(),
            false,
        ),
        (
            "POST",
            "/api/Spaces-1/releases",
            body(json!({ "ProjectId": "Projects-1", "Version": "9.9.9" })),
            json!({ "environments": ["Development"] }),
            true,
        ),
        (
            "POST",
            "/api/Spaces-1/releases",
            body(json!({ "ProjectId": "Projects-1", "Version": "9.9.9" })),
            json!({ "risks": ["medium"] }),
            true,
        ),
        // The resource itself, by its ID or slug.
        (
            "PUT",
            "/api/Spaces-1/projects/parcel-tracking-api",
            body(json!({ "Name": "x" })),
            parcel.clone(),
            true,
        ),
        (
            "PUT",
            "/api/Spaces-1/projects/Projects-2",
            body(json!({ "Name": "x" })),
            parcel.clone(),
            false,
        ),
        (
            "PUT",
            "/api/Spaces-1/environments/Environments-2",
            body(json!({ "Name": "x" })),
            production.clone(),
            false,
        ),
        (
            "DELETE",
            "/api/Spaces-1/tenants/Tenants-5",
            None,
            json!({ "risks": ["destructive"] }),
            true,
        ),
        (
            "DELETE",
            "/api/Spaces-1/tenants/Tenants-5",
            None,
            json!({ "tenant_tags": ["Region/APAC"] }),
            true,
        ),
        (
            "DELETE",
            "/api/Spaces-1/tenants/Tenants-5",
            None,
            json!({ "tenant_tags": ["Region/EMEA"] }),
            false,
        ),
        (
            "DELETE",
            "/api/Spaces-1/tenants/Tenants-5",
            None,
            json!({ "spaces": ["Warehouse*"] }),
            false,
        ),
    ] {
        let mut call = json!({ "method": method, "path": path });
        if let Some(body) = body {
            call["body"] = body;
        }
        let (outcome, sent) = evaluate(rule.clone(), &call).await;
        let message = format!("{call} {rule}: {outcome:?}");
        assert_eq!(
            matches!(&outcome, CallOutcome::Failed(words) if words.contains("rule 'r'")),
            rejected,
            "{message}"
        );
        assert_eq!(matches!(outcome, CallOutcome::ApprovalRequired { .. }), !rejected, "{message}");
        assert_eq!(sent, 0);
    }
}

#[tokio::test]
async fn unknown_targets_match_denying_rules() {
    for (method, path, body) in [
        // Variables apply to all environments or to some.
        ("PUT", "/api/Spaces-1/variables/variableset-Projects-1", json!({ "Variables": [] })),
        ("PUT", "/api/Spaces-1/projects/Projects-1", json!({ "Name": "x" })),
        ("POST", "/api/Spaces-1/deployments", json!({ "ReleaseId": "Releases-9003" })),
        ("POST", "/api/Spaces-1/deployments", json!({ "EnvironmentId": "Environments-999" })),
        ("POST", "/api/Spaces-1/tasks", json!({ "Name": "Health", "Arguments": {} })),
    ] {
        let call = json!({ "method": method, "path": path, "body": body });
        let (outcome, _) = evaluate(json!({ "environments": ["Production"] }), &call).await;
        outcome.expect_error("`environments` could not be determined");
        // Unknown targets have high risk.
        let (outcome, _) = evaluate(json!({ "risks": ["high"] }), &call).await;
        outcome.expect_error("rule 'r'");
        // A rule without a condition on the unknown value does not deny.
        let (outcome, sent) = evaluate(json!({ "tools": ["deploy_release"] }), &call).await;
        outcome.expect_approval_request();
        assert_eq!(sent, 0);
    }
}

/// Octopus ignores additional body fields next to the resource of the path, so they must not
/// determine its target.
#[tokio::test]
async fn body_fields_do_not_determine_the_path_target() {
    let decoy = json!({ "ProjectId": "Projects-2", "EnvironmentId": "Environments-1" });
    for (method, path, body) in [
        ("POST", "/api/Spaces-1/tasks/ServerTasks-999999/cancel", decoy.clone()),
        (
            "POST",
            "/api/Spaces-1/tasks",
            json!({ "Name": "Health", "ProjectId": "Projects-2", "EnvironmentId": "Environments-1",
                "Arguments": { "MachineIds": ["Machines-999999"] } }),
        ),
    ] {
        let call = json!({ "method": method, "path": path, "body": body });
        let (outcome, sent) = evaluate(json!({ "environments": ["Production"] }), &call).await;
        outcome.expect_error("`environments` could not be determined");
        assert_eq!(sent, 0);
    }
}

#[tokio::test]
async fn machines_in_bodies_resolve_to_environments() {
    // Machines-14 is in Production only.
    let call = json!({ "method": "POST", "path": "/api/Spaces-1/tasks", "body": {
        "Name": "Health", "Arguments": { "MachineIds": ["Machines-14"] } } });
    let (outcome, _) = evaluate(json!({ "environments": ["Production"] }), &call).await;
    outcome.expect_error("rule 'r' of this server denies this call");
    // The project of the change is unknown.
    let (outcome, _) = evaluate(json!({ "projects": ["Route Planner"] }), &call).await;
    outcome.expect_error("`projects` could not be determined");
}
