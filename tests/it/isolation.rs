//! Isolation of concurrent callers, and bounded memory growth.

use std::time::Duration;

use futures::{StreamExt, future::join_all, stream};
use octopus_mcp::{
    callers::new_token,
    config::{AuthMode, Scope, Secret, Token},
};
use octopus_sample::{Fault, keys};
use serde_json::{Value, json};

use crate::support::{Era, TestServer};

/// Number of calls, and of concurrent calls.
const CALLS: usize = 10_000;
const AT_ONCE: usize = 64;
/// Calls until all caches are filled.
const WARM: usize = 1_000;
/// Maximum growth of memory after the warm-up, in KiB. It detects a leak of 7 KiB per call.
const MEMORY_KIB: u64 = 64 * 1024;

/// A caller: its key, the ID of its user, the space that it can see, and the space of the other caller.
struct One {
    key: &'static str,
    user: &'static str,
    space: &'static str,
    others_space: &'static str,
}

const TWO: [One; 2] = [
    One {
        key: keys::DEFAULT_SPACE_ONLY,
        user: "Users-41",
        space: "Spaces-1",
        others_space: "Spaces-22",
    },
    One {
        key: keys::WAREHOUSE_SPACE_ONLY,
        user: "Users-42",
        space: "Spaces-22",
        others_space: "Spaces-1",
    },
];

/// A tool, its arguments, and a check that the result contains only data of the caller.
type Call = (&'static str, Value, fn(&One, &Value));

/// Returns the calls that both callers make, with the same arguments.
fn calls() -> [Call; 4] {
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
            sees_only(caller, "Spaces-1", result);
        }),
        (
            "list_environments",
            json!({ "space": "Warehouse Systems", "take": 1 }),
            |caller, result| {
                sees_only(caller, "Spaces-22", result);
            },
        ),
    ]
}

fn sees_only(caller: &One, space: &str, result: &Value) {
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
    let caller = &TWO[number % 2];
    let (tool, arguments, check) = &calls()[number / 2 % 4];
    let params = json!({ "name": tool, "arguments": arguments });
    // All calls use the same session ID, and both protocol eras in turn.
    let headers =
        [("x-octopus-apikey", caller.key), ("mcp-session-id", "5f1d3a7c-one-and-the-same")];
    let era = if (number / 8).is_multiple_of(2) { Era::Legacy } else { Era::Modern };
    let reply = server.ask_at("", &headers, era, "tools/call", params).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    check(caller, &reply.json()["result"]);
    let other = TWO[(number + 1) % 2].user;
    assert!(
        !reply.text.contains(other) && !reply.text.contains(caller.others_space),
        "{}",
        reply.text
    );
}

async fn run(server: &TestServer, calls: usize) {
    stream::iter(0..calls).for_each_concurrent(AT_ONCE, |number| call(server, number)).await;
}

/// Returns the resident memory of this process in KiB.
fn memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().trim_end_matches("kB").trim().parse().ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_calls_of_two_callers_stay_apart_and_memory_stays_flat() {
    // No rate limits.
    let server = TestServer::with(|config| {
        let limits = &mut config.limits;
        (limits.caller_rate, limits.instance_rate, limits.unproven_rate) = (0, 0, 0);
    })
    .await;
    run(&server, WARM).await;
    let memory_before = memory();
    run(&server, CALLS).await;
    if let (Some(memory_before), Some(after)) = (memory_before, memory()) {
        let growth = after.saturating_sub(memory_before);
        assert!(growth < MEMORY_KIB, "{growth} KiB more after {CALLS} calls");
    }
    // Both users sent requests to Octopus.
    for user in ["freight.releases", "warehouse.releases"] {
        let journal = server.sample.journal();
        assert!(journal.iter().any(|entry| entry.user.as_deref() == Some(user)), "{user}");
    }
}

/// Both callers use the same Octopus credential, so Octopus returns the same data to both. Cached data,
/// coalesced reads and approvals must still be separate.
#[tokio::test]
async fn two_callers_with_one_credential_share_no_cache_no_read_and_no_yes() {
    let tokens = ["ann", "ben"].map(|name| (name, new_token().unwrap()));
    let server = TestServer::with(|config| {
        config.auth.mode = Some(AuthMode::Tokens.into());
        config.octopus.api_key = Some(Secret::from(keys::ADMIN.to_owned()));
        config.tools.read_only = false;
        for (name, (_, hash)) in &tokens {
            let token = Token { sha256: hash.clone(), scope: Scope::Admin, ..Token::default() };
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
    assert_eq!(request_count("/environments"), 2, "one read per caller");
    server.sample.faults().clear();
    let (tool, mut arguments, ..) = crate::consent::changes().remove(0);
    let preview = call(ann, tool, &arguments).await;
    arguments["confirm"] = preview["structuredContent"]["confirm"].clone();
    assert!(arguments["confirm"].is_string(), "{preview}");
    let rejected = call(ben, tool, &arguments).await;
    assert!(rejected.to_string().contains("not valid for this call"), "{rejected}");
    assert_eq!(server.sample.changes(), []);
    assert_ne!(call(ann, tool, &arguments).await["isError"], true);
    assert_eq!(server.sample.changes().len(), 1);
}
