//! Delivery of records to an OTLP collector over HTTP and TLS, with headers, complete and in order.

use std::{
    fs,
    io::Read,
    net::TcpListener,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, routing::post};
use octopus_mcp::{
    audit::{ExpectedChain, verify},
    config::{Config, DurationSetting, HttpSettings, OtlpHeader, Secret},
    http::{self, Certificates, Listening},
};
use octopus_sample::keys;
use opentelemetry_proto::tonic::{
    collector::logs::v1::ExportLogsServiceRequest, common::v1::any_value::Value as Any,
};
use prost::Message;
use serde_json::json;

use crate::{
    approval::{ApprovalFixture, ApprovalFlow, write_calls},
    cli::{ServerProcess, program},
    support::{Era, SelfSigned, client, send, wait_until_some},
};

/// Requests that a collector received, and whether any was compressed.
#[derive(Clone, Default)]
struct CollectedLogs(Arc<Mutex<Vec<Delivery>>>, Arc<AtomicBool>);

type Delivery = (Option<String>, ExportLogsServiceRequest);

async fn collect_logs(State(collected): State<CollectedLogs>, headers: HeaderMap, body: Bytes) {
    let header = headers.get("x-token").map(|value| value.to_str().unwrap().to_owned());
    let mut plain = Vec::new();
    let is_gzip = headers.get("content-encoding").is_some_and(|value| value == "gzip");
    if is_gzip {
        flate2::read::GzDecoder::new(&body[..]).read_to_end(&mut plain).unwrap();
    } else {
        plain.extend(&body);
    }
    collected.1.fetch_or(is_gzip, Ordering::Relaxed);
    let read = ExportLogsServiceRequest::decode(&plain[..]).unwrap();
    collected.0.lock().unwrap().push((header, read));
}

impl CollectedLogs {
    /// Returns the bodies of all records in order, and the names of their attributes.
    fn records(&self) -> (Vec<String>, Vec<String>) {
        let requests = self.0.lock().unwrap();
        let logs = requests.iter().flat_map(|(_, request)| &request.resource_logs);
        let records: Vec<_> =
            logs.flat_map(|item| &item.scope_logs).flat_map(|item| &item.log_records).collect();
        let bodies = records.iter().map(|record| match &record.body.as_ref().unwrap().value {
            Some(Any::StringValue(text)) => text.clone(),
            other => panic!("{other:?}"),
        });
        let attributes = records.iter().flat_map(|record| &record.attributes);
        (bodies.collect(), attributes.map(|item| item.key.clone()).collect())
    }
}

fn start_collector(certificates: Option<&Certificates>) -> (Listening, CollectedLogs) {
    let collected = CollectedLogs::default();
    let router = Router::new().route("/v1/logs", post(collect_logs)).with_state(collected.clone());
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    (http::listen(socket, router, certificates, &HttpSettings::default()).unwrap(), collected)
}

fn configure_otlp(config: &mut Config, endpoint: &str) {
    let otlp = &mut config.audit.otlp;
    otlp.endpoint = Some(endpoint.parse().unwrap());
    otlp.headers =
        vec![OtlpHeader { name: "x-token".to_owned(), value: Secret::from("t0ken".to_owned()) }];
}

/// Makes some calls, stops the server, and checks the records that the collector received.
async fn assert_records_delivered(mut fixture: ApprovalFixture, collected: CollectedLogs) {
    let flow = ApprovalFlow::ConfirmCode(Era::Modern);
    let (tool, arguments, ..) = write_calls().remove(1);
    let (_, token) = fixture.call(flow, tool, &arguments).await.expect_approval_request();
    fixture.approve(flow, tool, &arguments, &token).await.expect_result();
    fixture.server.call_as(keys::ADMIN, "list_spaces", json!({})).await;
    fixture.server.running.take().unwrap().stop().await;

    let (bodies, attributes) = collected.records();
    let text: String = bodies.iter().flat_map(|body| [body.as_str(), "\n"]).collect();
    let verified = verify([Ok(text.as_bytes())], &ExpectedChain::default()).unwrap();
    assert_eq!(verified.findings, []);
    let results: Vec<String> = bodies
        .iter()
        .map(|body| serde_json::from_str::<serde_json::Value>(body).unwrap())
        .filter_map(|record| record["result"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(results, ["asked", "sending", "done", "done"]);
    for name in ["octopus_mcp.audit.id", "octopus_mcp.audit.change", "gen_ai.tool.name"] {
        assert!(attributes.iter().any(|key| key == name), "{name}: {attributes:?}");
    }
    let requests = collected.0.lock().unwrap();
    assert!(requests.iter().all(|(token, _)| token.as_deref() == Some("t0ken")));
    let resource = requests[0].1.resource_logs[0].resource.clone().unwrap();
    assert!(resource.attributes.iter().any(|item| item.key == "service.name"), "{resource:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn delivers_records_before_shutdown() {
    let (listening, collected) = start_collector(None);
    let fixture = ApprovalFixture::with(|config| {
        configure_otlp(config, &format!("http://{}/v1/logs", listening.address));
        config.audit.required = true;
    });
    assert_records_delivered(fixture.await, collected).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn delivers_chain_heads_periodically() {
    let (listening, collected) = start_collector(None);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    let fixture = ApprovalFixture::with(|config| {
        configure_otlp(config, &format!("http://{}/v1/logs", listening.address));
        config.audit.otlp.delay = DurationSetting(Duration::from_millis(10));
        config.audit.head_every = DurationSetting(Duration::from_millis(10));
        config.audit.file.path = Some(path);
    })
    .await;
    fixture.server.call_as(keys::ADMIN, "list_spaces", json!({})).await;
    let is_head =
        |body: &String| body.contains("\"kind\":\"head\"") && body.contains("audit-head:1:2:");
    wait_until_some(async || collected.records().0.iter().any(is_head).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn delivers_records_over_tls_with_configured_ca() {
    let tls = SelfSigned::new();
    let certificates = tls.load().await;
    let (listening, collected) = start_collector(certificates.as_ref());
    let endpoint = format!("https://localhost:{}/v1/logs", listening.address.port());
    let fixture = ApprovalFixture::with(|config| {
        configure_otlp(config, &endpoint);
        config.audit.required = true;
        config.audit.otlp.ca_file = Some(tls.certificate.clone());
    });
    assert_records_delivered(fixture.await, collected).await;

    // Without the CA file no record is delivered, so no change is sent.
    let (listening, collected) = start_collector(certificates.as_ref());
    let endpoint = format!("https://localhost:{}/v1/logs", listening.address.port());
    let fixture = ApprovalFixture::with(|config| {
        configure_otlp(config, &endpoint);
        config.audit.required = true;
        config.audit.otlp.timeout = DurationSetting(Duration::from_millis(500));
    })
    .await;
    let (tool, arguments, ..) = write_calls().remove(0);
    let flow = ApprovalFlow::ConfirmCode(Era::Modern);
    let (_, token) = fixture.call(flow, tool, &arguments).await.expect_approval_request();
    fixture.approve(flow, tool, &arguments, &token).await.expect_error("nothing was changed");
    assert!(collected.0.lock().unwrap().is_empty());
    assert_eq!(fixture.sent_changes(), []);
}

/// The OTLP exporter also reads some standard `OTEL_*` variables, as the settings reference
/// documents.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn otel_variables_set_headers_compression_and_service_name() {
    let (listening, collected) = start_collector(None);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.toml");
    let settings = format!(
        "[sample]\nenabled = true\n[audit.otlp]\nendpoint = \"http://{}/v1/logs\"\n\
         [[audit.otlp.headers]]\nname = \"x-token\"\nvalue = \"t0ken\"\n",
        listening.address
    );
    fs::write(&path, settings).unwrap();
    let config = path.to_str().unwrap();
    let mut program = program(&["--listen=127.0.0.1:0", "--config", config]);
    program
        .env("OTEL_EXPORTER_OTLP_HEADERS", "x-token=of-the-environment")
        .env("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "http://127.0.0.1:9/v1/logs")
        .env("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
        .env("OTEL_BLRP_SCHEDULE_DELAY", "3600000")
        .env("OTEL_SERVICE_NAME", "another");
    let serving = ServerProcess::start(program);
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": { "name": "list_spaces", "arguments": {} } });
    let request =
        client().post(&serving.url).header("accept", "application/json, text/event-stream");
    assert_eq!(send(request.json(&body)).await.status, 200);
    let first_request = async || {
        let requests = collected.0.lock().unwrap();
        let (header, request) = requests.first()?;
        let resource = request.resource_logs[0].resource.clone()?;
        Some((header.clone(), format!("{resource:?}")))
    };
    let (header, resource) = wait_until_some(first_request).await;
    assert_eq!(header.as_deref(), Some("of-the-environment"));
    assert!(resource.contains("another"), "{resource}");
    assert!(collected.1.load(Ordering::Relaxed), "the request was not compressed");
}
