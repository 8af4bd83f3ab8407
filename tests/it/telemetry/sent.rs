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

use super::collector::{Collector, Taken, text};
use crate::{
    commands::{Serving, program},
    support::{client, meta, reply, serve},
};

const ANY_PORT: &str = "--listen=127.0.0.1:0";
/// Trace ID and span ID of the caller, sent in a header.
const THEIRS: (&str, &str) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
/// Trace ID and span ID in the `_meta` of a message.
const MESSAGES: (&str, &str) = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331");

fn parent((trace, span): (&str, &str)) -> String {
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
    reply(request.body(body.to_string())).await.json()
}

pub fn named<'a>(taken: &'a Taken, name: &str, trace: &str) -> &'a Span {
    let of_trace = |span: &&Span| span.name == name && hex(&span.trace_id) == trace;
    taken.spans.iter().find(of_trace).unwrap_or_else(|| {
        let all: Vec<_> =
            taken.spans.iter().map(|span| (&span.name, hex(&span.trace_id))).collect();
        panic!("no {name} in {trace}: {all:?}")
    })
}

/// Makes one call with a trace context in a header and one with a context in the message. Then
/// stops the server and checks the exported data.
async fn reaches(protocol: &str, log_filter: &str) {
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
    let serving = Serving::start(command);
    let answer = call(&serving.url, Some(parent(THEIRS)), json!({})).await;
    assert_eq!(answer["result"]["structuredContent"]["totalResults"], 2, "{answer}");
    let mut meta = meta();
    meta["traceparent"] = json!(parent(MESSAGES));
    let answer = call(&serving.url, None, meta).await;
    assert_eq!(answer["result"]["structuredContent"]["totalResults"], 2, "{answer}");
    let (code, log) = serving.stop();
    assert_eq!(code, 0, "{log}");

    let taken = collector.take();
    assert!(taken.tokens.iter().all(|token| token.as_deref() == Some("t0ken")), "{log}");
    assert!(taken.tokens.len() >= 3, "{:?}\n{log}", taken.tokens);
    for resource in &taken.resources {
        assert_eq!(text(&resource.attributes, "service.name").as_deref(), Some("deploys"));
        assert_eq!(text(&resource.attributes, "team").as_deref(), Some("platform"));
        assert!(text(&resource.attributes, "service.version").is_some());
    }

    // The server span, the call within it, and the upstream request within the call.
    let served = named(&taken, "POST /mcp", THEIRS.0);
    assert_eq!(hex(&served.parent_span_id), THEIRS.1);
    assert_eq!(text(&served.attributes, "http.response.status_code").as_deref(), Some("200"));
    for (name, value) in [("url.path", "/mcp"), ("url.scheme", "http")] {
        assert_eq!(text(&served.attributes, name).as_deref(), Some(value), "{name}");
    }
    let called = named(&taken, "tools/call list_spaces", THEIRS.0);
    assert_eq!(text(&called.attributes, "jsonrpc.request.id").as_deref(), Some("1"));
    assert_eq!(called.parent_span_id, served.span_id);
    assert_eq!(text(&called.attributes, "gen_ai.tool.name").as_deref(), Some("list_spaces"));
    let asked = named(&taken, "GET /api/spaces", THEIRS.0);
    assert_eq!(asked.parent_span_id, called.span_id);
    assert_eq!(text(&asked.attributes, "url.template").as_deref(), Some("/api/spaces"));
    let carried = format!("00-{}-{}-01", THEIRS.0, hex(&asked.span_id));
    assert!(parents.lock().unwrap().contains(&carried), "{carried}: {parents:?}");

    // A trace context in the message is the parent of the call; the HTTP request span is linked.
    let called = named(&taken, "tools/call list_spaces", MESSAGES.0);
    assert_eq!(hex(&called.parent_span_id), MESSAGES.1);
    let [link] = called.links.as_slice() else { panic!("{called:?}") };
    let brought = taken.spans.iter().find(|span| span.span_id == link.span_id).unwrap();
    assert_eq!(brought.name, "POST /mcp");

    for name in [
        "http.server.request.duration",
        "http.server.active_requests",
        "mcp.server.operation.duration",
        "http.client.request.duration",
        "octopus_mcp.upstream.requests",
        "octopus_mcp.answer.size",
    ] {
        assert!(taken.metrics.iter().any(|metric| metric.name == name), "{name}");
    }

    let lines: Vec<_> = taken
        .logs
        .iter()
        .filter(|line| text(&line.attributes, "path").as_deref() == Some("/mcp"))
        .collect();
    assert_eq!(lines.len(), 2, "one log line per request");
    assert_eq!(hex(&lines[0].trace_id), THEIRS.0);
    assert!(log.contains(&format!("trace=\"{}\"", THEIRS.0)), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn traces_metrics_and_logs_reach_a_collector_over_http_and_tls() {
    reaches("http/protobuf", "info,rmcp=warn").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn traces_metrics_and_logs_reach_a_collector_over_grpc_and_tls() {
    // With this filter, spans of dependencies lie between the spans of this server.
    reaches("grpc", "info,rmcp=trace").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn log_record_and_octopus_name_one_trace() {
    let (octopus, parents) = octopus();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    let mut command = program(&[ANY_PORT, "--server-url", &format!("http://{}", octopus.address)]);
    command.env("OCTOPUS_MCP_AUDIT__FILE__PATH", &path);
    let serving = Serving::start(command);
    for header in [Some(parent(THEIRS)), None] {
        call(&serving.url, header, json!({})).await;
    }
    // A message whose trace differs from that of its HTTP request.
    let mut meta = meta();
    meta["traceparent"] = json!(parent(MESSAGES));
    call(&serving.url, Some(parent(THEIRS)), meta).await;
    let (code, log) = serving.stop();
    assert_eq!(code, 0, "{log}");
    let records = crate::audit::records(&path);
    let traces: Vec<&str> =
        records.iter().map(|record| record["trace"].as_str().unwrap()).collect();
    assert_eq!((traces.len(), traces[0], traces[2]), (3, THEIRS.0, MESSAGES.0));
    let parents = parents.lock().unwrap();
    for trace in traces {
        let field = format!("trace=\"{trace}\"");
        let is_called =
            |line: &str| line.contains(": tool call completed ") && line.contains(&field);
        assert!(log.lines().any(is_called), "{trace} in {log}");
        assert!(parents.iter().any(|parent| parent.contains(trace)), "{trace} in {parents:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signal_that_is_off_is_not_sent_and_a_collector_that_is_away_holds_nobody_up() {
    let collector = Collector::start().await;
    let mut command = program(&["--sample", ANY_PORT]);
    command
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.endpoint)
        .env("OTEL_EXPORTER_OTLP_CERTIFICATE", &collector.certificate)
        .env("OTEL_LOGS_EXPORTER", "none")
        .env("OTEL_METRICS_EXPORTER", "prometheus")
        .env("OTEL_TRACES_SAMPLER", "always_off");
    let serving = Serving::start(command);
    call(&serving.url, None, json!({})).await;
    assert_eq!(serving.stop().0, 0);
    let taken = collector.take();
    assert!(taken.logs.is_empty() && taken.metrics.is_empty() && taken.spans.is_empty());

    let mut command = program(&["--sample", ANY_PORT]);
    // Nothing listens on this port.
    command
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
        .env("OTEL_EXPORTER_OTLP_TIMEOUT", "500");
    let serving = Serving::start(command);
    let answer = call(&serving.url, None, json!({})).await;
    assert_eq!(answer["result"]["structuredContent"]["totalResults"], 2, "{answer}");
    assert_eq!(serving.stop().0, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_is_silent_holds_up_the_end_no_longer_than_a_platform_waits() {
    // Connections to this socket never get a response.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    for protocol in ["http/protobuf", "grpc"] {
        let mut command = program(&["--sample", ANY_PORT]);
        command
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)
            .env("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
            .env("OCTOPUS_MCP_AUDIT__OTLP__ENDPOINT", format!("{endpoint}/v1/logs"));
        let serving = Serving::start(command);
        call(&serving.url, None, json!({})).await;
        let told_to_stop = Instant::now();
        let (code, log) = serving.stop();
        let took = told_to_stop.elapsed();
        assert_eq!(code, 0, "{log}");
        // Shutdown takes about four seconds. Each exporter alone would wait for five or ten.
        assert!(took < Duration::from_secs(8), "{protocol}: {took:?}\n{log}");
        assert!(log.contains("telemetry export timed out"), "{protocol}: {log}");
        assert!(log.contains("audit records may be lost"), "{protocol}: {log}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_cannot_show_who_it_is_is_told_nothing() {
    let collector = Collector::start().await;
    for protocol in ["http/protobuf", "grpc"] {
        let mut command = program(&["--sample", ANY_PORT]);
        command
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.endpoint)
            .env("OTEL_EXPORTER_OTLP_PROTOCOL", protocol);
        let serving = Serving::start(command);
        call(&serving.url, None, json!({})).await;
        assert_eq!(serving.stop().0, 0);
        let taken = collector.take();
        assert!(taken.logs.is_empty() && taken.metrics.is_empty() && taken.spans.is_empty());
    }
}
