//! Log of a change: caller, approval method and route.

use octopus_sample::{Sample, keys};
use serde_json::{Value, json};

use crate::{
    cli::{ServerProcess, program},
    support::{client, send, serve},
};

#[tokio::test]
async fn approved_change_is_logged_with_caller_and_method() {
    let sample = Sample::new();
    let octopus = serve(sample.router());
    let url = format!("http://{}", octopus.address);
    let arguments = ["--listen=127.0.0.1:0", "--server-url", &url, "--log-format=json"];
    let mut command = program(&arguments);
    command.env("OCTOPUS_MCP_TOOLS__READ_ONLY", "false");
    command.env("OCTOPUS_MCP_AUTH__MODE", "octopus");
    let serving = ServerProcess::start(command);
    let http = client();
    let call = async |arguments: &Value| {
        let params = json!({ "name": "create_release", "arguments": arguments });
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
        let request = http.post(&serving.url).header("x-octopus-apikey", keys::ADMIN).json(&body);
        send(request).await.json()["result"]["structuredContent"].clone()
    };
    let mut arguments = json!({
        "space": "Default",
        "projectName": "Parcel Tracking API",
        "releaseVersion": "1.13.0\"}\n{\"level\":\"INFO\"",
    });
    let preview = call(&arguments).await;
    arguments["confirm"] = preview["confirm"].clone();
    call(&arguments).await;
    let (_, log) = serving.stop();
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).expect("every line is a JSON object"))
        .collect();
    let find_event = |message: &str| {
        let found = lines.iter().find(|line| line["message"] == message);
        found.unwrap_or_else(|| panic!("no {message:?} in {log}")).clone()
    };
    let requested = find_event("approval requested");
    assert_eq!(
        (&requested["tool"], &requested["approval_method"]),
        (&json!("create_release"), &json!("Code"))
    );
    let approved = find_event("change approved");
    assert_eq!(approved["route"], "POST /api/{id}/releases/create/v1");
    assert_eq!(approved["way"], "Code");
    let caller = approved["caller"].as_str().unwrap();
    assert!(
        caller.starts_with("API key ") && caller.len() == 16,
        "the key is not logged: {caller}"
    );
    assert_eq!(sample.changes().len(), 1);
}
