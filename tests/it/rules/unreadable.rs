//! Reads of what belongs to things that the caller's key may not read, or that were deleted.

use octopus_sample::Fault;
use serde_json::{Value, json};

use super::{CODE, desk};
use crate::consent::Desk;

/// A server with a rule that denies reads of production, or of what else it matches.
async fn denying(key: &str, name: &str) -> Desk {
    desk(json!([{ "name": "secret", "effect": "deny", "tiers": ["read"], (key): [name] }])).await
}

fn forbid(desk: &Desk, path: &str, status: u16) {
    desk.server.sample.faults().add(Fault::on(path).status(status));
}

/// The seventeen machines of the sample instance that are outside of production. `LOOK_UPS` is less.
fn others() -> Vec<String> {
    let numbers = (1..=13).chain([101, 107, 109, 115]);
    numbers.map(|number| format!("Machines-{number}")).collect()
}

#[tokio::test]
async fn a_task_of_many_machines_is_judged_by_where_they_are() {
    let id = "ServerTasks-90203";
    let with = |more: &str| others().into_iter().chain([more.to_owned()]).collect::<Vec<_>>();
    for (key, name, machines, is_refused) in [
        ("environments", "Production", others(), false),
        ("environments", "Production", with("Machines-19"), true),
        ("environments", "Production", with("Machines-9999"), true),
        ("tenants", "Brightwater Couriers", with("Machines-9999"), true),
        ("projects", "Parcel Tracking API", with("Machines-9999"), false),
    ] {
        let desk = denying(key, name).await;
        let task = json!({ "Id": id, "SpaceId": "Spaces-1", "Name": "Health", "State": "Success",
            "Description": "Check health", "Arguments": { "MachineIds": machines } });
        let fault = Fault::on(&format!("/tasks/{id}")).body(&task.to_string());
        desk.server.sample.faults().add(fault);
        let typed = json!({ "space": "Default", "taskId": id });
        let execute = json!({ "method": "GET", "path": format!("/api/Spaces-1/tasks/{id}") });
        for (tool, arguments) in [("get_task_by_id", typed), ("execute", execute)] {
            let reply = desk.call(CODE, tool, &arguments).await;
            if is_refused {
                reply.refused("rule 'secret'");
            } else {
                reply.answered();
            }
        }
    }
}

/// ServerTasks-90001 deployed Parcel Tracking API to production.
#[tokio::test]
async fn a_thing_whose_name_is_unknown_may_be_the_denied_one() {
    let task = json!({ "space": "Default", "taskId": "ServerTasks-90001" });
    for (key, name, forbidden, refusal) in [
        ("environments", "Production", "/environments", Some("the name of 'Environments-3'")),
        ("projects", "Parcel Tracking API", "/projects", Some("the name of 'Projects-1'")),
        ("projects", "Route Planner", "/environments", None),
    ] {
        let desk = denying(key, name).await;
        forbid(&desk, forbidden, 403);
        for tool in ["get_task_raw", "get_task_details", "get_task_by_id"] {
            let reply = desk.call(CODE, tool, &task).await;
            match refusal {
                Some(reason) => reply.refused(reason),
                None => drop(reply.answered()),
            }
        }
    }
}

#[tokio::test]
async fn an_interruption_whose_task_is_not_readable_may_be_of_a_denied_environment() {
    let uri = "octopus://spaces/Default/interruptions/Interruptions-9008";
    let read: Value = json!({ "uri": uri });
    let desk = denying("environments", "Development").await;
    desk.call(CODE, "read_resource", &read).await.answered();
    forbid(&desk, "/tasks/", 403);
    desk.call(CODE, "read_resource", &read).await.refused("was not read");
}

/// Retention deletes tasks. A deployment says itself where it went.
#[tokio::test]
async fn a_deployment_is_judged_without_its_task() {
    let read =
        |id: &str| json!({ "method": "GET", "path": format!("/api/Spaces-1/deployments/{id}") });
    let desk = denying("environments", "Production").await;
    forbid(&desk, "/tasks/", 404);
    desk.call(CODE, "execute", &read("Deployments-9002")).await.answered();
    desk.call(CODE, "execute", &read("Deployments-9001")).await.refused("rule 'secret'");
}
