//! Credentials in any part of a request appear in no log, span or audit record. Arguments and
//! approval codes appear in no log at any level.

use std::fmt::Write as _;

use octopus_sample::{Sample, keys};
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use super::collector::Collector;
use crate::{
    approval::{CallOutcome, parse_outcome},
    cli::{ServerProcess, program},
    support::{client, modern_meta, send, serve},
};

/// The most verbose filter, for this crate and for dependencies that log messages.
const MOST_VERBOSE_FILTER: &str = "trace,rmcp=trace,rmcp::service=trace,hyper=trace,h2=trace,reqwest=trace,\
                          tower=trace,tower_http=trace,axum=trace,rustls=trace";
const API_KEY: &str = "API-MASKEDMASKEDMASKEDMASKED0001";
const TOKEN: &str = "omcp_5a5b5c5d5e5f5a5b5c5d5e5f5a5b5c5d5e5f5a5b5c5d5e5f5a5b5c5d5e5f5a5b";
const JWT: &str = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJtYXNrZWQtbWFza2VkIn0.bWFza2VkLW1hc2tlZA";

/// Request headers with the secret in their value.
const SECRET_HEADERS: [&str; 20] = [
    "x-request-id",
    "user-agent",
    "mcp-session-id",
    "mcp-protocol-version",
    "mcp-method",
    "mcp-name",
    "mcp-param-space",
    "last-event-id",
    "origin",
    "referer",
    "host",
    "accept",
    "content-type",
    "x-forwarded-for",
    "x-forwarded-user",
    "x-mcp-toolsets",
    "x-mcp-tools",
    "x-octopus-instance",
    "x-octopus-space",
    "tracestate",
];

/// Returns messages with the secret in each part that the server parses.
fn messages_with_secret(secret: &str) -> Vec<Value> {
    let call = |params: Value| json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
    let ask = |method: &str, params: Value| json!({ "jsonrpc": "2.0", "id": secret, "method": method, "params": params });
    let mut named = modern_meta();
    named["io.modelcontextprotocol/clientInfo"] = json!({ "name": secret, "version": secret });
    named["progressToken"] = json!(secret);
    named["traceparent"] = json!("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    named["tracestate"] = json!(format!("a={secret}"));
    vec![
        ask(secret, json!({})),
        ask("ping", json!({})),
        ask(
            "initialize",
            json!({ "protocolVersion": secret, "capabilities": {},
            "clientInfo": { "name": secret, "version": secret, "title": secret } }),
        ),
        ask(
            "initialize",
            json!({ "protocolVersion": "2025-11-25", "capabilities": {},
            "clientInfo": { "name": secret, "version": secret } }),
        ),
        ask("resources/list", json!({ "cursor": secret })),
        ask("resources/read", json!({ "uri": format!("octopus://spaces/{secret}") })),
        ask("resources/read", json!({ "uri": secret })),
        ask("prompts/get", json!({ "name": secret })),
        ask("logging/setLevel", json!({ "level": secret })),
        ask(
            "completion/complete",
            json!({ "ref": { "type": "ref/prompt", "name": secret },
            "argument": { "name": secret, "value": secret } }),
        ),
        json!({ "jsonrpc": "2.0", "method": format!("notifications/{secret}") }),
        json!({ "jsonrpc": "2.0", "method": "notifications/cancelled",
            "params": { "requestId": secret, "reason": secret } }),
        call(json!({ "name": secret, "arguments": {} })),
        call(json!({ "name": "list_projects", "arguments": { "space": secret } })),
        call(json!({ "name": "list_projects", "arguments": { secret: secret } })),
        call(
            json!({ "name": "list_projects", "arguments": { "space": "Default", "take": secret } }),
        ),
        call(
            json!({ "name": "get_release_by_id", "arguments": { "space": "Default", "releaseId": secret } }),
        ),
        call(
            json!({ "name": "execute", "arguments": { "method": "GET", "path": format!("/api/{secret}") } }),
        ),
        call(json!({ "name": "execute", "arguments": { "method": secret, "path": "/api" } })),
        call(json!({ "name": "list_spaces", "arguments": {}, "_meta": named })),
        json!({ "jsonrpc": secret }),
        json!(secret),
    ]
}

fn requests_with_secret(url: &str, secret: &str) -> Vec<RequestBuilder> {
    let root = url.trim_end_matches("/mcp");
    let post = |url: String| {
        let post = client().post(url).header("content-type", "application/json");
        post.header("x-octopus-apikey", keys::ADMIN)
    };
    let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" }).to_string();
    let encoded = secret.replacen('-', "%2D", 1).replacen('_', "%5F", 1);
    let long = "x".repeat(80);
    let mut all = Vec::new();
    for path in [
        format!("/{secret}"),
        format!("/mcp/{secret}"),
        format!("/mcp/x/{secret}"),
        format!("/mcp/i/{secret}/{secret}/{secret}"),
        format!("/{long}/{secret}"),
        format!("/{}", encoded.replace("omcp%5F", "omcp_")),
        format!("/mcp?key={secret}"),
    ] {
        all.push(post(format!("{root}{path}")).body(list.clone()));
        all.push(client().get(format!("{root}{path}")));
    }
    for name in SECRET_HEADERS {
        let value = if name == "tracestate" { format!("a={secret}") } else { secret.to_owned() };
        let post = client().post(url).header("x-octopus-apikey", keys::ADMIN);
        let post = match name {
            "content-type" => post,
            _ => post.header("content-type", "application/json"),
        };
        let post = match name {
            "tracestate" => post
                .header("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
            _ => post,
        };
        all.push(post.header(name, value).body(list.clone()));
    }
    let method = reqwest::Method::from_bytes(secret.as_bytes()).unwrap();
    all.push(client().request(method, url));
    all.extend(
        messages_with_secret(secret).iter().map(|body| post(url.to_owned()).body(body.to_string())),
    );
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credentials_are_masked_in_all_outputs() {
    let octopus = serve(Sample::new().router());
    let folder = tempfile::tempdir().unwrap();
    for format in ["text", "json"] {
        let collector = Collector::start().await;
        let records = folder.path().join(format);
        let address = format!("http://{}", octopus.address);
        let mut command =
            program(&["--listen=127.0.0.1:0", "--server-url", &address, "--log-format", format]);
        command
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.endpoint)
            .env("OTEL_EXPORTER_OTLP_CERTIFICATE", &collector.certificate)
            .env("OCTOPUS_MCP_TELEMETRY__LOG_FILTER", MOST_VERBOSE_FILTER)
            .env("OCTOPUS_MCP_TOOLS__READ_ONLY", "false")
            .env("OCTOPUS_MCP_LIMITS__CALLER_RATE", "0")
            .env("OCTOPUS_MCP_LIMITS__FAILED_RATE", "0")
            .env("OCTOPUS_MCP_LIMITS__UNPROVEN_RATE", "0")
            .env("OCTOPUS_MCP_AUDIT__FILE__PATH", &records);
        let serving = ServerProcess::start(command);
        for secret in [API_KEY, TOKEN, JWT] {
            for request in requests_with_secret(&serving.url, secret) {
                drop(send(request).await);
            }
        }
        let (code, log) = serving.stop();
        assert_eq!(code, 0, "{log}");
        let received = collector.received();
        assert!(
            received.spans.len() > 100 && received.logs.len() > 100,
            "{}",
            received.spans.len()
        );
        let mut all = format!("{log}\n{:?}\n{:?}", received.spans, received.logs);
        let _ = write!(all, "\n{}", std::fs::read_to_string(&records).unwrap());
        for part in [&API_KEY[4..16], &TOKEN[5..17], &JWT[21..35]] {
            let excerpt = all.find(part).map(|at| &all[at.saturating_sub(300)..at + 60]);
            assert!(excerpt.is_none(), "{format}: {part} in {excerpt:?}");
        }
        for kind in ["octopus-api-key", "caller-token", "jwt"] {
            let count = log.matches(&format!("[redacted:{kind}]")).count();
            assert!(count > 5, "{format}: {kind} is masked {count} times");
        }
        if format == "json" {
            let is_json = |line: &str| serde_json::from_str::<Value>(line).is_ok();
            assert!(log.lines().all(is_json), "{log}");
        }
    }
}

/// Texts that match no secret pattern.
const UNPATTERNED_SECRETS: [&str; 3] =
    ["swordfish-in-a-pattern", "swordfish-in-notes", "swordfish-as-a-key"];

#[tokio::test]
async fn arguments_and_approval_codes_appear_in_no_log() {
    let octopus = serve(Sample::new().router());
    for format in ["text", "json"] {
        let address = format!("http://{}", octopus.address);
        let mut command =
            program(&["--listen=127.0.0.1:0", "--server-url", &address, "--log-format", format]);
        command
            .env("OCTOPUS_MCP_TELEMETRY__LOG_FILTER", MOST_VERBOSE_FILTER)
            .env("OCTOPUS_MCP_TOOLS__READ_ONLY", "false");
        let serving = ServerProcess::start(command);
        let call = async |tool: &str, arguments: &Value| {
            let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call",
                "params": { "name": tool, "arguments": arguments } });
            let post = client()
                .post(&serving.url)
                .header("content-type", "application/json")
                .header("mcp-protocol-version", "2025-11-25")
                .header("x-octopus-apikey", keys::ADMIN);
            send(post.body(body.to_string())).await
        };
        let grep = json!({ "space": "Default", "taskId": "ServerTasks-90004", "pattern": UNPATTERNED_SECRETS[0] });
        assert_eq!(call("grep_task_log", &grep).await.status, 200);
        let version = if format == "text" { "1.13.0" } else { "1.13.1" };
        let mut create = json!({ "space": "Default", "projectName": "Parcel Tracking API",
            "releaseVersion": version, "releaseNotes": UNPATTERNED_SECRETS[1], "idempotencyKey": UNPATTERNED_SECRETS[2] });
        let CallOutcome::ApprovalRequired { token, .. } =
            parse_outcome(&call("create_release", &create).await)
        else {
            panic!("no approval was requested")
        };
        create["confirm"] = json!(token);
        parse_outcome(&call("create_release", &create).await).expect_result();
        let (code, log) = serving.stop();
        assert_eq!(code, 0, "{log}");
        assert!(log.contains("grep_task_log") && log.contains("DEBUG"), "{log}");
        for secret in UNPATTERNED_SECRETS.into_iter().chain([token.as_str()]) {
            let excerpt =
                log.find(secret).map(|at| &log[at.saturating_sub(300)..at + secret.len()]);
            assert!(excerpt.is_none(), "{format}: {secret} in {excerpt:?}");
        }
    }
}
