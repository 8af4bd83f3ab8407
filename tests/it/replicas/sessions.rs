//! Sessions that begin at one replica continue at every other one, and end at all of them.

use octopus_mcp::config::{Config, Period, Sessions};
use octopus_sample::keys;
use reqwest::Method;
use serde_json::{Value, json};

use super::desks;
use crate::{
    commands::program,
    consent::{Desk, changes},
    rate::redis::Redis,
    sessions::{Client, Messages},
    support::soon,
};

pub(super) const PING: &str = "ping";

pub(super) async fn replicas(
    redis: &Redis,
    count: usize,
    change: impl Fn(&mut Config),
) -> Vec<Desk> {
    desks(redis, count, |config| {
        config.http.sessions = Sessions::Store;
        change(config);
    })
    .await
}

pub(super) fn message(method: &str) -> Value {
    json!({ "jsonrpc": "2.0", "id": 2, "method": method })
}

pub(super) fn count(desk: &Desk) -> usize {
    desk.server.running.as_ref().unwrap().sessions.as_ref().unwrap().count()
}

pub(super) async fn connect(desk: &Desk) -> Client<'_> {
    Client::connect(&desk.server, keys::ADMIN, json!({ "elicitation": {} })).await
}

#[tokio::test]
async fn a_session_goes_on_at_another_replica_with_what_its_client_can_do() {
    let redis = Redis::start().await;
    let desks = replicas(&redis, 2, |_| {}).await;
    let [one, two] = desks.as_slice() else { panic!() };
    let client = connect(one).await;
    assert_eq!((count(one), count(two)), (1, 0));
    let there = client.at(&two.server);
    let mut messages = Messages::of(there.post(&message("tools/list")).await);
    let listed = messages.next().await.unwrap();
    assert!(listed["result"]["tools"].as_array().unwrap().len() > 10, "{listed}");
    assert_eq!((count(one), count(two)), (1, 1));
    // This replica can elicit input, because the client declared the capability at the other one.
    let (tool, arguments, ..) = changes().remove(1);
    let mut messages = there.call(tool, &arguments).await;
    let question = messages.next().await.unwrap();
    assert_eq!(question["method"], "elicitation/create", "{question}");
    there.answer(&question, json!({ "action": "accept", "content": {} })).await;
    let result = messages.next().await.unwrap();
    assert_eq!(result["result"]["structuredContent"]["success"], true, "{result}");
    assert_eq!(one.changes().len(), 1);
}

#[tokio::test]
async fn a_person_who_was_asked_at_one_replica_answers_at_another() {
    let redis = Redis::start().await;
    let desks = replicas(&redis, 2, |_| {}).await;
    let [one, two] = desks.as_slice() else { panic!() };
    let client = connect(one).await;
    let there = client.at(&two.server);
    let mut all = changes().into_iter();
    let (tool, arguments, ..) = all.next().unwrap();
    let (other_tool, other_arguments, ..) = all.next().unwrap();
    let mut here = client.call(tool, &arguments).await;
    let mut elsewhere = there.call(other_tool, &other_arguments).await;
    let (asked, also) = (here.next().await.unwrap(), elsewhere.next().await.unwrap());
    assert_ne!(
        asked["id"], also["id"],
        "two concurrent requests of one session have different IDs"
    );
    assert_eq!(one.changes(), []);
    // Each response is sent to the replica that did not send the request.
    there.answer(&asked, json!({ "action": "accept", "content": {} })).await;
    client.answer(&also, json!({ "action": "decline" })).await;
    let (did, did_not) = (here.next().await.unwrap(), elsewhere.next().await.unwrap());
    assert_eq!(did["result"]["structuredContent"]["success"], true, "{did}");
    assert_eq!(did_not["result"]["structuredContent"]["reason"], "declined", "{did_not}");
    assert_eq!(one.changes().len(), 1);
    for name in redis.names().await {
        assert!(!name.contains(&client.session), "{name}");
    }
}

#[tokio::test]
async fn requests_at_one_moment_find_a_session_that_their_replica_does_not_know_yet() {
    let redis = Redis::start().await;
    let desks = replicas(&redis, 2, |_| {}).await;
    let [one, two] = desks.as_slice() else { panic!() };
    let client = connect(one).await;
    let there = client.at(&two.server);
    let pings: Vec<Value> =
        (0..16).map(|id| json!({ "jsonrpc": "2.0", "id": id, "method": PING })).collect();
    let came = futures::future::join_all(pings.iter().map(|ping| there.post(ping))).await;
    for response in came {
        assert_eq!(response.status(), 200);
        assert!(Messages::of(response).next().await.unwrap()["result"].is_object());
    }
    assert_eq!(count(two), 1);
}

#[tokio::test]
async fn a_session_that_ends_at_one_replica_ends_at_all_with_its_streams() {
    let redis = Redis::start().await;
    let desks = replicas(&redis, 3, |_| {}).await;
    let [one, two, three] = desks.as_slice() else { panic!() };
    let client = connect(one).await;
    let (there, last) = (client.at(&two.server), client.at(&three.server));
    let stream = there.ask(Method::GET).await;
    assert_eq!(stream.status(), 200);
    assert_eq!(last.ask(Method::DELETE).await.status(), 204);
    for client in [&client, &there, &last] {
        assert_eq!(client.post(&message(PING)).await.status(), 404);
        assert_eq!(client.ask(Method::DELETE).await.status(), 404);
    }
    assert_eq!(Messages::of(stream).next().await, None);
    soon(async || (desks.iter().map(count).sum::<usize>() == 0).then_some(())).await;
    let names = redis.names().await;
    assert!(
        !names.iter().any(|name| name.contains(":session:")),
        "the session leaves no key behind: {names:?}"
    );
}

#[tokio::test]
async fn a_session_that_ends_while_the_store_is_slow_has_ended_at_all_when_it_is_not() {
    let redis = Redis::start().await;
    let slow = |config: &mut Config| config.limits.store_timeout = Period::seconds(1);
    let desks = replicas(&redis, 2, slow).await;
    let [one, two] = desks.as_slice() else { panic!() };
    let client = connect(one).await;
    redis.hold_up(true);
    assert_eq!(client.ask(Method::DELETE).await.status(), 204);
    redis.hold_up(false);
    let there = client.at(&two.server);
    soon(async || (there.post(&message(PING)).await.status() == 404).then_some(())).await;
}

#[tokio::test]
async fn an_answer_and_an_end_need_no_room() {
    let redis = Redis::start().await;
    let desks = replicas(&redis, 2, |config| config.http.session_limit_per_caller = 1).await;
    let [one, two] = desks.as_slice() else { panic!() };
    let (client, other) = (connect(one).await, connect(two).await);
    let there = client.at(&two.server);
    assert_eq!(there.post(&message(PING)).await.status(), 429);
    let (tool, arguments, ..) = changes().remove(1);
    let mut messages = client.call(tool, &arguments).await;
    let question = messages.next().await.unwrap();
    there.answer(&question, json!({ "action": "accept", "content": {} })).await;
    let result = messages.next().await.unwrap();
    assert_eq!(result["result"]["structuredContent"]["success"], true, "{result}");
    assert_eq!(there.ask(Method::DELETE).await.status(), 204);
    assert_eq!(client.post(&message(PING)).await.status(), 404);
    assert_eq!(other.post(&message(PING)).await.status(), 200);
    assert_eq!((count(one), count(two)), (0, 1));
}

#[tokio::test]
async fn an_open_stream_that_nobody_asks_about_ends_with_its_session_elsewhere() {
    let redis = Redis::start().await;
    let desks = replicas(&redis, 2, |_| {}).await;
    let [one, two] = desks.as_slice() else { panic!() };
    let client = connect(one).await;
    let stream = client.at(&two.server).ask(Method::GET).await;
    assert_eq!(stream.status(), 200);
    assert_eq!(client.ask(Method::DELETE).await.status(), 204);
    assert_eq!(Messages::of(stream).next().await, None);
}

#[tokio::test]
async fn a_session_is_another_callers_at_no_replica() {
    let redis = Redis::start().await;
    let desks = replicas(&redis, 2, |_| {}).await;
    let [one, two] = desks.as_slice() else { panic!() };
    let client = connect(one).await;
    let foreign = Client { key: keys::DEFAULT_SPACE_ONLY, ..client.at(&two.server) };
    for method in [Method::GET, Method::DELETE] {
        assert_eq!(foreign.ask(method).await.status(), 404);
    }
    assert_eq!(foreign.post(&message(PING)).await.status(), 404);
    let narrower = two.server.http.post(format!("{}/readonly", two.server.url));
    let narrower = narrower
        .header("accept", "application/json, text/event-stream")
        .header("x-octopus-apikey", keys::ADMIN)
        .header("mcp-session-id", &client.session);
    assert_eq!(narrower.json(&message(PING)).send().await.unwrap().status(), 404);
    assert_eq!(count(two), 0);
    assert_eq!(client.post(&message(PING)).await.status(), 200);
}

#[tokio::test]
async fn while_the_store_is_away_a_session_goes_on_where_it_is_known() {
    let mut redis = Redis::start().await;
    let desks = replicas(&redis, 2, |_| {}).await;
    let [one, two] = desks.as_slice() else { panic!() };
    let client = connect(one).await;
    redis.die();
    assert_eq!(client.post(&message(PING)).await.status(), 200);
    let told = client.at(&two.server).post(&message(PING)).await;
    assert_eq!(told.status(), 503);
    assert_eq!(told.headers()["retry-after"], "1");
    assert!(told.text().await.unwrap().contains("the store in which sessions are kept is away"));
    // A session that begins during the outage is known to all replicas afterwards.
    let new = connect(one).await;
    redis.come_back().await;
    let there = new.at(&two.server);
    soon(async || (there.post(&message(PING)).await.status() == 200).then_some(())).await;
}

#[tokio::test]
async fn a_replica_has_room_for_so_many_sessions_of_others_as_of_its_own() {
    let redis = Redis::start().await;
    let desks = replicas(&redis, 2, |config| config.http.session_limit_per_caller = 1).await;
    let [one, two] = desks.as_slice() else { panic!() };
    let (client, other) = (connect(one).await, connect(two).await);
    assert_eq!(client.at(&two.server).post(&message(PING)).await.status(), 429);
    assert_eq!(client.post(&message(PING)).await.status(), 200);
    assert_eq!(other.ask(Method::DELETE).await.status(), 204);
    assert_eq!(client.at(&two.server).post(&message(PING)).await.status(), 200);
}

/// Messages in flight are lost at another replica. The stream there ends, and does not replay
/// events of another stream.
#[tokio::test]
async fn a_stream_is_resumed_where_it_was_and_is_empty_elsewhere() {
    let redis = Redis::start().await;
    let desks = replicas(&redis, 2, |_| {}).await;
    let [one, two] = desks.as_slice() else { panic!() };
    let client = connect(one).await;
    let (tool, arguments, ..) = changes().remove(1);
    let params = json!({ "name": tool, "arguments": arguments });
    let call = json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params });
    let mut call = client.post(&call).await;
    let mut text = String::new();
    while !text.contains("elicitation/create") {
        text.push_str(std::str::from_utf8(&call.chunk().await.unwrap().unwrap()).unwrap());
    }
    let first = text.lines().find_map(|line| line.strip_prefix("id:")).unwrap().trim();
    let resumed = async |desk: &Desk| {
        let resume = desk.server.http.get(&desk.server.url);
        let resume = resume
            .header("accept", "text/event-stream")
            .header("x-octopus-apikey", keys::ADMIN)
            .header("mcp-protocol-version", crate::support::LEGACY)
            .header("mcp-session-id", &client.session)
            .header("last-event-id", first);
        resume.send().await.unwrap()
    };
    client.at(&two.server).post(&message("tools/list")).await.text().await.unwrap();
    let elsewhere = resumed(two).await;
    assert_eq!(elsewhere.status(), 200);
    assert_eq!(Messages::of(elsewhere).next().await, None);
    let mut again = Messages::of(resumed(one).await);
    let question = again.next().await.unwrap();
    assert!(text.contains(question["id"].as_str().unwrap()), "{question}");
    client.answer(&question, json!({ "action": "decline" })).await;
    let result = again.next().await.unwrap()["result"].clone();
    assert_eq!(result["isError"], true, "{result}");
    assert_eq!(result["structuredContent"]["reason"], "declined", "{result}");
}

#[test]
fn sessions_in_the_store_need_a_store_and_a_key() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("settings.toml");
    std::fs::write(&file, "[http]\nsessions = \"store\"\n").unwrap();
    let out = program(&["--config", file.to_str().unwrap(), "--sample"]).output().unwrap();
    assert_eq!(out.status.code(), Some(2));
    let message = String::from_utf8(out.stderr).unwrap();
    for words in ["limits.store is not set", "tools.seal_key"] {
        assert!(message.contains(words), "{message}");
    }
}
