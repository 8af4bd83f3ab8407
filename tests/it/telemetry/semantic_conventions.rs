//! Names and attributes follow the OpenTelemetry semantic conventions. Labels contain no values of
//! unbounded number from callers.

use octopus_mcp::config::SessionStorage;
use octopus_sample::keys;
use opentelemetry_proto::tonic::trace::v1::Span;
use serde_json::{Value, json};

use super::{
    collector::{Collector, text as attribute},
    metrics::{enable_metrics, scrape},
    otlp_export::call,
};
use crate::{
    cli::{ServerProcess, program},
    sessions::initialize_request,
    support::{Era, LEGACY_VERSION, TestServer, client, modern_meta, send, wait_until_some},
};

const OPERATIONS: &str = "mcp_server_operation_duration_seconds_count";

/// Returns the count of the operation series with all these labels.
fn count(text: &str, labels: &[&str]) -> u64 {
    let lines = text.lines().filter(|line| line.starts_with(OPERATIONS));
    let lines = lines.filter(|line| labels.iter().all(|label| line.contains(label)));
    lines.map(|line| line.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap()).sum()
}

#[tokio::test]
async fn unknown_methods_use_bounded_metric_labels() {
    let server = TestServer::with(|config| {
        enable_metrics(config);
        config.http.sessions = SessionStorage::Memory;
    })
    .await;
    let initialized = server.post(&[], initialize_request(&json!({})).to_string()).await;
    let session = initialized.header("mcp-session-id").to_owned();
    let headers = [("mcp-session-id", session.as_str()), ("mcp-protocol-version", LEGACY_VERSION)];
    let send = async |body: Value| server.post(&headers, body.to_string()).await;
    for (method, params) in [
        ("notifications/initialized", json!({})),
        ("notifications/cancelled", json!({ "requestId": 99 })),
        ("notifications/progress", json!({ "progressToken": 1, "progress": 1 })),
        ("notifications/roots/list_changed", json!({})),
        ("notifications/odd", json!({})),
    ] {
        let body = json!({ "jsonrpc": "2.0", "method": method, "params": params });
        assert_eq!(send(body).await.status, 202, "{method}");
    }
    for (method, params) in [
        ("logging/setLevel", json!({ "level": "info" })),
        ("resources/subscribe", json!({ "uri": "octopus://spaces" })),
        ("resources/unsubscribe", json!({ "uri": "octopus://spaces" })),
        ("odd/method", json!({})),
    ] {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let answer = send(body).await;
        assert!(answer.text.contains("\"code\":-32601"), "{method}: {}", answer.text);
    }
    assert_eq!(server.rpc(Era::Modern, "odd/method", json!({})).await.error_code(), -32601);
    let refused =
        ["error_type=\"-32601\"", "rpc_response_status_code=\"-32601\"", "network_transport"];
    let none: [&str; 0] = [];
    for (method, labels, times) in [
        ("notifications/initialized", &none[..], 1),
        ("notifications/cancelled", &none, 1),
        ("notifications/progress", &none, 1),
        ("notifications/roots/list_changed", &none, 1),
        ("logging/setLevel", &refused, 1),
        ("resources/subscribe", &refused, 1),
        ("resources/unsubscribe", &refused, 1),
        // One notification and two requests.
        ("_OTHER", &none, 3),
        ("_OTHER", &refused, 2),
    ] {
        let name = format!("mcp_method_name=\"{method}\"");
        let labels = [labels, &[name.as_str()]].concat();
        // A notification is acknowledged before it is processed.
        wait_until_some(async || (count(&scrape(&server).await, &labels) == times).then_some(()))
            .await;
    }
}

#[tokio::test]
async fn url_scheme_comes_from_trusted_proxy() {
    for (proxies, scheme) in [("127.0.0.1", "https"), ("192.0.2.1", "http")] {
        let server = TestServer::with(|config| {
            enable_metrics(config);
            config.http.trusted_proxies = serde_json::from_value(json!(proxies)).unwrap();
        })
        .await;
        let headers = [("x-octopus-apikey", keys::ADMIN), ("x-forwarded-proto", "https")];
        server.rpc_at("", &headers, Era::Legacy, "ping", json!({})).await;
        let text = scrape(&server).await;
        for name in ["http_server_request_duration_seconds_count", "http_server_active_requests"] {
            let mut lines = text.lines().filter(|line| line.starts_with(name));
            let line = lines.next().unwrap();
            assert!(line.contains(&format!("url_scheme=\"{scheme}\"")), "{line}");
            assert_eq!(lines.next(), None);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spans_follow_semantic_conventions_and_logs_omit_them() {
    let collector = Collector::start().await;
    let mut command = program(&["--sample", "--listen=127.0.0.1:0"]);
    command
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.endpoint)
        .env("OTEL_EXPORTER_OTLP_CERTIFICATE", &collector.certificate)
        .env("OCTOPUS_MCP_HTTP__SESSIONS", "memory");
    let serving = ServerProcess::start(command);
    let unknown_method = reqwest::Method::from_bytes(b"ODDITY").unwrap();
    send(client().request(unknown_method.clone(), &serving.url)).await;
    send(client().request(unknown_method, serving.url.replace("/mcp", "/nowhere"))).await;
    send(client().get(serving.url.replace("/mcp", "/nowhere?key=hidden"))).await;
    let post = |session: Option<&str>, body: Value| {
        let request = client()
            .post(&serving.url)
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", LEGACY_VERSION);
        let request = session.iter().fold(request, |it, id| it.header("mcp-session-id", *id));
        send(request.body(body.to_string()))
    };
    let session =
        post(None, initialize_request(&json!({}))).await.header("mcp-session-id").to_owned();
    let body = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    assert_eq!(post(Some(&session), body).await.status, 202);
    let uri = "octopus://spaces/Default/releases/Releases-99999";
    let body = json!({ "jsonrpc": "2.0", "id": "seven", "method": "resources/read",
        "params": { "uri": uri } });
    // A session responds on a stream.
    let answer = post(Some(&session), body).await;
    assert!(answer.text.contains("\"code\":-32002"), "{}", answer.text);
    call(&serving.url, None, modern_meta()).await;
    let (ended, log) = serving.stop();
    assert_eq!(ended, 0, "{log}");

    let received = collector.received();
    let of = |name: &str, attributes: &[(&str, Option<&str>)]| {
        let named: Vec<_> = received.spans.iter().filter(|span| span.name == name).collect();
        let is = |(key, value): &(&str, Option<&str>), span: &Span| {
            attribute(&span.attributes, key).as_deref() == *value
        };
        let found = named.iter().any(|span| attributes.iter().all(|one| is(one, span)));
        assert!(found, "{name} {attributes:?}: {named:#?}");
    };
    let unknown_method = [
        ("http.request.method", Some("_OTHER")),
        ("http.request.method_original", Some("ODDITY")),
        ("url.scheme", Some("http")),
    ];
    of("HTTP /mcp", &[&unknown_method[..], &[("url.path", Some("/mcp"))]].concat());
    of(
        "HTTP",
        &[&unknown_method[..], &[("url.path", Some("/nowhere")), ("http.route", None)]].concat(),
    );
    of("GET", &[("url.path", Some("/nowhere")), ("http.request.method_original", None)]);
    of("initialize", &[("jsonrpc.request.id", Some("1")), ("mcp.session.id", None)]);
    of(
        "notifications/initialized",
        &[("jsonrpc.request.id", None), ("mcp.session.id", Some(&session))],
    );
    of(
        "resources/read",
        &[
            ("jsonrpc.request.id", Some("seven")),
            ("mcp.resource.uri", Some(uri)),
            ("mcp.session.id", Some(&session)),
            ("rpc.response.status_code", Some("-32002")),
            ("error.type", Some("-32002")),
        ],
    );
    of("tools/call list_spaces", &[("rpc.response.status_code", None), ("mcp.session.id", None)]);
    let exported = format!("{:?}{:?}", received.spans, received.metrics);
    assert!(!exported.contains("hidden") && !log.contains("hidden"), "{exported}\n{log}");
    for word in ["seven", session.as_str()] {
        assert!(!log.contains(word), "{word} in {log}");
    }
    let metrics = format!("{:?}", received.metrics);
    for word in ["seven", uri, session.as_str(), "ODDITY"] {
        assert!(!metrics.contains(word), "{word} in {metrics}");
    }
}
