//! The scope that the path and headers of a request select, and the selection of one of several
//! instances.

mod access_layers;
mod argument_headers;
mod grants;
mod headers;
mod instances;
mod paths;
mod pinned_scope;

use std::collections::BTreeSet;

use octopus_sample::keys;
use serde_json::{Value, json};

use crate::support::{ERAS, Era, Reply, TestServer};

/// Headers in addition to the defaults.
type ExtraHeaders<'a> = &'a [(&'a str, &'a str)];

/// Sends a JSON-RPC request as the administrator, in one era, with this path and headers.
async fn rpc(
    server: &TestServer,
    era: Era,
    (path, headers): (&str, ExtraHeaders<'_>),
    method: &str,
    params: Value,
) -> Reply {
    let mut all = vec![("x-octopus-apikey", keys::ADMIN)];
    all.extend(headers);
    server.rpc_at(path, &all, era, method, params).await
}

/// Returns the listed tools, which must be equal in both eras.
async fn listed_tools(server: &TestServer, endpoint: (&str, ExtraHeaders<'_>)) -> BTreeSet<String> {
    let mut both = Vec::new();
    for era in ERAS {
        let reply = rpc(server, era, endpoint, "tools/list", json!({})).await;
        assert_eq!(reply.status, 200, "{endpoint:?}: {}", reply.text);
        let tools = reply.json()["result"]["tools"].as_array().unwrap().clone();
        let names = tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned());
        both.push(names.collect::<BTreeSet<_>>());
    }
    assert_eq!(both[0], both[1], "{endpoint:?}");
    both.remove(0)
}

/// Calls a tool and returns its result or the JSON-RPC error.
async fn call(
    server: &TestServer,
    era: Era,
    endpoint: (&str, ExtraHeaders<'_>),
    tool: &str,
    arguments: Value,
) -> Value {
    let params = json!({ "name": tool, "arguments": arguments });
    let reply = rpc(server, era, endpoint, "tools/call", params).await;
    let json = reply.json();
    let found = json.get("result").or(json.get("error"));
    found.unwrap_or_else(|| panic!("{tool}: {}", reply.text)).clone()
}

/// Calls a tool in both eras, asserts equal success, and returns the structured answer.
async fn call_ok(
    server: &TestServer,
    endpoint: (&str, ExtraHeaders<'_>),
    tool: &str,
    arguments: Value,
) -> Value {
    let mut both = Vec::new();
    for era in ERAS {
        let result = call(server, era, endpoint, tool, arguments.clone()).await;
        assert_eq!(result["isError"], false, "{tool} at {endpoint:?}: {result}");
        both.push(result["structuredContent"].clone());
    }
    assert_eq!(both[0], both[1], "{tool} at {endpoint:?}");
    both.remove(0)
}

/// Calls a tool in both eras, asserts equal failure, and returns the error message.
async fn call_error(
    server: &TestServer,
    endpoint: (&str, ExtraHeaders<'_>),
    tool: &str,
    arguments: Value,
) -> String {
    let mut both = Vec::new();
    for era in ERAS {
        let result = call(server, era, endpoint, tool, arguments.clone()).await;
        let message = if let Some(text) = result["content"][0]["text"].as_str() {
            assert_eq!(result["isError"], true, "{tool} at {endpoint:?}: {result}");
            text
        } else {
            result["message"].as_str().unwrap_or_else(|| panic!("{tool} at {endpoint:?}: {result}"))
        };
        both.push(message.to_owned());
    }
    assert_eq!(both[0], both[1], "{tool} at {endpoint:?}");
    both.remove(0)
}

/// Returns the values of a grant.
#[expect(clippy::unnecessary_wraps, reason = "grants are optional")]
fn grant_set(entries: &[&str]) -> Option<BTreeSet<String>> {
    Some(entries.iter().map(|word| (*word).to_owned()).collect())
}
