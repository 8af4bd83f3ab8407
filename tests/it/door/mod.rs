//! The one door for text: whatever way the words of Octopus take to a client, no secret and nothing
//! invisible is in them. Tools, resources and prompts are asked of the server, so a new one is in
//! these tests by itself, and fails them until a call of it is known.

mod lines;
mod poison;
mod spellings;

use octopus_mcp::config::Config;
use octopus_sample::{Fault, Sample, keys};
use serde_json::{Value, json};

use crate::{
    consent::{Came, Desk, Way, changes},
    resources::{EACH, interruption},
    support::{Era, MODERN, Reply, TestServer, meta},
    tools::calls,
};

use poison::{Ids, is_poisoned, poisoned};

/// Tools in whose answers nothing stands that people write.
const NOTHING_WRITTEN: &[&str] = &[];

async fn start(change: impl FnOnce(&mut Config)) -> (TestServer, Ids) {
    let sample = Sample::new();
    let ids = Ids::of(&sample).await;
    let router = poisoned(sample.router());
    let server = TestServer::behind(sample, router, |config| {
        config.tools.read_only = false;
        config.tools.allow_deletes = true;
        config.limits.caller_rate = 0;
        change(config);
    });
    (server.await, ids)
}

#[track_caller]
fn clean(what: &str, reply: &Reply) {
    let at = |text: &str| text.find(poison::SECRET).or_else(|| text.find(poison::UNSEEN));
    let near = at(&reply.text).map(|at| {
        let start = reply.text.floor_char_boundary(at.saturating_sub(200));
        &reply.text[start..reply.text.floor_char_boundary(at + 40)]
    });
    assert!(!is_poisoned(&reply.text), "{what}: {near:?}");
}

/// That an answer says that others wrote it, and what was taken out of it.
#[track_caller]
fn counted(what: &str, meta: &Value) {
    assert_eq!(meta["ifc"]["integrity"], "untrusted", "{what}: {meta}");
    for count in ["octopus-mcp/redacted", "octopus-mcp/removed"] {
        assert!(meta[count].as_u64() > Some(0), "{what}: no poison came to {count}: {meta}");
    }
}

/// The names of everything that a list of the protocol holds.
async fn listed(server: &TestServer, method: &str, key: &str) -> Vec<Value> {
    let reply = server.ask(Era::Modern, method, json!({})).await;
    clean(method, &reply);
    reply.json()["result"][key].as_array().unwrap().clone()
}

/// A call of each tool that there is, by IDs alone.
async fn each_call(server: &TestServer, ids: &Ids) -> Vec<(String, Value)> {
    let mut each = Vec::new();
    for tool in listed(server, "tools/list", "tools").await {
        let name = tool["name"].as_str().unwrap();
        let known = calls().into_iter().chain(changes().into_iter().map(|(t, a, ..)| (t, a)));
        let known: Vec<Value> = known.filter(|(tool, _)| *tool == name).map(|(_, a)| a).collect();
        assert!(!known.is_empty(), "no call of {name} is known");
        for mut arguments in known {
            ids.replace(&mut arguments);
            each.push((name.to_owned(), arguments));
        }
    }
    each
}

#[tokio::test]
async fn no_tool_carries_text_past_the_door() {
    let (server, ids) = start(|_| {}).await;
    for (tool, arguments) in each_call(&server, &ids).await {
        if changes().iter().any(|(change, ..)| *change == tool) && arguments["method"] != "GET" {
            continue;
        }
        for era in crate::support::ERAS {
            let what = format!("{tool} {arguments}");
            let octopus = server.octopus();
            let arguments = arguments.to_string().replace(crate::support::OCTOPUS, &octopus);
            let arguments: Value = serde_json::from_str(&arguments).unwrap();
            let params = json!({ "name": tool, "arguments": arguments });
            let reply = server.ask(era, "tools/call", params).await;
            clean(&what, &reply);
            let result = &reply.json()["result"];
            assert_ne!(result["isError"], true, "{what}: {}", reply.text);
            if !NOTHING_WRITTEN.contains(&tool.as_str()) {
                counted(&what, &result["_meta"]);
            }
        }
    }
}

#[tokio::test]
async fn no_question_and_no_preview_carries_text_past_the_door_and_no_report_of_a_change() {
    for way in [Way::Rounds, Way::Code(Era::Modern), Way::Code(Era::Legacy)] {
        for (tool, mut arguments, ..) in changes() {
            let (server, ids) = start(|_| {}).await;
            ids.replace(&mut arguments);
            let desk = Desk { server, key: keys::ADMIN };
            let what = format!("{tool} {way:?}");
            let reply = desk.reply(way, json!({ "name": tool, "arguments": arguments })).await;
            clean(&what, &reply);
            let Came::Asked { words, sealed } = crate::consent::read(&reply) else {
                panic!("{what}: nobody was asked: {}", reply.text);
            };
            // `execute` shows what it sends, and of Octopus the name of what it is sent to.
            if tool != "execute" || words.contains("[redacted:") {
                assert!(words.contains("[redacted:octopus-api-key]"), "{what}: {words}");
                counted(&what, &reply.json()["result"]["_meta"]);
            }
            let mut params = json!({ "name": tool, "arguments": arguments });
            match way {
                Way::Rounds => {
                    params["requestState"] = json!(sealed);
                    params["inputResponses"] = json!({ "confirm": { "action": "accept" } });
                }
                Way::Code(_) => params["arguments"]["confirm"] = json!(sealed),
            }
            let reply = desk.reply(way, params).await;
            clean(&what, &reply);
            assert_eq!(reply.json()["result"]["_meta"]["ifc"]["integrity"], "untrusted", "{what}");
        }
    }
}

#[tokio::test]
async fn no_error_carries_text_past_the_door() {
    let (server, ids) = start(|config| {
        config.octopus.retries = 0;
        // It goes on failing, and each call has to hear of it.
        config.octopus.failures_until_pause = 0;
    })
    .await;
    let body = json!({ "ErrorMessage": "It is so.", "Errors": ["One", "Two"] }).to_string();
    let calls = each_call(&server, &ids).await;
    for status in [400, 401, 403, 404, 409, 500, 503] {
        server.sample.faults().clear();
        server.sample.faults().add(Fault::on("/api").status(status).body(&body));
        for (tool, arguments) in &calls {
            let params = json!({ "name": tool, "arguments": arguments });
            let reply = server.ask(Era::Modern, "tools/call", params).await;
            clean(&format!("{tool} {status}"), &reply);
            let reply = server.ask(Era::Legacy, "resources/list", json!({})).await;
            clean("resources/list", &reply);
        }
        for (name, uri) in EACH {
            let params = json!({ "uri": uri.replace("/Default", "/Spaces-1") });
            let reply = server.ask(Era::Modern, "resources/read", params).await;
            clean(&format!("{name} {status}"), &reply);
        }
    }
    server.sample.faults().clear();
    // Words of Octopus do stand in errors, as near names and as messages.
    let near = json!({ "name": "list_projects", "arguments": { "space": "Defaul" } });
    let reply = server.ask(Era::Modern, "tools/call", near).await;
    clean("near names", &reply);
    assert!(reply.text.contains("Default [redacted:octopus-api-key]"), "{}", reply.text);
    counted("near names", &reply.json()["result"]["_meta"]);
    let near = json!({ "uri": "octopus://spaces/Defaul" });
    let reply = server.ask(Era::Modern, "resources/read", near).await;
    clean("near names of a resource", &reply);
    assert!(reply.text.contains("Default [redacted:octopus-api-key]"), "{}", reply.text);
    server.sample.faults().add(Fault::on("/environments").status(400).body(&body));
    let call = json!({ "name": "list_environments", "arguments": { "space": "Spaces-1" } });
    let reply = server.ask(Era::Modern, "tools/call", call).await;
    clean("a message", &reply);
    assert!(reply.text.contains("It is so. [redacted:octopus-api-key]"), "{}", reply.text);
}

#[tokio::test]
async fn no_resource_carries_text_past_the_door() {
    let (server, _) = start(|_| {}).await;
    interruption(&server);
    let listed = [
        listed(&server, "resources/list", "resources").await,
        listed(&server, "resources/templates/list", "resourceTemplates").await,
    ];
    for resource in listed.iter().flatten() {
        let name = resource["name"].as_str().unwrap();
        let is_space = resource["title"].as_str().is_some_and(|title| title.starts_with("Space "));
        // What became of calls is read when there are some, below.
        let is_known = EACH.iter().any(|(known, _)| *known == name) || name == "caller-calls";
        assert!(is_space || is_known, "{name}: no address");
        if is_space {
            counted(name, &resource["_meta"]);
            let params = json!({ "uri": resource["uri"] });
            let reply = server.ask(Era::Modern, "resources/read", params).await;
            assert!(reply.json()["result"].is_object(), "{name} leads nowhere: {}", reply.text);
        }
    }
    for (name, uri) in EACH {
        let uri = uri.replace("/Default", "/Spaces-1");
        let what = format!("{name} {uri}");
        let read = server.ask(Era::Modern, "resources/read", json!({ "uri": uri })).await;
        clean(&what, &read);
        let contents = &read.json()["result"]["contents"][0];
        let call = json!({ "name": "read_resource", "arguments": { "uri": uri } });
        let called = server.ask(Era::Legacy, "tools/call", call).await;
        clean(&what, &called);
        if *name != "catalog-capabilities" {
            counted(&what, &contents["_meta"]);
            counted(&what, &called.json()["result"]["_meta"]);
        }
    }
    let calls = json!({ "uri": "octopus://caller/calls" });
    let read = server.ask(Era::Modern, "resources/read", calls).await;
    clean("the last calls", &read);
    assert!(read.text.contains("read_resource"), "{}", read.text);
}

#[tokio::test]
async fn no_prompt_and_no_completion_carries_text_past_the_door() {
    let (server, _) = start(|_| {}).await;
    let mut asked = Vec::new();
    for prompt in listed(&server, "prompts/list", "prompts").await {
        let mut given = json!({});
        for argument in prompt["arguments"].as_array().unwrap() {
            given[argument["name"].as_str().unwrap()] = json!("Spaces-1");
            asked.push((
                json!({ "type": "ref/prompt", "name": prompt["name"] }),
                argument["name"].clone(),
            ));
        }
        let params = json!({ "name": prompt["name"], "arguments": given });
        clean("prompts/get", &server.ask(Era::Modern, "prompts/get", params).await);
    }
    for template in listed(&server, "resources/templates/list", "resourceTemplates").await {
        let uri = template["uriTemplate"].as_str().unwrap();
        for part in uri.split('{').skip(1) {
            let (variable, _) = part.split_once('}').unwrap();
            asked.push((json!({ "type": "ref/resource", "uri": uri }), json!(variable)));
        }
    }
    assert!(asked.len() > 20, "{}", asked.len());
    let plain = TestServer::start().await;
    let mut had_values = 0;
    for (reference, argument) in asked {
        let params = json!({
            "ref": reference, "argument": { "name": argument, "value": "" },
            "context": { "arguments": { "space": "Spaces-1", "spaceName": "Spaces-1", "project": "Projects-1", "projectId": "Projects-1" } },
        });
        clean("completion", &server.ask(Era::Modern, "completion/complete", params.clone()).await);
        let reply = plain.ask(Era::Modern, "completion/complete", params).await.json();
        let values = reply["result"]["completion"]["values"].as_array().map_or(0, Vec::len);
        had_values += usize::from(values > 0);
    }
    assert!(had_values > 10, "completions without poison have values: {had_values}");
}

#[tokio::test]
async fn no_progress_carries_text_past_the_door_and_grep_does_not_tell_of_secrets() {
    let (server, _) = start(|_| {}).await;
    let mut params = json!({ "name": "grep_task_log",
        "arguments": { "space": "Spaces-1", "taskId": "ServerTasks-90032", "pattern": "quota" } });
    params["_meta"] = meta();
    params["_meta"]["progressToken"] = json!("p");
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
    let headers = [
        ("mcp-protocol-version", MODERN),
        ("mcp-method", "tools/call"),
        ("mcp-name", "grep_task_log"),
        ("mcp-param-space", "Spaces-1"),
    ];
    let reply = server.post(&headers, body.to_string()).await;
    assert!(reply.text.contains("notifications/progress"), "{}", reply.text);
    clean("progress", &reply);
    for (pattern, matches) in [("POISON", false), ("API-P", false), ("octopus-api-key", true)] {
        let call =
            json!({ "space": "Spaces-1", "taskId": "ServerTasks-90004", "pattern": pattern });
        let found = server.call_as(keys::ADMIN, "grep_task_log", call).await;
        assert_eq!(found.structured["totalMatches"].as_u64() > Some(0), matches, "{pattern}");
    }
}
