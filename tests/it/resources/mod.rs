//! Resources in both eras: lists, templates, reads and error codes.

mod capabilities;
mod errors;
mod lists;
mod log;
mod pagination;
mod reads;

use octopus_sample::Fault;
use serde_json::{Value, json};

use crate::support::{ERAS, Era, TestServer};

/// A readable URI of each template.
pub const SAMPLE_URIS: &[(&str, &str)] = &[
    ("release", "octopus://spaces/Default/releases/Releases-9003"),
    ("runbook", "octopus://spaces/Default/runbooks/Runbooks-1"),
    (
        "runbook-git",
        "octopus://spaces/Default/projects/route-planner/main/runbooks/rebuild-route-cache",
    ),
    ("task", "octopus://spaces/Default/tasks/ServerTasks-90004"),
    ("task-details", "octopus://spaces/Default/tasks/ServerTasks-90004/details"),
    ("interruption", "octopus://spaces/Default/interruptions/Interruptions-1"),
    ("featureToggle", "octopus://spaces/Default/projects/Projects-1/featuretoggles/eta-window"),
    ("rolloutGroup", "octopus://spaces/Default/projects/Projects-1/rolloutgroups/RolloutGroups-3"),
    ("catalog-llms-txt", "octopus://api/llms.txt"),
    ("catalog-capabilities", "octopus://api/capabilities"),
    ("space", "octopus://spaces/Default"),
];

async fn start() -> TestServer {
    let server = TestServer::start().await;
    single_interruption(&server);
    server
}

/// Makes Octopus return only this interruption.
pub fn single_interruption(server: &TestServer) {
    let body = json!({ "Id": "Interruptions-1", "Title": "Approve", "Links": { "Self": "/x" },
        "Form": { "Values": { "Result": null }, "Elements": [{ "Name": "Notes", "Links": {} }] } });
    let fault = Fault::on("/interruptions/Interruptions-1").body(&body.to_string());
    server.sample.faults().add(fault);
}

async fn read(server: &TestServer, uri: &str) -> Value {
    let mut both = Vec::new();
    for era in ERAS {
        let reply = server.rpc(era, "resources/read", json!({ "uri": uri })).await;
        assert_eq!(reply.status, 200, "{uri}: {}", reply.text);
        let json = reply.json();
        let result = &json["result"];
        assert_eq!(result["contents"].as_array().map(Vec::len), Some(1), "{uri}: {json}");
        if era == Era::Modern {
            assert_eq!(result["cacheScope"], "private", "{uri}");
            assert!(result["ttlMs"].is_u64(), "{uri}");
        }
        both.push(result["contents"][0].clone());
    }
    assert_eq!(both[0], both[1], "{uri}: the results of the two eras differ");
    assert_eq!(both[0]["uri"], uri);
    assert_eq!(both[0]["_meta"]["ifc"]["integrity"], "untrusted");
    both.swap_remove(0)
}

async fn document(server: &TestServer, uri: &str) -> Value {
    let contents = read(server, uri).await;
    assert_eq!(contents["mimeType"], "application/json", "{uri}");
    serde_json::from_str(contents["text"].as_str().unwrap()).unwrap()
}

/// Returns code, message and data of a rejected read.
async fn rejected_read(server: &TestServer, era: Era, uri: &str) -> (i64, String, Value) {
    let reply = server.rpc(era, "resources/read", json!({ "uri": uri })).await;
    (reply.error_code(), reply.error_message(), reply.json()["error"]["data"].clone())
}

fn visit_keys(value: &Value, look: &mut impl FnMut(&str, &Value)) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| visit_keys(item, look)),
        Value::Object(object) => object.iter().for_each(|(key, item)| {
            look(key, item);
            visit_keys(item, look);
        }),
        _ => {}
    }
}
