//! A request that nobody waits for any more is told of like any other, and is no mistake of the
//! server.

use std::time::Duration;

use octopus_sample::{Fault, Sample, keys};
use serde_json::json;

use crate::{
    commands::{Serving, program},
    support::{client, reply, serve, soon},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_was_given_up_has_its_line_and_none_says_that_it_is_an_error() {
    let sample = Sample::new();
    sample.faults().add(Fault::on("/deployments").delay(Duration::from_mins(1)));
    let octopus = serve(sample.router());
    // A port that was free a moment ago.
    let admin = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut command =
        program(&["--listen=127.0.0.1:0", "--server-url", &format!("http://{}", octopus.address)]);
    command.env("OCTOPUS_MCP_HTTP__ADMIN_LISTEN", admin.to_string());
    let serving = Serving::start(command);
    let post = |id: &'static str, tool: &str| {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": { "name": tool, "arguments": { "space": "Default" } } });
        let request = client()
            .post(&serving.url)
            .header("content-type", "application/json")
            .header("x-octopus-apikey", keys::ADMIN)
            .header("x-request-id", id);
        reply(request.body(body.to_string()))
    };
    let asked = soon(async || {
        let journal = sample.journal();
        journal.iter().any(|entry| entry.path.ends_with("/deployments")).then_some(())
    });
    tokio::select! {
        answer = post("gone", "list_deployments") => panic!("it cannot have an answer: {answer:?}"),
        () = asked => {}
    }
    // Whatever is told of it is told by the time that the work has ended, too.
    soon(async || {
        let told = reply(client().get(format!("http://{admin}/metrics"))).await.text;
        let ended = "mcp_server_operation_duration_seconds_count{error_type=\"cancelled\"";
        told.contains(ended).then_some(())
    })
    .await;
    assert_eq!(post("stayed", "list_projects").await.status, 200);
    let (code, log) = serving.stop();
    assert_eq!(code, 0, "{log}");
    let told = |id: &str, message: &str| {
        let id = format!("id=\"{id}\"");
        let of = log.lines().filter(|line| line.contains(&id) && line.contains(message));
        of.map(str::to_owned).collect::<Vec<_>>()
    };
    let [gone] = &told("gone", "given up")[..] else { panic!("{log}") };
    for part in ["method=POST", "path=/mcp", "elapsed_ms=", "error.type=\"cancelled\""] {
        assert!(gone.contains(part), "{part} in {gone}");
    }
    assert!(!gone.contains("status="), "{gone}");
    assert!(told("gone", "answered").is_empty(), "{log}");
    assert_eq!(told("stayed", "answered").len(), 1, "{log}");
    assert!(told("stayed", "given up").is_empty(), "{log}");
    for level in [" ERROR ", " WARN "] {
        assert!(!log.contains(level), "{log}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_failed_has_a_line_with_the_reason() {
    let sample = Sample::new();
    sample.faults().add(Fault::on("/releases/Releases-9003").delay(Duration::from_mins(1)));
    let octopus = serve(sample.router());
    let url = format!("http://{}", octopus.address);
    let mut command = program(&["--listen=127.0.0.1:0", "--server-url", &url]);
    command.env("OCTOPUS_MCP_HTTP__REQUEST_TIMEOUT", "1s");
    let serving = Serving::start(command);
    let uri = "octopus://spaces/Default/releases/Releases-9003";
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "resources/read",
        "params": { "uri": uri } });
    let request = client()
        .post(&serving.url)
        .header("content-type", "application/json")
        .header("x-octopus-apikey", keys::ADMIN);
    assert_eq!(reply(request.body(body.to_string())).await.code(), -32603);
    let (code, log) = serving.stop();
    assert_eq!(code, 0, "{log}");
    let is_told = |line: &str| {
        ["WARN", "failed method=\"resources/read\" error=this took longer than 1 s"]
            .iter()
            .all(|part| line.contains(part))
    };
    assert!(log.lines().any(is_told), "{log}");
    assert!(!log.contains(uri), "{log}");
}
