//! Prompts, and completions of prompt and resource arguments.

mod completions;
mod texts;

use octopus_sample::keys;
use serde_json::{Value, json};

use crate::support::{Era, Reply, TestServer};

fn prompt_reference(name: &str) -> Value {
    json!({ "type": "ref/prompt", "name": name })
}

async fn request_completion(server: &TestServer, era: Era, key: &str, params: &Value) -> Reply {
    server.rpc_as(era, key, "completion/complete", params.clone()).await
}

async fn complete(server: &TestServer, of: Value, name: &str, typed: &str, given: Value) -> Value {
    let params = json!({ "ref": of, "argument": { "name": name, "value": typed },
        "context": { "arguments": given } });
    let legacy = request_completion(server, Era::Legacy, keys::ADMIN, &params).await.json();
    let modern = request_completion(server, Era::Modern, keys::ADMIN, &params).await.json();
    assert_eq!(legacy["result"]["completion"], modern["result"]["completion"], "{modern}");
    let info = modern["result"]["completion"].clone();
    assert!(info["values"].as_array().unwrap_or_else(|| panic!("{modern}")).len() <= 100);
    info
}
