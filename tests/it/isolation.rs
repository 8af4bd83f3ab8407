//! Isolation of concurrent callers, and bounded memory growth.

use std::time::Duration;

use futures::{StreamExt, future::join_all, stream};
use octopus_mcp::{
    auth::generate_token,
    config::{AuthMode, Secret, TokenScope, TokenSettings},
};
use octopus_sample::{Fault, keys};
use serde_json::{Value, json};

use crate::support::{Era, TestServer};

/// Number of calls, and of concurrent calls.
const CALL_COUNT: usize = 10_000;
const CONCURRENCY: usize = 64;
/// Number of warm-up calls, after which all caches are filled.
const WARM_UP_CALLS: usize = 1_000;
/// Maximum growth of memory after the warm-up, in KiB. It detects a leak of 7 KiB per call.
const MAX_GROWTH_KIB: u64 = 64 * 1024;

/// A caller: its key, the ID of its user, the space that it can see, and the space of the other
/// caller.
struct TestCaller {
    key: &'static str,
    user: &'static str,
    space: &'static str,
    others_space: &'static str,
}

const CALLERS: [TestCaller; 2] = [
    TestCaller {
        key: keys::DEFAULT_SPACE_ONLY,
        user: "Users-41",
        space: "Spaces-1",
        others_space: "Spaces-22",
    },
    TestCaller {
        key: keys::WAREHOUSE_SPACE_ONLY,
        user: "Users-42",
        space: "Spaces-22",
        others_space: "Spaces-1",
    },
];

/// A tool, its arguments, and a check that the result contains only data of the caller.
type CheckedCall = (&'static str, Value, fn(&TestCaller, &Value));

/// Returns the calls that both callers make, with the same arguments.
fn calls() -> [CheckedCall; 4] {
    [
        ("get_current_user", json!({}), |caller, result| {
            assert_eq!(result["structuredContent"]["id"], caller.user, "{result}");
        }),
        ("list_spaces", json!({}), |caller, result| {
            let spaces = &result["structuredContent"]["items"];
            assert_eq!(spaces.as_array().unwrap().len(), 1, "{result}");
            assert_eq!(spaces[0]["id"], caller.space, "{result}");
        }),
        ("list_environments", json!({ "space": "Default", "take": 1 }), |caller, result| {
            assert_sees_only_own_space(caller, "Spaces-1", result);
        }),
        (
            "list_environments",
            json!({ "space": "Warehouse Systems", "take": 1 }),
            |caller, result| {
                assert_sees_only_own_space(caller, "Spaces-22", result);
            },
        ),
    ]
}

fn assert_sees_only_own_space(caller: &TestCaller, space: &str, result: &Value) {
    if caller.space == space {
        assert_ne!(result["isError"], true, "{result}");
        assert_eq!(result["structuredContent"]["items"].as_array().unwrap().len(), 1, "{result}");
    } else {
        assert_eq!(result["isError"], true, "{result}");
        let text = result.to_string();
        assert!(text.contains("space '") && text.contains("' not found"), "{result}");
    }
}

async fn call(server: &TestServer, number: usize) {
    let caller = &CALLERS[number % 2];
    let (tool, arguments, check) = &calls()[number / 2 % 4];
    let params = json!({ "name": tool, "arguments": arguments });
    // All calls use the same session ID, and both protocol eras in turn.
    let headers =
        [("x-octopus-apikey", caller.key), ("mcp-session-id", "5f1d3a7c-one-and-the-same")];
    let era = if (number / 8).is_multiple_of(2) { Era::Legacy } else { Era::Modern };
    let reply = server.rpc_at("", &headers, era, "tools/call", params).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    check(caller, &reply.json()["result"]);
    let other = CALLERS[(number + 1) % 2].user;
    assert!(
        !reply.text.contains(other) && !reply.text.contains(caller.others_space),
        "{}",
        reply.text
    );
}

async fn run_calls(server: &TestServer, calls: usize) {
    stream::iter(0..calls).for_each_concurrent(CONCURRENCY, |number| call(server, number)).await;
}

/// Returns the resident memory of this process in KiB.
fn memory_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().trim_end_matches("kB").trim().parse().ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn many_concurrent_calls_stay_isolated_with_bounded_memory() {
    // No rate limits.
    let server = TestServer::with(|config| {
        let limits = &mut config.limits;
        (limits.caller_rate, limits.instance_rate, limits.unproven_rate) = (0, 0, 0);
    })
    .await;
    run_calls(&server, WARM_UP_CALLS).await;
    let memory_before = memory_kib();
    run_calls(&server, CALL_COUNT).await;
    if let (Some(memory_before), Some(after)) = (memory_before, memory_kib()) {
        let growth = after.saturating_sub(memory_before);
        assert!(growth < MAX_GROWTH_KIB, "{growth} KiB more after {CALL_COUNT} calls");
    }
    // Both users sent requests to Octopus.
    for user in ["freight.releases", "warehouse.releases"] {
        let journal = server.sample.journal();
        assert!(journal.iter().any(|entry| entry.user.as_deref() == Some(user)), "{user}");
    }
}

/// Both callers use the same Octopus credential, so Octopus returns the same data to both. Cached
/// data, coalesced reads and approvals must still be separate.
#[tokio::test]
async fn callers_with_one_credential_share_no_cache_read_or_approval() {
    let tokens = ["ann", "ben"].map(|name| (name, generate_token().unwrap()));
    let server = TestServer::with(|config| {
        config.auth.mode = Some(AuthMode::Tokens.into());
        config.octopus.api_key = Some(Secret::from(keys::ADMIN.to_owned()));
        config.tools.read_only = false;
        for (name, (_, hash)) in &tokens {
            let token = TokenSettings {
                sha256: hash.clone(),
                scope: TokenScope::Admin,
                ..TokenSettings::default()
            };
            config.auth.tokens.insert((*name).to_owned(), token);
        }
    })
    .await;
    let call = async |token: &str, tool: &str, arguments: &Value| {
        let bearer = format!("Bearer {token}");
        let headers = [("x-octopus-apikey", ""), ("authorization", bearer.as_str())];
        let params = json!({ "name": tool, "arguments": arguments });
        let body = json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params });
        let reply = server.post(&headers, body.to_string()).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply.json()["result"].clone()
    };
    let [(_, (ann, _)), (_, (ben, _))] = &tokens;
    let request_count = |path: &str| {
        server.sample.journal().iter().filter(|entry| entry.path.ends_with(path)).count()
    };
    let environments = json!({ "space": "Default", "take": 1 });
    for (token, lookups) in [(ann, 1), (ann, 1), (ben, 2), (ben, 2)] {
        call(token, "list_environments", &environments).await;
        assert_eq!(request_count("/api/spaces"), lookups, "one space lookup per caller");
    }
    server.sample.clear_journal();
    server.sample.faults().add(Fault::on("/environments").delay(Duration::from_secs(1)));
    let calls_at_once =
        [ann, ben, ann, ben].map(|token| call(token, "list_environments", &environments));
    join_all(calls_at_once).await;
    assert_eq!(request_count("/environments/v2"), 2, "one read per caller");
    server.sample.faults().clear();
    let (tool, mut arguments, ..) = crate::approval::write_calls().remove(0);
    let preview = call(ann, tool, &arguments).await;
    arguments["confirm"] = preview["structuredContent"]["confirm"].clone();
    assert!(arguments["confirm"].is_string(), "{preview}");
    let rejected = call(ben, tool, &arguments).await;
    assert!(rejected.to_string().contains("not valid for this call"), "{rejected}");
    assert_eq!(server.sample.changes(), []);
    assert_ne!(call(ann, tool, &arguments).await["isError"], true);
    assert_eq!(server.sample.changes().len(), 1);
}
