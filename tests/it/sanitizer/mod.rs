//! Sanitizing of text from Octopus: no response contains a secret or an invisible character.
//!
//! The tests take tools, resources and prompts from the listings of the server. They fail until a
//! call of each new one is defined.

mod multi_line_secrets;
mod poison;
mod spellings;

use octopus_mcp::config::Config;
use octopus_sample::{Fault, Sample, keys};
use serde_json::{Value, json};

use crate::{
    approval::{ApprovalFixture, ApprovalFlow, CallOutcome, write_calls},
    resources::{SAMPLE_URIS, single_interruption},
    support::{Era, MODERN_VERSION, Reply, TestServer, modern_meta},
    tools::sample_calls,
};

use poison::{NameToId, is_poisoned, poison_responses};

/// Tools without user-written text in their results.
const TOOLS_WITHOUT_USER_TEXT: &[&str] = &[];

async fn start_poisoned(change: impl FnOnce(&mut Config)) -> (TestServer, NameToId) {
    let sample = Sample::new();
    let ids = NameToId::load(&sample).await;
    let router = poison_responses(sample.router());
    let server = TestServer::with_router(sample, router, |config| {
        config.tools.read_only = false;
        config.tools.allow_deletes = true;
        config.limits.caller_rate = 0;
        change(config);
    });
    (server.await, ids)
}

#[track_caller]
fn assert_clean(label: &str, reply: &Reply) {
    let position = |text: &str| text.find(poison::SECRET).or_else(|| text.find(poison::INVISIBLE));
    let context = position(&reply.text).map(|position| {
        let start = reply.text.floor_char_boundary(position.saturating_sub(200));
        &reply.text[start..reply.text.floor_char_boundary(position + 40)]
    });
    assert!(!is_poisoned(&reply.text), "{label}: {context:?}");
}

/// Checks that a result is labelled as untrusted and counts redactions and removed characters.
#[track_caller]
fn assert_counted(label: &str, meta: &Value) {
    assert_eq!(meta["ifc"]["integrity"], "untrusted", "{label}: {meta}");
    for count in ["octopus-mcp/redacted", "octopus-mcp/removed"] {
        assert!(meta[count].as_u64() > Some(0), "{label}: {count} counts nothing: {meta}");
    }
}

/// Returns the items of a listing, and checks that the listing is sanitized.
async fn list_items(server: &TestServer, method: &str, key: &str) -> Vec<Value> {
    let reply = server.rpc(Era::Modern, method, json!({})).await;
    assert_clean(method, &reply);
    reply.json()["result"][key].as_array().unwrap().clone()
}

/// Returns the known calls of each listed tool, with IDs instead of names.
async fn each_call(server: &TestServer, ids: &NameToId) -> Vec<(String, Value)> {
    let mut each = Vec::new();
    for tool in list_items(server, "tools/list", "tools").await {
        let name = tool["name"].as_str().unwrap();
        let known =
            sample_calls().into_iter().chain(write_calls().into_iter().map(|(t, a, ..)| (t, a)));
        let known: Vec<Value> = known.filter(|(tool, _)| *tool == name).map(|(_, a)| a).collect();
        assert!(!known.is_empty(), "no call of {name} is defined");
        for mut arguments in known {
            ids.replace(&mut arguments);
            each.push((name.to_owned(), arguments));
        }
    }
    each
}

#[tokio::test]
async fn tool_results_are_sanitized() {
    let (server, ids) = start_poisoned(|_| {}).await;
    for (tool, arguments) in each_call(&server, &ids).await {
        if write_calls().iter().any(|(change, ..)| *change == tool) && arguments["method"] != "GET"
        {
            continue;
        }
        for era in crate::support::ERAS {
            let label = format!("{tool} {arguments}");
            let octopus = server.octopus_url();
            let arguments =
                arguments.to_string().replace(crate::support::OCTOPUS_PLACEHOLDER, &octopus);
            let arguments: Value = serde_json::from_str(&arguments).unwrap();
            let params = json!({ "name": tool, "arguments": arguments });
            let reply = server.rpc(era, "tools/call", params).await;
            assert_clean(&label, &reply);
            let result = &reply.json()["result"];
            assert_ne!(result["isError"], true, "{label}: {}", reply.text);
            if !TOOLS_WITHOUT_USER_TEXT.contains(&tool.as_str()) {
                assert_counted(&label, &result["_meta"]);
            }
        }
    }
}

#[tokio::test]
async fn approval_requests_and_change_results_are_sanitized() {
    for flow in [
        ApprovalFlow::InputRequired,
        ApprovalFlow::ConfirmCode(Era::Modern),
        ApprovalFlow::ConfirmCode(Era::Legacy),
    ] {
        for (tool, mut arguments, ..) in write_calls() {
            let (server, ids) = start_poisoned(|_| {}).await;
            ids.replace(&mut arguments);
            let fixture = ApprovalFixture { server, key: keys::ADMIN };
            let label = format!("{tool} {flow:?}");
            let reply = fixture.reply(flow, json!({ "name": tool, "arguments": arguments })).await;
            assert_clean(&label, &reply);
            let CallOutcome::ApprovalRequired { preview, token } =
                crate::approval::parse_outcome(&reply)
            else {
                panic!("{label}: no approval was requested: {}", reply.text);
            };
            // The preview of `execute` shows its own request; only the name of the target is from
            // Octopus.
            if tool != "execute" || preview.contains("[redacted:") {
                assert!(preview.contains("[redacted:octopus-api-key]"), "{label}: {preview}");
                assert_counted(&label, &reply.json()["result"]["_meta"]);
            }
            let mut params = json!({ "name": tool, "arguments": arguments });
            match flow {
                ApprovalFlow::InputRequired => {
                    params["requestState"] = json!(token);
                    params["inputResponses"] = json!({ "confirm": { "action": "accept" } });
                }
                ApprovalFlow::ConfirmCode(_) => params["arguments"]["confirm"] = json!(token),
            }
            let reply = fixture.reply(flow, params).await;
            assert_clean(&label, &reply);
            assert_eq!(reply.json()["result"]["_meta"]["ifc"]["integrity"], "untrusted", "{label}");
        }
    }
}

#[tokio::test]
async fn errors_are_sanitized() {
    let (server, ids) = start_poisoned(|config| {
        config.octopus.retries = 0;
        // Octopus always fails, and every call must reach it.
        config.octopus.failures_until_pause = 0;
    })
    .await;
    let body = json!({ "ErrorMessage": "Something failed.", "Errors": ["One", "Two"] }).to_string();
    let calls = each_call(&server, &ids).await;
    for status in [400, 401, 403, 404, 409, 500, 503] {
        server.sample.faults().clear();
        server.sample.faults().add(Fault::on("/api").status(status).body(&body));
        for (tool, arguments) in &calls {
            let params = json!({ "name": tool, "arguments": arguments });
            let reply = server.rpc(Era::Modern, "tools/call", params).await;
            assert_clean(&format!("{tool} {status}"), &reply);
            let reply = server.rpc(Era::Legacy, "resources/list", json!({})).await;
            assert_clean("resources/list", &reply);
        }
        for (name, uri) in SAMPLE_URIS {
            let params = json!({ "uri": uri.replace("/Default", "/Spaces-1") });
            let reply = server.rpc(Era::Modern, "resources/read", params).await;
            assert_clean(&format!("{name} {status}"), &reply);
        }
    }
    server.sample.faults().clear();
    // Errors do contain text from Octopus: similar names and messages.
    let context = json!({ "name": "list_projects", "arguments": { "space": "Defaul" } });
    let reply = server.rpc(Era::Modern, "tools/call", context).await;
    assert_clean("suggestions", &reply);
    assert!(reply.text.contains("Default [redacted:octopus-api-key]"), "{}", reply.text);
    assert_counted("suggestions", &reply.json()["result"]["_meta"]);
    let context = json!({ "uri": "octopus://spaces/Defaul" });
    let reply = server.rpc(Era::Modern, "resources/read", context).await;
    assert_clean("suggestions for a resource", &reply);
    assert!(reply.text.contains("Default [redacted:octopus-api-key]"), "{}", reply.text);
    server.sample.faults().add(Fault::on("/environments").status(400).body(&body));
    let call = json!({ "name": "list_environments", "arguments": { "space": "Spaces-1" } });
    let reply = server.rpc(Era::Modern, "tools/call", call).await;
    assert_clean("a message", &reply);
    assert!(reply.text.contains("Something failed. [redacted:octopus-api-key]"), "{}", reply.text);
}

#[tokio::test]
async fn resources_are_sanitized() {
    let (server, _) = start_poisoned(|_| {}).await;
    single_interruption(&server);
    let listed = [
        list_items(&server, "resources/list", "resources").await,
        list_items(&server, "resources/templates/list", "resourceTemplates").await,
    ];
    for resource in listed.iter().flatten() {
        let name = resource["name"].as_str().unwrap();
        let is_space = resource["title"].as_str().is_some_and(|title| title.starts_with("Space "));
        // The last calls are read below, after some calls.
        let is_known =
            SAMPLE_URIS.iter().any(|(known, _)| *known == name) || name == "caller-calls";
        assert!(is_space || is_known, "{name}: no URI is defined");
        if is_space {
            assert_counted(name, &resource["_meta"]);
            let params = json!({ "uri": resource["uri"] });
            let reply = server.rpc(Era::Modern, "resources/read", params).await;
            assert!(reply.json()["result"].is_object(), "{name} cannot be read: {}", reply.text);
        }
    }
    for (name, uri) in SAMPLE_URIS {
        let uri = uri.replace("/Default", "/Spaces-1");
        let label = format!("{name} {uri}");
        let read = server.rpc(Era::Modern, "resources/read", json!({ "uri": uri })).await;
        assert_clean(&label, &read);
        let contents = &read.json()["result"]["contents"][0];
        let call = json!({ "name": "read_resource", "arguments": { "uri": uri } });
        let called = server.rpc(Era::Legacy, "tools/call", call).await;
        assert_clean(&label, &called);
        if *name != "catalog-capabilities" {
            assert_counted(&label, &contents["_meta"]);
            assert_counted(&label, &called.json()["result"]["_meta"]);
        }
    }
    let calls = json!({ "uri": "octopus://caller/calls" });
    let read = server.rpc(Era::Modern, "resources/read", calls).await;
    assert_clean("the last calls", &read);
    assert!(read.text.contains("read_resource"), "{}", read.text);
}

#[tokio::test]
async fn prompts_and_completions_are_sanitized() {
    let (server, _) = start_poisoned(|_| {}).await;
    let mut completions = Vec::new();
    for prompt in list_items(&server, "prompts/list", "prompts").await {
        let mut arguments = json!({});
        for argument in prompt["arguments"].as_array().unwrap() {
            arguments[argument["name"].as_str().unwrap()] = json!("Spaces-1");
            completions.push((
                json!({ "type": "ref/prompt", "name": prompt["name"] }),
                argument["name"].clone(),
            ));
        }
        let params = json!({ "name": prompt["name"], "arguments": arguments });
        assert_clean("prompts/get", &server.rpc(Era::Modern, "prompts/get", params).await);
    }
    for template in list_items(&server, "resources/templates/list", "resourceTemplates").await {
        let uri = template["uriTemplate"].as_str().unwrap();
        for part in uri.split('{').skip(1) {
            let (variable, _) = part.split_once('}').unwrap();
            completions.push((json!({ "type": "ref/resource", "uri": uri }), json!(variable)));
        }
    }
    assert!(completions.len() > 20, "{}", completions.len());
    let plain = TestServer::start().await;
    let mut with_values = 0;
    for (reference, argument) in completions {
        let params = json!({
            "ref": reference, "argument": { "name": argument, "value": "" },
            "context": { "arguments": { "space": "Spaces-1", "spaceName": "Spaces-1", "project": "Projects-1", "projectId": "Projects-1" } },
        });
        assert_clean(
            "completion",
            &server.rpc(Era::Modern, "completion/complete", params.clone()).await,
        );
        let reply = plain.rpc(Era::Modern, "completion/complete", params).await.json();
        let values = reply["result"]["completion"]["values"].as_array().map_or(0, Vec::len);
        with_values += usize::from(values > 0);
    }
    assert!(with_values > 10, "completions with values on a server without poison: {with_values}");
}

#[tokio::test]
async fn progress_is_sanitized_and_grep_cannot_find_secrets() {
    let (server, _) = start_poisoned(|_| {}).await;
    let mut params = json!({ "name": "grep_task_log",
        "arguments": { "space": "Spaces-1", "taskId": "ServerTasks-90032", "pattern": "quota" } });
    params["_meta"] = modern_meta();
    params["_meta"]["progressToken"] = json!("p");
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
    let headers = [
        ("mcp-protocol-version", MODERN_VERSION),
        ("mcp-method", "tools/call"),
        ("mcp-name", "grep_task_log"),
        ("mcp-param-space", "Spaces-1"),
    ];
    let reply = server.post(&headers, body.to_string()).await;
    assert!(reply.text.contains("notifications/progress"), "{}", reply.text);
    assert_clean("progress", &reply);
    for (pattern, matches) in [("POISON", false), ("API-P", false), ("octopus-api-key", true)] {
        let call =
            json!({ "space": "Spaces-1", "taskId": "ServerTasks-90004", "pattern": pattern });
        let found = server.call_as(keys::ADMIN, "grep_task_log", call).await;
        assert_eq!(found.structured["totalMatches"].as_u64() > Some(0), matches, "{pattern}");
    }
}
