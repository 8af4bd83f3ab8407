//! The protocol in both eras, as real clients speak it. What clients do with each answer was
//! measured; each demand that follows from it has its test here or in `http.rs`.

use octopus_mcp::sample::Fault;
use serde_json::{Value, json};

use crate::support::{ERAS, Era, LEGACY, MODERN, TestServer, meta};

fn greeting(version: &str) -> Value {
    let client = json!({ "name": "test", "version": "1" });
    let params = json!({ "protocolVersion": version, "capabilities": {}, "clientInfo": client });
    json!({ "jsonrpc": "2.0", "id": "hello", "method": "initialize", "params": params })
}

#[tokio::test]
async fn one_address_serves_both_eras_with_and_without_a_slash() {
    let mut server = TestServer::start().await;
    for slash in ["", "/"] {
        server.url = server.url.trim_end_matches('/').to_owned() + slash;
        for era in ERAS {
            let reply = server.ask(era, "tools/list", json!({})).await;
            assert_eq!(reply.status, 200);
            assert_eq!(reply.json()["result"]["tools"][0]["name"], "list_spaces");
        }
        let reply = server.post(&[], greeting(LEGACY).to_string()).await;
        assert_eq!(reply.json()["result"]["protocolVersion"], LEGACY);
        let reply = server.ask(Era::Modern, "server/discover", json!({})).await;
        assert_eq!(reply.json()["result"]["resultType"], "complete");
    }
}

#[tokio::test]
async fn initialize_agrees_on_a_version_of_its_era() {
    let server = TestServer::start().await;
    for (asked, agreed) in [
        ("2025-03-26", "2025-03-26"),
        ("2025-06-18", "2025-06-18"),
        ("2025-11-25", "2025-11-25"),
        ("2024-11-05", "2025-11-25"),
        ("2026-07-28", "2025-11-25"),
        ("1999-01-01", "2025-11-25"),
        ("2099-01-01", "2025-11-25"),
        ("soon", "2025-11-25"),
    ] {
        for header in ["", asked] {
            let reply =
                server.post(&[("mcp-protocol-version", header)], greeting(asked).to_string()).await;
            assert_eq!(reply.status, 200, "{asked}: {}", reply.text);
            let json = reply.json();
            assert_eq!(json["result"]["protocolVersion"], agreed, "{asked} {header}");
            assert_eq!(json["id"], "hello");
            assert_eq!(json["result"]["serverInfo"]["name"], "octopus-mcp");
            let instructions = json["result"]["instructions"].as_str().unwrap();
            assert!(instructions.len() < 1500, "{}", instructions.len());
            assert!(reply.headers.get("mcp-session-id").is_none(), "there are no sessions");
        }
    }
}

#[tokio::test]
async fn the_instructions_are_short_and_say_what_is_on() {
    let read_only = TestServer::start().await;
    let open = TestServer::with(|config| {
        config.tools.read_only = false;
        config.tools.allow_deletes = true;
        config.octopus.space = Some("Warehouse Systems".to_owned());
    })
    .await;
    let unasked = TestServer::with(|config| {
        config.tools.read_only = false;
        config.tools.confirm = octopus_mcp::config::Confirm::Never;
        config.tools.toolsets.0 = vec!["tasks".to_owned()];
    })
    .await;
    for (server, says, says_not) in [
        (&read_only, &["Nothing can be changed", "featureToggles (", "list_spaces"][..], "yes"),
        (&open, &["only after the user's own yes", "the space Warehouse Systems"], "list_spaces"),
        (&unasked, &["made at once", "tasks ("], "featureToggles"),
    ] {
        let hello = server.post(&[], greeting(LEGACY).to_string()).await.json();
        let told = hello["result"]["instructions"].as_str().unwrap();
        assert!(told.len() < 1500, "{}: {told}", told.len());
        for words in says.iter().chain(&["octopus://api/capabilities", "read_resource"]) {
            assert!(told.contains(words), "{words}: {told}");
        }
        assert!(!told.contains(says_not), "{told}");
    }
}

#[tokio::test]
async fn discovery_says_the_versions_and_how_long_they_hold() {
    let server = TestServer::start().await;
    let headers = [("mcp-protocol-version", MODERN), ("mcp-method", "server/discover")];
    let body = json!({ "jsonrpc": "2.0", "id": "server-discover-probe-1",
        "method": "server/discover", "params": { "_meta": meta() } });
    let json = server.post(&headers, body.to_string()).await.json();
    assert_eq!(json["id"], "server-discover-probe-1");
    let result = &json["result"];
    assert_eq!(
        result["supportedVersions"],
        json!(["2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"])
    );
    assert!(result["ttlMs"].as_u64().unwrap() > 0);
    assert_eq!(result["cacheScope"], "private");
    assert!(result["capabilities"]["tools"].is_object());
}

#[tokio::test]
async fn every_list_is_served_and_says_how_long_it_holds_in_the_era_that_asks() {
    let server = TestServer::start().await;
    for (method, list) in [
        ("tools/list", "tools"),
        ("resources/list", "resources"),
        ("resources/templates/list", "resourceTemplates"),
        ("prompts/list", "prompts"),
    ] {
        let modern = server.ask(Era::Modern, method, json!({})).await.json();
        assert!(modern["result"][list].is_array(), "{method}: {modern}");
        assert!(modern["result"]["ttlMs"].as_u64().unwrap() >= 60_000, "{method}");
        assert_eq!(modern["result"]["cacheScope"], "private", "{method}");
        assert_eq!(modern["result"]["resultType"], "complete", "{method}");
        let legacy = server.ask(Era::Legacy, method, json!({})).await.json();
        // Earlier revisions do not know headers that repeat arguments.
        let mut both = modern["result"][list].clone();
        for tool in both.as_array_mut().unwrap() {
            let properties = tool.pointer_mut("/inputSchema/properties");
            for property in properties.and_then(Value::as_object_mut).into_iter().flatten() {
                property.1.as_object_mut().unwrap().shift_remove("x-mcp-header");
            }
        }
        assert_eq!(legacy["result"][list], both, "{method}");
        for odd in ["ttlMs", "cacheScope", "resultType"] {
            assert!(legacy["result"].get(odd).is_none(), "{method}: {odd} in {legacy}");
        }
        let paged = server.ask(Era::Modern, method, json!({ "cursor": "x" })).await;
        assert_eq!(paged.code(), -32602, "{method}");
    }
}

#[tokio::test]
async fn a_failing_call_is_an_answer_with_status_200() {
    let server = TestServer::start().await;
    for status in [400, 401, 403, 404, 409, 429, 500, 502, 503] {
        server.sample.trouble().clear();
        let fault = Fault::on("/spaces").status(status).header("Retry-After", "60");
        server.sample.trouble().add(fault);
        for era in ERAS {
            let params = json!({ "name": "list_spaces", "arguments": {} });
            let reply = server.ask(era, "tools/call", params).await;
            assert_eq!(reply.status, 200, "Octopus answered {status}");
            assert_eq!(reply.json()["result"]["isError"], true, "Octopus answered {status}");
        }
    }
}

#[tokio::test]
async fn wrong_arguments_are_a_failed_call_and_no_protocol_error() {
    let server = TestServer::start().await;
    let tools = server.ask(Era::Modern, "tools/list", json!({})).await.json();
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
async fn a_tool_that_does_not_exist_and_one_that_is_hidden_answer_alike() {
    let server = TestServer::with(|config| {
        config.tools.toolsets.0 = vec!["projects".to_owned()];
    })
    .await;
    for era in ERAS {
        let mut said = Vec::new();
        for name in ["get_task_raw", "get_task_rax"] {
            let reply = server.ask(era, "tools/call", json!({ "name": name })).await;
            assert_eq!(reply.code(), -32602);
            assert_eq!(reply.status, 200, "{}", reply.text);
            said.push(reply.message().replace(name, "NAME"));
        }
        assert_eq!(said[0], said[1]);
        let tools = server.ask(era, "tools/list", json!({})).await.json();
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
async fn notifications_are_accepted_and_answers_to_nothing_refused() {
    let server = TestServer::start().await;
    let body = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    let reply = server.post(&[("mcp-protocol-version", LEGACY)], body.to_string()).await;
    assert_eq!((reply.status, reply.text.as_str()), (202, ""));
    let body = json!({ "jsonrpc": "2.0", "id": 9, "result": {} });
    let reply = server.post(&[], body.to_string()).await;
    assert_eq!((reply.status, reply.code()), (400, -32600));
}

#[tokio::test]
async fn messages_that_are_none_are_refused_with_their_own_codes() {
    let server = TestServer::start().await;
    for (body, status, code, id) in [
        ("{", 400, -32700, json!(null)),
        ("", 400, -32700, json!(null)),
        ("[]", 400, -32600, json!(null)),
        (r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, 400, -32600, json!(null)),
        (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, 400, -32600, json!(null)),
        (r#"{"jsonrpc":"2.0","id":{"a":1},"method":"ping"}"#, 400, -32600, json!(null)),
        (r#"{"jsonrpc":"1.0","id":"a","method":"ping"}"#, 400, -32600, json!("a")),
        (r#"{"jsonrpc":"2.0","id":5,"method":7}"#, 400, -32600, json!(5)),
        (r#"{"jsonrpc":"2.0","id":5,"method":"tools/call","params":[]}"#, 400, -32602, json!(5)),
    ] {
        let reply = server.post(&[], body).await;
        assert_eq!((reply.status, reply.code()), (status, code), "{body}: {}", reply.text);
        assert_eq!(reply.json()["id"], id, "{body}");
        assert_eq!(reply.header("content-type"), "application/json", "{body}");
    }
}

#[tokio::test]
async fn parameters_of_the_wrong_type_are_told_as_such() {
    let server = TestServer::start().await;
    for (method, params) in [
        ("tools/call", json!({ "name": 7 })),
        ("tools/call", json!({ "name": "list_spaces", "arguments": "none" })),
        ("tools/call", json!({})),
        ("resources/read", json!({ "uri": [] })),
        ("prompts/get", json!({})),
        ("tools/list", json!({ "cursor": 7 })),
        ("completion/complete", json!({ "ref": "x" })),
    ] {
        for era in ERAS {
            let reply = server.ask(era, method, params.clone()).await;
            assert_eq!(reply.code(), -32602, "{method} {params}: {}", reply.text);
            let status = if era == Era::Modern { 400 } else { 200 };
            assert_eq!(reply.status, status, "{method} {params}");
            assert_eq!(reply.json()["id"], 1);
        }
    }
}

#[tokio::test]
async fn methods_that_are_gone_or_unknown_are_not_found() {
    let server = TestServer::start().await;
    for method in ["ping", "logging/setLevel", "resources/subscribe", "nothing/here"] {
        let reply = server.ask(Era::Modern, method, json!({})).await;
        assert_eq!((reply.status, reply.code()), (404, -32601), "{method}: {}", reply.text);
        assert_eq!(reply.json()["id"], 1, "{method}");
    }
    let pong = server.ask(Era::Legacy, "ping", json!({})).await;
    assert_eq!(pong.json()["result"], json!({}));
    let unknown = server.ask(Era::Legacy, "nothing/here", json!({})).await;
    assert_eq!((unknown.status, unknown.code()), (200, -32601));
    let listen = json!({ "notifications": {} });
    let listen = server.ask(Era::Modern, "subscriptions/listen", listen).await;
    assert_eq!((listen.status, listen.code()), (404, -32601));
}

#[tokio::test]
async fn versions_that_are_not_spoken_are_refused_with_those_that_are() {
    let server = TestServer::start().await;
    for version in ["1999-01-01", "2099-01-01", "2026-07-29", "x"] {
        let body = json!({ "jsonrpc": "2.0", "id": "v", "method": "tools/list" });
        let reply = server.post(&[("mcp-protocol-version", version)], body.to_string()).await;
        assert_eq!((reply.status, reply.code()), (400, -32022), "{version}");
        let json = reply.json();
        assert_eq!(json["id"], "v");
        assert_eq!(json["error"]["data"]["requested"], version);
        assert_eq!(json["error"]["data"]["supported"].as_array().unwrap().len(), 4);
    }
}

#[tokio::test]
async fn headers_of_the_modern_era_must_agree_with_the_body() {
    let server = TestServer::start().await;
    let params = json!({ "name": "list_spaces", "_meta": meta() });
    let body = json!({ "jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": params });
    let post = async |headers: &[(&str, &str)]| {
        let reply = server.post(headers, body.to_string()).await;
        (reply.status, if reply.status == 200 { 0 } else { reply.code() })
    };
    let version = ("mcp-protocol-version", MODERN);
    let method = ("Mcp-Method", "tools/call");
    let name = ("Mcp-Name", "list_spaces");
    assert_eq!(post(&[version, method, name]).await, (200, 0));
    assert_eq!(
        post(&[version, ("MCP-METHOD", "tools/call"), ("mcp-name", " list_spaces ")]).await,
        (200, 0)
    );
    assert_eq!(post(&[method, name]).await, (400, -32020), "no version header");
    assert_eq!(post(&[version, name]).await, (400, -32020), "no method header");
    assert_eq!(post(&[version, method]).await, (400, -32020), "no name header");
    assert_eq!(post(&[version, ("mcp-method", "tools/list"), name]).await, (400, -32020));
    assert_eq!(post(&[version, ("mcp-method", "TOOLS/CALL"), name]).await, (400, -32020));
    assert_eq!(post(&[version, method, ("mcp-name", "list_projects")]).await, (400, -32020));
    assert_eq!(
        post(&[version, method, name, ("mcp-name", "list_projects")]).await,
        (400, -32020),
        "two names"
    );
    assert_eq!(
        post(&[version, ("mcp-protocol-version", LEGACY), method, name]).await,
        (400, -32020),
        "two versions"
    );
    let bare = json!({ "jsonrpc": "2.0", "id": 3, "method": "tools/list", "params": {} });
    let reply = server.post(&[version, ("mcp-method", "tools/list")], bare.to_string()).await;
    assert_eq!((reply.status, reply.code()), (400, -32602), "no _meta");
}

#[tokio::test]
async fn session_and_event_ids_of_other_servers_mean_nothing() {
    let server = TestServer::start().await;
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
    let headers = [("mcp-session-id", "of-before-the-restart"), ("last-event-id", "7")];
    let reply = server.post(&headers, body.to_string()).await;
    assert_eq!(reply.status, 200);
    assert!(reply.headers.get("mcp-session-id").is_none());
}

#[tokio::test]
async fn a_long_call_tells_how_far_it_is_where_it_is_asked_to() {
    let server = TestServer::start().await;
    let arguments = json!({ "space": "Default", "taskId": "ServerTasks-90032" });
    for era in ERAS {
        let params = json!({ "name": "get_task_raw", "arguments": arguments,
            "_meta": { "progressToken": "p" } });
        let reply = server.ask(era, "tools/call", params).await;
        assert_eq!(reply.header("content-type"), "text/event-stream");
        assert_eq!(reply.header("x-accel-buffering"), "no");
        let told: Vec<f64> = reply
            .text
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line.strip_prefix("data:")?).ok())
            .filter(|message| message["method"] == "notifications/progress")
            .map(|message| {
                assert_eq!(message["params"]["progressToken"], "p");
                message["params"]["progress"].as_f64().unwrap()
            })
            .collect();
        assert!(told.len() > 3 && told.is_sorted(), "{told:?}");
        assert!(reply.json()["result"]["structuredContent"]["totalLines"].as_u64().unwrap() > 1000);
        // Without a token one answer is enough, and comes as JSON.
        let params = json!({ "name": "get_task_raw", "arguments": arguments });
        let reply = server.ask(era, "tools/call", params).await;
        assert_eq!(reply.header("content-type"), "application/json");
    }
}

/// The TypeScript client gives up after 60 s, so a call must be answered before.
#[test]
fn calls_are_answered_before_clients_give_up() {
    let config = octopus_mcp::config::Config::default();
    assert!(config.http.request_timeout.0 < std::time::Duration::from_mins(1));
    assert!(config.octopus.timeout < config.http.request_timeout);
}

#[tokio::test]
async fn an_unknown_resource_is_named_in_the_code_of_its_era() {
    let server = TestServer::start().await;
    let params = json!({ "uri": "octopus://nothing" });
    let modern = server.ask(Era::Modern, "resources/read", params.clone()).await;
    assert_eq!(modern.code(), -32602);
    assert_eq!(modern.json()["error"]["data"]["uri"], "octopus://nothing");
    assert_eq!(server.ask(Era::Legacy, "resources/read", params).await.code(), -32002);
}
