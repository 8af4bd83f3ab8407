//! What one replica did, no other does again.

use std::time::Duration;

use octopus_sample::Fault;
use serde_json::{Value, json};

use super::desks;
use crate::{
    consent::{Came, Desk, WAYS, Way, changes},
    rate::redis::Redis,
    support::{Era, soon},
};

const CODE: Way = Way::Code(Era::Modern);

fn with_key(arguments: &Value, key: &str) -> Value {
    let mut arguments = arguments.clone();
    arguments["idempotencyKey"] = json!(key);
    arguments
}

#[tokio::test]
async fn a_yes_to_one_replica_is_taken_by_another_once_and_by_none_again() {
    let redis = Redis::start().await;
    for way in WAYS {
        for (tool, arguments, sends, _) in changes() {
            let desks = desks(&redis, 3, |_| {}).await;
            let [one, two, three] = desks.as_slice() else { panic!() };
            let (_, sealed) = one.call(way, tool, &arguments).await.asked();
            let answer = two.agree(way, tool, &arguments, &sealed).await.answered();
            assert_eq!(answer["success"], true, "{tool}: {answer}");
            assert_eq!(answer.get("repeated"), None, "{tool}");
            let again = two.agree(way, tool, &arguments, &sealed).await.answered();
            assert_eq!(again["repeated"], true, "{tool}: {again}");
            for other in [one, three] {
                let came = other.agree(way, tool, &arguments, &sealed).await;
                came.refused("another replica of this server is making this change, or made it");
            }
            let sent = one.changes();
            let [sent] = sent.as_slice() else { panic!("{tool}: {sent:#?}") };
            assert_eq!(format!("{} {}", sent.method, sent.path), sends);
        }
    }
    for name in redis.names().await {
        let kinds = ["rate:", "kept:deed:", "kept:starter:"];
        let is_known = kinds.map(|kind| format!("octopus-mcp:{kind}"));
        assert!(is_known.iter().any(|known| name.starts_with(known.as_str())), "{name}");
    }
}

#[tokio::test]
async fn a_key_of_the_caller_names_one_deed_at_every_replica() {
    let redis = Redis::start().await;
    let desks = desks(&redis, 2, |_| {}).await;
    let [one, two] = desks.as_slice() else { panic!() };
    let (tool, arguments, ..) = changes().remove(1);
    let keyed = with_key(&arguments, "change-17");
    let (_, sealed) = one.call(CODE, tool, &keyed).await.asked();
    one.agree(CODE, tool, &keyed, &sealed).await.answered();
    two.call(CODE, tool, &keyed).await.refused("another replica");
    two.agree(CODE, tool, &keyed, &sealed).await.refused("another replica");
    let mut other = keyed.clone();
    other["environmentNames"] = json!(["Production"]);
    two.call(CODE, tool, &other).await.refused("give a new one");
    let new = with_key(&arguments, "change-18");
    two.call(CODE, tool, &new).await.asked();
    assert_eq!(one.changes().len(), 1);
}

#[tokio::test]
async fn a_claim_that_cannot_be_read_is_somebody_elses() {
    let redis = Redis::start().await;
    let desks = desks(&redis, 2, |_| {}).await;
    let [one, two] = desks.as_slice() else { panic!() };
    let (tool, arguments, ..) = changes().remove(1);
    let keyed = with_key(&arguments, "change-17");
    let (_, sealed) = two.call(CODE, tool, &keyed).await.asked();
    let (_, other) = one.call(CODE, tool, &keyed).await.asked();
    one.agree(CODE, tool, &keyed, &other).await.answered();
    let names = redis.names().await;
    let claims: Vec<_> = names.iter().filter(|name| name.contains(":deed:")).collect();
    for value in [b"".as_slice(), b"x", &[0; 20]] {
        for claim in &claims {
            redis.write(claim, value).await;
        }
        two.call(CODE, tool, &keyed).await.refused("another replica");
        two.agree(CODE, tool, &keyed, &sealed).await.refused("another replica");
    }
    assert_eq!(one.changes().len(), 1);
}

/// While the first is still under way nothing has drifted, and a cancelled task says nothing of
/// itself.
#[tokio::test]
async fn one_yes_at_all_replicas_at_one_moment_is_one_deed() {
    let redis = Redis::start().await;
    for (tool, arguments, ..) in changes() {
        let desks = desks(&redis, 3, |_| {}).await;
        let (_, sealed) = desks[0].call(CODE, tool, &arguments).await.asked();
        let agree = |desk: &'_ Desk| {
            let (key, url) = (desk.key, desk.server.url.clone());
            let (http, arguments) = (desk.server.http.clone(), arguments.clone());
            let sealed = sealed.clone();
            async move {
                let mut arguments = arguments;
                arguments["confirm"] = json!(sealed);
                let params = json!({ "name": tool, "arguments": arguments });
                let body =
                    json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
                let call = http.post(url).header("x-octopus-apikey", key).json(&body);
                let call = call.header("accept", "application/json, text/event-stream");
                crate::consent::read(&crate::support::reply(call).await)
            }
        };
        let came = futures::future::join_all(desks.iter().map(agree)).await;
        // Whoever comes when it is done may find that it is so already.
        let did = came
            .iter()
            .filter(|came| matches!(came, Came::Answered(answer) if answer.get("noOp").is_none()));
        let did = did.count();
        assert_eq!(did, 1, "{tool}: {came:?}");
        assert_eq!(desks[0].changes().len(), 1, "{tool}");
    }
}

#[tokio::test]
async fn what_octopus_refused_at_one_replica_can_be_tried_at_another() {
    let redis = Redis::start().await;
    let desks = desks(&redis, 2, |_| {}).await;
    let [one, two] = desks.as_slice() else { panic!() };
    let (tool, arguments, ..) = changes().remove(1);
    let (_, sealed) = one.call(CODE, tool, &arguments).await.asked();
    let fault = Fault::on("/deployments/create/untenanted/v1").method("POST").status(400);
    one.server.sample.faults().add(fault.times(1));
    one.agree(CODE, tool, &arguments, &sealed).await.refused("Octopus refuses this");
    let answer = two.agree(CODE, tool, &arguments, &sealed).await.answered();
    assert_eq!(answer["success"], true, "{answer}");
}

/// Another replica cannot be asked then whether it did it, so only whoever asked takes the yes; the
/// others learn of it when the store is back.
#[tokio::test]
async fn while_the_store_is_away_a_yes_counts_where_it_was_asked_for_alone() {
    let mut redis = Redis::start().await;
    let desks = desks(&redis, 2, |_| {}).await;
    let [one, two] = desks.as_slice() else { panic!() };
    let (tool, arguments, ..) = changes().remove(1);
    let keyed = with_key(&arguments, "change-17");
    let (_, sealed) = one.call(CODE, tool, &arguments).await.asked();
    let (_, of_key) = one.call(CODE, tool, &keyed).await.asked();
    redis.die();
    two.agree(CODE, tool, &arguments, &sealed).await.refused("cannot be known now");
    one.agree(CODE, tool, &keyed, &of_key).await.refused("without idempotencyKey");
    assert_eq!(one.changes(), []);
    let answer = one.agree(CODE, tool, &arguments, &sealed).await.answered();
    assert_eq!(answer["success"], true, "{answer}");
    redis.come_back().await;
    let known = async || {
        let names = redis.names().await;
        names.iter().any(|name| name.contains(":deed:")).then_some(())
    };
    soon(known).await;
    soon(async || {
        let store = &two.server.running.as_ref().unwrap().store;
        (!store.is_away()).then_some(())
    })
    .await;
    two.agree(CODE, tool, &arguments, &sealed).await.refused("another replica");
    assert_eq!(one.changes().len(), 1);
}

/// The connection ends while a replica replaces the claim of an equal change that has ended, or right
/// after. The replica sends nothing, so the claim of the other change has to count again.
#[tokio::test]
async fn claim_that_was_replaced_in_vain_is_written_back() {
    // The lengths of the arguments: what has ended is replaced, and a replica claims by its ID.
    for (words, times) in [("$80\r\n", 1), ("$16\r\n", 2)] {
        let redis = Redis::start().await;
        let desks = desks(&redis, 3, |_| {}).await;
        let [one, two, three] = desks.as_slice() else { panic!() };
        // `execute` shows no state of it, so that the same call stays the same change.
        let body = json!({ "SpaceId": "Spaces-1", "SpaceIdOrName": "Spaces-1",
            "ProjectName": "Projects-1", "ReleaseVersion": "1.12.0",
            "EnvironmentNames": ["Environments-1"] });
        let path = "/api/Spaces-1/deployments/create/untenanted/v1";
        let (tool, arguments) =
            ("execute", json!({ "method": "POST", "path": path, "body": body }));
        let (_, first) = one.call(CODE, tool, &arguments).await.asked();
        let (_, before) = one.call(CODE, tool, &arguments).await.asked();
        one.agree(CODE, tool, &arguments, &first).await.answered();
        let (_, after) = one.call(CODE, tool, &arguments).await.asked();
        redis.cut_at(words, times);
        two.agree(CODE, tool, &arguments, &after).await.refused("cannot be known now");
        // Written when everything that waits before it is.
        let store = &two.server.running.as_ref().unwrap().store;
        store.put("last", &[0; 32], b"", Duration::from_hours(1)).await;
        redis.hold_up(false);
        let is_written = async || {
            let names = redis.names().await;
            names.iter().any(|name| name.contains(":last:")).then_some(())
        };
        soon(is_written).await;
        let came = three.agree(CODE, tool, &arguments, &before).await;
        came.refused("another replica of this server is making this change, or made it");
        three.agree(CODE, tool, &arguments, &after).await.answered();
        assert_eq!(one.changes().len(), 2);
    }
}
