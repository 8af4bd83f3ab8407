//! The HTTP listener: hosts, origins, media types, limits, timeouts, health checks, shutdown.

mod connections;
mod drain;
pub mod limits;
mod line_endings;
mod page;
mod shutdown;
mod stalled_clients;
mod tls;

use octopus_sample::keys;
use serde_json::json;

use crate::support::{TestServer, send};

const LIST_TOOLS: &str = r#"{"jsonrpc":"2.0","id":"x","method":"tools/list"}"#;

#[tokio::test]
async fn serves_only_allowed_hosts() {
    let server = TestServer::with(|config| {
        config.http.allowed_hosts.0 = vec!["mcp.example.com".to_owned()];
    })
    .await;
    for (host, status) in [
        ("localhost", 200),
        ("127.0.0.1:1234", 200),
        ("mcp.example.com", 200),
        ("MCP.example.com:8443", 200),
        ("evil.example.com", 403),
        ("localhost.evil.example.com", 403),
        ("mcp.example.com@evil.example.com", 403),
    ] {
        let rejected = server.post(&[("host", host)], LIST_TOOLS).await;
        assert_eq!(rejected.status, status, "{host}: {}", rejected.text);
        if status == 403 {
            assert_eq!(rejected.json()["id"], "x", "{host}");
            assert!(rejected.error_message().contains("http.allowed_hosts"), "{}", rejected.text);
        }
    }
}

#[tokio::test]
async fn serves_only_allowed_origins() {
    let server = TestServer::with(|config| {
        config.http.allowed_origins.0 = vec!["https://app.example.com".to_owned()];
    })
    .await;
    for (origin, status) in [
        ("http://localhost:3000", 200),
        ("https://app.example.com", 200),
        ("https://evil.example.com", 403),
        ("https://app.example.com:8443", 403),
        ("null", 403),
        ("garbage", 403),
    ] {
        let rejected = server.post(&[("origin", origin)], LIST_TOOLS).await;
        assert_eq!(rejected.status, status, "{origin}: {}", rejected.text);
        assert_eq!(rejected.json()["id"], "x", "{origin}");
        if status == 403 {
            assert!(rejected.error_message().contains("http.allowed_origins"), "{}", rejected.text);
        }
        let allowed = rejected.header("access-control-allow-origin");
        assert_eq!(allowed, if status == 200 { origin } else { "" }, "{origin}");
    }
    let preflight = server
        .http
        .request(reqwest::Method::OPTIONS, &server.url)
        .header("origin", "https://app.example.com")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "x-octopus-apikey,content-type");
    let preflight = send(preflight).await;
    assert_eq!(preflight.status, 200);
    assert_eq!(preflight.header("access-control-allow-origin"), "https://app.example.com");
    // With this header, browsers would send client certificates and proxy cookies.
    assert_eq!(preflight.header("access-control-allow-credentials"), "");
    assert!(preflight.header("access-control-allow-headers").contains("x-octopus-apikey"));
}

#[tokio::test]
async fn checks_content_type_and_accept() {
    let server = TestServer::start().await;
    for (header, value, status) in [
        ("content-type", "Application/JSON", 200),
        ("content-type", "application/json; charset=UTF-8", 200),
        ("content-type", "text/plain", 415),
        ("content-type", "", 415),
        ("content-type", "application/json; charset=latin1", 415),
        ("accept", "", 200),
        ("accept", "*/*", 200),
        ("accept", "application/json", 200),
        ("accept", "APPLICATION/JSON, Text/Event-Stream", 200),
        ("accept", "text/html", 406),
        ("accept", "application/json;q=0, text/event-stream", 406),
    ] {
        let answer = server.post(&[(header, value)], LIST_TOOLS).await;
        assert_eq!(answer.status, status, "{header}: {value}: {}", answer.text);
        assert_eq!(answer.json()["id"], "x", "{header}: {value}");
        assert_eq!(answer.header("content-type"), "application/json", "{header}: {value}");
    }
}

#[tokio::test]
async fn get_and_delete_return_405_with_an_explanation() {
    let server = TestServer::start().await;
    for accept in ["text/html", "application/json, text/event-stream", "*/*"] {
        let answer = send(server.http.get(&server.url).header("accept", accept)).await;
        assert_eq!((answer.status, answer.header("allow")), (405, "POST"));
        assert!(answer.error_message().contains("MCP server"), "{}", answer.text);
    }
    let ended = send(server.http.delete(&server.url).header("accept", "*/*")).await;
    assert_eq!((ended.status, ended.header("allow")), (405, "POST"));
    let unknown_path = send(server.http.get(server.url.replace("/mcp", "/elsewhere"))).await;
    assert_eq!(unknown_path.status, 404);
    assert!(unknown_path.error_message().contains("/mcp"));
}

#[tokio::test]
async fn probes_need_no_credential_and_no_allowed_host() {
    let server =
        TestServer::with(|config| config.http.admin_listen = Some(([127, 0, 0, 1], 0).into()))
            .await;
    let admin = server.running.as_ref().unwrap().admin.as_ref().unwrap().address;
    server.sample.clear_journal();
    for base in [server.url.trim_end_matches("/mcp").to_owned(), format!("http://{admin}")] {
        for path in ["/healthz", "/readyz"] {
            let probe = server.http.get(format!("{base}{path}")).header("host", "10.1.2.3:8080");
            assert_eq!(send(probe).await.status, 200, "{base}{path}");
        }
    }
    assert!(server.sample.journal().is_empty(), "health checks send nothing to Octopus");
    let closed = server.http.post(format!("http://{admin}/mcp")).body(LIST_TOOLS);
    assert_eq!(send(closed).await.status, 404, "the admin listener does not serve MCP");
}

#[tokio::test]
async fn responses_carry_a_request_id() {
    let server = TestServer::start().await;
    let answer = server.post(&[], LIST_TOOLS).await;
    assert_eq!(answer.header("x-request-id").len(), 36);
    let answer = server.post(&[("x-request-id", "from-the-proxy-1")], LIST_TOOLS).await;
    assert_eq!(answer.header("x-request-id"), "from-the-proxy-1");
    let answer = server.post(&[("x-request-id", &"x".repeat(500))], LIST_TOOLS).await;
    assert_eq!(answer.header("x-request-id").len(), 36);
}

#[tokio::test]
async fn rejects_credential_in_the_url() {
    let mut server = TestServer::start().await;
    let plain = server.url.clone();
    for query in ["apikey=API-X", "ApiKey=API-X", "access_token=x", "x=API-SECRET", "token=y"] {
        server.url = format!("{plain}?{query}");
        let rejected = server.post(&[("x-octopus-apikey", keys::ADMIN)], LIST_TOOLS).await;
        assert_eq!((rejected.status, rejected.error_code()), (400, -32600), "{query}");
        assert_eq!(rejected.json()["id"], json!("x"));
        assert!(rejected.error_message().contains("X-Octopus-ApiKey"), "{}", rejected.text);
        assert!(!rejected.text.contains("API-X") && !rejected.text.contains("SECRET"));
    }
    server.url = format!("{plain}?trace=1");
    assert_eq!(server.post(&[], LIST_TOOLS).await.status, 200);
}
