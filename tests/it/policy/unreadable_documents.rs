//! Reads of documents whose related documents are deleted or unreadable for the caller's API key.

use octopus_sample::Fault;
use serde_json::{Value, json};

use super::{CODE_FLOW, policy_fixture};
use crate::approval::ApprovalFixture;

/// Starts a server with a rule that denies reads of the resources that match.
async fn fixture_with_read_rule(key: &str, name: &str) -> ApprovalFixture {
    policy_fixture(
        json!([{ "name": "secret", "effect": "deny", "tiers": ["read"], (key): [name] }]),
    )
    .await
}

fn make_unreadable(fixture: &ApprovalFixture, path: &str, status: u16) {
    fixture.server.sample.faults().add(Fault::on(path).status(status));
}

/// Returns the 17 machines outside production: more than `MAX_LOOKUPS`.
fn machines_outside_production() -> Vec<String> {
    let numbers = (1..=13).chain([101, 107, 109, 115]);
    numbers.map(|number| format!("Machines-{number}")).collect()
}

#[tokio::test]
async fn task_of_many_machines_is_evaluated_by_environments() {
    let id = "ServerTasks-90203";
    let with = |more: &str| {
        machines_outside_production().into_iter().chain([more.to_owned()]).collect::<Vec<_>>()
    };
    for (key, name, machines, is_rejected) in [
        ("environments", "Production", machines_outside_production(), false),
        ("environments", "Production", with("Machines-19"), true),
        ("environments", "Production", with("Machines-9999"), true),
        ("tenants", "Brightwater Couriers", with("Machines-9999"), true),
        ("projects", "Parcel Tracking API", with("Machines-9999"), false),
    ] {
        let fixture = fixture_with_read_rule(key, name).await;
        let task = json!({ "Id": id, "SpaceId": "Spaces-1", "Name": "Health", "State": "Success",
            "Description": "Check health", "Arguments": { "MachineIds": machines } });
        let fault = Fault::on(&format!("/tasks/{id}")).body(&task.to_string());
        fixture.server.sample.faults().add(fault);
        let by_task_id = json!({ "space": "Default", "taskId": id });
        let execute = json!({ "method": "GET", "path": format!("/api/Spaces-1/tasks/{id}") });
        for (tool, arguments) in [("get_task_by_id", by_task_id), ("execute", execute)] {
            let reply = fixture.call(CODE_FLOW, tool, &arguments).await;
            if is_rejected {
                reply.expect_error("rule 'secret'");
            } else {
                reply.expect_result();
            }
        }
    }
}

/// ServerTasks-90001 deployed Parcel Tracking API to production.
#[tokio::test]
async fn resource_with_unknown_name_may_be_denied() {
    let task = json!({ "space": "Default", "taskId": "ServerTasks-90001" });
    for (key, name, forbidden, outcome) in [
        ("environments", "Production", "/environments", Some("the name of 'Environments-3'")),
        ("projects", "Parcel Tracking API", "/projects", Some("the name of 'Projects-1'")),
        ("projects", "Route Planner", "/environments", None),
    ] {
        let fixture = fixture_with_read_rule(key, name).await;
        make_unreadable(&fixture, forbidden, 403);
        for tool in ["get_task_raw", "get_task_details", "get_task_by_id"] {
            let reply = fixture.call(CODE_FLOW, tool, &task).await;
            match outcome {
                Some(reason) => reply.expect_error(reason),
                None => drop(reply.expect_result()),
            }
        }
    }
}

#[tokio::test]
async fn interruption_of_unreadable_task_may_be_denied() {
    let uri = "octopus://spaces/Default/interruptions/Interruptions-9008";
    let read: Value = json!({ "uri": uri });
    let fixture = fixture_with_read_rule("environments", "Development").await;
    fixture.call(CODE_FLOW, "read_resource", &read).await.expect_result();
    make_unreadable(&fixture, "/tasks/", 403);
    fixture.call(CODE_FLOW, "read_resource", &read).await.expect_error("was not read");
}

/// Retention deletes tasks, but a deployment names its own target.
#[tokio::test]
async fn deployment_is_evaluated_without_its_task() {
    let read =
        |id: &str| json!({ "method": "GET", "path": format!("/api/Spaces-1/deployments/{id}") });
    let fixture = fixture_with_read_rule("environments", "Production").await;
    make_unreadable(&fixture, "/tasks/", 404);
    fixture.call(CODE_FLOW, "execute", &read("Deployments-9002")).await.expect_result();
    fixture
        .call(CODE_FLOW, "execute", &read("Deployments-9001"))
        .await
        .expect_error("rule 'secret'");
}
