//! A valid call of each write tool, for tests that apply to all of them.

use serde_json::{Value, json};

/// Returns a call of each write tool: the tool, its arguments, the method and path that it sends,
/// and a part of the body.
pub fn write_calls() -> Vec<(&'static str, Value, &'static str, Value)> {
    vec![
        (
            "create_release",
            json!({ "space": "Default", "projectName": "parcel tracking api", "releaseVersion": "1.13.0", "releaseNotes": "One\nTwo" }),
            "POST /api/Spaces-1/releases/create/v1",
            json!({ "ProjectName": "Projects-1", "ReleaseVersion": "1.13.0", "ChannelName": "Channels-1", "ReleaseNotes": "One\nTwo" }),
        ),
        (
            "deploy_release",
            json!({ "space": "Default", "projectName": "Parcel Tracking API", "releaseVersion": "1.12.0", "environmentNames": ["development", "Staging"] }),
            "POST /api/Spaces-1/deployments/create/untenanted/v1",
            json!({ "ProjectName": "Projects-1", "ReleaseVersion": "1.12.0", "EnvironmentNames": ["Environments-1", "Environments-2"] }),
        ),
        (
            "deploy_release",
            json!({ "space": "Spaces-1", "projectName": "Driver App Backend", "releaseVersion": "0.36.0", "environmentNames": ["Staging"], "tenants": ["Tenants-1"] }),
            "POST /api/Spaces-1/deployments/create/tenanted/v1",
            json!({ "EnvironmentName": "Environments-2", "Tenants": ["Tenants-1"] }),
        ),
        (
            "update_feature_toggle",
            json!({ "space": "Default", "projectId": "Parcel Tracking API", "slug": "eta-window", "environments": [{ "deploymentEnvironmentId": "Production", "isEnabled": true, "rolloutPercentage": 30 }] }),
            "PUT /api/Spaces-1/projects/Projects-1/featuretoggles",
            json!({ "Slug": "eta-window", "Description": "Adds an arrival window to tracking results" }),
        ),
        (
            "run_runbook",
            json!({ "space": "Default", "projectName": "Parcel Tracking API", "runbookName": "restart-tracking-workers", "environmentNames": ["Staging", "Production"] }),
            "POST /api/Spaces-1/runbook-runs/create/v1",
            json!({ "RunbookName": "Restart tracking workers", "ProjectName": "Projects-1", "Snapshot": "RunbookSnapshots-2", "EnvironmentNames": ["Environments-2", "Environments-3"] }),
        ),
        (
            "run_runbook",
            json!({ "space": "Default", "projectName": "Route Planner", "runbookName": "export-fleet-plans", "gitRef": "main", "environmentNames": ["Staging"], "promptedVariableValues": { "Depot.Code": "D07" } }),
            "POST /api/Spaces-1/runbook-runs/git/create/v1",
            json!({ "GitRef": "refs/heads/main", "Variables": { "Depot.Code": "D07" } }),
        ),
        (
            "execute",
            json!({ "method": "POST", "path": "/api/Spaces-1/tasks/ServerTasks-90009/cancel" }),
            "POST /api/Spaces-1/tasks/ServerTasks-90009/cancel",
            json!({}),
        ),
        (
            "execute",
            json!({ "method": "PUT", "path": "/api/spaces/Spaces-1/tenants/Tenants-5", "body": { "Id": "Tenants-5", "Name": "Renamed", "SpaceId": "Spaces-1" } }),
            "PUT /api/spaces/Spaces-1/tenants/Tenants-5",
            json!({ "Name": "Renamed" }),
        ),
    ]
}
