//! Records reach a collector: over HTTP and TLS, with its headers, and whole.

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

/// What came to a collector.
#[derive(Clone, Default)]
struct Taken(Arc<Mutex<Vec<Delivery>>>, Arc<AtomicBool>);

type Delivery = (Option<String>, ExportLogsServiceRequest);

async fn take(State(taken): State<Taken>, headers: HeaderMap, body: Bytes) {
    let sent = headers.get("x-token").map(|value| value.to_str().unwrap().to_owned());
    let mut plain = Vec::new();
    let is_packed = headers.get("content-encoding").is_some_and(|value| value == "gzip");
    if is_packed {
        flate2::read::GzDecoder::new(&body[..]).read_to_end(&mut plain).unwrap();
    } else {
        plain.extend(&body);
    }
    taken.1.fetch_or(is_packed, Ordering::Relaxed);
    let read = ExportLogsServiceRequest::decode(&plain[..]).unwrap();
    taken.0.lock().unwrap().push((sent, read));
}

impl Taken {
    /// The bodies of all records, in order, and the names of their attributes.
    fn records(&self) -> (Vec<String>, Vec<String>) {
        let requests = self.0.lock().unwrap();
        let logs = requests.iter().flat_map(|(_, request)| &request.resource_logs);
        let records: Vec<_> =
            logs.flat_map(|one| &one.scope_logs).flat_map(|one| &one.log_records).collect();
        let bodies = records.iter().map(|record| match &record.body.as_ref().unwrap().value {
            Some(Any::StringValue(text)) => text.clone(),
            other => panic!("{other:?}"),
        });
        let attributes = records.iter().flat_map(|record| &record.attributes);
        (bodies.collect(), attributes.map(|one| one.key.clone()).collect())
    }
}

fn collector(certificates: Option<&Certificates>) -> (Listening, Taken) {
    let taken = Taken::default();
    let router = Router::new().route("/v1/logs", post(take)).with_state(taken.clone());
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    (http::listen(socket, router, certificates, &Http::default()).unwrap(), taken)
}

fn towards(config: &mut Config, endpoint: &str) {
    let otlp = &mut config.audit.otlp;
    otlp.endpoint = Some(endpoint.parse().unwrap());
    otlp.headers =
        vec![OtlpHeader { name: "x-token".to_owned(), value: Secret::from("t0ken".to_owned()) }];
}

/// Calls this and that, stops the server, and looks at what the collector has.
async fn reaches(mut desk: Desk, taken: Taken) {
    let way = Way::Code(Era::Modern);
    let (tool, arguments, ..) = changes().remove(1);
    let (_, sealed) = desk.call(way, tool, &arguments).await.asked();
    desk.agree(way, tool, &arguments, &sealed).await.answered();
    desk.server.call_as(keys::ADMIN, "list_spaces", json!({})).await;
    desk.server.running.take().unwrap().stop().await;

    let (bodies, attributes) = taken.records();
    let text: String = bodies.iter().flat_map(|body| [body.as_str(), "\n"]).collect();
    let found = verify([Ok(text.as_bytes())], &Expected::default()).unwrap();
    assert_eq!(found.findings, []);
    let results: Vec<String> = bodies
        .iter()
        .map(|body| serde_json::from_str::<serde_json::Value>(body).unwrap())
        .filter_map(|record| record["result"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(results, ["asked", "sending", "done", "done"]);
    for name in ["octopus_mcp.audit.id", "octopus_mcp.audit.change", "gen_ai.tool.name"] {
        assert!(attributes.iter().any(|key| key == name), "{name}: {attributes:?}");
    }
    let requests = taken.0.lock().unwrap();
    assert!(requests.iter().all(|(token, _)| token.as_deref() == Some("t0ken")));
    let resource = requests[0].1.resource_logs[0].resource.clone().unwrap();
    assert!(resource.attributes.iter().any(|one| one.key == "service.name"), "{resource:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_reach_a_collector_before_the_server_stops() {
    let (listening, taken) = collector(None);
    let desk = Desk::with(|config| {
        towards(config, &format!("http://{}/v1/logs", listening.address));
        config.audit.required = true;
    });
    reaches(desk.await, taken).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn heads_of_the_file_reach_the_collector_while_the_server_runs() {
    let (listening, taken) = collector(None);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    let desk = Desk::with(|config| {
        towards(config, &format!("http://{}/v1/logs", listening.address));
        config.audit.otlp.delay = Period(Duration::from_millis(10));
        config.audit.head_every = Period(Duration::from_millis(10));
        config.audit.file.path = Some(path);
    })
    .await;
    desk.server.call_as(keys::ADMIN, "list_spaces", json!({})).await;
    let is_head =
        |body: &String| body.contains("\"kind\":\"head\"") && body.contains("audit-head:1:2:");
    soon(async || taken.records().0.iter().any(is_head).then_some(())).await;
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
    let (listening, taken) = collector(certificates.as_ref());
    let endpoint = format!("https://localhost:{}/v1/logs", listening.address.port());
    let desk = Desk::with(|config| {
        towards(config, &endpoint);
        config.audit.required = true;
        config.audit.otlp.ca_file = Some(certificate);
    });
    reaches(desk.await, taken).await;

    // Without the authority nothing is delivered, and so nothing is changed.
    let (listening, taken) = collector(certificates.as_ref());
    let endpoint = format!("https://localhost:{}/v1/logs", listening.address.port());
    let desk = Desk::with(|config| {
        towards(config, &endpoint);
        config.audit.required = true;
        config.audit.otlp.timeout = Period(Duration::from_millis(500));
    })
    .await;
    let (tool, arguments, ..) = changes().remove(0);
    let way = Way::Code(Era::Modern);
    let (_, sealed) = desk.call(way, tool, &arguments).await.asked();
    desk.agree(way, tool, &arguments, &sealed).await.refused("nothing was changed");
    assert!(taken.0.lock().unwrap().is_empty());
    assert_eq!(desk.changes(), []);
}

/// What the exporter reads of the environment beside the settings, as these say.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_the_standard_variables_headers_compression_and_who_sends_count_for_records() {
    let (listening, taken) = collector(None);
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
    let come = async || {
        let requests = taken.0.lock().unwrap();
        let (sent, request) = requests.first()?;
        let resource = request.resource_logs[0].resource.clone()?;
        Some((sent.clone(), format!("{resource:?}")))
    };
    let (sent, resource) = soon(come).await;
    assert_eq!(sent.as_deref(), Some("of-the-environment"));
    assert!(resource.contains("another"), "{resource}");
    assert!(taken.1.load(Ordering::Relaxed), "it came without compression");
}
