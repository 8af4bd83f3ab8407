//! OTLP export: traces, metrics and logs reach a collector over TLS, configured only by the
//! standard environment variables, and share their trace IDs.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{
    extract::Request,
    middleware::{Next, from_fn},
};
use octopus_mcp::http::Listening;
use octopus_sample::{Sample, keys};
use opentelemetry_proto::tonic::trace::v1::Span;
use serde_json::{Value, json};

use super::collector::{Collector, Received, text};
use crate::{
    cli::{ServerProcess, program},
    support::{client, modern_meta, send, serve},
};

const ANY_PORT: &str = "--listen=127.0.0.1:0";
/// Trace ID and span ID of the caller, sent in a header.
const CALLER_TRACE: (&str, &str) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
/// Trace ID and span ID in the `_meta` of a message.
const MESSAGE_TRACE: (&str, &str) = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331");

fn traceparent((trace, span): (&str, &str)) -> String {
    format!("00-{trace}-{span}-01")
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Starts a sample instance that stores the `traceparent` of every request.
fn octopus() -> (Listening, Arc<Mutex<Vec<String>>>) {
    let parents = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&parents);
    let router = Sample::new().router().layer(from_fn(move |request: Request, next: Next| {
        let parent = request.headers().get("traceparent");
        let parent = parent.map(|value| value.to_str().unwrap().to_owned());
        keep.lock().unwrap().push(parent.unwrap_or_default());
        next.run(request)
    }));
    (serve(router), parents)
}

pub async fn call(url: &str, header: Option<String>, meta: Value) -> Value {
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": { "name": "list_spaces", "arguments": {}, "_meta": meta } });
    let mut request = client()
        .post(url)
        .header("content-type", "application/json")
        .header("x-octopus-apikey", keys::ADMIN);
    if meta.get("io.modelcontextprotocol/protocolVersion").is_some() {
        request = request
            .header("mcp-protocol-version", "2026-07-28")
            .header("mcp-method", "tools/call")
            .header("mcp-name", "list_spaces");
    }
    if let Some(header) = header {
        request = request.header("traceparent", header);
    }
    send(request.body(body.to_string())).await.json()
}

pub fn find_span<'a>(received: &'a Received, name: &str, trace: &str) -> &'a Span {
    let of_trace = |span: &&Span| span.name == name && hex(&span.trace_id) == trace;
    received.spans.iter().find(of_trace).unwrap_or_else(|| {
        let all: Vec<_> =
            received.spans.iter().map(|span| (&span.name, hex(&span.trace_id))).collect();
        panic!("no {name} in {trace}: {all:?}")
    })
}

/// Makes one call with a trace context in a header and one with a context in the message. Then
/// stops the server and checks the exported data.
async fn assert_export(protocol: &str, log_filter: &str) {
    let collector = Collector::start().await;
    let (octopus, parents) = octopus();
    let mut command = program(&[ANY_PORT, "--server-url", &format!("http://{}", octopus.address)]);
    command
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.endpoint)
        .env("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
        .env("OTEL_EXPORTER_OTLP_CERTIFICATE", &collector.certificate)
        .env("OTEL_EXPORTER_OTLP_HEADERS", "x-token=t0%6Ben")
        .env("OCTOPUS_MCP_TELEMETRY__LOG_FILTER", log_filter)
        .env("OTEL_SERVICE_NAME", "deploys")
        .env("OTEL_RESOURCE_ATTRIBUTES", "team=platform");
    let serving = ServerProcess::start(command);
    let answer = call(&serving.url, Some(traceparent(CALLER_TRACE)), json!({})).await;
    assert_eq!(answer["result"]["structuredContent"]["totalResults"], 2, "{answer}");
    let mut meta = modern_meta();
    meta["traceparent"] = json!(traceparent(MESSAGE_TRACE));
    let answer = call(&serving.url, None, meta).await;
    assert_eq!(answer["result"]["structuredContent"]["totalResults"], 2, "{answer}");
    let (code, log) = serving.stop();
    assert_eq!(code, 0, "{log}");

    let received = collector.received();
    assert!(received.tokens.iter().all(|token| token.as_deref() == Some("t0ken")), "{log}");
    assert!(received.tokens.len() >= 3, "{:?}\n{log}", received.tokens);
    for resource in &received.resources {
        assert_eq!(text(&resource.attributes, "service.name").as_deref(), Some("deploys"));
        assert_eq!(text(&resource.attributes, "team").as_deref(), Some("platform"));
        assert!(text(&resource.attributes, "service.version").is_some());
    }

    // The server span, the call within it, and the upstream request within the call.
    let served = find_span(&received, "POST /mcp", CALLER_TRACE.0);
    assert_eq!(hex(&served.parent_span_id), CALLER_TRACE.1);
    assert_eq!(text(&served.attributes, "http.response.status_code").as_deref(), Some("200"));
    for (name, value) in [("url.path", "/mcp"), ("url.scheme", "http")] {
        assert_eq!(text(&served.attributes, name).as_deref(), Some(value), "{name}");
    }
    let called = find_span(&received, "tools/call list_spaces", CALLER_TRACE.0);
    assert_eq!(text(&called.attributes, "jsonrpc.request.id").as_deref(), Some("1"));
    assert_eq!(called.parent_span_id, served.span_id);
    assert_eq!(text(&called.attributes, "gen_ai.tool.name").as_deref(), Some("list_spaces"));
    let upstream = find_span(&received, "GET /api/spaces", CALLER_TRACE.0);
    assert_eq!(upstream.parent_span_id, called.span_id);
    assert_eq!(text(&upstream.attributes, "url.template").as_deref(), Some("/api/spaces"));
    let carried = format!("00-{}-{}-01", CALLER_TRACE.0, hex(&upstream.span_id));
    assert!(parents.lock().unwrap().contains(&carried), "{carried}: {parents:?}");

    // A trace context in the message is the parent of the call; the HTTP request span is linked.
    let called = find_span(&received, "tools/call list_spaces", MESSAGE_TRACE.0);
    assert_eq!(hex(&called.parent_span_id), MESSAGE_TRACE.1);
    let [link] = called.links.as_slice() else { panic!("{called:?}") };
    let linked = received.spans.iter().find(|span| span.span_id == link.span_id).unwrap();
    assert_eq!(linked.name, "POST /mcp");

    for name in [
        "http.server.request.duration",
        "http.server.active_requests",
        "mcp.server.operation.duration",
        "http.client.request.duration",
        "octopus_mcp.upstream.requests",
        "octopus_mcp.answer.size",
    ] {
        assert!(received.metrics.iter().any(|metric| metric.name == name), "{name}");
    }

    let lines: Vec<_> = received
        .logs
        .iter()
        .filter(|line| text(&line.attributes, "path").as_deref() == Some("/mcp"))
        .collect();
    assert_eq!(lines.len(), 2, "one log line per request");
    assert_eq!(hex(&lines[0].trace_id), CALLER_TRACE.0);
    assert!(log.contains(&format!(" trace={}\n", CALLER_TRACE.0)), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exports_all_signals_over_http_and_tls() {
    assert_export("http/protobuf", "info,rmcp=warn").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exports_all_signals_over_grpc_and_tls() {
    // With this filter, spans of dependencies lie between the spans of this server.
    assert_export("grpc", "info,rmcp=trace").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn log_audit_and_upstream_share_one_trace_id() {
    let (octopus, parents) = octopus();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    let mut command = program(&[ANY_PORT, "--server-url", &format!("http://{}", octopus.address)]);
    command.args(["--log-format", "json"]);
    command.env("OCTOPUS_MCP_AUDIT__FILE__PATH", &path);
    let serving = ServerProcess::start(command);
    for header in [Some(traceparent(CALLER_TRACE)), None] {
        call(&serving.url, header, json!({})).await;
    }
    // A message with another trace than its HTTP request.
    let mut meta = modern_meta();
    meta["traceparent"] = json!(traceparent(MESSAGE_TRACE));
    call(&serving.url, Some(traceparent(CALLER_TRACE)), meta).await;
    let (code, log) = serving.stop();
    assert_eq!(code, 0, "{log}");
    let records = crate::audit::read_records(&path);
    let traces: Vec<&str> =
        records.iter().map(|record| record["trace"].as_str().unwrap()).collect();
    assert_eq!((traces.len(), traces[0], traces[2]), (3, CALLER_TRACE.0, MESSAGE_TRACE.0));
    let parents = parents.lock().unwrap();
    for trace in traces {
        let is_called = |line: &str| {
            let line: Value = serde_json::from_str(line).unwrap();
            line["message"] == "tool call completed"
                && line["span"]["mcp.method.name"] == "tools/call"
                && line["trace"] == trace
        };
        assert!(log.lines().any(is_called), "{trace} in {log}");
        assert!(parents.iter().any(|parent| parent.contains(trace)), "{trace} in {parents:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn disabled_signal_and_unreachable_collector_do_not_block() {
    let collector = Collector::start().await;
    let mut command = program(&["--sample", ANY_PORT]);
    command
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.endpoint)
        .env("OTEL_EXPORTER_OTLP_CERTIFICATE", &collector.certificate)
        .env("OTEL_LOGS_EXPORTER", "none")
        .env("OTEL_METRICS_EXPORTER", "prometheus")
        .env("OTEL_TRACES_SAMPLER", "always_off");
    let serving = ServerProcess::start(command);
    call(&serving.url, None, json!({})).await;
    assert_eq!(serving.stop().0, 0);
    let received = collector.received();
    assert!(received.logs.is_empty() && received.metrics.is_empty() && received.spans.is_empty());

    let mut command = program(&["--sample", ANY_PORT]);
    // Nothing listens on this port.
    command
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
        .env("OTEL_EXPORTER_OTLP_TIMEOUT", "500");
    let serving = ServerProcess::start(command);
    let answer = call(&serving.url, None, json!({})).await;
    assert_eq!(answer["result"]["structuredContent"]["totalResults"], 2, "{answer}");
    assert_eq!(serving.stop().0, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silent_collector_delays_shutdown_only_briefly() {
    // Connections to this socket never get a response.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    for protocol in ["http/protobuf", "grpc"] {
        let mut command = program(&["--sample", ANY_PORT]);
        command
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)
            .env("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
            .env("OCTOPUS_MCP_AUDIT__OTLP__ENDPOINT", format!("{endpoint}/v1/logs"));
        let serving = ServerProcess::start(command);
        call(&serving.url, None, json!({})).await;
        let stop_requested = Instant::now();
        let (code, log) = serving.stop();
        let elapsed = stop_requested.elapsed();
        assert_eq!(code, 0, "{log}");
        // Shutdown lasts about four seconds. Each exporter alone would wait for five or ten.
        assert!(elapsed < Duration::from_secs(8), "{protocol}: {elapsed:?}\n{log}");
        assert!(log.contains("telemetry export timed out"), "{protocol}: {log}");
        assert!(
            log.contains("audit flush timed out; queued records may be lost"),
            "{protocol}: {log}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn untrusted_collector_receives_nothing() {
    let collector = Collector::start().await;
    for protocol in ["http/protobuf", "grpc"] {
        let mut command = program(&["--sample", ANY_PORT]);
        command
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.endpoint)
            .env("OTEL_EXPORTER_OTLP_PROTOCOL", protocol);
        let serving = ServerProcess::start(command);
        call(&serving.url, None, json!({})).await;
        assert_eq!(serving.stop().0, 0);
        let received = collector.received();
        assert!(
            received.logs.is_empty() && received.metrics.is_empty() && received.spans.is_empty()
        );
    }
}
