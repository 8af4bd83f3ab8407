//! Callers with unknown API keys: their requests do not affect other callers.

use std::time::Duration;

use octopus_mcp::config::DurationSetting;
use octopus_sample::{Fault, keys};
use serde_json::{Value, json};

use super::{CALLERS, list_spaces, server_without_retries, verify_callers};
use crate::support::{CallResult, Era, TestServer, wait_until_some};

/// Returns well-formed keys that do not exist in Octopus.
fn unknown_keys() -> Vec<String> {
    (0..10).map(|number| format!("API-INVENTED{number}")).collect()
}

fn list_environments_arguments(space: &str) -> Value {
    json!({ "space": space })
}

async fn execute_get(server: &TestServer, key: &str, path: &str) -> CallResult {
    let arguments = json!({ "method": "GET", "path": path });
    server.call_as(key, "execute", arguments).await
}

#[tokio::test]
async fn oversized_argument_or_url_is_rejected_with_the_limit() {
    let server = server_without_retries(|octopus| {
        octopus.retries = 2;
        octopus.failures_until_pause = 1;
        octopus.pause = DurationSetting::seconds(60);
    })
    .await;
    verify_callers(&server).await;
    let long = "x".repeat(70_000);
    let multi_byte = "\u{e9}".repeat(2_000);
    for (tool, arguments, limit) in [
        (
            "list_environments",
            list_environments_arguments(&long),
            "space: 70000 characters are too many; the limit is 1000",
        ),
        ("list_projects", json!({ "space": "Default", "partialName": long }), "the limit is 1000"),
        (
            "find_deployment_targets",
            json!({ "space": "Default", "roles": [long] }),
            "the limit is 1000",
        ),
        // The argument is short enough, but its percent-encoded URL is not.
        (
            "execute",
            json!({ "method": "GET", "path": "/api/spaces", "query": { "partialName": multi_byte } }),
            "bytes, but 8000 is the limit",
        ),
        ("list_spaces", json!({ (long.clone()): 1 }), "unknown argument `xxxx"),
    ] {
        for key in CALLERS.iter().take(2) {
            let called = server.call_as(key, tool, arguments.clone()).await;
            assert!(called.is_error && called.text.contains(limit), "{tool}: {}", called.text);
            assert!(called.text.len() < 2_000, "{tool}: {} bytes", called.text.len());
        }
    }
    assert_eq!(server.sample.journal(), [], "nothing was sent");
    for key in CALLERS {
        assert_eq!(
            list_spaces(&server, key).await,
            Ok(()),
            "rejected arguments do not count as failures"
        );
    }
}

#[tokio::test]
async fn oversized_names_outside_arguments_send_nothing() {
    let server = TestServer::start().await;
    let long = "x".repeat(9_000);
    let list = json!({ "name": "list_environments", "arguments": {} });
    let header = [("x-octopus-space", long.as_str())];
    let rejected = server.rpc_at("", &header, Era::Legacy, "tools/call", list.clone()).await;
    assert_eq!(rejected.status, 400, "{}", rejected.text);
    assert!(
        rejected.error_message().contains("x-octopus-space is longer than 4096 bytes"),
        "{}",
        rejected.text
    );
    let path = format!("/i/default/{long}");
    let rejected = server.rpc_at(&path, &[], Era::Legacy, "tools/call", list).await;
    assert_eq!(rejected.status, 404, "{}", rejected.text);
    assert!(
        rejected.error_message().contains("/mcp/i/INSTANCE[/SPACE[/PROJECT]]"),
        "{}",
        rejected.text
    );
    for arguments in [json!({ "space": long }), json!({ "space": "Default", "project": long })] {
        let params = json!({
            "ref": { "type": "ref/prompt", "name": "prepare_promotion" },
            "argument": { "name": "release", "value": "" },
            "context": { "arguments": arguments },
        });
        let completed = server.rpc(Era::Legacy, "completion/complete", params).await.json();
        assert_eq!(completed["result"]["completion"]["values"], json!([]), "{completed}");
    }
    let uri = format!("octopus://spaces/{long}");
    let read = server.rpc(Era::Legacy, "resources/read", json!({ "uri": uri })).await;
    assert!(read.error_message().contains("longer than 2048 bytes"), "{}", read.text);
    let params = json!({ "name": "prepare_promotion", "arguments": { "project": long } });
    let prompt = server.rpc(Era::Legacy, "prompts/get", params).await;
    assert!(prompt.error_message().contains("longer than 500 bytes"), "{}", prompt.text);
    assert_eq!(server.sample.journal(), []);
}

#[tokio::test]
async fn unknown_keys_do_not_open_the_breaker_for_others() {
    let server = server_without_retries(|octopus| {
        octopus.retries = 1;
        octopus.failures_until_pause = 3;
        octopus.pause = DurationSetting::seconds(60);
        octopus.timeout = DurationSetting(Duration::from_secs(1));
    })
    .await;
    assert_eq!(list_spaces(&server, keys::ADMIN).await, Ok(()));
    // Only the unknown keys request these paths, which answer with gateway errors.
    server.sample.faults().add(Fault::on("/teams").status(504));
    server.sample.faults().add(Fault::on("/subscriptions").status(502));
    let long = "x".repeat(70_000);
    for round in 0..3 {
        for key in unknown_keys() {
            let (bad_gateway, timed_out, oversized) = tokio::join!(
                execute_get(&server, &key, "/api/subscriptions"),
                execute_get(&server, &key, "/api/teams"),
                server.call_as(&key, "list_environments", list_environments_arguments(&long)),
            );
            // The failures of an unknown key open the breaker for this key only.
            for (called, status) in [(bad_gateway, 502), (timed_out, 504)] {
                let is_failure = called.text.contains(&format!("Octopus returned {status}"));
                let is_open = called.text.contains("the instance 'default' is not responding");
                assert!(called.is_error && (is_failure || is_open), "{}", called.text);
            }
            assert!(oversized.text.contains("the limit is 1000"), "{}", oversized.text);
        }
        // A verified caller, and a caller that Octopus has not accepted before.
        for key in [keys::ADMIN, CALLERS[1 + round]] {
            assert_eq!(list_spaces(&server, key).await, Ok(()), "round {round}");
        }
    }
}

#[tokio::test]
async fn unknown_keys_use_at_most_half_of_the_permits() {
    let server = TestServer::with(|config| {
        config.octopus.retries = 0;
        config.octopus.concurrent_requests = 4;
    })
    .await;
    verify_callers(&server).await;
    server.sample.faults().add(Fault::on("/teams").delay(Duration::from_mins(1)));
    let keys = unknown_keys();
    let unknown =
        futures::future::join_all(keys.iter().map(|key| execute_get(&server, key, "/api/teams")));
    let others = async {
        let started =
            || server.sample.journal().iter().filter(|e| e.path.ends_with("/teams")).count();
        wait_until_some(async || (started() == 2).then_some(())).await;
        for key in CALLERS.iter().cycle().take(20) {
            assert_eq!(list_spaces(&server, key).await, Ok(()));
        }
        assert_eq!(started(), 2, "unknown keys use at most half of the permits");
    };
    tokio::pin!(unknown);
    tokio::select! { _ = &mut unknown => panic!("a delayed request ended early"), () = others => {} }
}

#[tokio::test]
async fn unknown_keys_do_not_exhaust_the_instance_rate() {
    let server = TestServer::with(|config| {
        config.limits.instance_rate = 1;
        config.limits.instance_burst = 8;
    })
    .await;
    assert_eq!(list_spaces(&server, keys::ADMIN).await, Ok(()));
    let params = json!({ "name": "list_spaces", "arguments": {} });
    let mut rejected = 0;
    for key in unknown_keys().iter().cycle().take(20) {
        let reply = server.rpc_as(Era::Legacy, key, "tools/call", params.clone()).await;
        rejected += usize::from(reply.text.contains("all callers together"));
    }
    assert!(rejected > 0, "unknown keys share a rate of their own");
    for _ in 0..5 {
        assert_eq!(list_spaces(&server, keys::ADMIN).await, Ok(()));
    }
}

#[tokio::test]
async fn unknown_key_does_not_break_version_detection_for_others() {
    let server = TestServer::start().await;
    // The first caller sends the request for the version and waits for the response.
    server.sample.faults().add(Fault::on("/api").delay(Duration::from_millis(500)));
    let key = &unknown_keys()[0];
    let toggles = json!({ "space": "Default", "projectId": "Projects-1" });
    let unknown = server.call_as(key, "find_feature_toggles", toggles.clone());
    let other = server.call_as(keys::ADMIN, "find_feature_toggles", toggles);
    let (unknown, known) = tokio::join!(unknown, other);
    assert!(unknown.is_error && unknown.text.contains("credential"), "{}", unknown.text);
    assert!(!known.is_error, "{}", known.text);
}
