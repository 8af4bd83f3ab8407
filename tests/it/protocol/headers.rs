//! Request headers: version, method and name, and ignored session IDs.

use serde_json::json;

use crate::support::{LEGACY_VERSION, MODERN_VERSION, TestServer, modern_meta};

#[tokio::test]
async fn unsupported_version_error_lists_supported_versions() {
    let server = TestServer::start().await;
    for version in ["1999-01-01", "2099-01-01", "2026-07-29", "x"] {
        let body = json!({ "jsonrpc": "2.0", "id": "v", "method": "tools/list" });
        let reply = server.post(&[("mcp-protocol-version", version)], body.to_string()).await;
        assert_eq!((reply.status, reply.error_code()), (400, -32022), "{version}");
        let json = reply.json();
        assert_eq!(json["id"], "v");
        assert_eq!(json["error"]["data"]["requested"], version);
        assert_eq!(json["error"]["data"]["supported"].as_array().unwrap().len(), 4);
    }
}

#[tokio::test]
async fn rejects_modern_headers_that_differ_from_the_body() {
    let server = TestServer::start().await;
    let params = json!({ "name": "list_spaces", "_meta": modern_meta() });
    let body = json!({ "jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": params });
    let post = async |headers: &[(&str, &str)]| {
        let reply = server.post(headers, body.to_string()).await;
        (reply.status, if reply.status == 200 { 0 } else { reply.error_code() })
    };
    let version = ("mcp-protocol-version", MODERN_VERSION);
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
        post(&[version, ("mcp-protocol-version", LEGACY_VERSION), method, name]).await,
        (400, -32020),
        "two versions"
    );
    let bare = json!({ "jsonrpc": "2.0", "id": 3, "method": "tools/list", "params": {} });
    let reply = server.post(&[version, ("mcp-method", "tools/list")], bare.to_string()).await;
    assert_eq!((reply.status, reply.error_code()), (400, -32602), "no _meta");
}

#[tokio::test]
async fn ignores_foreign_session_and_event_ids() {
    let server = TestServer::start().await;
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
    let headers = [("mcp-session-id", "of-before-the-restart"), ("last-event-id", "7")];
    let reply = server.post(&headers, body.to_string()).await;
    assert_eq!(reply.status, 200);
    assert!(reply.headers.get("mcp-session-id").is_none());
}
