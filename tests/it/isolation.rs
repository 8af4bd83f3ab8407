//! Many calls of two callers at once: nothing of one reaches the other, and memory stays flat.

use std::time::Duration;

use futures::{StreamExt, future::join_all, stream};
use octopus_mcp::{
    callers::new_token,
    config::{AuthMode, Scope, Secret, Token},
};
use octopus_sample::{Fault, keys};
use serde_json::{Value, json};

use crate::support::{Era, TestServer};

/// How many calls, and how many of them at once.
const CALLS: usize = 10_000;
const AT_ONCE: usize = 64;
/// Calls until everything that is kept is there.
const WARM: usize = 1_000;
/// How much more memory the process may have after all calls than when it was warm: less than 7 KiB
/// a call would come to this.
const MEMORY_KIB: u64 = 64 * 1024;

/// One of the two: a key, the user that it belongs to, and what that user sees.
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

/// A call, and whether its answer holds what this caller alone may see.
type Call = (&'static str, Value, fn(&One, &Value));

/// The same calls for both, with the same arguments.
fn calls() -> [Call; 4] {
    [
        ("get_current_user", json!({}), |one, result| {
            assert_eq!(result["structuredContent"]["id"], one.user, "{result}");
        }),
        ("list_spaces", json!({}), |one, result| {
            let spaces = &result["structuredContent"]["items"];
            assert_eq!(spaces.as_array().unwrap().len(), 1, "{result}");
            assert_eq!(spaces[0]["id"], one.space, "{result}");
        }),
        ("list_environments", json!({ "space": "Default", "take": 1 }), |one, result| {
            sees_only(one, "Spaces-1", result);
        }),
        ("list_environments", json!({ "space": "Warehouse Systems", "take": 1 }), |one, result| {
            sees_only(one, "Spaces-22", result);
        }),
    ]
}

fn sees_only(one: &One, space: &str, result: &Value) {
    if one.space == space {
        assert_ne!(result["isError"], true, "{result}");
        assert_eq!(result["structuredContent"]["items"].as_array().unwrap().len(), 1, "{result}");
    } else {
        assert_eq!(result["isError"], true, "{result}");
        assert!(result.to_string().contains("there is no space"), "{result}");
    }
}

async fn call(server: &TestServer, number: usize) {
    let one = &TWO[number % 2];
    let (tool, arguments, holds) = &calls()[number / 2 % 4];
    let params = json!({ "name": tool, "arguments": arguments });
    // The same session for all, and the two eras in turn.
    let headers = [("x-octopus-apikey", one.key), ("mcp-session-id", "5f1d3a7c-one-and-the-same")];
    let era = if (number / 8).is_multiple_of(2) { Era::Legacy } else { Era::Modern };
    let reply = server.ask_at("", &headers, era, "tools/call", params).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    holds(one, &reply.json()["result"]);
    let other = TWO[(number + 1) % 2].user;
    assert!(
        !reply.text.contains(other) && !reply.text.contains(one.others_space),
        "{}",
        reply.text
    );
}

async fn run(server: &TestServer, calls: usize) {
    stream::iter(0..calls).for_each_concurrent(AT_ONCE, |number| call(server, number)).await;
}

/// The memory that this process has, in KiB.
fn memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().trim_end_matches("kB").trim().parse().ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_calls_of_two_callers_stay_apart_and_memory_stays_flat() {
    // As many calls as one likes.
    let server = TestServer::with(|config| {
        let limits = &mut config.limits;
        (limits.caller_rate, limits.instance_rate, limits.unproven_rate) = (0, 0, 0);
    })
    .await;
    run(&server, WARM).await;
    let warm = memory();
    run(&server, CALLS).await;
    if let (Some(warm), Some(after)) = (warm, memory()) {
        let more = after.saturating_sub(warm);
        assert!(more < MEMORY_KIB, "{more} KiB more after {CALLS} calls");
    }
    // Octopus was asked for each of them.
    for user in ["freight.releases", "warehouse.releases"] {
        let journal = server.sample.journal();
        assert!(journal.iter().any(|entry| entry.user.as_deref() == Some(user)), "{user}");
    }
}

/// One credential acts for both, so Octopus shows them the same; all the same, what is remembered for
/// one is no answer to the other, they share no read, and a yes of one is none of the other.
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
    let asked = |path: &str| {
        server.sample.journal().iter().filter(|entry| entry.path.ends_with(path)).count()
    };
    let environments = json!({ "space": "Default", "take": 1 });
    for (token, looked_up) in [(ann, 1), (ann, 1), (ben, 2), (ben, 2)] {
        call(token, "list_environments", &environments).await;
        assert_eq!(asked("/api/spaces"), looked_up, "a space is looked up for each of them");
    }
    server.sample.clear_journal();
    server.sample.faults().add(Fault::on("/environments").delay(Duration::from_secs(1)));
    let at_once = [ann, ben, ann, ben].map(|token| call(token, "list_environments", &environments));
    join_all(at_once).await;
    assert_eq!(asked("/environments"), 2, "one read for each of them");
    server.sample.faults().clear();
    let (tool, mut arguments, ..) = crate::consent::changes().remove(0);
    let shown = call(ann, tool, &arguments).await;
    arguments["confirm"] = shown["structuredContent"]["confirm"].clone();
    assert!(arguments["confirm"].is_string(), "{shown}");
    let refused = call(ben, tool, &arguments).await;
    assert!(refused.to_string().contains("not for this call"), "{refused}");
    assert_eq!(server.sample.changes(), []);
    assert_ne!(call(ann, tool, &arguments).await["isError"], true);
    assert_eq!(server.sample.changes().len(), 1);
}
