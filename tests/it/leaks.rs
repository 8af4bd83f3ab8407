//! Secrets appear in no log at any level, no error and no answer.

use octopus_sample::{Fault, Sample, keys};
use serde_json::{Value, json};

use crate::{
    cli::{ServerProcess, program},
    support::{client, send, serve},
};

const CONFIGURED_KEY: &str = "API-CONFIGUREDSECRET0000000001";
const REJECTED_KEY: &str = "API-REFUSEDSECRET000000000002";
const TOKEN: &str = "bearer-token-secret-0000000003";
const PARTIAL_KEY: &str = "half-a-key-secret-0000000004";
const QUERY_KEY: &str = "API-QUERYSECRET00000000000005";

fn arguments(tool: &Value) -> Value {
    let mut arguments = json!({});
    for name in tool["inputSchema"]["required"].as_array().into_iter().flatten() {
        let name = name.as_str().unwrap();
        arguments[name] = json!(match name {
            "space" => "Default",
            "projectId" => "Depot Portal",
            "environmentId" => "Production",
            "tenantId" => "Ironbark Haulage",
            "releaseId" => "Releases-9002",
            "uri" => "octopus://spaces/Default/tasks/ServerTasks-90004",
            "taskId" => "ServerTasks-90004",
            "variableType" => "all",
            "pattern" => "e",
            "projectName" => "Parcel Tracking API",
            "releaseVersion" => "1.12.0",
            "environmentNames" => "Staging",
            "runbookName" => "Restart tracking workers",
            "slug" => "eta-window",
            "method" => "GET",
            "path" => "/api/Spaces-1/projects",
            // The URL refers to another host and is rejected.
            "url" => "https://octopus.example/app#/Spaces-1/tasks/ServerTasks-90004",
            other => panic!("no value for {other}"),
        });
    }
    arguments
}

#[tokio::test]
async fn secrets_appear_in_no_output() {
    let sample = Sample::new();
    let octopus = serve(sample.router());
    let url = format!("http://{}", octopus.address);
    let folder = tempfile::tempdir().unwrap();
    let settings = folder.path().join("settings.toml");
    let key = format!(
        "[octopus]\napi_key = \"{CONFIGURED_KEY}\"\nretries = 0\n[auth]\nmode = \"none\"\n"
    );
    std::fs::write(&settings, key).unwrap();
    for format in ["text", "json"] {
        let mut command = program(&[
            "--listen=127.0.0.1:0",
            "--server-url",
            &url,
            "--log-format",
            format,
            "--config",
            settings.to_str().unwrap(),
        ]);
        command.env("OCTOPUS_MCP_TELEMETRY__LOG_FILTER", "trace");
        command.env("OCTOPUS_MCP_TOOLS__READ_ONLY", "false");
        let serving = ServerProcess::start(command);
        let mut seen = serving.startup_message.clone();
        let http = client();
        let ask = async |headers: &[(&str, &str)], query: &str, body: &Value| {
            let mut request = http.post(format!("{}{query}", serving.url)).body(body.to_string());
            request = request.header("content-type", "application/json");
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            send(request).await
        };
        let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
        let tools = ask(&[], "", &list).await.json();
        let tools = tools["result"]["tools"].as_array().unwrap().clone();
        assert!(tools.len() >= 37, "{}", tools.len());
        for condition in [None, Some(Fault::on("/").status(500)), Some(Fault::on("/").cut_off())] {
            sample.faults().clear();
            if let Some(fault) = condition {
                sample.faults().add(fault);
            }
            for tool in &tools {
                let params = json!({ "name": tool["name"], "arguments": arguments(tool) });
                let call =
                    json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
                for headers in [
                    &[][..],
                    &[("x-octopus-apikey", keys::ADMIN)],
                    &[("x-octopus-apikey", REJECTED_KEY)],
                    &[("x-octopus-apikey", PARTIAL_KEY)],
                    &[("authorization", TOKEN)],
                ] {
                    seen.push_str(&ask(headers, "", &call).await.text);
                }
                seen.push_str(&ask(&[], &format!("?apikey={QUERY_KEY}"), &call).await.text);
            }
        }
        let (code, log) = serving.stop();
        assert_eq!(code, 0);
        // Dependencies log nothing below `info`. A log filter adds only records of this server.
        assert!(log.contains("DEBUG") && log.len() > 100_000, "the log is verbose");
        seen.push_str(&log);
        for secret in [CONFIGURED_KEY, REJECTED_KEY, TOKEN, PARTIAL_KEY, QUERY_KEY, keys::ADMIN] {
            let place = seen.find(secret).map(|at| &seen[at.saturating_sub(200)..at + 60]);
            assert!(place.is_none(), "{format}: {secret} in {place:?}");
        }
        sample.faults().clear();
    }
}
