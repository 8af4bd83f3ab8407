//! The recent calls of a caller, readable by that caller only, without arguments and answers.

use octopus_mcp::{
    auth::generate_token,
    config::{AuthMode, Secret, TokenScope, TokenSettings},
};
use octopus_sample::keys;
use serde_json::{Value, json};

use crate::support::{Era, TestServer};

const URI: &str = "octopus://caller/calls";

async fn calls(server: &TestServer, path: &str, headers: &[(&str, &str)]) -> Value {
    let params = json!({ "uri": URI });
    let reply = server.rpc_at(path, headers, Era::Modern, "resources/read", params).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let json = reply.json();
    assert_eq!(json["result"]["ttlMs"], 0, "{json}");
    let text = json["result"]["contents"][0]["text"].as_str();
    serde_json::from_str(text.unwrap_or_else(|| panic!("{json}"))).unwrap()
}

fn tool_names(document: &Value) -> Vec<&str> {
    let items = document["items"].as_array().unwrap();
    items.iter().map(|item| item["tool"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn caller_reads_results_of_recent_calls() {
    let server = TestServer::start().await;
    let none = calls(&server, "", &[]).await;
    assert_eq!((none["totalResults"].as_u64(), &none["knownBy"]), (Some(0), &json!("octopus")));
    server.call_as(keys::ADMIN, "list_projects", json!({ "space": "Default" })).await;
    server.call_as(keys::ADMIN, "list_projects", json!({ "space": "Secret-Name" })).await;
    server.rpc(Era::Modern, "tools/call", json!({ "name": "nothing", "arguments": {} })).await;
    let found = calls(&server, "", &[]).await;
    assert_eq!(tool_names(&found), ["nothing", "list_projects", "list_projects"]);
    let [unknown, rejected, done] = [0, 1, 2].map(|place| &found["items"][place]);
    assert_eq!(
        (&unknown["result"], &unknown["error"]),
        (&json!("refused"), &json!("unknown_tool"))
    );
    assert_eq!((&done["result"], &done["space"]), (&json!("done"), &json!("Default")));
    assert_eq!(rejected["result"], "refused");
    for field in ["time", "durationMs", "instance", "client", "request"] {
        assert!(!done[field].is_null(), "{field}: {done}");
    }
    let text = found.to_string();
    assert!(!text.contains("Secret-Name") && !text.contains("Parcel"), "{text}");
}

/// With different API keys, and with different tokens that share one upstream credential.
#[tokio::test]
async fn calls_of_another_caller_are_hidden() {
    let server = TestServer::start().await;
    server.call_as(keys::DEFAULT_SPACE_ONLY, "list_spaces", json!({})).await;
    server.call_as(keys::WAREHOUSE_SPACE_ONLY, "get_current_user", json!({})).await;
    for (key, own) in [
        (keys::DEFAULT_SPACE_ONLY, vec!["list_spaces"]),
        (keys::WAREHOUSE_SPACE_ONLY, vec!["get_current_user"]),
        (keys::ADMIN, vec![]),
    ] {
        assert_eq!(tool_names(&calls(&server, "", &[("x-octopus-apikey", key)]).await), own);
    }
    let [(ann, ann_hash), (ben, ben_hash)] = [generate_token().unwrap(), generate_token().unwrap()];
    let server = TestServer::with(|config| {
        config.auth.mode = Some(AuthMode::Tokens.into());
        config.octopus.api_key = Some(Secret::from(keys::ADMIN.to_owned()));
        for (name, hash) in [("ann", ann_hash), ("ben", ben_hash)] {
            let token =
                TokenSettings { sha256: hash, scope: TokenScope::Read, ..TokenSettings::default() };
            config.auth.tokens.insert(name.to_owned(), token);
        }
    })
    .await;
    let [ann, ben] = [ann, ben].map(|token| format!("Bearer {token}"));
    let [ann, ben] =
        [&ann, &ben].map(|bearer| [("x-octopus-apikey", ""), ("authorization", bearer.as_str())]);
    let params = json!({ "name": "list_spaces", "arguments": {} });
    server.rpc_at("", &ann, Era::Modern, "tools/call", params).await;
    let (of_ann, of_ben) = (calls(&server, "", &ann).await, calls(&server, "", &ben).await);
    assert_eq!((tool_names(&of_ann), &of_ann["caller"]), (vec!["list_spaces"], &json!("ann")));
    assert_eq!((tool_names(&of_ben), &of_ben["caller"]), (vec![], &json!("ben")));
}

#[tokio::test]
async fn request_scope_limits_recent_calls() {
    let server = TestServer::with_instances(&["europe", "asia"], |_| {}).await;
    for (path, tool) in [("/i/europe", "list_spaces"), ("/i/asia/Default", "list_projects")] {
        let params = json!({ "name": tool, "arguments": {} });
        let called = server.rpc_at(path, &[], Era::Modern, "tools/call", params).await;
        assert_eq!(called.json()["result"]["isError"], false, "{}", called.text);
    }
    assert_eq!(tool_names(&calls(&server, "", &[]).await), ["list_projects", "list_spaces"]);
    assert_eq!(tool_names(&calls(&server, "/i/europe", &[]).await), ["list_spaces"]);
    assert_eq!(tool_names(&calls(&server, "/i/asia/default", &[]).await), ["list_projects"]);
    let other_space = calls(&server, "/i/asia/Warehouse%20Systems", &[]).await;
    assert_eq!(tool_names(&other_space), Vec::<&str>::new());
    let params = json!({ "uri": URI });
    let project = "/i/asia/Default/Parcel%20Tracking%20API";
    let none = server.rpc_at(project, &[], Era::Modern, "resources/read", params).await;
    assert!(none.error_message().contains("resource 'octopus://"), "{}", none.text);
}

#[tokio::test]
async fn recent_change_lists_its_tasks() {
    let server = TestServer::with(|config| config.tools.read_only = false).await;
    let (tool, mut arguments, ..) = crate::approval::write_calls()
        .into_iter()
        .find(|(tool, ..)| *tool == "deploy_release")
        .unwrap();
    let call = async |arguments: &Value| {
        let params = json!({ "name": tool, "arguments": arguments });
        server.rpc(Era::Legacy, "tools/call", params).await.json()["result"].clone()
    };
    let preview = call(&arguments).await;
    arguments["confirm"] = preview["structuredContent"]["confirm"].clone();
    assert!(arguments["confirm"].is_string(), "{preview}");
    let done = call(&arguments).await;
    assert_eq!(done["isError"], false, "{done}");
    let found = calls(&server, "", &[]).await;
    assert_eq!(found["items"][1]["result"], "asked", "{found}");
    assert_eq!(found["items"][0]["result"], "done", "{found}");
    let task = found["items"][0]["tasks"][0].as_str().unwrap_or_else(|| panic!("{found}"));
    assert!(task.starts_with("ServerTasks-"), "{found}");
}
