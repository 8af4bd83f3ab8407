//! What was judged is what is sent, whatever people name things, and whatever Octopus compares
//! first: IDs, names or slugs.

use octopus_sample::{Precedence, keys};
use serde_json::{Value, json};

use super::{CODE, desk};
use crate::consent::{Came, Desk};

const ORDERS: [Precedence; 3] = [Precedence::Ids, Precedence::Names, Precedence::Slugs];
pub(super) const CONFUSABLE: &str = "stands for more than one";

fn denied(matcher: &str, pattern: &str) -> Value {
    json!([{ "name": "closed", "effect": "deny", matcher: [pattern] }])
}

/// A server with this rule before an Octopus that compares in this order.
async fn at(order: Precedence, rule: Value) -> Desk {
    let desk = desk(rule).await;
    let _ = desk.server.sample.clone().with_precedence(order);
    desk
}

/// A document of the sample, read beside the server.
async fn document(desk: &Desk, path: &str) -> Value {
    let octopus = crate::support::serve(desk.server.sample.router());
    let url = format!("http://{}/api/Spaces-1/{path}", octopus.address);
    let request = desk.server.http.get(url).header("x-octopus-apikey", keys::ADMIN);
    crate::support::reply(request).await.json()
}

/// Asks, agrees, and gives the question, the answer and the body that was sent.
async fn done(desk: &Desk, tool: &str, arguments: &Value) -> (String, Value, Value) {
    let (words, sealed) = desk.call(CODE, tool, arguments).await.asked();
    let answer = desk.agree(CODE, tool, arguments, &sealed).await.answered();
    let mut sent = desk.changes();
    assert_eq!(sent.len(), 1, "{tool}");
    (words, answer, sent.remove(0).body.unwrap())
}

pub(super) fn parcel(environment: &str) -> Value {
    json!({ "space": "Default", "projectName": "Parcel Tracking API", "releaseVersion": "1.11.7",
        "environmentNames": [environment] })
}

fn driver(environment: &str, tenant: &str) -> Value {
    json!({ "space": "Spaces-1", "projectName": "Driver App Backend", "releaseVersion": "0.36.0",
        "environmentNames": [environment], "tenants": [tenant] })
}

pub(super) fn restart(environment: &str) -> Value {
    json!({ "space": "Default", "projectName": "Parcel Tracking API",
        "runbookName": "restart-tracking-workers", "environmentNames": [environment] })
}

fn export(environment: &str) -> Value {
    json!({ "space": "Default", "projectName": "Route Planner", "runbookName": "export-fleet-plans",
        "gitRef": "main", "environmentNames": [environment],
        "promptedVariableValues": { "Depot.Code": "D07" } })
}

/// Everything that goes to an environment, with the key of the body that names it, and where what
/// was made says where it went.
fn to_environment(
    environment: &str,
) -> Vec<(&'static str, Value, &'static str, &'static str, &'static str)> {
    let (deployment, run) = ("/deploymentTasks/0/deploymentId", "/runbookRunTasks/0/runbookRunId");
    vec![
        ("deploy_release", parcel(environment), "EnvironmentNames", deployment, "deployments"),
        (
            "deploy_release",
            driver(environment, "Tenants-1"),
            "EnvironmentName",
            deployment,
            "deployments",
        ),
        ("run_runbook", restart(environment), "EnvironmentNames", run, "runbookRuns"),
        ("run_runbook", export(environment), "EnvironmentNames", run, "runbookRuns"),
    ]
}

#[tokio::test]
async fn environment_named_like_a_denied_id_is_reached_itself_or_not_at_all() {
    for order in ORDERS {
        for (matcher, pattern) in
            [("environments", "production"), ("environment_tags", "stage/live")]
        {
            for (tool, arguments, key, made, collection) in to_environment("Environments-2") {
                let desk = at(order, denied(matcher, pattern)).await;
                desk.server.sample.edit("Environments-2", "Name", "Environments-3");
                let (words, answer, body) = done(&desk, tool, &arguments).await;
                let sent = [&body[key], &body[key][0]];
                assert!(sent.contains(&&json!("Environments-2")), "{order:?} {tool}: {body}");
                assert!(words.contains("Environments-3 (Environments-2)"), "{words}");
                let id = answer.pointer(made).unwrap().as_str().unwrap();
                let there = document(&desk, &format!("{collection}/{id}")).await;
                assert_eq!(there["EnvironmentId"], "Environments-2", "{order:?} {tool}");
            }
            // The ID of the other means the other, and is refused.
            for (tool, arguments, ..) in to_environment("Environments-3") {
                let desk = at(order, denied(matcher, pattern)).await;
                desk.server.sample.edit("Environments-2", "Name", "Environments-3");
                let came = desk.call(CODE, tool, &arguments).await;
                came.refused("Environments-3 (Environments-2)");
                assert_eq!(desk.changes(), [], "{order:?} {tool}");
            }
        }
        // By ID: the rule is about the name too.
        for (tool, arguments, ..) in to_environment("Environments-2") {
            let desk = at(order, denied("environments", "Environments-3")).await;
            desk.server.sample.edit("Environments-2", "Name", "Environments-3");
            desk.call(CODE, tool, &arguments).await.refused("rule 'closed'");
            assert_eq!(desk.changes(), [], "{order:?} {tool}");
        }
    }
}

/// The other way round: what is denied has the ID of what is not.
#[tokio::test]
async fn denied_environment_named_like_another_id_is_not_reached() {
    let rule = || denied("environment_tags", "stage/live");
    for order in ORDERS {
        for (key, value) in [("Name", "Environments-2"), ("Slug", "environments-2")] {
            for (tool, arguments, ..) in to_environment("Environments-2") {
                let desk = at(order, rule()).await;
                desk.server.sample.edit("Environments-3", key, value);
                let came = desk.call(CODE, tool, &arguments).await;
                let Came::Refused(said) = &came else { panic!("{order:?} {tool}: {came:?}") };
                for part in [CONFUSABLE, "(Environments-2)", "(Environments-3)"] {
                    assert!(said.contains(part), "{said}");
                }
                assert_eq!(desk.changes(), [], "{order:?} {tool}");
            }
            // What `execute` sends is written by the caller, so nobody knows what it means.
            let desk = at(order, rule()).await;
            desk.server.sample.edit("Environments-3", key, value);
            let arguments = json!({ "method": "POST",
                "path": "/api/Spaces-1/deployments/create/untenanted/v1",
                "body": { "SpaceId": "Spaces-1", "ProjectName": "Projects-1",
                    "ReleaseVersion": "1.12.0", "EnvironmentNames": ["Environments-2"] } });
            desk.call(CODE, "execute", &arguments).await.refused("rule 'closed'");
            assert_eq!(desk.changes(), [], "{order:?}");
        }
    }
}

#[tokio::test]
async fn project_named_like_a_denied_id_is_changed_itself() {
    let create = json!({ "space": "Default", "projectName": "Projects-6",
        "releaseVersion": "1.5.0" });
    for order in ORDERS {
        let desk = at(order, denied("projects", "parcel-tracking-api")).await;
        desk.server.sample.edit("Projects-6", "Name", "Projects-1");
        let (words, answer, body) = done(&desk, "create_release", &create).await;
        assert_eq!(body["ProjectName"], "Projects-6");
        assert!(words.contains("Projects-1 (Projects-6)"), "{words}");
        let id = answer["releaseId"].as_str().unwrap();
        let made = document(&desk, &format!("releases/{id}")).await;
        assert_eq!(made["ProjectId"], "Projects-6", "{order:?}");

        for (tool, mut arguments) in
            [("deploy_release", parcel("Staging")), ("run_runbook", restart("Staging"))]
        {
            let desk = at(order, denied("projects", "billing-engine")).await;
            desk.server.sample.edit("Projects-1", "Name", "Projects-5");
            arguments["projectName"] = json!("Projects-1");
            let (.., body) = done(&desk, tool, &arguments).await;
            assert_eq!(body["ProjectName"], "Projects-1", "{order:?} {tool}");
        }
        let desk = at(order, denied("projects", "billing-engine")).await;
        desk.server.sample.edit("Projects-5", "Name", "Projects-1");
        for (tool, mut arguments) in [
            ("deploy_release", parcel("Staging")),
            ("run_runbook", restart("Staging")),
            ("create_release", create.clone()),
        ] {
            arguments["projectName"] = json!("Projects-1");
            desk.call(CODE, tool, &arguments).await.refused(CONFUSABLE);
        }
        assert_eq!(desk.changes(), []);
    }
}

/// A star stands for all tenants.
#[tokio::test]
async fn tenant_is_deployed_for_itself_whatever_its_name() {
    for order in ORDERS {
        for name in ["Tenants-2", "*"] {
            let desk = at(order, denied("tenants", "hollis-freight")).await;
            desk.server.sample.edit("Tenants-1", "Name", name);
            let arguments = driver("Staging", "Tenants-1");
            let (_, answer, body) = done(&desk, "deploy_release", &arguments).await;
            assert_eq!(body["Tenants"], json!(["Tenants-1"]), "{order:?}");
            assert_eq!(answer["deploymentsCreated"], 1, "{name}");
            let id = answer["deploymentTasks"][0]["deploymentId"].as_str().unwrap();
            let made = document(&desk, &format!("deployments/{id}")).await;
            assert_eq!(made["TenantId"], "Tenants-1", "{order:?}");
        }
        let desk = at(order, denied("tenants", "hollis-freight")).await;
        desk.server.sample.edit("Tenants-2", "Name", "Tenants-1");
        let arguments = driver("Staging", "Tenants-1");
        desk.call(CODE, "deploy_release", &arguments).await.refused(CONFUSABLE);
    }
}

#[tokio::test]
async fn channel_and_toggle_are_sent_by_id() {
    for order in ORDERS {
        let desk = at(order, json!([])).await;
        desk.server.sample.edit("Channels-1", "Name", "Channels-101");
        let arguments = json!({ "space": "Default", "projectName": "Projects-1",
            "releaseVersion": "1.13.0", "channelName": "Channels-1" });
        let (_, answer, body) = done(&desk, "create_release", &arguments).await;
        assert_eq!(body["ChannelName"], "Channels-1");
        let id = answer["releaseId"].as_str().unwrap();
        let made = document(&desk, &format!("releases/{id}")).await;
        assert_eq!(made["ChannelId"], "Channels-1", "{order:?}");
    }
    let desk = at(Precedence::Names, denied("environment_tags", "stage/live")).await;
    let path = "projects/Projects-1/featuretoggles/eta-window";
    let production = |toggle: &Value| {
        let mut all = toggle["Environments"].as_array().unwrap().iter();
        all.find(|entry| entry["DeploymentEnvironmentId"] == "Environments-3").cloned()
    };
    let before = production(&document(&desk, path).await).unwrap();
    desk.server.sample.edit("Environments-2", "Name", "Environments-3");
    let toggle = |environment: &str| {
        json!({ "space": "Default", "projectId": "Projects-1", "slug": "eta-window",
            "environments": [{ "deploymentEnvironmentId": environment, "rolloutPercentage": 7 }] })
    };
    let arguments = toggle("Environments-3");
    desk.call(CODE, "update_feature_toggle", &arguments).await.refused(CONFUSABLE);
    let arguments = toggle("Environments-2");
    let (words, _, body) = done(&desk, "update_feature_toggle", &arguments).await;
    assert!(words.contains("In Environments-3 (Environments-2), rollout %"), "{words}");
    assert_eq!(production(&body), Some(before));
}
