//! Messages other than valid requests, and the error code of each.

use serde_json::json;

use crate::support::{ERAS, Era, LEGACY_VERSION, TestServer};

#[tokio::test]
async fn accepts_notifications_and_rejects_unsolicited_responses() {
    let server = TestServer::start().await;
    let body = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    let reply = server.post(&[("mcp-protocol-version", LEGACY_VERSION)], body.to_string()).await;
    assert_eq!((reply.status, reply.text.as_str()), (202, ""));
    let body = json!({ "jsonrpc": "2.0", "id": 9, "result": {} });
    let reply = server.post(&[], body.to_string()).await;
    assert_eq!((reply.status, reply.error_code()), (400, -32600));
}

#[tokio::test]
async fn malformed_messages_have_specific_error_codes() {
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
        assert_eq!((reply.status, reply.error_code()), (status, code), "{body}: {}", reply.text);
        assert_eq!(reply.json()["id"], id, "{body}");
        assert_eq!(reply.header("content-type"), "application/json", "{body}");
    }
}

#[tokio::test]
async fn wrong_parameter_types_are_invalid_params() {
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
            let reply = server.rpc(era, method, params.clone()).await;
            assert_eq!(reply.error_code(), -32602, "{method} {params}: {}", reply.text);
            let status = if era == Era::Modern { 400 } else { 200 };
            assert_eq!(reply.status, status, "{method} {params}");
            assert_eq!(reply.json()["id"], 1);
        }
    }
}

#[tokio::test]
async fn removed_and_unknown_methods_are_not_found() {
    let server = TestServer::start().await;
    for method in ["ping", "logging/setLevel", "resources/subscribe", "nothing/here"] {
        let reply = server.rpc(Era::Modern, method, json!({})).await;
        assert_eq!((reply.status, reply.error_code()), (404, -32601), "{method}: {}", reply.text);
        assert_eq!(reply.json()["id"], 1, "{method}");
    }
    let pong = server.rpc(Era::Legacy, "ping", json!({})).await;
    assert_eq!(pong.json()["result"], json!({}));
    let unknown = server.rpc(Era::Legacy, "nothing/here", json!({})).await;
    assert_eq!((unknown.status, unknown.error_code()), (200, -32601));
    let listen = json!({ "notifications": {} });
    let listen = server.rpc(Era::Modern, "subscriptions/listen", listen).await;
    assert_eq!((listen.status, listen.error_code()), (404, -32601));
}

#[tokio::test]
async fn unknown_resource_error_uses_the_code_of_the_era() {
    let server = TestServer::start().await;
    let params = json!({ "uri": "octopus://nothing" });
    let modern = server.rpc(Era::Modern, "resources/read", params.clone()).await;
    assert_eq!(modern.error_code(), -32602);
    assert_eq!(modern.json()["error"]["data"]["uri"], "octopus://nothing");
    assert_eq!(server.rpc(Era::Legacy, "resources/read", params).await.error_code(), -32002);
}
