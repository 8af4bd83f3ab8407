//! Executions API v1: creates releases, deployments and runbook runs by name.

mod deploy;
mod lookup;
mod release;
mod run;

use super::super::database::Database;
use super::super::response::{ApiError, ApiResult};
use super::super::version::Feature;
use super::write_request::WriteRequest;

/// Answers `/releases/create/v1`, `/deployments/create/...` and `/runbook-runs/...`.
pub(super) fn answer(change: &WriteRequest<'_>, draft: &mut Database, path: &[&str]) -> ApiResult {
    change.call.require_feature(Feature::Executions)?;
    match path {
        ["releases", "create", "v1"] => release::create(change, draft),
        ["deployments", "create", "untenanted", "v1"] => deploy::untenanted(change, draft),
        ["deployments", "create", "tenanted", "v1"] => deploy::tenanted(change, draft),
        ["runbook-runs", "create", "v1"] => run::published(change, draft),
        ["runbook-runs", "git", "create", "v1"] => {
            change.call.require_feature(Feature::GitRunbooks)?;
            run::in_git(change, draft)
        }
        _ => Err(ApiError::NoRoute),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::Sample;
    use crate::test_client::{get, merged, reason, send};

    #[tokio::test]
    async fn creates_and_deploys_release_along_lifecycle() {
        let sample = Sample::new();
        let body = json!({ "ProjectName": "parcel-tracking-api", "ReleaseNotes": "By hand" });
        let (status, made) = send(&sample, "POST", "Spaces-1/releases/create/v1", body).await;
        let expected = json!({ "ReleaseId": "Releases-9025", "ReleaseVersion": "1.12.1" });
        assert_eq!((status, made), (201, expected));
        let release = get(&sample, "Spaces-1/projects/Projects-1/releases/1.12.1").await;
        assert_eq!(release["SelectedPackages"][0]["Version"], "1.12.0");
        assert_eq!(release["ReleaseNotes"], "By hand");

        let path = "spaces/Spaces-1/deployments/create/untenanted/v1";
        let body = json!({
            "ProjectName": "Parcel Tracking API", "ReleaseVersion": "1.12.1",
            "EnvironmentNames": ["Development", "Environments-4"], "RunAt": null,
        });
        let (status, rejected) = send(&sample, "POST", path, body.clone()).await;
        assert_eq!(status, 400, "{rejected}");
        let body = merged(body, json!({ "EnvironmentNames": ["development"] }));
        let (status, made) = send(&sample, "POST", path, body.clone()).await;
        let first =
            json!([{ "DeploymentId": "Deployments-9050", "ServerTaskId": "ServerTasks-90208" }]);
        assert_eq!((status, &made["DeploymentServerTasks"]), (200, &first));
        // The second task waits for the first.
        let (_, made) = send(&sample, "POST", path, body).await;
        assert_eq!(made["DeploymentServerTasks"][0]["ServerTaskId"], "ServerTasks-90209");
        let newest =
            get(&sample, "Spaces-1/tasks?project=Projects-1&states=Executing,Queued").await;
        let found: Vec<_> =
            newest["Items"].as_array().unwrap().iter().map(|t| &t["State"]).collect();
        assert_eq!(found, ["Queued", "Executing"]);
        let deployments = get(&sample, "Spaces-1/deployments?projects=Projects-1&take=1").await;
        assert_eq!(deployments["Items"][0]["Name"], "Deploy to Development");
        let details = get(&sample, "tasks/ServerTasks-90208/details").await;
        assert_eq!(details["ActivityLogs"][0]["Status"], "Running");
        let dashboard = get(&sample, "Spaces-1/dashboard?projectId=Projects-1").await;
        let items = dashboard["Items"].as_array().unwrap();
        assert!(items.iter().any(|item| item["DeploymentId"] == "Deployments-9051"));

        // A completed deployment opens the next phase.
        let state = json!({ "State": "Success", "Reason": "Looked at it" });
        assert_eq!(send(&sample, "POST", "tasks/ServerTasks-90208/state", state).await.0, 200);
        let template = get(&sample, "Spaces-1/releases/Releases-9025/deployments/template").await;
        let open: Vec<_> =
            template["PromoteTo"].as_array().unwrap().iter().map(|e| &e["Name"]).collect();
        assert_eq!(open, ["Development", "Test", "Staging"]);
        assert_eq!(
            send(&sample, "POST", "tasks/ServerTasks-90209/cancel", json!(null)).await.1["State"],
            "Canceled"
        );
    }

    #[tokio::test]
    async fn rejects_invalid_releases() {
        let sample = Sample::new();
        let rows = [
            (json!({}), "'Project Name' must not be empty."),
            (json!({ "ProjectName": "Nothing" }), "The project 'Nothing' was not found."),
            (json!({ "ProjectName": "Legacy Rates Calculator" }), "is disabled"),
            (
                json!({ "ProjectName": "Projects-1", "ReleaseVersion": "1.12.0" }),
                "1.12.0 already exists",
            ),
            (json!({ "ProjectName": "Projects-1", "ChannelName": "None" }), "The channel 'None'"),
            (
                json!({ "ProjectName": "Projects-1", "ChannelName": "Hotfix" }),
                "rules of the channel",
            ),
            (
                json!({ "ProjectName": "Projects-1", "Packages": ["Smoke test:1.0"] }),
                "matches no step",
            ),
            (
                json!({ "ProjectName": "Projects-1", "ReleaseVersion": "one two" }),
                "not a valid version",
            ),
            (json!({ "ProjectName": "Route Planner" }), "a GitRef or a GitCommit is required"),
            (json!({ "ProjectName": "Route Planner", "GitRef": "gone" }), "reference 'gone'"),
        ];
        for (body, part) in rows {
            let (status, rejected) =
                send(&sample, "POST", "Spaces-1/releases/create/v1", body.clone()).await;
            assert_eq!(status, 400, "{body}");
            assert!(reason(&rejected).contains(part), "{body} {rejected}");
        }
        let rows = [
            json!({ "ProjectName": "Projects-1", "ReleaseVersion": "1.12.0", "IgnoreIfAlreadyExists": true }),
            json!({ "ProjectName": "Projects-1", "ChannelName": "hotfix", "PackageVersion": "1.12.1-hotfix.1" }),
            json!({ "ProjectName": "Route Planner", "GitRef": "refs/heads/feature/electric-vans" }),
        ];
        for body in rows {
            let (status, made) = send(&sample, "POST", "Spaces-1/releases/create/v1", body).await;
            assert!(status < 300, "{made}");
        }
        let release = get(&sample, "Spaces-1/projects/Projects-2/releases?take=1").await;
        let reference = &release["Items"][0]["VersionControlReference"];
        assert_eq!(reference["GitRef"], "refs/heads/feature/electric-vans");
        let former = Sample::with_version("2023.4.1");
        let body = json!({ "ProjectName": "Projects-1" });
        assert_eq!(send(&former, "POST", "Spaces-1/releases/create/v1", body).await.0, 200);
        let old = Sample::with_version("2022.3.5511");
        assert_eq!(send(&old, "POST", "Spaces-1/releases/create/v1", json!({})).await.0, 404);
    }

    #[tokio::test]
    async fn validates_prompts_freezes_and_names_first() {
        let sample = Sample::new();
        let path = "Spaces-1/deployments/create/untenanted/v1";
        let billing = json!({
            "ProjectName": "Billing Engine", "ReleaseVersion": "5.7.0",
            "EnvironmentNames": ["Production"],
        });
        let ticket = json!({ "Variables": { "change.ticket": "CW-1201" } });
        let rows = [
            (json!({}), "prevented by the deployment freezes: Month-end close"),
            (
                json!({ "EnvironmentNames": ["Staging"] }),
                "required for the variable 'Change.Ticket'",
            ),
            (json!({ "EnvironmentNames": ["Moon"] }), "The environment 'Moon' was not found"),
            (json!({ "ReleaseVersion": "9.9" }), "version '9.9' was not found"),
            (
                json!({ "ProjectName": "Route Planner", "ReleaseVersion": "2.6.0" }),
                "only be deployed to tenants",
            ),
            (
                merged(
                    ticket.clone(),
                    json!({ "EnvironmentNames": ["Staging"], "SkipStepNames": ["x"] }),
                ),
                "step 'x'",
            ),
            (
                merged(ticket.clone(), json!({ "EnvironmentNames": ["Staging"], "RunAt": "soon" })),
                "not valid for RunAt",
            ),
        ];
        for (other, part) in rows {
            let body = merged(billing.clone(), other);
            let (status, rejected) = send(&sample, "POST", path, body.clone()).await;
            assert_eq!(status, 400, "{body}");
            assert!(reason(&rejected).contains(part), "{body} {rejected}");
        }
        let lifted = json!({
            "DeploymentFreezeNames": ["Month-end close"], "DeploymentFreezeOverrideReason": "Broken",
            "RunAt": "2026-11-02T18:00:00Z",
        });
        let body = merged(merged(billing, ticket), lifted);
        let (status, made) = send(&sample, "POST", path, body).await;
        assert_eq!(status, 200, "{made}");
        let id = made["DeploymentServerTasks"][0]["DeploymentId"].as_str().unwrap();
        let deployment = get(&sample, &format!("Spaces-1/deployments/{id}")).await;
        assert_eq!(deployment["QueueTime"], "2026-11-02T18:00:00.000+00:00");
        assert_eq!(deployment["FormValues"].as_object().unwrap().len(), 1);
        let form =
            get(&sample, "Spaces-1/releases/Releases-9007/deployments/preview/Environments-3")
                .await;
        let elements = form["Form"]["Elements"].as_array().unwrap();
        let kinds: Vec<_> = elements
            .iter()
            .map(|e| (e["IsValueRequired"].as_bool(), e["Control"]["IsSecure"].as_bool()))
            .collect();
        assert_eq!(kinds, [(Some(true), Some(false)), (Some(false), Some(true))]);
    }

    #[tokio::test]
    async fn empty_lists_succeed_and_create_nothing() {
        let sample = Sample::new();
        let rows = [
            (
                "untenanted",
                json!({ "ProjectName": "Projects-1", "ReleaseVersion": "1.12.0", "EnvironmentNames": [] }),
            ),
            (
                "tenanted",
                json!({ "ProjectName": "Projects-2", "ReleaseVersion": "2.6.0", "EnvironmentName": "Production" }),
            ),
        ];
        for (form, body) in rows {
            let path = format!("Spaces-1/deployments/create/{form}/v1");
            let expected = json!({ "DeploymentServerTasks": [] });
            assert_eq!(send(&sample, "POST", &path, body).await, (200, expected));
        }
        let body = json!({
            "ProjectName": "Projects-1", "RunbookName": "Runbooks-1", "EnvironmentNames": [],
        });
        let made = send(&sample, "POST", "Spaces-1/runbook-runs/create/v1", body).await;
        assert_eq!(made, (200, json!({ "RunbookRunServerTasks": [] })));
    }

    #[tokio::test]
    async fn rejects_skipped_required_steps_and_invalid_values() {
        let sample = Sample::new();
        let path = "Spaces-1/deployments/create/untenanted/v1";
        let tracking = json!({
            "ProjectName": "Projects-1", "ReleaseVersion": "1.11.7",
            "EnvironmentNames": ["Production"],
        });
        let billing = json!({
            "ProjectName": "Projects-5", "ReleaseVersion": "5.7.0",
            "EnvironmentNames": ["Staging"], "Variables": { "Change.Ticket": "CW-1" },
            "SkipStepNames": ["Migrate ledger database"],
        });
        let value = |name: &str, value: &str| {
            merged(tracking.clone(), json!({ "Variables": { name: value } }))
        };
        let rows = [
            (billing, "'Migrate ledger database' is required"),
            (value("Deploy.Ring", "late"), "not valid for the variable 'Deploy.Ring'"),
            (value("Deploy.DryRun", "yes"), "not valid for the variable 'Deploy.DryRun'"),
        ];
        for (body, part) in rows {
            let (status, rejected) = send(&sample, "POST", path, body.clone()).await;
            assert_eq!(status, 400, "{body}");
            assert!(reason(&rejected).contains(part), "{body} {rejected}");
        }
    }

    #[tokio::test]
    async fn finds_tenants_by_name_and_tag() {
        let sample = Sample::new();
        let path = "Spaces-1/deployments/create/tenanted/v1";
        let planner = json!({
            "ProjectName": "Route Planner", "ReleaseVersion": "2.6.0", "EnvironmentName": "Production",
        });
        let rows = [
            (json!({ "Tenants": ["Quayside Depots"] }), "is disabled"),
            (json!({ "Tenants": ["Tidewater Cold Chain"] }), "is not connected"),
            (json!({ "Tenants": ["Ironbark Haulage"] }), "lifecycle does not allow it yet"),
            (json!({ "TenantTags": ["Region/Moon"] }), "tag 'Region/Moon' was not found"),
            (
                json!({ "ProjectName": "Billing Engine", "ReleaseVersion": "5.7.0", "Tenants": ["Tenants-1"] }),
                "can not be deployed to tenants",
            ),
        ];
        for (other, part) in rows {
            let body = merged(planner.clone(), other);
            let (status, rejected) = send(&sample, "POST", path, body.clone()).await;
            assert_eq!(status, 400, "{body}");
            assert!(reason(&rejected).contains(part), "{body} {rejected}");
        }
        let tags = json!({ "Tenants": ["hollis freight"], "TenantTags": ["Region/AMER", "Tier/Silver", "Tier/Bronze"] });
        let (status, made) = send(&sample, "POST", path, merged(planner, tags)).await;
        assert_eq!(status, 200, "{made}");
        let mut tenants = Vec::new();
        for task in made["DeploymentServerTasks"].as_array().unwrap() {
            let path = format!("Spaces-1/deployments/{}", task["DeploymentId"].as_str().unwrap());
            tenants.push(get(&sample, &path).await["TenantId"].as_str().unwrap().to_owned());
        }
        assert_eq!(tenants, ["Tenants-2", "Tenants-10", "Tenants-7"]);
    }
}
