//! Callers with invented keys: whatever they ask for, others are served.

use std::time::Duration;

use octopus_mcp::config::Period;
use octopus_sample::{Fault, keys};
use serde_json::{Value, json};

use super::{CALLERS, prove, server, spaces};
use crate::support::{Called, Era, TestServer, soon};

/// Keys that have the form of one and belong to nobody.
fn invented() -> Vec<String> {
    (0..10).map(|number| format!("API-INVENTED{number}")).collect()
}

fn environments(space: &str) -> Value {
    json!({ "space": space })
}

async fn reads(server: &TestServer, key: &str, path: &str) -> Called {
    let arguments = json!({ "method": "GET", "path": path });
    server.call_as(key, "execute", arguments).await
}

#[tokio::test]
async fn an_oversized_argument_or_url_sends_nothing_and_names_the_limit() {
    let server = server(|octopus| {
        octopus.retries = 2;
        octopus.failures_until_pause = 1;
        octopus.pause = Period::seconds(60);
    })
    .await;
    prove(&server).await;
    let long = "x".repeat(70_000);
    let wide = "\u{e9}".repeat(2_000);
    for (tool, arguments, limit) in [
        ("list_environments", environments(&long), "space: this has 70000 characters, and 1000 is"),
        ("list_projects", json!({ "space": "Default", "partialName": long }), "1000 is the limit"),
        ("find_deployment_targets", json!({ "space": "Default", "roles": [long] }), "1000 is"),
        // The text fits, and the URL that is made of it does not.
        (
            "execute",
            json!({ "method": "GET", "path": "/api/spaces", "query": { "partialName": wide } }),
            "bytes, and 8000 is the limit",
        ),
        ("list_spaces", json!({ (long.clone()): 1 }), "takes no argument `xxxx"),
    ] {
        for key in CALLERS.iter().take(2) {
            let called = server.call_as(key, tool, arguments.clone()).await;
            assert!(called.is_error && called.text.contains(limit), "{tool}: {}", called.text);
            assert!(called.text.len() < 2_000, "{tool}: {} bytes", called.text.len());
        }
    }
    assert_eq!(server.sample.journal(), [], "nothing was sent");
    for key in CALLERS {
        assert_eq!(spaces(&server, key).await, Ok(()), "nothing of it counts as a failure");
    }
}

#[tokio::test]
async fn an_oversized_name_in_a_header_path_completion_or_address_sends_nothing() {
    let server = TestServer::start().await;
    let long = "x".repeat(9_000);
    let list = json!({ "name": "list_environments", "arguments": {} });
    let header = [("x-octopus-space", long.as_str())];
    let refused = server.ask_at("", &header, Era::Legacy, "tools/call", list.clone()).await;
    assert_eq!(refused.status, 400, "{}", refused.text);
    let below = format!("/i/default/{long}");
    assert_eq!(server.ask_at(&below, &[], Era::Legacy, "tools/call", list).await.status, 404);
    for given in [json!({ "space": long }), json!({ "space": "Default", "project": long })] {
        let params = json!({
            "ref": { "type": "ref/prompt", "name": "prepare_promotion" },
            "argument": { "name": "release", "value": "" },
            "context": { "arguments": given },
        });
        let completed = server.ask(Era::Legacy, "completion/complete", params).await.json();
        assert_eq!(completed["result"]["completion"]["values"], json!([]), "{completed}");
    }
    let uri = format!("octopus://spaces/{long}");
    let read = server.ask(Era::Legacy, "resources/read", json!({ "uri": uri })).await;
    assert!(read.message().contains("too long"), "{}", read.text);
    let params = json!({ "name": "prepare_promotion", "arguments": { "project": long } });
    let prompt = server.ask(Era::Legacy, "prompts/get", params).await;
    assert!(prompt.message().contains("longer than 500 bytes"), "{}", prompt.text);
    assert_eq!(server.sample.journal(), []);
}

#[tokio::test]
async fn invented_keys_do_not_open_the_breaker_for_others() {
    let server = server(|octopus| {
        octopus.retries = 1;
        octopus.failures_until_pause = 3;
        octopus.pause = Period::seconds(60);
        octopus.timeout = Period(Duration::from_secs(1));
    })
    .await;
    assert_eq!(spaces(&server, keys::ADMIN).await, Ok(()));
    // What only the attackers ask for gets no answer, or that of a proxy without a server.
    server.sample.faults().add(Fault::on("/teams").status(504));
    server.sample.faults().add(Fault::on("/subscriptions").status(502));
    let giant = "x".repeat(70_000);
    for round in 0..3 {
        for key in invented() {
            let (lost, failed, giant) = tokio::join!(
                reads(&server, &key, "/api/subscriptions"),
                reads(&server, &key, "/api/teams"),
                server.call_as(&key, "list_environments", environments(&giant)),
            );
            assert!(lost.is_error && failed.is_error && giant.is_error);
        }
        // One who was there before, and one who comes for the first time.
        for key in [keys::ADMIN, CALLERS[1 + round]] {
            assert_eq!(spaces(&server, key).await, Ok(()), "round {round}");
        }
    }
}

#[tokio::test]
async fn invented_keys_do_not_take_all_places_of_an_instance() {
    let server = TestServer::with(|config| {
        config.octopus.retries = 0;
        config.octopus.concurrent_requests = 4;
    })
    .await;
    prove(&server).await;
    server.sample.faults().add(Fault::on("/teams").delay(Duration::from_mins(1)));
    let keys = invented();
    let attack =
        futures::future::join_all(keys.iter().map(|key| reads(&server, key, "/api/teams")));
    let others = async {
        let begun =
            || server.sample.journal().iter().filter(|e| e.path.ends_with("/teams")).count();
        soon(async || (begun() == 2).then_some(())).await;
        for key in CALLERS.iter().cycle().take(20) {
            assert_eq!(spaces(&server, key).await, Ok(()));
        }
        assert_eq!(begun(), 2, "half of the places are theirs");
    };
    tokio::pin!(attack);
    tokio::select! { _ = &mut attack => panic!("they have no answer"), () = others => {} }
}

#[tokio::test]
async fn invented_keys_do_not_use_up_the_rate_of_an_instance() {
    let server = TestServer::with(|config| {
        config.limits.instance_rate = 1;
        config.limits.instance_burst = 8;
    })
    .await;
    assert_eq!(spaces(&server, keys::ADMIN).await, Ok(()));
    let params = json!({ "name": "list_spaces", "arguments": {} });
    let mut refused = 0;
    for key in invented().iter().cycle().take(20) {
        let reply = server.ask_as(Era::Legacy, key, "tools/call", params.clone()).await;
        refused += usize::from(reply.text.contains("all callers together"));
    }
    assert!(refused > 0, "they have a rate of their own");
    for _ in 0..5 {
        assert_eq!(spaces(&server, keys::ADMIN).await, Ok(()));
    }
}

#[tokio::test]
async fn an_invented_key_does_not_spoil_the_version_for_others() {
    let server = TestServer::start().await;
    // The first caller requests the version, and waits for it.
    server.sample.faults().add(Fault::on("/api").delay(Duration::from_millis(500)));
    let key = &invented()[0];
    let toggles = json!({ "space": "Default", "projectId": "Projects-1" });
    let attack = server.call_as(key, "find_feature_toggles", toggles.clone());
    let other = server.call_as(keys::ADMIN, "find_feature_toggles", toggles);
    let (attacked, served) = tokio::join!(attack, other);
    assert!(attacked.is_error && !served.is_error, "{}", served.text);
}
