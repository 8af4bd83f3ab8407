//! `execute`: reads, rejected requests, and changes that need approval.

mod changes;
mod hostile_responses;
mod parts;
mod previews;
mod reads;
mod rejections;
mod scope;

use serde_json::{Value, json};

use crate::support::TestServer;

fn get(path: &str) -> Value {
    json!({ "method": "GET", "path": path })
}

/// Starts a server that permits all changes.
async fn writable_server() -> TestServer {
    TestServer::with(|config| {
        config.tools.read_only = false;
        config.tools.allow_deletes = true;
    })
    .await
}

async fn assert_error_contains(server: &TestServer, arguments: Value, parts: &[&str]) {
    let message = server.call_error("execute", arguments.clone()).await;
    for part in parts {
        assert!(message.contains(part), "{arguments}: no {part:?} in {message:?}");
    }
}
