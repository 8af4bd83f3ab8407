//! An instance that is busy or does not answer: places, the breaker, reads that are shared; and
//! that neither other callers nor other instances are disturbed by it.

mod breaker;
mod invented;
mod places;
mod shared;

use octopus_mcp::config::Instance;
use octopus_sample::keys;
use serde_json::json;

use crate::support::TestServer;

/// Callers who all see the default space.
const CALLERS: [&str; 4] =
    [keys::ADMIN, keys::DEFAULT_SPACE_ONLY, keys::WITHOUT_TASK_VIEW, keys::VIEW_ONLY];

async fn server(change: impl FnOnce(&mut Instance)) -> TestServer {
    TestServer::with(|config| {
        config.octopus.retries = 0;
        change(&mut config.octopus);
    })
    .await
}

/// Lets the instance accept the credential of each caller, so that their failures count for others.
async fn prove(server: &TestServer) {
    for key in CALLERS {
        assert_eq!(spaces(server, key).await, Ok(()));
    }
    server.sample.clear_journal();
}

async fn spaces(server: &TestServer, key: &str) -> Result<(), String> {
    let called = server.call_as(key, "list_spaces", json!({})).await;
    if called.is_error { Err(called.text) } else { Ok(()) }
}
