//! Requests with a disconnected client are logged and counted like other requests, but not as
//! server errors.

use std::time::Duration;

use octopus_sample::{Fault, Sample, keys};
use serde_json::json;

use crate::{
    cli::{ServerProcess, program},
    support::{client, send, serve, wait_until_some},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancelled_request_is_logged_but_not_as_error() {
    let sample = Sample::new();
    sample.faults().add(Fault::on("/deployments").delay(Duration::from_mins(1)));
    let octopus = serve(sample.router());
    // A port that was free a moment ago.
    let admin = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut command =
        program(&["--listen=127.0.0.1:0", "--server-url", &format!("http://{}", octopus.address)]);
    command.args(["--log-format", "json"]);
    command.env("OCTOPUS_MCP_HTTP__ADMIN_LISTEN", admin.to_string());
    let serving = ServerProcess::start(command);
    let post = |id: &'static str, tool: &str| {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": { "name": tool, "arguments": { "space": "Default" } } });
        let request = client()
            .post(&serving.url)
            .header("content-type", "application/json")
            .header("x-octopus-apikey", keys::ADMIN)
            .header("x-request-id", id);
        send(request.body(body.to_string()))
    };
    let received = wait_until_some(async || {
        let journal = sample.journal();
        journal.iter().any(|entry| entry.path.ends_with("/deployments")).then_some(())
    });
    tokio::select! {
        answer = post("gone", "list_deployments") => panic!("the request must not get an answer: {answer:?}"),
        () = received => {}
    }
    // All logs of the request are written when its work has ended.
    wait_until_some(async || {
        let metrics = send(client().get(format!("http://{admin}/metrics"))).await.text;
        let ended = "mcp_server_operation_duration_seconds_count{error_type=\"cancelled\"";
        metrics.contains(ended).then_some(())
    })
    .await;
    assert_eq!(post("stayed", "list_projects").await.status, 200);
    let (code, log) = serving.stop();
    assert_eq!(code, 0, "{log}");
    let log_lines = |id: &str, message: &str| {
        let id = format!("\"request\":\"{id}\"");
        let of = log.lines().filter(|line| line.contains(&id) && line.contains(message));
        of.map(str::to_owned).collect::<Vec<_>>()
    };
    let [cancelled] = &log_lines("gone", "request cancelled")[..] else { panic!("{log}") };
    for part in [
        "\"method\":\"POST\"",
        "\"path\":\"/mcp\"",
        "\"elapsed_ms\":",
        "\"error.type\":\"cancelled\"",
    ] {
        assert!(cancelled.contains(part), "{part} in {cancelled}");
    }
    assert!(!cancelled.contains("\"status\":"), "{cancelled}");
    assert!(log_lines("gone", "request completed").is_empty(), "{log}");
    assert_eq!(log_lines("stayed", "request completed").len(), 1, "{log}");
    assert!(log_lines("stayed", "request cancelled").is_empty(), "{log}");
    for level in ["\"level\":\"ERROR\"", "\"level\":\"WARN\""] {
        assert!(!log.contains(level), "{log}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failed_request_is_logged_with_its_reason() {
    let sample = Sample::new();
    sample.faults().add(Fault::on("/releases/Releases-9003").delay(Duration::from_mins(1)));
    let octopus = serve(sample.router());
    let url = format!("http://{}", octopus.address);
    let mut command = program(&["--listen=127.0.0.1:0", "--server-url", &url]);
    command.env("OCTOPUS_MCP_HTTP__REQUEST_TIMEOUT", "1s");
    let serving = ServerProcess::start(command);
    let uri = "octopus://spaces/Default/releases/Releases-9003";
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "resources/read",
        "params": { "uri": uri } });
    let request = client()
        .post(&serving.url)
        .header("content-type", "application/json")
        .header("x-octopus-apikey", keys::ADMIN);
    assert_eq!(send(request.body(body.to_string())).await.error_code(), -32603);
    let (code, log) = serving.stop();
    assert_eq!(code, 0, "{log}");
    let is_failure_line = |line: &str| {
        ["WARN", "request failed method=resources/read error=the request took longer than 1 s"]
            .iter()
            .all(|part| line.contains(part))
    };
    assert!(log.lines().any(is_failure_line), "{log}");
    assert!(!log.contains(uri), "{log}");
}
