//! Log records of resource reads.

use octopus_sample::{Fault, Sample, keys};
use serde_json::{Value, json};

use crate::{
    cli::{ServerProcess, program},
    support::{client, send, serve},
};

/// Each read or rejection logs one line with caller, kind and result, but without the URI and the
/// content.
#[tokio::test]
async fn reads_are_logged_without_uri_or_content() {
    let sample = Sample::new();
    let octopus = serve(sample.router());
    sample.faults().add(Fault::on("/tasks/ServerTasks-90005").status(500));
    let url = format!("http://{}", octopus.address);
    let arguments = ["--listen=127.0.0.1:0", "--server-url", &url, "--log-format=json"];
    let mut command = program(&arguments);
    command.env("OCTOPUS_MCP_AUTH__MODE", "octopus").env("OCTOPUS_MCP_OCTOPUS__RETRIES", "0");
    let serving = ServerProcess::start(command);
    let http = client();
    for uri in [
        "octopus://spaces/Default/releases/Releases-9003",
        "octopus://spaces/Default/releases/Releases-1",
        "octopus://nothing/Confidential",
        "octopus://spaces/Default/tasks/ServerTasks-90005",
    ] {
        let params = json!({ "uri": uri });
        let body =
            json!({ "jsonrpc": "2.0", "id": 1, "method": "resources/read", "params": params });
        send(http.post(&serving.url).header("x-octopus-apikey", keys::ADMIN).json(&body)).await;
    }
    let (_, log) = serving.stop();
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).expect("every line is a JSON object"))
        .collect();
    let read: Vec<&Value> = lines.iter().filter(|line| line.get("resource").is_some()).collect();
    let messages: Vec<Value> =
        read.iter().map(|line| json!([line["level"], line["message"], line["resource"]])).collect();
    let expected = [
        json!(["INFO", "resource read completed", "release"]),
        json!(["INFO", "resource read rejected", "release"]),
        json!(["INFO", "resource read rejected", "unknown"]),
        json!(["WARN", "resource read failed", "task"]),
    ];
    assert_eq!(messages, expected, "{log}");
    for line in read {
        let caller = line["caller"].as_str().unwrap();
        assert!(
            caller.starts_with("API key ") && caller.len() == 16,
            "a fingerprint, not the key: {caller}"
        );
        assert!(line["elapsed_ms"].is_number(), "{line}");
    }
    assert!(!log.contains("Releases-9003"), "{log}");
}
