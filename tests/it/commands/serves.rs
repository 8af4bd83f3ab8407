//! Serving the sample instance over HTTP and stdio until the process is stopped.

use std::{
    io::{BufRead, BufReader},
    process::Stdio,
};

use serde_json::{Value, json};

use super::{ANY_PORT, Serving, program, run};
use crate::support::{client, reply, soon};

#[tokio::test]
async fn one_command_serves_the_sample_instance_and_says_how_to_connect() {
    let serving = Serving::start(program(&["--sample", ANY_PORT]));
    assert!(serving.welcome.contains("claude mcp add --transport http octopus"));
    let start = serving.welcome.find('{').unwrap();
    let end = serving.welcome.rfind('}').unwrap();
    let config: Value = serde_json::from_str(&serving.welcome[start..=end]).unwrap();
    assert_eq!(config["mcpServers"]["octopus"]["url"], serving.url);
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": { "name": "list_spaces" } });
    let call = client().post(&serving.url).header("content-type", "application/json");
    let answer = reply(call.body(body.to_string())).await.json();
    assert_eq!(answer["result"]["structuredContent"]["totalResults"], 2, "{answer}");
    let (code, log) = serving.stop();
    assert_eq!(code, 0, "{log}");
    assert!(log.contains("server stopping"), "{log}");
}

#[tokio::test]
async fn the_sample_is_what_was_asked_for_whatever_the_environment_holds() {
    let mut command = program(&["--sample", ANY_PORT]);
    command.env("OCTOPUS_SERVER_URL", "https://octopus.example.com");
    command.env("OCTOPUS_API_KEY", "API-OFAREALINSTANCE");
    let serving = Serving::start(command);
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": { "name": "list_spaces" } });
    let call = client().post(&serving.url).header("content-type", "application/json");
    let answer = reply(call.body(body.to_string())).await.json();
    assert_eq!(answer["result"]["structuredContent"]["totalResults"], 2, "{answer}");
    let (code, _, stderr) = run(&["--sample", "--server-url", "https://octopus.example.com"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("remove one of the two"), "{stderr}");
}

#[tokio::test]
async fn read_only_is_on_until_it_is_switched_off() {
    for (flags, is_read_only) in [
        (&[][..], true),
        (&["--read-only"], true),
        (&["--read-only=true"], true),
        (&["--read-only=false"], false),
    ] {
        let serving = Serving::start(program(&[&["--sample", ANY_PORT], flags].concat()));
        let client_info = json!({ "name": "t", "version": "1" });
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
            "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client_info } });
        let call = client().post(&serving.url).header("content-type", "application/json");
        let answer = reply(call.body(body.to_string())).await.json();
        let instructions = answer["result"]["instructions"].as_str().unwrap();
        assert_eq!(instructions.contains("All tools are read-only"), is_read_only, "{flags:?}");
    }
    let (code, _, stderr) = run(&["--sample", "--read-only=perhaps"]);
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("invalid value 'perhaps' for '--read-only"), "{stderr}");
}

#[tokio::test]
async fn a_health_check_asks_the_server_that_runs() {
    let serving = Serving::start(program(&["--sample", ANY_PORT]));
    let address = serving.url.trim_start_matches("http://").trim_end_matches("/mcp").to_owned();
    let (code, _, stderr) = run(&["healthcheck", "--listen", &address]);
    assert_eq!(code, 0, "{stderr}");
    drop(serving);
    soon(async || {
        let (code, _, stderr) = run(&["healthcheck", "--listen", &address]);
        (code == 1 && stderr.contains(&address)).then_some(())
    })
    .await;
}

#[test]
fn logs_are_lines_of_json_where_asked_for() {
    let command = program(&["--sample", ANY_PORT, "--log-format", "json"]);
    let (code, log) = Serving::start(command).stop();
    assert_eq!(code, 0);
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().any(|line| line["message"] == "server started"), "{log}");
}

#[test]
fn a_local_client_is_served_over_standard_input_and_output() {
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
    let (code, _, stderr) = run(&without_key);
    assert_eq!(code, 1);
    assert!(stderr.contains("OCTOPUS_API_KEY"), "{stderr}");
}
