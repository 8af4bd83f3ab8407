//! Elicitation responses to a request of another replica: valid and forged ones.

use std::fmt::Write as _;

use octopus_mcp::{
    approval::Seal,
    config::{Secret, ToolSettings},
    octopus::Fingerprint,
};
use serde_json::{Value, json};

use super::sessions::{connect, replicas};
use crate::{
    approval::write_calls,
    rate_limits::redis::Redis,
    sessions::{Client, MessageStream},
    support::wait_until_some,
};

fn accept_response() -> Value {
    json!({ "action": "accept", "content": {} })
}

async fn request_approval(client: &Client<'_>, change: usize) -> (MessageStream, Value) {
    let (tool, arguments, ..) = write_calls().remove(change);
    let mut messages = client.call(tool, &arguments).await;
    let request = messages.next().await.unwrap();
    assert_eq!(request["method"], "elicitation/create", "{request}");
    (messages, request)
}

/// Returns the keys of the responses in the store.
async fn stored_responses(redis: &Redis) -> Vec<String> {
    let mut names = redis.key_names().await;
    names.retain(|name| name.contains(":answer:"));
    names
}

#[tokio::test]
async fn unsolicited_responses_are_not_stored() {
    let redis = Redis::start().await;
    let fixtures = replicas(&redis, 2, |_| {}).await;
    let [one, two] = fixtures.as_slice() else { panic!() };
    let (client, other) = (connect(one).await, connect(one).await);
    let (mut messages, request) = request_approval(&client, 1).await;
    let id = request["id"].as_str().unwrap();
    let mut made_up: Vec<Value> =
        (0..10).map(|number| json!(format!("{}-{number}-0", "0".repeat(32)))).collect();
    made_up.extend(["", "x", &id[1..], &id[..id.len() - 1], &format!("{id}x")].map(Value::from));
    made_up.push(json!(7));
    for client in [&client, &client.at_replica(&two.server)] {
        for id in &made_up {
            client.respond(&json!({ "id": id }), accept_response()).await;
        }
    }
    // A response to a request of another session is ignored, too.
    other.at_replica(&two.server).respond(&request, accept_response()).await;
    assert_eq!(stored_responses(&redis).await, [""; 0]);
    // A response above the size limit is ignored, too.
    let large = json!({ "action": "accept", "content": { "word": "x".repeat(9000) } });
    let large = json!({ "jsonrpc": "2.0", "id": id, "result": large });
    for fixture in [one, two] {
        let refused = client.at_replica(&fixture.server).post(&large).await;
        assert_eq!(refused.status(), 413);
        let refused: Value = refused.json().await.unwrap();
        assert_eq!(refused["id"], id, "{refused}");
        let message = refused["error"]["message"].as_str().unwrap();
        assert!(message.contains("limit of 8192 bytes"), "{message}");
    }
    assert_eq!(stored_responses(&redis).await, [""; 0]);
    // A requested response is accepted once, even if it is sent repeatedly.
    for _ in 0..3 {
        client.at_replica(&two.server).respond(&request, json!({ "action": "decline" })).await;
    }
    assert_eq!(stored_responses(&redis).await.len(), 1);
    let result = messages.next().await.unwrap();
    assert_eq!(result["result"]["structuredContent"]["reason"], "declined", "{result}");
    assert_eq!(one.sent_changes(), []);
}

/// An attacker with write access to the store can neither forge an accepted response nor suppress a
/// decline.
#[tokio::test]
async fn forged_responses_in_the_store_are_ignored() {
    let redis = Redis::start().await;
    let fixtures = replicas(&redis, 2, |_| {}).await;
    let [one, two] = fixtures.as_slice() else { panic!() };
    let (client, other) = (connect(one).await, connect(one).await);
    // An authentic acceptance of another request.
    let (mut messages, request) = request_approval(&other, 0).await;
    other.at_replica(&two.server).respond(&request, accept_response()).await;
    messages.next().await.unwrap();
    let sent = one.sent_changes().len();
    let of_another = redis.value(&stored_responses(&redis).await[0]).await;

    let (mut messages, request) = request_approval(&client, 1).await;
    let id = request["id"].as_str().unwrap();
    let key = *Fingerprint::of([client.session.as_bytes(), id.as_bytes()]).as_bytes();
    let mut name = "octopus-mcp:kept:answer:".to_owned();
    for byte in key {
        write!(name, "{byte:02x}").unwrap();
    }
    let plain = json!({ "jsonrpc": "2.0", "id": id, "result": accept_response() }).to_string();
    let key_of_another = Some(Secret::from("another-key-than-that-of-the-replicas".to_owned()));
    let tools = ToolSettings { seal_key: key_of_another, ..ToolSettings::default() };
    let purpose = [b"answer".as_slice(), &key].concat();
    let minute = std::time::Duration::from_mins(1);
    let token = Seal::from_config(&tools).unwrap().seal(plain.as_bytes(), &purpose, minute);
    for forged in [plain.into_bytes(), token.into_bytes(), of_another, Vec::new()] {
        redis.write(&name, &forged).await;
        // The waiting replica has polled the store several times. Sessions in use read a value
        // occasionally.
        let read = redis.command_count("get").await;
        wait_until_some(async || (redis.command_count("get").await >= read + 5).then_some(()))
            .await;
    }
    assert_eq!(one.sent_changes().len(), sent);
    client.at_replica(&two.server).respond(&request, json!({ "action": "decline" })).await;
    assert_eq!(stored_responses(&redis).await.iter().filter(|answer| **answer == name).count(), 1);
    let result = messages.next().await.unwrap();
    assert_eq!(result["result"]["structuredContent"]["reason"], "declined", "{result}");
    assert_eq!(one.sent_changes().len(), sent);
}
