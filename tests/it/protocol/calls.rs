//! Tool calls: failing, unknown and long ones.

use octopus_sample::Fault;
use serde_json::{Value, json};

use crate::support::{ERAS, Era, TestServer};

#[tokio::test]
async fn failing_call_returns_http_200() {
    let server = TestServer::start().await;
    for status in [400, 401, 403, 404, 409, 429, 500, 502, 503] {
        server.sample.faults().clear();
        let fault = Fault::on("/spaces").status(status).header("Retry-After", "60");
        server.sample.faults().add(fault);
        for era in ERAS {
            let params = json!({ "name": "list_spaces", "arguments": {} });
            let reply = server.rpc(era, "tools/call", params).await;
            assert_eq!(reply.status, 200, "Octopus answered {status}");
            assert_eq!(reply.json()["result"]["isError"], true, "Octopus answered {status}");
        }
    }
}

#[tokio::test]
async fn invalid_arguments_are_tool_errors() {
    let server = TestServer::start().await;
    let tools = server.rpc(Era::Modern, "tools/list", json!({})).await.json();
    for tool in tools["result"]["tools"].as_array().unwrap() {
        let name = tool["name"].as_str().unwrap();
        for arguments in [json!({}), json!({ "frobnicate": 1 }), json!({ "space": 7, "take": "x" })]
        {
            let called = server.call(name, arguments.clone()).await;
            let works = ["list_spaces", "get_current_user", "explain_access"].contains(&name)
                && arguments == json!({});
            assert_eq!(called.is_error, !works, "{name} {arguments}: {}", called.text);
        }
    }
}

#[tokio::test]
async fn unknown_and_hidden_tools_return_the_same_error() {
    let server = TestServer::with(|config| {
        config.tools.toolsets.0 = vec!["projects".to_owned()];
    })
    .await;
    for era in ERAS {
        let mut messages = Vec::new();
        for name in ["get_task_raw", "get_task_rax"] {
            let reply = server.rpc(era, "tools/call", json!({ "name": name })).await;
            assert_eq!(reply.error_code(), -32602);
            assert_eq!(reply.status, 200, "{}", reply.text);
            messages.push(reply.error_message().replace(name, "NAME"));
        }
        assert_eq!(messages[0], messages[1]);
        let tools = server.rpc(era, "tools/list", json!({})).await.json();
        let names: Vec<_> = tools["result"]["tools"]
            .as_array()
            .unwrap()
            .iter()
            .map(|tool| tool["name"].as_str().unwrap())
            .collect();
        for tool in ["list_spaces", "list_environments", "read_resource", "list_projects"] {
            assert!(names.contains(&tool), "{tool} is not in {names:?}");
        }
        assert!(!names.iter().any(|name| name.contains("task")), "{names:?}");
    }
}

#[tokio::test]
async fn long_call_sends_requested_progress() {
    let server = TestServer::start().await;
    let arguments = json!({ "space": "Default", "taskId": "ServerTasks-90032" });
    for era in ERAS {
        let params = json!({ "name": "get_task_raw", "arguments": arguments,
            "_meta": { "progressToken": "p" } });
        let reply = server.rpc(era, "tools/call", params).await;
        assert_eq!(reply.header("content-type"), "text/event-stream");
        assert_eq!(reply.header("x-accel-buffering"), "no");
        let progress: Vec<f64> = reply
            .text
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line.strip_prefix("data:")?).ok())
            .filter(|message| message["method"] == "notifications/progress")
            .map(|message| {
                assert_eq!(message["params"]["progressToken"], "p");
                message["params"]["progress"].as_f64().unwrap()
            })
            .collect();
        assert!(progress.len() > 3 && progress.is_sorted(), "{progress:?}");
        assert!(reply.json()["result"]["structuredContent"]["totalLines"].as_u64().unwrap() > 1000);
        // Without a progress token, one JSON response is sufficient.
        let params = json!({ "name": "get_task_raw", "arguments": arguments });
        let reply = server.rpc(era, "tools/call", params).await;
        assert_eq!(reply.header("content-type"), "application/json");
    }
}

/// The TypeScript client times out after 60 s, so a call must be answered before.
#[test]
fn calls_time_out_before_clients_do() {
    let config = octopus_mcp::config::Config::default();
    assert!(config.http.request_timeout.0 < std::time::Duration::from_mins(1));
    assert!(config.octopus.timeout < config.http.request_timeout);
}
