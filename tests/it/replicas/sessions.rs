//! Sessions of one replica continue at every other replica, and end at all of them.

use octopus_mcp::config::{Config, DurationSetting, SessionStorage};
use octopus_sample::keys;
use reqwest::Method;
use serde_json::{Value, json};

use super::replica_fixtures;
use crate::{
    approval::{ApprovalFixture, write_calls},
    cli::program,
    rate_limits::redis::Redis,
    sessions::{Client, MessageStream},
    support::wait_until_some,
};

pub(super) const PING: &str = "ping";

pub(super) async fn replicas(
    redis: &Redis,
    count: usize,
    change: impl Fn(&mut Config),
) -> Vec<ApprovalFixture> {
    replica_fixtures(redis, count, |config| {
        config.http.sessions = SessionStorage::Store;
        change(config);
    })
    .await
}

pub(super) fn notification_(method: &str) -> Value {
    json!({ "jsonrpc": "2.0", "id": 2, "method": method })
}

pub(super) fn session_count(fixture: &ApprovalFixture) -> usize {
    fixture.server.running.as_ref().unwrap().sessions.as_ref().unwrap().count()
}

pub(super) async fn connect(fixture: &ApprovalFixture) -> Client<'_> {
    Client::connect(&fixture.server, keys::ADMIN, json!({ "elicitation": {} })).await
}

#[tokio::test]
async fn session_continues_at_another_replica_with_capabilities() {
    let redis = Redis::start().await;
    let fixtures = replicas(&redis, 2, |_| {}).await;
    let [one, two] = fixtures.as_slice() else { panic!() };
    let client = connect(one).await;
    assert_eq!((session_count(one), session_count(two)), (1, 0));
    let there = client.at_replica(&two.server);
    let mut messages = MessageStream::of(there.post(&notification_("tools/list")).await);
    let listed = messages.next().await.unwrap();
    assert!(listed["result"]["tools"].as_array().unwrap().len() > 10, "{listed}");
    assert_eq!((session_count(one), session_count(two)), (1, 1));
    // This replica can elicit input, because the client declared the capability at the other one.
    let (tool, arguments, ..) = write_calls().remove(1);
    let mut messages = there.call(tool, &arguments).await;
    let elicitation = messages.next().await.unwrap();
    assert_eq!(elicitation["method"], "elicitation/create", "{elicitation}");
    there.respond(&elicitation, json!({ "action": "accept", "content": {} })).await;
    let result = messages.next().await.unwrap();
    assert_eq!(result["result"]["structuredContent"]["success"], true, "{result}");
    assert_eq!(one.sent_changes().len(), 1);
}

#[tokio::test]
async fn elicitation_response_is_accepted_at_another_replica() {
    let redis = Redis::start().await;
    let fixtures = replicas(&redis, 2, |_| {}).await;
    let [one, two] = fixtures.as_slice() else { panic!() };
    let client = connect(one).await;
    let there = client.at_replica(&two.server);
    let mut all = write_calls().into_iter();
    let (tool, arguments, ..) = all.next().unwrap();
    let (other_tool, other_arguments, ..) = all.next().unwrap();
    let mut here = client.call(tool, &arguments).await;
    let mut at_other = there.call(other_tool, &other_arguments).await;
    let (first, second) = (here.next().await.unwrap(), at_other.next().await.unwrap());
    assert_ne!(
        first["id"], second["id"],
        "two concurrent requests of one session have different IDs"
    );
    assert_eq!(one.sent_changes(), []);
    // Each response is sent to the replica that did not send the request.
    there.respond(&first, json!({ "action": "accept", "content": {} })).await;
    client.respond(&second, json!({ "action": "decline" })).await;
    let (accepted, declined) = (here.next().await.unwrap(), at_other.next().await.unwrap());
    assert_eq!(accepted["result"]["structuredContent"]["success"], true, "{accepted}");
    assert_eq!(declined["result"]["structuredContent"]["reason"], "declined", "{declined}");
    assert_eq!(one.sent_changes().len(), 1);
    for name in redis.key_names().await {
        assert!(!name.contains(&client.session), "{name}");
    }
}

#[tokio::test]
async fn concurrent_requests_load_an_unknown_session() {
    let redis = Redis::start().await;
    let fixtures = replicas(&redis, 2, |_| {}).await;
    let [one, two] = fixtures.as_slice() else { panic!() };
    let client = connect(one).await;
    let there = client.at_replica(&two.server);
    let pings: Vec<Value> =
        (0..16).map(|id| json!({ "jsonrpc": "2.0", "id": id, "method": PING })).collect();
    let responses = futures::future::join_all(pings.iter().map(|ping| there.post(ping))).await;
    for response in responses {
        assert_eq!(response.status(), 200);
        assert!(MessageStream::of(response).next().await.unwrap()["result"].is_object());
    }
    assert_eq!(session_count(two), 1);
}

#[tokio::test]
async fn ended_session_ends_at_all_replicas() {
    let redis = Redis::start().await;
    let fixtures = replicas(&redis, 3, |_| {}).await;
    let [one, two, three] = fixtures.as_slice() else { panic!() };
    let client = connect(one).await;
    let (there, last) = (client.at_replica(&two.server), client.at_replica(&three.server));
    let stream = there.request(Method::GET).await;
    assert_eq!(stream.status(), 200);
    assert_eq!(last.request(Method::DELETE).await.status(), 204);
    for client in [&client, &there, &last] {
        assert_eq!(client.post(&notification_(PING)).await.status(), 404);
        assert_eq!(client.request(Method::DELETE).await.status(), 404);
    }
    assert_eq!(MessageStream::of(stream).next().await, None);
    wait_until_some(async || {
        (fixtures.iter().map(session_count).sum::<usize>() == 0).then_some(())
    })
    .await;
    let names = redis.key_names().await;
    assert!(
        !names.iter().any(|name| name.contains(":session:")),
        "the session leaves no key behind: {names:?}"
    );
}

#[tokio::test]
async fn session_end_is_applied_after_a_slow_store() {
    let redis = Redis::start().await;
    let slow = |config: &mut Config| config.limits.store_timeout = DurationSetting::seconds(1);
    let fixtures = replicas(&redis, 2, slow).await;
    let [one, two] = fixtures.as_slice() else { panic!() };
    let client = connect(one).await;
    redis.set_stalled(true);
    assert_eq!(client.request(Method::DELETE).await.status(), 204);
    redis.set_stalled(false);
    let there = client.at_replica(&two.server);
    wait_until_some(async || {
        (there.post(&notification_(PING)).await.status() == 404).then_some(())
    })
    .await;
}

#[tokio::test]
async fn responses_and_session_ends_need_no_session_slot() {
    let redis = Redis::start().await;
    let fixtures = replicas(&redis, 2, |config| config.http.session_limit_per_caller = 1).await;
    let [one, two] = fixtures.as_slice() else { panic!() };
    let (client, other) = (connect(one).await, connect(two).await);
    let there = client.at_replica(&two.server);
    assert_eq!(there.post(&notification_(PING)).await.status(), 429);
    let (tool, arguments, ..) = write_calls().remove(1);
    let mut messages = client.call(tool, &arguments).await;
    let elicitation = messages.next().await.unwrap();
    there.respond(&elicitation, json!({ "action": "accept", "content": {} })).await;
    let result = messages.next().await.unwrap();
    assert_eq!(result["result"]["structuredContent"]["success"], true, "{result}");
    assert_eq!(there.request(Method::DELETE).await.status(), 204);
    assert_eq!(client.post(&notification_(PING)).await.status(), 404);
    assert_eq!(other.post(&notification_(PING)).await.status(), 200);
    assert_eq!((session_count(one), session_count(two)), (0, 1));
}

#[tokio::test]
async fn idle_stream_ends_with_its_session() {
    let redis = Redis::start().await;
    let fixtures = replicas(&redis, 2, |_| {}).await;
    let [one, two] = fixtures.as_slice() else { panic!() };
    let client = connect(one).await;
    let stream = client.at_replica(&two.server).request(Method::GET).await;
    assert_eq!(stream.status(), 200);
    assert_eq!(client.request(Method::DELETE).await.status(), 204);
    assert_eq!(MessageStream::of(stream).next().await, None);
}

#[tokio::test]
async fn session_is_bound_to_its_caller_at_all_replicas() {
    let redis = Redis::start().await;
    let fixtures = replicas(&redis, 2, |_| {}).await;
    let [one, two] = fixtures.as_slice() else { panic!() };
    let client = connect(one).await;
    let foreign = Client { key: keys::DEFAULT_SPACE_ONLY, ..client.at_replica(&two.server) };
    for method in [Method::GET, Method::DELETE] {
        assert_eq!(foreign.request(method).await.status(), 404);
    }
    assert_eq!(foreign.post(&notification_(PING)).await.status(), 404);
    let read_only = two.server.http.post(format!("{}/readonly", two.server.url));
    let read_only = read_only
        .header("accept", "application/json, text/event-stream")
        .header("x-octopus-apikey", keys::ADMIN)
        .header("mcp-session-id", &client.session);
    assert_eq!(read_only.json(&notification_(PING)).send().await.unwrap().status(), 404);
    assert_eq!(session_count(two), 0);
    assert_eq!(client.post(&notification_(PING)).await.status(), 200);
}

#[tokio::test]
async fn known_session_continues_during_an_outage() {
    let mut redis = Redis::start().await;
    let fixtures = replicas(&redis, 2, |_| {}).await;
    let [one, two] = fixtures.as_slice() else { panic!() };
    let client = connect(one).await;
    redis.kill();
    assert_eq!(client.post(&notification_(PING)).await.status(), 200);
    let unavailable = client.at_replica(&two.server).post(&notification_(PING)).await;
    assert_eq!(unavailable.status(), 503);
    assert_eq!(unavailable.headers()["retry-after"], "1");
    assert!(unavailable.text().await.unwrap().contains("the session store is not available"));
    // All replicas accept a session that begins during the outage afterwards.
    let new = connect(one).await;
    redis.restart().await;
    let there = new.at_replica(&two.server);
    wait_until_some(async || {
        (there.post(&notification_(PING)).await.status() == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn foreign_sessions_have_the_same_limit() {
    let redis = Redis::start().await;
    let fixtures = replicas(&redis, 2, |config| config.http.session_limit_per_caller = 1).await;
    let [one, two] = fixtures.as_slice() else { panic!() };
    let (client, other) = (connect(one).await, connect(two).await);
    assert_eq!(client.at_replica(&two.server).post(&notification_(PING)).await.status(), 429);
    assert_eq!(client.post(&notification_(PING)).await.status(), 200);
    assert_eq!(other.request(Method::DELETE).await.status(), 204);
    assert_eq!(client.at_replica(&two.server).post(&notification_(PING)).await.status(), 200);
}

/// Messages in flight are lost at another replica. The stream there ends, and does not replay
/// events of another stream.
#[tokio::test]
async fn stream_resumes_only_at_its_replica() {
    let redis = Redis::start().await;
    let fixtures = replicas(&redis, 2, |_| {}).await;
    let [one, two] = fixtures.as_slice() else { panic!() };
    let client = connect(one).await;
    let (tool, arguments, ..) = write_calls().remove(1);
    let params = json!({ "name": tool, "arguments": arguments });
    let call = json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params });
    let mut call = client.post(&call).await;
    let mut text = String::new();
    while !text.contains("elicitation/create") {
        text.push_str(std::str::from_utf8(&call.chunk().await.unwrap().unwrap()).unwrap());
    }
    let first = text.lines().find_map(|line| line.strip_prefix("id:")).unwrap().trim();
    let resumed = async |fixture: &ApprovalFixture| {
        let resume = fixture.server.http.get(&fixture.server.url);
        let resume = resume
            .header("accept", "text/event-stream")
            .header("x-octopus-apikey", keys::ADMIN)
            .header("mcp-protocol-version", crate::support::LEGACY_VERSION)
            .header("mcp-session-id", &client.session)
            .header("last-event-id", first);
        resume.send().await.unwrap()
    };
    client.at_replica(&two.server).post(&notification_("tools/list")).await.text().await.unwrap();
    let at_other = resumed(two).await;
    assert_eq!(at_other.status(), 200);
    assert_eq!(MessageStream::of(at_other).next().await, None);
    let mut again = MessageStream::of(resumed(one).await);
    let elicitation = again.next().await.unwrap();
    assert!(text.contains(elicitation["id"].as_str().unwrap()), "{elicitation}");
    client.respond(&elicitation, json!({ "action": "decline" })).await;
    let result = again.next().await.unwrap()["result"].clone();
    assert_eq!(result["isError"], true, "{result}");
    assert_eq!(result["structuredContent"]["reason"], "declined", "{result}");
}

#[test]
fn shared_sessions_require_a_store_and_a_key() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("settings.toml");
    std::fs::write(&file, "[http]\nsessions = \"store\"\n").unwrap();
    let out = program(&["--config", file.to_str().unwrap(), "--sample"]).output().unwrap();
    assert_eq!(out.status.code(), Some(2));
    let message = String::from_utf8(out.stderr).unwrap();
    for expected in ["limits.store is not set", "tools.seal_key"] {
        assert!(message.contains(expected), "{message}");
    }
}
