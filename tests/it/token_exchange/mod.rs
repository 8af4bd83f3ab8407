//! Token exchange: acting service account, receiving endpoint of each token, caching, renewal
//! and errors.

mod endpoints;
mod errors;
mod renewal;
mod service_account;

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
};

use axum::{
    body::Body,
    extract::Request,
    middleware::{Next, from_fn},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http_body_util::BodyExt;
use octopus_mcp::config::{AuthMode, Config};
use octopus_sample::{Sample, keys};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{CallResult, Era, Reply, TestServer};

/// Returns an unsigned token with this subject.
pub fn unsigned_token(subject: &str) -> String {
    let claims = URL_SAFE_NO_PAD.encode(json!({ "sub": subject }).to_string());
    format!("eyJhbGciOiJub25lIn0.{claims}.c2ln")
}

/// Requests that a sample instance received: the path, and the headers with the body.
pub type RequestLog = Arc<Mutex<Vec<(String, String)>>>;

/// Returns a router of the sample instance that records all requests.
pub fn recording_router(sample: &Sample) -> (axum::Router, RequestLog) {
    let seen = RequestLog::default();
    let log = Arc::clone(&seen);
    let router = sample.router().layer(from_fn(move |request: Request, next: Next| {
        let seen = Arc::clone(&log);
        async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            let headers_and_body =
                format!("{:?} {}", parts.headers, String::from_utf8_lossy(&body));
            seen.lock().unwrap().push((parts.uri.to_string(), headers_and_body));
            next.run(Request::from_parts(parts, Body::from(body))).await
        }
    }));
    (router, seen)
}

/// A server that exchanges the token of a file.
struct ExchangeFixture {
    server: TestServer,
    file: PathBuf,
    _folder: TempDir,
}

impl ExchangeFixture {
    async fn start(sample: Sample, subject: &str) -> Self {
        Self::with(sample, subject, |_| {}).await
    }

    async fn with(sample: Sample, subject: &str, change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        std::fs::write(&file, unsigned_token(subject)).unwrap();
        let server = TestServer::with_sample(sample, |config| {
            config.auth.mode = Some(AuthMode::None.into());
            config.octopus.retries = 0;
            config.octopus.exchange.audience = Some(keys::SERVICE_ACCOUNT.to_owned());
            config.octopus.exchange.token_file = Some(file.clone());
            change(config);
        })
        .await;
        Self { server, file, _folder: folder }
    }

    async fn reply(&self, tool: &str, arguments: &Value) -> Reply {
        self.server
            .rpc_as(Era::Legacy, "", "tools/call", json!({ "name": tool, "arguments": arguments }))
            .await
    }

    async fn call(&self, tool: &str, arguments: Value) -> CallResult {
        self.server.call_in(Era::Legacy, "", tool, arguments).await
    }

    /// Returns the user name that Octopus reports.
    async fn octopus_username(&self) -> String {
        let called = self.call("get_current_user", json!({})).await;
        assert!(!called.is_error, "{}", called.text);
        called.structured["username"].as_str().unwrap().to_owned()
    }

    /// Returns the number of exchange requests.
    fn exchange_count(&self) -> usize {
        let journal = self.server.sample.journal();
        journal.iter().filter(|entry| entry.path.ends_with("/token/v1")).count()
    }
}
