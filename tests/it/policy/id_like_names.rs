//! The evaluated resource is the resource of the request, for all names and for each precedence of
//! IDs, names and slugs in Octopus.

use octopus_sample::{Precedence, keys};
use serde_json::{Value, json};

use super::{CODE_FLOW, policy_fixture};
use crate::approval::{ApprovalFixture, CallOutcome};

const PRECEDENCES: [Precedence; 3] = [Precedence::Ids, Precedence::Names, Precedence::Slugs];
pub(super) const AMBIGUOUS_MESSAGE: &str = "matches more than one";

fn deny_rule(matcher: &str, pattern: &str) -> Value {
    json!([{ "name": "closed", "effect": "deny", matcher: [pattern] }])
}

/// Starts a server with this rule in front of an Octopus with this precedence.
async fn fixture_with_precedence(precedence: Precedence, rule: Value) -> ApprovalFixture {
    let fixture = policy_fixture(rule).await;
    let _ = fixture.server.sample.clone().with_precedence(precedence);
    fixture
}

/// Reads a document directly from the sample instance.
async fn get_document(fixture: &ApprovalFixture, path: &str) -> Value {
    let octopus = crate::support::serve(fixture.server.sample.router());
    let url = format!("http://{}/api/Spaces-1/{path}", octopus.address);
    let request = fixture.server.http.get(url).header("x-octopus-apikey", keys::ADMIN);
    crate::support::send(request).await.json()
}

/// Calls a tool, approves the change, and returns the preview, the answer and the body that was
/// sent.
async fn approve_and_capture(
    fixture: &ApprovalFixture,
    tool: &str,
    arguments: &Value,
) -> (String, Value, Value) {
    let (preview, token) = fixture.call(CODE_FLOW, tool, arguments).await.expect_approval_request();
    let answer = fixture.approve(CODE_FLOW, tool, arguments, &token).await.expect_result();
    let mut sent = fixture.sent_changes();
    assert_eq!(sent.len(), 1, "{tool}");
    (preview, answer, sent.remove(0).body.unwrap())
}

pub(super) fn deploy_parcel(environment: &str) -> Value {
    json!({ "space": "Default", "projectName": "Parcel Tracking API", "releaseVersion": "1.11.7",
        "environmentNames": [environment] })
}

fn deploy_driver(environment: &str, tenant: &str) -> Value {
    json!({ "space": "Spaces-1", "projectName": "Driver App Backend", "releaseVersion": "0.36.0",
        "environmentNames": [environment], "tenants": [tenant] })
}

pub(super) fn restart_runbook(environment: &str) -> Value {
    json!({ "space": "Default", "projectName": "Parcel Tracking API",
        "runbookName": "restart-tracking-workers", "environmentNames": [environment] })
}

fn export_runbook(environment: &str) -> Value {
    json!({ "space": "Default", "projectName": "Route Planner", "runbookName": "export-fleet-plans",
        "gitRef": "main", "environmentNames": [environment],
        "promptedVariableValues": { "Depot.Code": "D07" } })
}

/// Returns all calls that target an environment, with the body key that names it and the location
/// of the environment in the created document.
fn calls_to_environment(
    environment: &str,
) -> Vec<(&'static str, Value, &'static str, &'static str, &'static str)> {
    let (deployment, run) = ("/deploymentTasks/0/deploymentId", "/runbookRunTasks/0/runbookRunId");
    vec![
        (
            "deploy_release",
            deploy_parcel(environment),
            "EnvironmentNames",
            deployment,
            "deployments",
        ),
        (
            "deploy_release",
            deploy_driver(environment, "Tenants-1"),
            "EnvironmentName",
            deployment,
            "deployments",
        ),
        ("run_runbook", restart_runbook(environment), "EnvironmentNames", run, "runbookRuns"),
        ("run_runbook", export_runbook(environment), "EnvironmentNames", run, "runbookRuns"),
    ]
}

#[tokio::test]
async fn environment_named_like_denied_id_is_sent_by_id() {
    for precedence in PRECEDENCES {
        for (matcher, pattern) in
            [("environments", "production"), ("environment_tags", "stage/live")]
        {
            for (tool, arguments, key, created, collection) in
                calls_to_environment("Environments-2")
            {
                let fixture =
                    fixture_with_precedence(precedence, deny_rule(matcher, pattern)).await;
                fixture.server.sample.edit("Environments-2", "Name", "Environments-3");
                let (preview, answer, body) = approve_and_capture(&fixture, tool, &arguments).await;
                let sent = [&body[key], &body[key][0]];
                assert!(sent.contains(&&json!("Environments-2")), "{precedence:?} {tool}: {body}");
                assert!(preview.contains("Environments-3 (Environments-2)"), "{preview}");
                let id = answer.pointer(created).unwrap().as_str().unwrap();
                let created = get_document(&fixture, &format!("{collection}/{id}")).await;
                assert_eq!(created["EnvironmentId"], "Environments-2", "{precedence:?} {tool}");
            }
            // The ID of the denied environment always selects that environment, so it is rejected.
            for (tool, arguments, ..) in calls_to_environment("Environments-3") {
                let fixture =
                    fixture_with_precedence(precedence, deny_rule(matcher, pattern)).await;
                fixture.server.sample.edit("Environments-2", "Name", "Environments-3");
                let outcome = fixture.call(CODE_FLOW, tool, &arguments).await;
                outcome.expect_error("Environments-3 (Environments-2)");
                assert_eq!(fixture.sent_changes(), [], "{precedence:?} {tool}");
            }
        }
        // Selection by ID: the rule also matches by name.
        for (tool, arguments, ..) in calls_to_environment("Environments-2") {
            let fixture =
                fixture_with_precedence(precedence, deny_rule("environments", "Environments-3"))
                    .await;
            fixture.server.sample.edit("Environments-2", "Name", "Environments-3");
            fixture.call(CODE_FLOW, tool, &arguments).await.expect_error("rule 'closed'");
            assert_eq!(fixture.sent_changes(), [], "{precedence:?} {tool}");
        }
    }
}

/// The reverse case: the denied environment is named like the ID of an allowed one.
#[tokio::test]
async fn rejects_denied_environment_with_id_like_name() {
    let rule = || deny_rule("environment_tags", "stage/live");
    for precedence in PRECEDENCES {
        for (key, value) in [("Name", "Environments-2"), ("Slug", "environments-2")] {
            for (tool, arguments, ..) in calls_to_environment("Environments-2") {
                let fixture = fixture_with_precedence(precedence, rule()).await;
                fixture.server.sample.edit("Environments-3", key, value);
                let outcome = fixture.call(CODE_FLOW, tool, &arguments).await;
                let CallOutcome::Failed(message) = &outcome else {
                    panic!("{precedence:?} {tool}: {outcome:?}")
                };
                for part in [AMBIGUOUS_MESSAGE, "(Environments-2)", "(Environments-3)"] {
                    assert!(message.contains(part), "{message}");
                }
                assert_eq!(fixture.sent_changes(), [], "{precedence:?} {tool}");
            }
            // The caller writes the body of `execute`, so the meaning of the name in it is unknown.
            let fixture = fixture_with_precedence(precedence, rule()).await;
            fixture.server.sample.edit("Environments-3", key, value);
            let arguments = json!({ "method": "POST",
                "path": "/api/Spaces-1/deployments/create/untenanted/v1",
                "body": { "SpaceId": "Spaces-1", "ProjectName": "Projects-1",
                    "ReleaseVersion": "1.12.0", "EnvironmentNames": ["Environments-2"] } });
            fixture.call(CODE_FLOW, "execute", &arguments).await.expect_error("rule 'closed'");
            assert_eq!(fixture.sent_changes(), [], "{precedence:?}");
        }
    }
}

#[tokio::test]
async fn project_named_like_denied_id_is_changed_by_itself() {
    let create = json!({ "space": "Default", "projectName": "Projects-6",
        "releaseVersion": "1.5.0" });
    for precedence in PRECEDENCES {
        let fixture =
            fixture_with_precedence(precedence, deny_rule("projects", "parcel-tracking-api")).await;
        fixture.server.sample.edit("Projects-6", "Name", "Projects-1");
        let (preview, answer, body) =
            approve_and_capture(&fixture, "create_release", &create).await;
        assert_eq!(body["ProjectName"], "Projects-6");
        assert!(preview.contains("Projects-1 (Projects-6)"), "{preview}");
        let id = answer["releaseId"].as_str().unwrap();
        let created = get_document(&fixture, &format!("releases/{id}")).await;
        assert_eq!(created["ProjectId"], "Projects-6", "{precedence:?}");

        for (tool, mut arguments) in [
            ("deploy_release", deploy_parcel("Staging")),
            ("run_runbook", restart_runbook("Staging")),
        ] {
            let fixture =
                fixture_with_precedence(precedence, deny_rule("projects", "billing-engine")).await;
            fixture.server.sample.edit("Projects-1", "Name", "Projects-5");
            arguments["projectName"] = json!("Projects-1");
            let (.., body) = approve_and_capture(&fixture, tool, &arguments).await;
            assert_eq!(body["ProjectName"], "Projects-1", "{precedence:?} {tool}");
        }
        let fixture =
            fixture_with_precedence(precedence, deny_rule("projects", "billing-engine")).await;
        fixture.server.sample.edit("Projects-5", "Name", "Projects-1");
        for (tool, mut arguments) in [
            ("deploy_release", deploy_parcel("Staging")),
            ("run_runbook", restart_runbook("Staging")),
            ("create_release", create.clone()),
        ] {
            arguments["projectName"] = json!("Projects-1");
            fixture.call(CODE_FLOW, tool, &arguments).await.expect_error(AMBIGUOUS_MESSAGE);
        }
        assert_eq!(fixture.sent_changes(), []);
    }
}

/// A star selects all tenants.
#[tokio::test]
async fn tenant_with_unusual_name_is_resolved_correctly() {
    for precedence in PRECEDENCES {
        for name in ["Tenants-2", "*"] {
            let fixture =
                fixture_with_precedence(precedence, deny_rule("tenants", "hollis-freight")).await;
            fixture.server.sample.edit("Tenants-1", "Name", name);
            let arguments = deploy_driver("Staging", "Tenants-1");
            let (_, answer, body) =
                approve_and_capture(&fixture, "deploy_release", &arguments).await;
            assert_eq!(body["Tenants"], json!(["Tenants-1"]), "{precedence:?}");
            assert_eq!(answer["deploymentsCreated"], 1, "{name}");
            let id = answer["deploymentTasks"][0]["deploymentId"].as_str().unwrap();
            let created = get_document(&fixture, &format!("deployments/{id}")).await;
            assert_eq!(created["TenantId"], "Tenants-1", "{precedence:?}");
        }
        let fixture =
            fixture_with_precedence(precedence, deny_rule("tenants", "hollis-freight")).await;
        fixture.server.sample.edit("Tenants-2", "Name", "Tenants-1");
        let arguments = deploy_driver("Staging", "Tenants-1");
        fixture.call(CODE_FLOW, "deploy_release", &arguments).await.expect_error(AMBIGUOUS_MESSAGE);
    }
}

#[tokio::test]
async fn channel_and_toggle_are_sent_by_id() {
    for precedence in PRECEDENCES {
        let fixture = fixture_with_precedence(precedence, json!([])).await;
        fixture.server.sample.edit("Channels-1", "Name", "Channels-101");
        let arguments = json!({ "space": "Default", "projectName": "Projects-1",
            "releaseVersion": "1.13.0", "channelName": "Channels-1" });
        let (_, answer, body) = approve_and_capture(&fixture, "create_release", &arguments).await;
        assert_eq!(body["ChannelName"], "Channels-1");
        let id = answer["releaseId"].as_str().unwrap();
        let created = get_document(&fixture, &format!("releases/{id}")).await;
        assert_eq!(created["ChannelId"], "Channels-1", "{precedence:?}");
    }
    let fixture =
        fixture_with_precedence(Precedence::Names, deny_rule("environment_tags", "stage/live"))
            .await;
    let path = "projects/Projects-1/featuretoggles/eta-window";
    let production = |toggle: &Value| {
        let mut all = toggle["Environments"].as_array().unwrap().iter();
        all.find(|entry| entry["DeploymentEnvironmentId"] == "Environments-3").cloned()
    };
    let before = production(&get_document(&fixture, path).await).unwrap();
    fixture.server.sample.edit("Environments-2", "Name", "Environments-3");
    let toggle = |environment: &str| {
        json!({ "space": "Default", "projectId": "Projects-1", "slug": "eta-window",
            "environments": [{ "deploymentEnvironmentId": environment, "rolloutPercentage": 7 }] })
    };
    let arguments = toggle("Environments-3");
    fixture
        .call(CODE_FLOW, "update_feature_toggle", &arguments)
        .await
        .expect_error(AMBIGUOUS_MESSAGE);
    let arguments = toggle("Environments-2");
    let (preview, _, body) =
        approve_and_capture(&fixture, "update_feature_toggle", &arguments).await;
    assert!(preview.contains("In Environments-3 (Environments-2), rollout %"), "{preview}");
    assert_eq!(production(&body), Some(before));
}
