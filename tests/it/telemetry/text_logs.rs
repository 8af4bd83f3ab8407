//! Text logs: the lines of a call are short and have no attributes of OpenTelemetry spans.

use serde_json::json;

use crate::{
    cli::{ServerProcess, program},
    support::{client, send},
};

/// Maximum length of a typical line: one line of a wide terminal.
const MAX_CHARS: usize = 200;
const REQUEST_ID: &str = "19cb69d3-2fd7-45b6-a003-c0e187af4382";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lines_of_a_call_fit_a_terminal_line() {
    let serving = ServerProcess::start(program(&["--sample", "--listen=127.0.0.1:0"]));
    let arguments =
        json!({ "space": "Default", "project": "Depot Portal", "environment": "Production" });
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": { "name": "get_latest_deployment", "arguments": arguments } });
    let request = client()
        .post(&serving.url)
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
        .header("x-request-id", REQUEST_ID)
        .body(body.to_string());
    assert_eq!(send(request).await.status, 200);
    let (code, log) = serving.stop();
    assert_eq!(code, 0, "{log}");
    for (message, fields) in [
        (
            " INFO tool call completed ",
            &["tool=get_latest_deployment", "caller=", "instance=default", "elapsed_ms="][..],
        ),
        (
            " INFO request completed ",
            &["method=POST", "path=/mcp", "status=200", "elapsed_ms="][..],
        ),
    ] {
        let lines: Vec<&str> = log.lines().filter(|line| line.contains(message)).collect();
        let [line] = lines[..] else { panic!("{message} in {log}") };
        for field in fields.iter().chain(&[format!("request={REQUEST_ID}").as_str()]) {
            assert!(line.contains(&format!(" {field}")), "{field} in {line}");
        }
        assert!(line.chars().count() <= MAX_CHARS, "{} characters: {line}", line.chars().count());
    }
    for attribute in ["otel.", "http.", "mcp.", "gen_ai.", "network.", "octopus_mcp::"] {
        assert!(!log.contains(attribute), "{attribute} in {log}");
    }
}
