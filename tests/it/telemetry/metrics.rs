//! Metrics that Prometheus scrapes from the admin listener.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use octopus_mcp::config::{ApprovalMode, AuthMode, Config};
use octopus_sample::{Fault, keys};
use serde_json::json;

use crate::{
    auth::test_issuer::{Signer, TestIssuer},
    support::{Era, TestServer, client, modern_meta, send, wait_until_some},
};

pub fn enable_metrics(config: &mut Config) {
    config.http.admin_listen = "127.0.0.1:0".parse().ok();
    config.limits.caller_rate = 0;
    config.limits.instance_rate = 0;
    config.limits.unproven_rate = 0;
    config.tools.read_only = false;
    config.tools.confirm = ApprovalMode::Code;
}

pub async fn scrape(server: &TestServer) -> String {
    let admin = server.running.as_ref().unwrap().admin.as_ref().unwrap();
    let read = send(client().get(format!("http://{}/metrics", admin.address))).await;
    assert_eq!(read.status, 200);
    assert!(read.header("content-type").starts_with("text/plain; version=0.0.4"));
    read.text
}

/// Returns the series by metric name.
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
async fn metrics_use_names_of_the_conventions() {
    let server = TestServer::with(enable_metrics).await;
    server.call_ok("list_projects", json!({ "space": "Default" })).await;
    server.call_error("list_projects", json!({ "space": "Nowhere" })).await;
    let text = scrape(&server).await;
    for line in [
        "# TYPE mcp_server_operation_duration_seconds histogram",
        "# TYPE http_server_request_duration_seconds histogram",
        "# TYPE http_client_request_duration_seconds histogram",
        "# TYPE octopus_mcp_upstream_requests_total counter",
        "# TYPE octopus_mcp_answer_size_bytes histogram",
        "# HELP octopus_mcp_cache_lookups_total Number of cache lookups, by cache and result.",
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
async fn unknown_names_add_no_series() {
    let server = TestServer::with(enable_metrics).await;
    for tool in ["list_projects", "execute"] {
        let _ = server.call(tool, json!({})).await;
    }
    let before: usize = series(&scrape(&server).await).values().map(BTreeSet::len).sum();
    for n in 0..1000 {
        let name = format!("odd_{n}_{}", "x".repeat(n % 50));
        match n % 5 {
            // An unknown tool.
            0 => drop(
                server
                    .rpc(Era::Modern, "tools/call", json!({ "name": name, "_meta": modern_meta() }))
                    .await,
            ),
            // An unknown method.
            1 => drop(server.rpc(Era::Legacy, &format!("odd/{name}"), json!({})).await),
            // Unknown Octopus paths.
            2 => {
                let path = format!("/api/{name}-{n}/{name}/Odd{n}-{n}");
                server.call("execute", json!({ "method": "GET", "path": path })).await;
            }
            // An unknown space, and an unknown path of this server.
            3 => drop(server.call("list_projects", json!({ "space": name })).await),
            _ => {
                let url = server.url.replace("/mcp", &format!("/{name}"));
                let request = client().request(
                    reqwest::Method::from_bytes(format!("ODD{n}").as_bytes()).unwrap(),
                    url,
                );
                let request = request.header("x-octopus-apikey", keys::ADMIN);
                let request = request.header("mcp-protocol-version", &name);
                drop(send(request.header("x-request-id", &name)).await);
            }
        }
    }
    let text = scrape(&server).await;
    // Each fifth request of the loop has this kind, and all of them share one label value.
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
    // A histogram has a series for each bucket. Ten new label combinations are an ample allowance.
    assert!(after < before + 600, "{before} series, then {after}");
}

#[tokio::test]
async fn counts_rejections_approvals_and_changes() {
    let server = TestServer::with(|config| {
        enable_metrics(config);
        config.limits.caller_rate = 60;
        config.limits.caller_burst = 4;
    })
    .await;
    let (tool, arguments, ..) = crate::approval::write_calls().remove(3);
    assert_eq!(tool, "update_feature_toggle");
    server.call_in(Era::Modern, keys::ADMIN, tool, arguments).await;
    for _ in 0..8 {
        let _ = server.rpc(Era::Legacy, "tools/list", json!({})).await;
    }
    let nobody = server.rpc_as(Era::Legacy, "API-!", "tools/list", json!({})).await;
    assert_eq!(nobody.status, 401);
    let text = scrape(&server).await;
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
async fn issuer_requests_are_measured_separately() {
    let signer = Signer::new("one");
    let issuer = TestIssuer::start(&[&signer]);
    let server = TestServer::with(|config| {
        enable_metrics(config);
        issuer.configure(config);
    })
    .await;
    let token = format!("Bearer {}", signer.sign(&issuer.claims()));
    let list = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
    let headers = [("x-octopus-apikey", ""), ("authorization", &token)];
    assert_eq!(server.post(&headers, list).await.status, 200);
    let text = scrape(&server).await;
    let count = |template: &str| {
        let template = format!("url_template=\"{template}\"");
        let lines = text.lines().filter(|line| line.contains(&template));
        lines.filter(|line| line.starts_with("http_client_request_duration_seconds_count")).count()
    };
    assert_eq!((count("{discovery}"), count("{keys}")), (1, 1), "{text}");
    assert!(!text.contains("route=\"{keys}\""), "{text}");
}

#[tokio::test]
async fn disconnected_client_is_not_a_failure() {
    let server = TestServer::with(enable_metrics).await;
    server.sample.faults().add(Fault::on("/deployments").delay(Duration::from_mins(1)));
    let arguments = json!({ "space": "Default" });
    let call = server.call("list_deployments", arguments);
    let received = wait_until_some(async || {
        let journal = server.sample.journal();
        journal.iter().any(|entry| entry.path.ends_with("/deployments")).then_some(())
    });
    // The call is dropped together with its connection after Octopus received the request.
    tokio::select! { _ = call => panic!("the call must not get an answer"), () = received => {} }
    for (name, label) in [
        ("http_server_request_duration_seconds_count", "error_type=\"cancelled\""),
        ("mcp_server_operation_duration_seconds_count", "error_type=\"cancelled\""),
        ("octopus_mcp_upstream_requests_total", "outcome=\"given_up\""),
    ] {
        wait_until_some(async || {
            let text = scrape(&server).await;
            let is_counted = |line: &str| line.starts_with(name) && line.contains(label);
            text.lines().any(is_counted).then_some(())
        })
        .await;
    }
    let text = scrape(&server).await;
    assert!(!text.contains("error_type=\"-32603\""), "{text}");
    assert!(!text.contains("rpc_response_status_code"), "{text}");
    // One count without a status, because there was no response.
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
async fn reports_remaining_days_of_configured_key() {
    let server = TestServer::with(|config| {
        enable_metrics(config);
        config.auth.mode = Some(AuthMode::None.into());
        config.octopus.api_key = Some(keys::ADMIN.to_owned().into());
    })
    .await;
    let left = wait_until_some(async || {
        let text = scrape(&server).await;
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
