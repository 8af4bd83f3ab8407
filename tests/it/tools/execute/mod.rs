//! `execute`: what it reads, what it refuses, and that changes wait for a yes.

mod bounds;
mod changes;
mod reads;
mod refusals;
mod shapes;

use serde_json::{Value, json};

use crate::support::TestServer;

fn get(path: &str) -> Value {
    json!({ "method": "GET", "path": path })
}

/// A server that lets everything be changed.
async fn open() -> TestServer {
    TestServer::with(|config| {
        config.tools.read_only = false;
        config.tools.allow_deletes = true;
    })
    .await
}

async fn refuses(server: &TestServer, arguments: Value, words: &[&str]) {
    let said = server.failure("execute", arguments.clone()).await;
    for word in words {
        assert!(said.contains(word), "{arguments}: no {word:?} in {said:?}");
    }
}
