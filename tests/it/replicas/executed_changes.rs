//! A change that one replica executed is not repeated by another.

use std::time::Duration;

use octopus_sample::Fault;
use serde_json::{Value, json};

use super::replica_fixtures;
use crate::{
    approval::{APPROVAL_FLOWS, ApprovalFixture, ApprovalFlow, CallOutcome, write_calls},
    rate_limits::redis::Redis,
    support::{Era, wait_until_some},
};

const CODE_FLOW: ApprovalFlow = ApprovalFlow::ConfirmCode(Era::Modern);

fn with_idempotency_key(arguments: &Value, key: &str) -> Value {
    let mut arguments = arguments.clone();
    arguments["idempotencyKey"] = json!(key);
    arguments
}

#[tokio::test]
async fn approval_is_accepted_once_by_any_replica() {
    let redis = Redis::start().await;
    for flow in APPROVAL_FLOWS {
        for (tool, arguments, sends, _) in write_calls() {
            let fixtures = replica_fixtures(&redis, 3, |_| {}).await;
            let [one, two, three] = fixtures.as_slice() else { panic!() };
            let (_, token) = one.call(flow, tool, &arguments).await.expect_approval_request();
            let answer = two.approve(flow, tool, &arguments, &token).await.expect_result();
            assert_eq!(answer["success"], true, "{tool}: {answer}");
            assert_eq!(answer.get("repeated"), None, "{tool}");
            let again = two.approve(flow, tool, &arguments, &token).await.expect_result();
            assert_eq!(again["repeated"], true, "{tool}: {again}");
            for other in [one, three] {
                let outcome = other.approve(flow, tool, &arguments, &token).await;
                outcome.expect_error(
                    "another replica of this server is executing this change or did so",
                );
            }
            let sent = one.sent_changes();
            let [sent] = sent.as_slice() else { panic!("{tool}: {sent:#?}") };
            assert_eq!(format!("{} {}", sent.method, sent.path), sends);
        }
    }
    for name in redis.key_names().await {
        let kinds = ["rate:", "kept:deed:", "kept:starter:"];
        let is_known = kinds.map(|kind| format!("octopus-mcp:{kind}"));
        assert!(is_known.iter().any(|known| name.starts_with(known.as_str())), "{name}");
    }
}

#[tokio::test]
async fn idempotency_key_names_one_change_at_all_replicas() {
    let redis = Redis::start().await;
    let fixtures = replica_fixtures(&redis, 2, |_| {}).await;
    let [one, two] = fixtures.as_slice() else { panic!() };
    let (tool, arguments, ..) = write_calls().remove(1);
    let keyed = with_idempotency_key(&arguments, "change-17");
    let (_, token) = one.call(CODE_FLOW, tool, &keyed).await.expect_approval_request();
    one.approve(CODE_FLOW, tool, &keyed, &token).await.expect_result();
    two.call(CODE_FLOW, tool, &keyed).await.expect_error("another replica");
    two.approve(CODE_FLOW, tool, &keyed, &token).await.expect_error("another replica");
    let mut other = keyed.clone();
    other["environmentNames"] = json!(["Production"]);
    two.call(CODE_FLOW, tool, &other).await.expect_error("pass a new one");
    let new = with_idempotency_key(&arguments, "change-18");
    two.call(CODE_FLOW, tool, &new).await.expect_approval_request();
    assert_eq!(one.sent_changes().len(), 1);
}

#[tokio::test]
async fn treats_unreadable_lease_as_foreign() {
    let redis = Redis::start().await;
    let fixtures = replica_fixtures(&redis, 2, |_| {}).await;
    let [one, two] = fixtures.as_slice() else { panic!() };
    let (tool, arguments, ..) = write_calls().remove(1);
    let keyed = with_idempotency_key(&arguments, "change-17");
    let (_, token) = two.call(CODE_FLOW, tool, &keyed).await.expect_approval_request();
    let (_, other) = one.call(CODE_FLOW, tool, &keyed).await.expect_approval_request();
    one.approve(CODE_FLOW, tool, &keyed, &other).await.expect_result();
    let names = redis.key_names().await;
    let claims: Vec<_> = names.iter().filter(|name| name.contains(":deed:")).collect();
    for value in [b"".as_slice(), b"x", &[0; 20]] {
        for claim in &claims {
            redis.write(claim, value).await;
        }
        two.call(CODE_FLOW, tool, &keyed).await.expect_error("another replica");
        two.approve(CODE_FLOW, tool, &keyed, &token).await.expect_error("another replica");
    }
    assert_eq!(one.sent_changes().len(), 1);
}

/// Until the first change completes, the drift check passes at every replica, and a cancelled task
/// does not show who cancelled it. Only the shared store prevents repeats.
#[tokio::test]
async fn concurrent_approvals_execute_one_change() {
    let redis = Redis::start().await;
    for (tool, arguments, ..) in write_calls() {
        let fixtures = replica_fixtures(&redis, 3, |_| {}).await;
        let (_, token) =
            fixtures[0].call(CODE_FLOW, tool, &arguments).await.expect_approval_request();
        let approve = |fixture: &'_ ApprovalFixture| {
            let (key, url) = (fixture.key, fixture.server.url.clone());
            let (http, arguments) = (fixture.server.http.clone(), arguments.clone());
            let token = token.clone();
            async move {
                let mut arguments = arguments;
                arguments["confirm"] = json!(token);
                let params = json!({ "name": tool, "arguments": arguments });
                let body =
                    json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
                let call = http.post(url).header("x-octopus-apikey", key).json(&body);
                let call = call.header("accept", "application/json, text/event-stream");
                crate::approval::parse_outcome(&crate::support::send(call).await)
            }
        };
        let outcomes = futures::future::join_all(fixtures.iter().map(approve)).await;
        // A later approval may find that the state is already reached.
        let executed = outcomes.iter().filter(
            |outcome| matches!(outcome, CallOutcome::Completed(answer) if answer.get("noOp").is_none()),
        );
        let executed = executed.count();
        assert_eq!(executed, 1, "{tool}: {outcomes:?}");
        assert_eq!(fixtures[0].sent_changes().len(), 1, "{tool}");
    }
}

#[tokio::test]
async fn rejected_change_can_be_retried_at_another_replica() {
    let redis = Redis::start().await;
    let fixtures = replica_fixtures(&redis, 2, |_| {}).await;
    let [one, two] = fixtures.as_slice() else { panic!() };
    let (tool, arguments, ..) = write_calls().remove(1);
    let (_, token) = one.call(CODE_FLOW, tool, &arguments).await.expect_approval_request();
    let fault = Fault::on("/deployments/create/untenanted/v1").method("POST").status(400);
    one.server.sample.faults().add(fault.times(1));
    one.approve(CODE_FLOW, tool, &arguments, &token)
        .await
        .expect_error("Octopus rejected the request");
    let answer = two.approve(CODE_FLOW, tool, &arguments, &token).await.expect_result();
    assert_eq!(answer["success"], true, "{answer}");
}

/// During the outage the other replicas cannot determine whether the change was executed. Only the
/// replica that issued the approval accepts it; the others read the change after the outage.
#[tokio::test]
async fn during_outage_only_the_issuing_replica_accepts_approval() {
    let mut redis = Redis::start().await;
    let fixtures = replica_fixtures(&redis, 2, |_| {}).await;
    let [one, two] = fixtures.as_slice() else { panic!() };
    let (tool, arguments, ..) = write_calls().remove(1);
    let keyed = with_idempotency_key(&arguments, "change-17");
    let (_, token) = one.call(CODE_FLOW, tool, &arguments).await.expect_approval_request();
    let (_, of_key) = one.call(CODE_FLOW, tool, &keyed).await.expect_approval_request();
    redis.kill();
    two.approve(CODE_FLOW, tool, &arguments, &token)
        .await
        .expect_error("the store that replicas share is unavailable");
    one.approve(CODE_FLOW, tool, &keyed, &of_key).await.expect_error("without idempotencyKey");
    assert_eq!(one.sent_changes(), []);
    let answer = one.approve(CODE_FLOW, tool, &arguments, &token).await.expect_result();
    assert_eq!(answer["success"], true, "{answer}");
    redis.restart().await;
    let known = async || {
        let names = redis.key_names().await;
        names.iter().any(|name| name.contains(":deed:")).then_some(())
    };
    wait_until_some(known).await;
    wait_until_some(async || {
        let store = &two.server.running.as_ref().unwrap().store;
        (!store.is_unavailable()).then_some(())
    })
    .await;
    two.approve(CODE_FLOW, tool, &arguments, &token).await.expect_error("another replica");
    assert_eq!(one.sent_changes().len(), 1);
}

/// The connection closes while a replica replaces the lease of an equal, completed change, or right
/// after. The replica sends nothing, so the lease of the other change must be restored.
#[tokio::test]
async fn restores_a_lease_after_a_failed_replacement() {
    // Lengths of Redis arguments: a completed lease is replaced, and a new one is acquired by its
    // ID.
    for (text, times) in [("$80\r\n", 1), ("$16\r\n", 2)] {
        let redis = Redis::start().await;
        let fixtures = replica_fixtures(&redis, 3, |_| {}).await;
        let [one, two, three] = fixtures.as_slice() else { panic!() };
        // `execute` does not include state in its preview, so the same call remains the same
        // change.
        let body = json!({ "SpaceId": "Spaces-1", "SpaceIdOrName": "Spaces-1",
            "ProjectName": "Projects-1", "ReleaseVersion": "1.12.0",
            "EnvironmentNames": ["Environments-1"] });
        let path = "/api/Spaces-1/deployments/create/untenanted/v1";
        let (tool, arguments) =
            ("execute", json!({ "method": "POST", "path": path, "body": body }));
        let (_, first) = one.call(CODE_FLOW, tool, &arguments).await.expect_approval_request();
        let (_, before) = one.call(CODE_FLOW, tool, &arguments).await.expect_approval_request();
        one.approve(CODE_FLOW, tool, &arguments, &first).await.expect_result();
        let (_, after) = one.call(CODE_FLOW, tool, &arguments).await.expect_approval_request();
        redis.cut_and_stall_at(text, times);
        two.approve(CODE_FLOW, tool, &arguments, &after)
            .await
            .expect_error("the store that replicas share is unavailable");
        // The write is applied after all writes that are queued before it.
        let store = &two.server.running.as_ref().unwrap().store;
        store.put("last", &[0; 32], b"", Duration::from_hours(1)).await;
        redis.set_stalled(false);
        let is_written = async || {
            let names = redis.key_names().await;
            names.iter().any(|name| name.contains(":last:")).then_some(())
        };
        wait_until_some(is_written).await;
        let outcome = three.approve(CODE_FLOW, tool, &arguments, &before).await;
        outcome.expect_error("another replica of this server is executing this change or did so");
        three.approve(CODE_FLOW, tool, &arguments, &after).await.expect_result();
        assert_eq!(one.sent_changes().len(), 2);
    }
}
