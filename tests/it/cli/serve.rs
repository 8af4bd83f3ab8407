//! Serving the sample instance over HTTP and stdio until the process is stopped.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use super::{ANY_PORT, ServerProcess, program, run_program};
use crate::support::{client, send, wait_until_some};

#[tokio::test]
async fn sample_flag_serves_and_prints_client_configuration() {
    let serving = ServerProcess::start(program(&["--sample", ANY_PORT]));
    assert!(serving.startup_message.contains("claude mcp add --transport http octopus"));
    let start = serving.startup_message.find('{').unwrap();
    let end = serving.startup_message.rfind('}').unwrap();
    let config: Value = serde_json::from_str(&serving.startup_message[start..=end]).unwrap();
    assert_eq!(config["mcpServers"]["octopus"]["url"], serving.url);
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": { "name": "list_spaces" } });
    let call = client().post(&serving.url).header("content-type", "application/json");
    let answer = send(call.body(body.to_string())).await.json();
    assert_eq!(answer["result"]["structuredContent"]["totalResults"], 2, "{answer}");
    let (code, log) = serving.stop();
    assert_eq!(code, 0, "{log}");
    assert!(log.contains("server stopping"), "{log}");
}

#[tokio::test]
async fn sample_flag_overrides_environment_variables() {
    let mut command = program(&["--sample", ANY_PORT]);
    command.env("OCTOPUS_SERVER_URL", "https://octopus.example.com");
    command.env("OCTOPUS_API_KEY", "API-OFAREALINSTANCE");
    let serving = ServerProcess::start(command);
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": { "name": "list_spaces" } });
    let call = client().post(&serving.url).header("content-type", "application/json");
    let answer = send(call.body(body.to_string())).await.json();
    assert_eq!(answer["result"]["structuredContent"]["totalResults"], 2, "{answer}");
    let (code, _, stderr) =
        run_program(&["--sample", "--server-url", "https://octopus.example.com"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("remove one of the two"), "{stderr}");
}

#[tokio::test]
async fn read_only_is_the_default() {
    for (flags, is_read_only) in [
        (&[][..], true),
        (&["--read-only"], true),
        (&["--read-only=true"], true),
        (&["--read-only=false"], false),
        (&["--read-only", "false"], false),
        (&["--read-only", "true"], true),
    ] {
        let serving = ServerProcess::start(program(&[&["--sample", ANY_PORT], flags].concat()));
        let client_info = json!({ "name": "t", "version": "1" });
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
            "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client_info } });
        let call = client().post(&serving.url).header("content-type", "application/json");
        let answer = send(call.body(body.to_string())).await.json();
        let instructions = answer["result"]["instructions"].as_str().unwrap();
        assert_eq!(instructions.contains("All tools are read-only"), is_read_only, "{flags:?}");
    }
    let (code, _, stderr) = run_program(&["--sample", "--read-only=perhaps"]);
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("invalid value 'perhaps' for '--read-only"), "{stderr}");
}

#[tokio::test]
async fn healthcheck_reports_the_running_server() {
    let serving = ServerProcess::start(program(&["--sample", ANY_PORT]));
    let address = serving.url.trim_start_matches("http://").trim_end_matches("/mcp").to_owned();
    let (code, _, stderr) = run_program(&["healthcheck", "--listen", &address]);
    assert_eq!(code, 0, "{stderr}");
    drop(serving);
    wait_until_some(async || {
        let (code, _, stderr) = run_program(&["healthcheck", "--listen", &address]);
        (code == 1 && stderr.contains(&address)).then_some(())
    })
    .await;
}

#[test]
fn json_log_format_writes_json_lines() {
    let command = program(&["--sample", ANY_PORT, "--log-format", "json"]);
    let (code, log) = ServerProcess::start(command).stop();
    assert_eq!(code, 0);
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().any(|line| line["message"] == "server started"), "{log}");
}

#[test]
fn standard_output_has_audit_records_only() {
    for (format, shows_message) in [("text", true), ("json", false)] {
        let mut command = program(&["--sample", ANY_PORT, "--log-format", format]);
        command.env("OCTOPUS_MCP_AUDIT__STDOUT", "true");
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
        let mut before = Vec::new();
        for line in log.by_ref() {
            let is_started = line.contains("server started");
            before.push(line);
            if is_started {
                break;
            }
        }
        let pid = child.id().to_string();
        assert!(Command::new("kill").arg(&pid).status().unwrap().success());
        let rest: Vec<String> = log.collect();
        assert!(child.wait().unwrap().success(), "{rest:?}");
        let shown = before.iter().any(|line| line.starts_with("octopus-mcp serves http://"));
        assert_eq!(shown, shows_message, "{before:?}");
        let printed = std::io::read_to_string(child.stdout.take().unwrap()).unwrap();
        for line in printed.lines() {
            assert!(serde_json::from_str::<Value>(line).unwrap().is_object(), "{line}");
        }
    }
}

#[test]
fn stdio_transport_serves_a_local_client() {
    use std::io::Write;
    let mut child = program(&["stdio", "--sample"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let client_info = json!({ "name": "t", "version": "1" });
    for message in [
        json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
            "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client_info } }),
        json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }),
        json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/call",
            "params": { "name": "list_spaces" } }),
    ] {
        writeln!(input, "{message}").unwrap();
    }
    let responses: Vec<Value> = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .take(2)
        .map(|line| serde_json::from_str(&line.unwrap()).unwrap())
        .collect();
    assert_eq!(responses[0]["result"]["serverInfo"]["name"], "octopus-mcp");
    assert_eq!(responses[1]["result"]["structuredContent"]["totalResults"], 2, "{}", responses[1]);
    drop(input);
    assert!(
        child.wait().unwrap().success(),
        "the program exits when its client closes standard input"
    );
    let without_key = ["stdio", "--server-url", "https://octopus.example.com"];
    let (code, _, stderr) = run_program(&without_key);
    assert_eq!(code, 2);
    assert!(stderr.contains("OCTOPUS_API_KEY"), "{stderr}");
}
