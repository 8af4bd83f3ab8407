//! Elicitation on a session, and approval codes for clients without elicitation.

use octopus_sample::keys;
use serde_json::{Value, json};

use super::{Client, server};
use crate::approval::{contains_json, write_calls};

/// Calls a tool on a session, sends this elicitation result, and returns the outcome of the call.
async fn call_and_respond(
    client: &Client<'_>,
    tool: &str,
    arguments: &Value,
    action: &str,
) -> (String, Value) {
    let mut messages = client.call(tool, arguments).await;
    let elicitation = messages.next().await.unwrap();
    assert_eq!(elicitation["method"], "elicitation/create", "{elicitation}");
    assert_eq!(client.server.sample.changes(), [], "nothing may change before the response");
    let message = elicitation["params"]["message"].as_str().unwrap().to_owned();
    client.respond(&elicitation, json!({ "action": action, "content": {} })).await;
    let result = messages.next().await.unwrap();
    assert_eq!(result["id"], 7, "{result}");
    (message, result["result"].clone())
}

#[tokio::test]
async fn elicitation_uses_the_stream_of_the_call() {
    for (tool, arguments, sends, body) in write_calls() {
        let server = server(|_| {}).await;
        let client = Client::connect(&server, keys::ADMIN, json!({ "elicitation": {} })).await;
        for action in ["decline", "cancel"] {
            let (_, result) = call_and_respond(&client, tool, &arguments, action).await;
            assert_eq!(result["isError"], true);
            let reason = if action == "decline" { "declined" } else { "cancelled" };
            assert_eq!(result["structuredContent"]["reason"], reason, "{result}");
        }
        let (message, result) = call_and_respond(&client, tool, &arguments, "accept").await;
        assert!(message.lines().count() > 3, "{message}");
        assert_eq!(result["structuredContent"]["success"], true, "{result}");
        let sent = server.sample.changes();
        let [sent] = sent.as_slice() else { panic!("{tool}: {sent:#?}") };
        assert_eq!(format!("{} {}", sent.method, sent.path), sends);
        let none = json!({});
        assert!(
            contains_json(sent.body.as_ref().unwrap_or(&none), &body),
            "{tool}: {:#?}",
            sent.body
        );
    }
}

#[tokio::test]
async fn client_without_elicitation_gets_a_code() {
    for capabilities in [json!({}), json!({ "elicitation": { "url": {} } })] {
        let server = server(|_| {}).await;
        let client = Client::connect(&server, keys::ADMIN, capabilities).await;
        let (tool, mut arguments, ..) = write_calls().remove(0);
        let answer = client.call(tool, &arguments).await.next().await.unwrap();
        let result_content = &answer["result"]["structuredContent"];
        assert_eq!(result_content["confirmationRequired"], true, "{answer}");
        assert_eq!(server.sample.changes(), []);
        arguments["confirm"] = result_content["confirm"].clone();
        let answer = client.call(tool, &arguments).await.next().await.unwrap();
        assert_eq!(answer["result"]["structuredContent"]["success"], true, "{answer}");
        assert_eq!(server.sample.changes().len(), 1);
    }
}
