//! The connection to Octopus: private certificate authorities, HTTP/2, compression, proxies.

use std::sync::{Arc, Mutex};

use axum::{Router, extract::Request, middleware::from_fn, response::IntoResponse};
use octopus_mcp::{config::HttpSettings, http};
use octopus_sample::{Sample, keys};
use serde_json::json;

use crate::{
    cli::{ServerProcess, program},
    support::{SelfSigned, TestServer, client, send, serve},
};

#[tokio::test]
async fn private_ca_is_trusted_and_http2_is_used() {
    let tls = SelfSigned::new();
    let certificates = tls.load().await;
    let versions = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&versions);
    let router = Sample::new().router().layer(from_fn(
        move |request: Request, next: axum::middleware::Next| {
            seen.lock().unwrap().push(request.version());
            next.run(request)
        },
    ));
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let octopus =
        http::listen(socket, router, certificates.as_ref(), &HttpSettings::default()).unwrap();
    let url = format!("https://localhost:{}", octopus.address.port());
    let server = TestServer::with(|config| {
        config.octopus.url = Some(url.parse().unwrap());
        config.octopus.ca_file = Some(tls.certificate.clone());
    })
    .await;
    assert_eq!(server.call_ok("list_spaces", json!({})).await["totalResults"], 2);
    assert_eq!(versions.lock().unwrap()[0], axum::http::Version::HTTP_2);
    // Without the CA file the certificate is not trusted.
    let server = TestServer::with(|config| {
        config.octopus.url = Some(url.parse().unwrap());
        config.octopus.retries = 0;
    })
    .await;
    let message = server.call_error("list_spaces", json!({})).await;
    assert!(message.contains("cannot be reached"), "{message}");
}

#[tokio::test]
async fn requests_compressed_responses() {
    // The gzip-compressed page of spaces, created once by hand so that no encoder is needed.
    const EMPTY_PAGE: &[u8] = &[
        0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xab, 0x56, 0xf2, 0x2c, 0x49,
        0xcd, 0x2d, 0x56, 0xb2, 0x8a, 0x8e, 0xd5, 0x51, 0x0a, 0xc9, 0x2f, 0x49, 0xcc, 0x09, 0x4a,
        0x2d, 0x2e, 0xcd, 0x29, 0x01, 0x8a, 0x18, 0xd4, 0x02, 0x00, 0x50, 0x4f, 0x98, 0x12, 0x1d,
        0x00, 0x00, 0x00,
    ];
    let octopus = serve(Router::new().fallback(async |request: Request| {
        let accepts = request.headers()["accept-encoding"].to_str().unwrap().to_owned();
        assert!(accepts.contains("gzip"), "{accepts}");
        let headers = [("content-type", "application/json"), ("content-encoding", "gzip")];
        (headers, EMPTY_PAGE).into_response()
    }));
    let server = TestServer::with(|config| {
        config.octopus.url = Some(format!("http://{}", octopus.address).parse().unwrap());
    })
    .await;
    let spaces = server.call_ok("list_spaces", json!({})).await;
    assert_eq!(spaces["totalResults"], 0, "{spaces}");
    assert!(spaces["hint"].as_str().unwrap().contains("no space is visible"), "{spaces}");
}

#[tokio::test]
async fn environment_proxy_is_used_except_for_loopback() {
    let proxy_sample = Sample::new();
    let proxy = serve(proxy_sample.router());
    let proxy_url = format!("http://{}", proxy.address);
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": { "name": "list_spaces" } });
    let ask = async |url: &str| {
        let request = client().post(url).header("content-type", "application/json");
        let request = request.header("x-octopus-apikey", keys::ADMIN).body(call.to_string());
        send(request).await.json()["result"]["structuredContent"]["totalResults"].clone()
    };
    // The name does not resolve, so only the proxy can answer.
    let remote = ["--listen=127.0.0.1:0", "--server-url", "http://octopus.invalid"];
    let mut command = program(&remote);
    command.env("HTTP_PROXY", &proxy_url).env("http_proxy", &proxy_url);
    command.env("OCTOPUS_MCP_OCTOPUS__ALLOW_HTTP", "true");
    assert_eq!(ask(&ServerProcess::start(command).url).await, 2);
    // The verification at startup reads the root document.
    let list_requests =
        || proxy_sample.journal().iter().filter(|entry| entry.path == "/api/spaces").count();
    assert_eq!(list_requests(), 1);
    proxy_sample.clear_journal();
    let mut command = program(&["--sample", "--listen=127.0.0.1:0"]);
    command.env("HTTP_PROXY", &proxy_url).env("http_proxy", &proxy_url);
    assert_eq!(ask(&ServerProcess::start(command).url).await, 2);
    assert_eq!(proxy_sample.journal(), [], "requests to loopback bypass the proxy");
}

#[tokio::test]
async fn lookups_stay_bounded_when_take_is_ignored() {
    let skips = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&skips);
    let sample = Sample::new();
    let router =
        sample.router().layer(from_fn(move |request: Request, next: axum::middleware::Next| {
            let query = request.uri().query().unwrap_or_default().to_owned();
            let is_list = request.uri().path().ends_with("/environments/v2");
            let seen = Arc::clone(&seen);
            async move {
                if !is_list || !query.contains("take=1000") {
                    return next.run(request).await;
                }
                let skip = query.split('&').find_map(|pair| pair.strip_prefix("skip="));
                let skip = skip.map(|skip| skip.parse::<usize>().unwrap());
                seen.lock().unwrap().push(skip);
                let first = skip.unwrap_or_default();
                let item =
                    |n| json!({ "Id": format!("Environments-{n}"), "Name": format!("Place {n}") });
                let items: Vec<_> = (first..first + 3_000).map(item).collect();
                let page = json!({ "Items": items, "TotalResults": 1_000_000 });
                axum::Json(page).into_response()
            }
        }));
    let server = TestServer::with_router(sample, router, |_| {}).await;
    let arguments =
        json!({ "space": "Default", "projectId": "Projects-1", "environmentId": "Place 4999" });
    let called = server.call_as(keys::ADMIN, "get_latest_deployment", arguments).await;
    assert!(!called.is_error, "{}", called.text);
    // One search by name, and a scan of the maximum number of pages of a lookup.
    let expected = [Some(0), Some(0), Some(1_000), Some(2_000), Some(3_000), Some(4_000)];
    assert_eq!(*skips.lock().unwrap(), expected);
}
