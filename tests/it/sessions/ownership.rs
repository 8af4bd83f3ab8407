//! Session ownership, and requests without a session.

use octopus_sample::keys;
use reqwest::Method;
use serde_json::json;

use super::{Client, client::request, server};
use crate::{approval::write_calls, support::send};

#[tokio::test]
async fn session_is_unknown_to_other_callers() {
    let server = server(|_| {}).await;
    let client = Client::connect(&server, keys::ADMIN, json!({})).await;
    let list = json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/list" });
    let tampered = format!("{}x", client.session);
    let foreign = Client::connect(&server, keys::DEFAULT_SPACE_ONLY, json!({})).await;
    for (key, session) in [
        (keys::DEFAULT_SPACE_ONLY, client.session.as_str()),
        (keys::ADMIN, foreign.session.as_str()),
        (keys::ADMIN, tampered.as_str()),
        (keys::ADMIN, "nonsense"),
    ] {
        for method in [Method::POST, Method::GET, Method::DELETE] {
            let request = request(&server, method.clone(), key, Some(session));
            let request = if method == Method::POST { request.json(&list) } else { request };
            let reply = send(request).await;
            assert_eq!(reply.status, 404, "{method} {session}: {}", reply.text);
            assert!(reply.text.contains("no such session"), "{}", reply.text);
        }
    }
    // A response from another caller does not reach the elicitation.
    let (tool, arguments, ..) = write_calls().remove(0);
    let owner = Client::connect(&server, keys::ADMIN, json!({ "elicitation": {} })).await;
    let mut messages = owner.call(tool, &arguments).await;
    let elicitation = messages.next().await.unwrap();
    let acceptance = json!({ "jsonrpc": "2.0", "id": elicitation["id"], "result": { "action": "accept", "content": {} } });
    let request = request(&server, Method::POST, keys::DEFAULT_SPACE_ONLY, Some(&owner.session));
    assert_eq!(send(request.json(&acceptance)).await.status, 404);
    assert_eq!(server.sample.changes(), []);
    owner.respond(&elicitation, json!({ "action": "decline" })).await;
    let result = messages.next().await.unwrap()["result"].clone();
    assert_eq!(result["isError"], true, "{result}");
    assert_eq!(result["structuredContent"]["reason"], "declined", "{result}");
}

#[tokio::test]
async fn modern_era_has_no_sessions() {
    let server = server(|_| {}).await;
    let reply = server.rpc(crate::support::Era::Modern, "tools/list", json!({})).await;
    assert_eq!((reply.status, reply.header("mcp-session-id")), (200, ""));
    assert_eq!(server.running.as_ref().unwrap().sessions.as_ref().unwrap().count(), 0);
}
