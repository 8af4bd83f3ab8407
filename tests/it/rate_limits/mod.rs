//! Rate and concurrency limits of single callers and of all callers together. Tests that must not
//! see a refill use a rate of one per minute.

mod by_address;
mod by_caller;
mod by_instance;
mod client_connections;
mod leases;
mod pending_bodies;
pub mod redis;
mod redis_tls;
mod shared_store;
mod space_lookups;

use octopus_mcp::config::Config;
use serde_json::{Value, json};

use crate::support::{LEGACY_VERSION, Reply, TestServer};

/// The JSON-RPC error code of a rate-limited request.
const RATE_LIMITED_CODE: i64 = -32005;

const LIST: &str = r#"{"jsonrpc":"2.0","id":"list-1","method":"tools/list"}"#;

/// Limits each caller to this burst, with a negligible refill.
fn limit_caller_to(config: &mut Config, burst: u32) {
    config.limits.caller_rate = 1;
    config.limits.caller_burst = burst;
}

fn initialize_request() -> Value {
    let client = json!({ "name": "test", "version": "1" });
    let params =
        json!({ "protocolVersion": LEGACY_VERSION, "capabilities": {}, "clientInfo": client });
    json!({ "jsonrpc": "2.0", "id": "hello", "method": "initialize", "params": params })
}

/// Returns whether this is a rate limit error in an HTTP 200 response. Asserts that the error is
/// complete.
fn is_rate_limited(reply: &Reply) -> bool {
    let json = reply.json();
    if json["error"]["code"] != RATE_LIMITED_CODE {
        assert!(json["result"].is_object(), "{}", reply.text);
        return false;
    }
    assert_eq!((reply.status, reply.header("content-type")), (200, "application/json"));
    let wait = json["error"]["data"]["retryAfter"].as_u64().unwrap();
    assert!((1..=60).contains(&wait), "{}", reply.text);
    assert_eq!(reply.header("retry-after"), wait.to_string());
    assert!(reply.error_message().contains(&format!("in {wait} second")), "{}", reply.text);
    true
}

/// Sends this many requests one after another and returns how many are served.
async fn count_served(server: &TestServer, headers: &[(&str, &str)], of: usize) -> usize {
    let mut count = 0;
    for _ in 0..of {
        count += usize::from(!is_rate_limited(&server.post(headers, LIST).await));
    }
    count
}
