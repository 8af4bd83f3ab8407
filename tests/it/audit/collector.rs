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
    audit::{Expected, verify},
    config::{Config, Http, OtlpHeader, Period, Secret, Tls},
    http::{self, Certificates, Listening},
};
use octopus_sample::keys;
use opentelemetry_proto::tonic::{
    collector::logs::v1::ExportLogsServiceRequest, common::v1::any_value::Value as Any,
};
use prost::Message;
use serde_json::json;

use crate::{
    commands::{Serving, program},
    consent::{Desk, Way, changes},
    support::{Era, client, reply, soon},
};

/// Requests that a collector received, and whether any was compressed.
#[derive(Clone, Default)]
struct Taken(Arc<Mutex<Vec<Delivery>>>, Arc<AtomicBool>);

type Delivery = (Option<String>, ExportLogsServiceRequest);

async fn take(State(collected): State<Taken>, headers: HeaderMap, body: Bytes) {
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

impl Taken {
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

fn collector(certificates: Option<&Certificates>) -> (Listening, Taken) {
    let collected = Taken::default();
    let router = Router::new().route("/v1/logs", post(take)).with_state(collected.clone());
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    (http::listen(socket, router, certificates, &Http::default()).unwrap(), collected)
}

fn towards(config: &mut Config, endpoint: &str) {
    let otlp = &mut config.audit.otlp;
    otlp.endpoint = Some(endpoint.parse().unwrap());
    otlp.headers =
        vec![OtlpHeader { name: "x-token".to_owned(), value: Secret::from("t0ken".to_owned()) }];
}

/// Makes some calls, stops the server, and checks the records that the collector received.
async fn reaches(mut fixture: Desk, collected: Taken) {
    let flow = Way::Code(Era::Modern);
    let (tool, arguments, ..) = changes().remove(1);
    let (_, token) = fixture.call(flow, tool, &arguments).await.asked();
    fixture.agree(flow, tool, &arguments, &token).await.answered();
    fixture.server.call_as(keys::ADMIN, "list_spaces", json!({})).await;
    fixture.server.running.take().unwrap().stop().await;

    let (bodies, attributes) = collected.records();
    let text: String = bodies.iter().flat_map(|body| [body.as_str(), "\n"]).collect();
    let verified = verify([Ok(text.as_bytes())], &Expected::default()).unwrap();
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
async fn records_reach_a_collector_before_the_server_stops() {
    let (listening, collected) = collector(None);
    let fixture = Desk::with(|config| {
        towards(config, &format!("http://{}/v1/logs", listening.address));
        config.audit.required = true;
    });
    reaches(fixture.await, collected).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn heads_of_the_file_reach_the_collector_while_the_server_runs() {
    let (listening, collected) = collector(None);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    let fixture = Desk::with(|config| {
        towards(config, &format!("http://{}/v1/logs", listening.address));
        config.audit.otlp.delay = Period(Duration::from_millis(10));
        config.audit.head_every = Period(Duration::from_millis(10));
        config.audit.file.path = Some(path);
    })
    .await;
    fixture.server.call_as(keys::ADMIN, "list_spaces", json!({})).await;
    let is_head =
        |body: &String| body.contains("\"kind\":\"head\"") && body.contains("audit-head:1:2:");
    soon(async || collected.records().0.iter().any(is_head).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_reach_a_collector_over_tls_that_an_authority_of_the_settings_vouches_for() {
    let folder = tempfile::tempdir().unwrap();
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let pair = rcgen::generate_simple_self_signed(names).unwrap();
    let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    fs::write(&certificate, pair.cert.pem()).unwrap();
    fs::write(&key, pair.signing_key.serialize_pem()).unwrap();
    let tls = Tls { certificate: Some(certificate.clone()), key: Some(key), ..Tls::default() };
    let certificates = Certificates::load(&tls).await.unwrap();
    let (listening, collected) = collector(certificates.as_ref());
    let endpoint = format!("https://localhost:{}/v1/logs", listening.address.port());
    let fixture = Desk::with(|config| {
        towards(config, &endpoint);
        config.audit.required = true;
        config.audit.otlp.ca_file = Some(certificate);
    });
    reaches(fixture.await, collected).await;

    // Without the CA file no record is delivered, so no change is sent.
    let (listening, collected) = collector(certificates.as_ref());
    let endpoint = format!("https://localhost:{}/v1/logs", listening.address.port());
    let fixture = Desk::with(|config| {
        towards(config, &endpoint);
        config.audit.required = true;
        config.audit.otlp.timeout = Period(Duration::from_millis(500));
    })
    .await;
    let (tool, arguments, ..) = changes().remove(0);
    let flow = Way::Code(Era::Modern);
    let (_, token) = fixture.call(flow, tool, &arguments).await.asked();
    fixture.agree(flow, tool, &arguments, &token).await.refused("nothing was changed");
    assert!(collected.0.lock().unwrap().is_empty());
    assert_eq!(fixture.changes(), []);
}

/// The OTLP exporter also reads some standard `OTEL_*` variables, as the settings reference documents.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_the_standard_variables_headers_compression_and_who_sends_count_for_records() {
    let (listening, collected) = collector(None);
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
    let serving = Serving::start(program);
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": { "name": "list_spaces", "arguments": {} } });
    let request =
        client().post(&serving.url).header("accept", "application/json, text/event-stream");
    assert_eq!(reply(request.json(&body)).await.status, 200);
    let first_request = async || {
        let requests = collected.0.lock().unwrap();
        let (header, request) = requests.first()?;
        let resource = request.resource_logs[0].resource.clone()?;
        Some((header.clone(), format!("{resource:?}")))
    };
    let (header, resource) = soon(first_request).await;
    assert_eq!(header.as_deref(), Some("of-the-environment"));
    assert!(resource.contains("another"), "{resource}");
    assert!(collected.1.load(Ordering::Relaxed), "the request was not compressed");
}
