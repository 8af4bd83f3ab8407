//! What Prometheus reads from the admin listener.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use octopus_mcp::config::{AuthMode, Config, Confirm};
use octopus_sample::{Fault, keys};
use serde_json::json;

use crate::{
    callers::issuer::{Signer, TestIssuer},
    support::{Era, TestServer, client, meta, reply, soon},
};

pub fn counted(config: &mut Config) {
    config.http.admin_listen = "127.0.0.1:0".parse().ok();
    config.limits.caller_rate = 0;
    config.limits.instance_rate = 0;
    config.limits.unproven_rate = 0;
    config.tools.read_only = false;
    config.tools.confirm = Confirm::Code;
}

pub async fn text(server: &TestServer) -> String {
    let admin = server.running.as_ref().unwrap().admin.as_ref().unwrap();
    let read = reply(client().get(format!("http://{}/metrics", admin.address))).await;
    assert_eq!(read.status, 200);
    assert!(read.header("content-type").starts_with("text/plain; version=0.0.4"));
    read.text
}

/// The series, by name of the metric.
fn series(text: &str) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut all: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (series, _) = line.rsplit_once(' ').unwrap();
        let name = series.split('{').next().unwrap();
        all.entry(name).or_default().insert(series);
    }
    all
}

#[tokio::test]
async fn what_happens_is_counted_under_the_names_of_the_conventions() {
    let server = TestServer::with(counted).await;
    server.answer("list_projects", json!({ "space": "Default" })).await;
    server.failure("list_projects", json!({ "space": "Nowhere" })).await;
    let text = text(&server).await;
    for line in [
        "# TYPE mcp_server_operation_duration_seconds histogram",
        "# TYPE http_server_request_duration_seconds histogram",
        "# TYPE http_client_request_duration_seconds histogram",
        "# TYPE octopus_mcp_upstream_requests_total counter",
        "# TYPE octopus_mcp_answer_size_bytes histogram",
        "# HELP octopus_mcp_cache_lookups_total Questions to what is remembered for a while.",
        "octopus_mcp_build{version=\"",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    let series = series(&text);
    let has = |name: &str, labels: &[&str]| {
        let of = series.get(name).unwrap_or_else(|| panic!("{name}: {text}"));
        of.iter().any(|one| labels.iter().all(|label| one.contains(label)))
    };
    let count = "mcp_server_operation_duration_seconds_count";
    let call = ["mcp_method_name=\"tools/call\"", "gen_ai_tool_name=\"list_projects\""];
    assert!(has(count, &[&call[..], &["network_transport=\"tcp\""]].concat()), "{text}");
    assert!(has(count, &[&call[..], &["error_type=\"tool_error\""]].concat()), "{text}");
    assert!(has(
        "octopus_mcp_upstream_requests_total",
        &["octopus_instance=\"default\"", "route=\"/api/{id}/projects\"", "outcome=\"2xx\""]
    ));
    assert!(has(
        "http_server_request_duration_seconds_count",
        &[
            "http_route=\"/mcp\"",
            "http_response_status_code=\"200\"",
            "http_request_method=\"POST\"",
            "url_scheme=\"http\""
        ]
    ));
}

#[tokio::test]
async fn a_thousand_odd_names_make_no_more_series() {
    let server = TestServer::with(counted).await;
    for tool in ["list_projects", "execute"] {
        let _ = server.call(tool, json!({})).await;
    }
    let before: usize = series(&text(&server).await).values().map(BTreeSet::len).sum();
    for n in 0..1000 {
        let name = format!("odd_{n}_{}", "x".repeat(n % 50));
        match n % 5 {
            // A tool that there is not.
            0 => drop(
                server
                    .ask(Era::Modern, "tools/call", json!({ "name": name, "_meta": meta() }))
                    .await,
            ),
            // A method that there is not.
            1 => drop(server.ask(Era::Legacy, &format!("odd/{name}"), json!({})).await),
            // Paths of Octopus that there are not.
            2 => {
                let path = format!("/api/{name}-{n}/{name}/Odd{n}-{n}");
                server.call("execute", json!({ "method": "GET", "path": path })).await;
            }
            // A space that there is not, and a path of ours.
            3 => drop(server.call("list_projects", json!({ "space": name })).await),
            _ => {
                let url = server.url.replace("/mcp", &format!("/{name}"));
                let request = client().request(
                    reqwest::Method::from_bytes(format!("ODD{n}").as_bytes()).unwrap(),
                    url,
                );
                let request = request.header("x-octopus-apikey", keys::ADMIN);
                let request = request.header("mcp-protocol-version", &name);
                drop(reply(request.header("x-request-id", &name)).await);
            }
        }
    }
    let text = text(&server).await;
    // Each fifth of them came to be counted, under one name.
    for (name, label) in [
        ("mcp_server_operation_duration_seconds_count", "mcp_method_name=\"_OTHER\""),
        ("http_server_request_duration_seconds_count", "http_request_method=\"_OTHER\""),
    ] {
        let lines = text.lines().filter(|line| line.starts_with(name) && line.contains(label));
        let counts = lines.map(|line| line.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap());
        assert_eq!(counts.sum::<u64>(), 200, "{name} {label}: {text}");
    }
    let series = series(&text);
    let after: usize = series.values().map(BTreeSet::len).sum();
    assert!(!text.contains("odd_") && !text.contains("ODD") && !text.contains("Odd"), "{text}");
    // A histogram has a series for each bucket; ten new combinations of labels are plenty.
    assert!(after < before + 600, "{before} series, then {after}");
}

#[tokio::test]
async fn what_is_refused_asked_and_changed_is_counted() {
    let server = TestServer::with(|config| {
        counted(config);
        config.limits.caller_rate = 60;
        config.limits.caller_burst = 4;
    })
    .await;
    let (tool, arguments, ..) = crate::consent::changes().remove(3);
    assert_eq!(tool, "update_feature_toggle");
    server.call_in(Era::Modern, keys::ADMIN, tool, arguments).await;
    for _ in 0..8 {
        let _ = server.ask(Era::Legacy, "tools/list", json!({})).await;
    }
    let nobody = server.ask_as(Era::Legacy, "API-!", "tools/list", json!({})).await;
    assert_eq!(nobody.status, 401);
    let text = text(&server).await;
    for series in [
        "octopus_mcp_confirmations_total{outcome=\"asked\",way=\"code\"} 1",
        "octopus_mcp_policy_decisions_total{effect=\"allow\",rule=\"\"} 1",
        "octopus_mcp_authentication_failures_total 1",
        "octopus_mcp_rate_limited_total{limit=\"caller\"} ",
        "octopus_mcp_store_away 0",
        "octopus_mcp_instance_paused{octopus_instance=\"default\"} 0",
    ] {
        assert!(text.contains(series), "{series}\n{text}");
    }
}

#[tokio::test]
async fn what_is_asked_of_issuers_is_measured_and_is_no_request_to_octopus() {
    let signer = Signer::new("one");
    let issuer = TestIssuer::with(&[&signer]);
    let server = TestServer::with(|config| {
        counted(config);
        issuer.trusted(config);
    })
    .await;
    let token = format!("Bearer {}", signer.sign(&issuer.claims()));
    let list = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
    let asked = [("x-octopus-apikey", ""), ("authorization", &token)];
    assert_eq!(server.post(&asked, list).await.status, 200);
    let text = text(&server).await;
    let count = |template: &str| {
        let template = format!("url_template=\"{template}\"");
        let lines = text.lines().filter(|line| line.contains(&template));
        lines.filter(|line| line.starts_with("http_client_request_duration_seconds_count")).count()
    };
    assert_eq!((count("{discovery}"), count("{keys}")), (1, 1), "{text}");
    assert!(!text.contains("route=\"{keys}\""), "{text}");
}

#[tokio::test]
async fn whoever_hangs_up_is_no_failure() {
    let server = TestServer::with(counted).await;
    server.sample.faults().add(Fault::on("/deployments").delay(Duration::from_mins(1)));
    let arguments = json!({ "space": "Default" });
    let call = server.call("list_deployments", arguments);
    let asked = soon(async || {
        let journal = server.sample.journal();
        journal.iter().any(|entry| entry.path.ends_with("/deployments")).then_some(())
    });
    // The call is dropped, and with it its connection, once Octopus was asked.
    tokio::select! { _ = call => panic!("it cannot have an answer"), () = asked => {} }
    for (name, label) in [
        ("http_server_request_duration_seconds_count", "error_type=\"cancelled\""),
        ("mcp_server_operation_duration_seconds_count", "error_type=\"cancelled\""),
        ("octopus_mcp_upstream_requests_total", "outcome=\"given_up\""),
    ] {
        soon(async || {
            let text = text(&server).await;
            let is_told = |line: &str| line.starts_with(name) && line.contains(label);
            text.lines().any(is_told).then_some(())
        })
        .await;
    }
    let text = text(&server).await;
    assert!(!text.contains("error_type=\"-32603\""), "{text}");
    assert!(!text.contains("rpc_response_status_code"), "{text}");
    // Once, and with no status: there was no answer.
    let served: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("http_server_request_duration_seconds_count"))
        .collect();
    let [served] = served.as_slice() else { panic!("{served:?}") };
    assert!(served.ends_with("} 1") && !served.contains("status_code"), "{served}");
    let active = "http_server_active_requests{http_request_method=\"POST\",url_scheme=\"http\"} 0";
    assert!(text.contains(active), "{text}");
}

#[tokio::test]
async fn the_days_that_a_configured_key_has_left_are_told() {
    let server = TestServer::with(|config| {
        counted(config);
        config.auth.mode = Some(AuthMode::None.into());
        config.octopus.api_key = Some(keys::ADMIN.to_owned().into());
    })
    .await;
    let left = soon(async || {
        let text = text(&server).await;
        let line =
            text.lines().find(|line| line.starts_with("octopus_mcp_credential_remaining"))?;
        Some(line.to_owned())
    })
    .await;
    let (labels, days) = left.rsplit_once(' ').unwrap();
    assert_eq!(
        labels,
        "octopus_mcp_credential_remaining_days{credential=\"configured\",octopus_instance=\"default\"}"
    );
    assert!(days.parse::<f64>().unwrap().is_finite(), "{days}");
}
