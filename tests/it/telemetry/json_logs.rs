//! JSON logs: one flat object per line, with the request ID in every line of a request.

use serde_json::{Value, json};

use crate::{
    cli::{ServerProcess, program},
    support::{Reply, client, send},
};

/// Starts the sample with JSON logs at `debug`, sessions and a burst of a few calls.
fn start(sessions: &str) -> ServerProcess {
    let mut command = program(&["--sample", "--listen=127.0.0.1:0", "--log-format", "json"]);
    command
        .env("OCTOPUS_MCP_HTTP__SESSIONS", sessions)
        .env("OCTOPUS_MCP_TELEMETRY__LOG_FILTER", "octopus_mcp=debug")
        .env("OCTOPUS_MCP_LIMITS__CALLER_RATE", "1")
        .env("OCTOPUS_MCP_LIMITS__CALLER_BURST", "4");
    ServerProcess::start(command)
}

async fn post(serving: &ServerProcess, session: Option<&str>, id: &str, body: Value) -> Reply {
    let mut request = client()
        .post(&serving.url)
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
        .header("x-request-id", id);
    if let Some(session) = session {
        request =
            request.header("mcp-session-id", session).header("mcp-protocol-version", "2025-11-25");
    }
    send(request.body(body.to_string())).await
}

fn call(tool: &str, arguments: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": { "name": tool, "arguments": arguments } })
}

fn lines(log: &str) -> Vec<Value> {
    log.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Checks that this request has these lines, and that each line has one flat form.
fn assert_lines(log: &str, id: &str, messages: &[&str]) {
    let all = lines(log);
    let of_request: Vec<&Value> = all.iter().filter(|line| line["request"] == id).collect();
    for message in messages {
        assert!(of_request.iter().any(|line| line["message"] == *message), "{message}: {log}");
    }
    for line in &all {
        assert!(line.get("spans").is_none() && line["span"].get("id").is_none(), "{line}");
        for number in ["elapsed_ms", "status", "redacted"] {
            assert!(line.get(number).is_none_or(Value::is_number), "{number} in {line}");
        }
        let message = line["message"].as_str().unwrap();
        let is_of_call = message.starts_with("tool call") || message == "request completed";
        assert!(!is_of_call || line["request"].is_string(), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lines_of_a_request_have_its_id_with_and_without_session() {
    let messages = ["tool call completed", "request completed", "upstream request ended"];
    let serving = start("off");
    let reply = post(&serving, None, "request-1", call("list_spaces", &json!({}))).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_lines(&serving.stop().1, "request-1", &messages);

    let serving = start("memory");
    let client_info = json!({ "name": "t", "version": "1" });
    let initialize = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client_info } });
    let reply = post(&serving, None, "request-2", initialize).await;
    let session = reply.headers["mcp-session-id"].to_str().unwrap().to_owned();
    let initialized = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    post(&serving, Some(&session), "request-3", initialized).await;
    let list = call("list_spaces", &json!({}));
    let reply = post(&serving, Some(&session), "request-4", list).await;
    assert!(reply.text.contains("totalResults"), "{}", reply.text);
    assert_lines(&serving.stop().1, "request-4", &messages);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rate_limited_call_is_visible_and_quotes_are_not_escaped() {
    let serving = start("off");
    let arguments = json!({ "space": "Default", "project": "O'Brien's \"shop\"" });
    post(&serving, None, "quoted", call("list_releases_for_project", &arguments)).await;
    let mut limited = 0;
    for number in 0..6 {
        let id = format!("call-{number}");
        let reply = post(&serving, None, &id, call("list_spaces", &json!({}))).await;
        limited += usize::from(reply.json()["error"].is_object());
    }
    assert!(limited > 0);
    let (_, log) = serving.stop();
    let all = lines(&log);
    let rejected: Vec<&Value> = all.iter().filter(|line| line["limit"] == "caller").collect();
    assert_eq!(rejected.len(), limited, "{log}");
    let line = rejected[0];
    assert_eq!((&line["message"], &line["status"]), (&"request completed".into(), &200.into()));
    assert!(line["rejected"].as_str().unwrap().contains("exceeds the request rate"), "{line}");
    let quoted = all.iter().find(|line| line["error"].as_str().is_some_and(|e| e.contains("O'B")));
    let error = quoted.unwrap_or_else(|| panic!("{log}"))["error"].as_str().unwrap();
    assert!(!error.contains('\\'), "{error}");
}
