//! Protection against busy or unresponsive instances: concurrency limit, circuit breaker, coalesced
//! reads. Neither other callers nor other instances are affected.

mod circuit_breaker;
mod coalescing;
mod concurrency_limit;
mod unknown_keys;

use octopus_mcp::config::InstanceSettings;
use octopus_sample::keys;
use serde_json::json;

use crate::support::TestServer;

/// Keys of callers that can all see the default space.
const CALLERS: [&str; 4] =
    [keys::ADMIN, keys::DEFAULT_SPACE_ONLY, keys::WITHOUT_TASK_VIEW, keys::VIEW_ONLY];

async fn server_without_retries(change: impl FnOnce(&mut InstanceSettings)) -> TestServer {
    TestServer::with(|config| {
        config.octopus.retries = 0;
        change(&mut config.octopus);
    })
    .await
}

/// Lets the instance accept each credential once, because only failures of verified callers open
/// the breaker for others.
async fn verify_callers(server: &TestServer) {
    for key in CALLERS {
        assert_eq!(list_spaces(server, key).await, Ok(()));
    }
    server.sample.clear_journal();
}

async fn list_spaces(server: &TestServer, key: &str) -> Result<(), String> {
    let called = server.call_as(key, "list_spaces", json!({})).await;
    if called.is_error { Err(called.text) } else { Ok(()) }
}
