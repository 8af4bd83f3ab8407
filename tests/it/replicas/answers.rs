//! Elicitation responses to a request of another replica: valid and forged ones.

use std::fmt::Write as _;

use octopus_mcp::{
    config::{Secret, Tools},
    octopus::Fingerprint,
    tool::Seal,
};
use serde_json::{Value, json};

use super::sessions::{connect, replicas};
use crate::{
    consent::changes,
    rate::redis::Redis,
    sessions::{Client, Messages},
    support::soon,
};

fn yes() -> Value {
    json!({ "action": "accept", "content": {} })
}

async fn asked(client: &Client<'_>, change: usize) -> (Messages, Value) {
    let (tool, arguments, ..) = changes().remove(change);
    let mut messages = client.call(tool, &arguments).await;
    let question = messages.next().await.unwrap();
    assert_eq!(question["method"], "elicitation/create", "{question}");
    (messages, question)
}

/// Returns the keys of the responses in the store.
async fn answers(redis: &Redis) -> Vec<String> {
    let mut names = redis.names().await;
    names.retain(|name| name.contains(":answer:"));
    names
}

#[tokio::test]
async fn an_answer_to_what_nobody_asked_leaves_nothing_in_the_store() {
    let redis = Redis::start().await;
    let desks = replicas(&redis, 2, |_| {}).await;
    let [one, two] = desks.as_slice() else { panic!() };
    let (client, other) = (connect(one).await, connect(one).await);
    let (mut messages, question) = asked(&client, 1).await;
    let id = question["id"].as_str().unwrap();
    let mut made_up: Vec<Value> =
        (0..10).map(|number| json!(format!("{}-{number}-0", "0".repeat(32)))).collect();
    made_up.extend(["", "x", &id[1..], &id[..id.len() - 1], &format!("{id}x")].map(Value::from));
    made_up.push(json!(7));
    for client in [&client, &client.at(&two.server)] {
        for id in &made_up {
            client.answer(&json!({ "id": id }), yes()).await;
        }
    }
    // A response to a request of another session is ignored, too.
    other.at(&two.server).answer(&question, yes()).await;
    assert_eq!(answers(&redis).await, [""; 0]);
    // A response above the size limit is ignored, too.
    let large = json!({ "action": "accept", "content": { "word": "x".repeat(9000) } });
    let large = json!({ "jsonrpc": "2.0", "id": id, "result": large });
    for desk in [one, two] {
        let refused = client.at(&desk.server).post(&large).await;
        assert_eq!(refused.status(), 413);
        let refused: Value = refused.json().await.unwrap();
        assert_eq!(refused["id"], id, "{refused}");
        let message = refused["error"]["message"].as_str().unwrap();
        assert!(message.contains("limit of 8192 bytes"), "{message}");
    }
    assert_eq!(answers(&redis).await, [""; 0]);
    // A requested response is accepted once, even if it is sent repeatedly.
    for _ in 0..3 {
        client.at(&two.server).answer(&question, json!({ "action": "decline" })).await;
    }
    assert_eq!(answers(&redis).await.len(), 1);
    let result = messages.next().await.unwrap();
    assert_eq!(result["result"]["structuredContent"]["reason"], "declined", "{result}");
    assert_eq!(one.changes(), []);
}

/// An attacker with write access to the store forges an accepted response, and cannot suppress a
/// decline.
#[tokio::test]
async fn what_somebody_else_writes_into_the_store_is_no_answer() {
    let redis = Redis::start().await;
    let desks = replicas(&redis, 2, |_| {}).await;
    let [one, two] = desks.as_slice() else { panic!() };
    let (client, other) = (connect(one).await, connect(one).await);
    // An authentic acceptance of another request.
    let (mut messages, question) = asked(&other, 0).await;
    other.at(&two.server).answer(&question, yes()).await;
    messages.next().await.unwrap();
    let sent = one.changes().len();
    let of_another = redis.value(&answers(&redis).await[0]).await;

    let (mut messages, question) = asked(&client, 1).await;
    let id = question["id"].as_str().unwrap();
    let key = *Fingerprint::of([client.session.as_bytes(), id.as_bytes()]).as_bytes();
    let mut name = "octopus-mcp:kept:answer:".to_owned();
    for byte in key {
        write!(name, "{byte:02x}").unwrap();
    }
    let plain = json!({ "jsonrpc": "2.0", "id": id, "result": yes() }).to_string();
    let key_of_another = Some(Secret::from("another-key-than-that-of-the-replicas".to_owned()));
    let tools = Tools { seal_key: key_of_another, ..Tools::default() };
    let purpose = [b"answer".as_slice(), &key].concat();
    let minute = std::time::Duration::from_mins(1);
    let sealed = Seal::from_config(&tools).unwrap().seal(plain.as_bytes(), &purpose, minute);
    for forged in [plain.into_bytes(), sealed.into_bytes(), of_another, Vec::new()] {
        redis.write(&name, &forged).await;
        // The waiting replica has polled the store several times. Sessions in use read a value now
        // and then.
        let read = redis.calls("get").await;
        soon(async || (redis.calls("get").await >= read + 5).then_some(())).await;
    }
    assert_eq!(one.changes().len(), sent);
    client.at(&two.server).answer(&question, json!({ "action": "decline" })).await;
    assert_eq!(answers(&redis).await.iter().filter(|answer| **answer == name).count(), 1);
    let result = messages.next().await.unwrap();
    assert_eq!(result["result"]["structuredContent"]["reason"], "declined", "{result}");
    assert_eq!(one.changes().len(), sent);
}
