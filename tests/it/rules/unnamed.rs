//! Reads that reach a denied thing that their answer names elsewhere or not at all: the machines of a
//! task, and the values of a tenant.

use octopus_mcp::sample::{Fault, Sample, keys};
use serde_json::{Value, json};

use super::{CODE, desk, rules};
use crate::support::TestServer;

/// A rule that denies reads of production, or of what else it matches.
fn denies(key: &str, name: &str) -> Value {
    json!([{ "name": "secret", "effect": "deny", "tiers": ["read"], (key): [name] }])
}

/// Machines outside of production, as many as are looked up for one call. They sort before
/// `machines-14`, which is in production.
const OTHERS: [&str; 12] = [
    "Machines-1",
    "Machines-2",
    "Machines-3",
    "Machines-4",
    "Machines-9",
    "Machines-10",
    "Machines-11",
    "Machines-12",
    "Machines-13",
    "Machines-101",
    "Machines-107",
    "Machines-109",
];

#[tokio::test]
async fn a_task_with_machines_that_are_not_read_may_reach_a_denied_environment() {
    let task = "ServerTasks-90203";
    let many: Vec<&str> = OTHERS.into_iter().chain(["machines-14"]).collect();
    for (machines, is_refused) in
        [(json!(OTHERS), false), (json!(many), true), (json!(["Machines-999999"]), true)]
    {
        let desk = desk(denies("environments", "Production")).await;
        let body = json!({ "Id": task, "SpaceId": "Spaces-1", "Name": "Health",
            "Description": "Check health", "State": "Success", "IsCompleted": true,
            "FinishedSuccessfully": true, "Arguments": { "MachineIds": machines } });
        let fault = Fault::on(&format!("/tasks/{task}")).body(&body.to_string());
        desk.server.sample.trouble().add(fault);
        let arguments = json!({ "space": "Default", "taskId": task });
        let reply = desk.call(CODE, "get_task_by_id", &arguments).await;
        if is_refused {
            reply.refused("rule 'secret'");
        } else {
            assert!(reply.answered().to_string().contains(task), "{machines}");
        }
    }
}

/// Brightwater Couriers has values of three projects for Staging and Production, in both forms that
/// Octopus has for them.
#[tokio::test]
async fn values_of_a_tenant_for_a_denied_environment_or_project_are_not_shown() {
    let (staging, production) = (
        "\"brightwater-staging.larkspurfreight.example\"",
        "\"brightwater.larkspurfreight.example\"",
    );
    let other = "\"drivers-brightwater-staging\"";
    let common = "\"oncall@brightwater.example\"";
    for version in ["2026.3.7314", "2024.4.1"] {
        for (key, name, shown, hidden) in [
            ("environments", "Production", vec![staging, other, common], vec![production]),
            ("projects", "Billing Engine", vec![staging, other, common], vec![]),
            ("projects", "Route Planner", vec![other, common], vec![staging, production]),
        ] {
            let rule = denies(key, name);
            let sample = Sample::with_version(version);
            let server = TestServer::on(sample, |config| rules(config, &rule)).await;
            let arguments = json!({ "space": "Default", "tenantId": "Brightwater Couriers",
                "variableType": "all", "includeMissingVariables": true });
            let answer = server.call_as(keys::ADMIN, "get_tenant_variables", arguments).await;
            assert!(!answer.is_error, "{}", answer.text);
            let text = &answer.text;
            assert!(shown.iter().all(|value| text.contains(value)), "{version} {name}: {text}");
            assert!(!hidden.iter().any(|value| text.contains(value)), "{version} {name}: {text}");
            assert_eq!(text.contains("the rules deny to read"), !hidden.is_empty(), "{text}");
        }
    }
}
