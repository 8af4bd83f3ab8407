//! The start of a connection: `initialize`, `server/discover`, and the server description in both.

use serde_json::{Value, json};

use crate::support::{ERAS, Era, LEGACY_VERSION, MODERN_VERSION, TestServer, modern_meta};

fn initialize_request(version: &str) -> Value {
    let client = json!({ "name": "test", "version": "1" });
    let params = json!({ "protocolVersion": version, "capabilities": {}, "clientInfo": client });
    json!({ "jsonrpc": "2.0", "id": "hello", "method": "initialize", "params": params })
}

#[tokio::test]
async fn endpoint_serves_both_eras_with_and_without_slash() {
    let mut server = TestServer::start().await;
    for slash in ["", "/"] {
        server.url = server.url.trim_end_matches('/').to_owned() + slash;
        for era in ERAS {
            let reply = server.rpc(era, "tools/list", json!({})).await;
            assert_eq!(reply.status, 200);
            assert_eq!(reply.json()["result"]["tools"][0]["name"], "list_spaces");
        }
        let reply = server.post(&[], initialize_request(LEGACY_VERSION).to_string()).await;
        assert_eq!(reply.json()["result"]["protocolVersion"], LEGACY_VERSION);
        let reply = server.rpc(Era::Modern, "server/discover", json!({})).await;
        assert_eq!(reply.json()["result"]["resultType"], "complete");
    }
}

#[tokio::test]
async fn initialize_negotiates_a_legacy_version() {
    let server = TestServer::start().await;
    for (requested, negotiated) in [
        ("2025-03-26", "2025-03-26"),
        ("2025-06-18", "2025-06-18"),
        ("2025-11-25", "2025-11-25"),
        ("2024-11-05", "2025-11-25"),
        ("2026-07-28", "2025-11-25"),
        ("1999-01-01", "2025-11-25"),
        ("2099-01-01", "2025-11-25"),
        ("soon", "2025-11-25"),
    ] {
        for header in ["", requested] {
            let reply = server
                .post(
                    &[("mcp-protocol-version", header)],
                    initialize_request(requested).to_string(),
                )
                .await;
            assert_eq!(reply.status, 200, "{requested}: {}", reply.text);
            let json = reply.json();
            assert_eq!(json["result"]["protocolVersion"], negotiated, "{requested} {header}");
            assert_eq!(json["id"], "hello");
            assert_eq!(json["result"]["serverInfo"]["name"], "octopus-mcp");
            let instructions = json["result"]["instructions"].as_str().unwrap();
            assert!(instructions.len() < 1500, "{}", instructions.len());
            assert!(
                reply.headers.get("mcp-session-id").is_none(),
                "a stateless server issues no session ID"
            );
        }
    }
}

#[tokio::test]
async fn instructions_are_short_and_name_enabled_toolsets() {
    let read_only = TestServer::start().await;
    let open = TestServer::with(|config| {
        config.tools.read_only = false;
        config.tools.allow_deletes = true;
        config.octopus.space = Some("Warehouse Systems".to_owned());
    })
    .await;
    let unconfirmed = TestServer::with(|config| {
        config.tools.read_only = false;
        config.tools.confirm = octopus_mcp::config::ApprovalMode::Never;
        config.tools.toolsets.0 = vec!["tasks".to_owned()];
    })
    .await;
    for (server, expected, unexpected) in [
        (&read_only, &["All tools are read-only", "featureToggles (", "list_spaces"][..], "yes"),
        (&open, &["only after the user approves it", "the space Warehouse Systems"], "list_spaces"),
        (&unconfirmed, &["made immediately", "tasks ("], "featureToggles"),
    ] {
        let hello = server.post(&[], initialize_request(LEGACY_VERSION).to_string()).await.json();
        let instructions = hello["result"]["instructions"].as_str().unwrap();
        assert!(instructions.len() < 1500, "{}: {instructions}", instructions.len());
        for part in expected.iter().chain(&["octopus://api/capabilities", "read_resource"]) {
            assert!(instructions.contains(part), "{part}: {instructions}");
        }
        assert!(!instructions.contains(unexpected), "{instructions}");
    }
}

#[tokio::test]
async fn discover_returns_versions_and_ttl() {
    let server = TestServer::start().await;
    let headers = [("mcp-protocol-version", MODERN_VERSION), ("mcp-method", "server/discover")];
    let body = json!({ "jsonrpc": "2.0", "id": "server-discover-probe-1",
        "method": "server/discover", "params": { "_meta": modern_meta() } });
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
