//! Calls that send each optional parameter at least once.

use serde_json::{Value, json};

/// Returns calls with the filters of each tool, in addition to the sample calls of the tools.
#[expect(clippy::too_many_lines, reason = "a table")]
pub fn filtered_calls() -> Vec<(&'static str, Value)> {
    vec![
        ("list_spaces", json!({ "partialName": "e", "skip": 0, "take": 5 })),
        ("list_environments", json!({ "space": "Default", "partialName": "prod", "take": 5 })),
        ("list_projects", json!({ "space": "Default", "partialName": "plan", "take": 5 })),
        (
            "list_deployments",
            json!({
                "space": "Default", "projects": ["Parcel Tracking API"],
                "environments": ["Production"], "channels": ["Channels-1"], "taskState": "Success",
                "take": 3,
            }),
        ),
        ("list_deployments", json!({ "space": "Default", "tenants": ["Tenants-6"] })),
        (
            "get_latest_deployment",
            json!({
                "space": "Default", "projectId": "Parcel Tracking API",
                "environmentId": "Production", "taskState": "Success",
            }),
        ),
        (
            "list_releases_for_project",
            json!({ "space": "Default", "projectId": "Route Planner", "searchByVersion": "2" }),
        ),
        (
            "get_deployment_process",
            json!({ "space": "Default", "projectId": "Parcel Tracking API" }),
        ),
        ("get_variables", json!({ "space": "Default", "projectId": "Parcel Tracking API" })),
        (
            "find_runbooks",
            json!({ "space": "Default", "projectId": "Parcel Tracking API", "partialName": "re" }),
        ),
        ("find_runbooks", json!({ "space": "Default" })),
        ("find_runbooks", json!({ "space": "Default", "runbookId": "Runbooks-1" })),
        (
            "list_tenants",
            json!({
                "space": "Default", "projectId": "Driver App Backend", "tags": ["Region/EMEA"],
                "partialName": "a",
            }),
        ),
        ("list_tenants", json!({ "space": "Default", "ids": ["Tenants-1", "Tenants-2"] })),
        (
            "get_tenant_variables",
            json!({ "space": "Default", "tenantId": "Tenants-1", "variableType": "project" }),
        ),
        (
            "get_missing_tenant_variables",
            json!({
                "space": "Default", "tenantId": "Tenants-6", "projectId": "Driver App Backend",
                "environmentId": "Staging",
            }),
        ),
        (
            "find_deployment_targets",
            json!({
                "space": "Default", "partialName": "a", "isDisabled": false,
                "healthStatuses": ["Healthy", "Unknown"], "commStyles": ["TentaclePassive"],
                "roles": ["tracking-web"], "environmentIds": ["Production"],
                "tenantIds": ["Tenants-1"], "tenantTags": ["Region/EMEA"], "shellNames": ["Bash"],
                "deploymentTargetTypes": ["TentaclePassive"],
            }),
        ),
        ("find_deployment_targets", json!({ "space": "Default", "name": "any" })),
        ("find_deployment_targets", json!({ "space": "Default", "ids": ["Machines-1"] })),
        ("find_deployment_targets", json!({ "space": "Default", "targetId": "Machines-1" })),
        (
            "find_deployment_targets",
            json!({ "space": "Default", "thumbprint": "0000000000000000000000000000000000000000" }),
        ),
        (
            "find_certificates",
            json!({
                "space": "Default", "search": "a", "archived": true, "tenant": "Tenants-1",
                "orderBy": "Created", "partialName": "a",
            }),
        ),
        ("find_certificates", json!({ "space": "Default", "certificateId": "Certificates-1" })),
        (
            "find_accounts",
            json!({ "space": "Default", "partialName": "a", "accountType": "UsernamePassword" }),
        ),
        ("find_accounts", json!({ "space": "Default", "accountId": "Accounts-2" })),
        (
            "find_interruptions",
            json!({ "space": "Default", "pendingOnly": true, "regarding": "ServerTasks-90008" }),
        ),
        ("find_interruptions", json!({ "space": "Default", "assignedToMe": true })),
        (
            "find_interruptions",
            json!({ "space": "Default", "interruptionId": "Interruptions-9008" }),
        ),
        (
            "find_events",
            json!({
                "space": "Default", "regardingAny": ["Projects-1"], "regarding": ["Projects-1"],
                "users": ["Users-41"], "projects": ["Projects-1"],
                "projectGroups": ["ProjectGroups-1"], "environments": ["Environments-3"],
                "tenants": ["Tenants-1"], "tags": ["Region/EMEA"],
                "eventCategories": ["DeploymentFailed"], "eventGroups": ["Deployment"],
                "eventAgents": ["Server"], "documentTypes": ["Deployments"],
                "from": "2026-10-01T00:00:00Z", "to": "2026-11-01T00:00:00Z",
                "excludeDifference": true, "includeInternalEvents": true, "take": 3,
            }),
        ),
        ("find_events", json!({ "space": "Default", "eventId": "Events-80001" })),
        ("find_events", json!({ "space": "Default", "mode": "listCategories" })),
        ("find_events", json!({ "space": "Default", "mode": "listGroups" })),
        ("find_events", json!({ "space": "Default", "mode": "listAgents" })),
        ("find_events", json!({ "space": "Default", "mode": "listDocumentTypes" })),
        ("get_task_details", json!({ "space": "Default", "taskId": "ServerTasks-90008" })),
        (
            "explain_access",
            json!({
                "tool": "run_runbook", "spaceName": "Default", "project": "Parcel Tracking API",
                "environment": "Production", "tenant": "Hollis Freight",
            }),
        ),
    ]
}

/// Returns filtered calls that need a feature of newer versions.
pub fn filtered_calls_of_new_features() -> Vec<(&'static str, Value)> {
    vec![
        (
            "get_kubernetes_live_status",
            json!({
                "space": "Default", "projectId": "Driver App Backend",
                "environmentId": "Production", "tenantId": "Tenants-1", "summaryOnly": true,
            }),
        ),
        (
            "find_feature_toggles",
            json!({
                "space": "Default", "projectId": "Projects-1", "partialName": "e",
                "environmentIds": ["Production"], "take": 5,
            }),
        ),
        (
            "find_runbooks",
            json!({
                "space": "Default", "projectId": "Route Planner", "gitRef": "main",
                "partialName": "re",
            }),
        ),
    ]
}
