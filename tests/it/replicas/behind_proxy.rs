//! Three replicas behind a proxy with round-robin load balancing.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::fleet::{ClientKind, Fleet};

fn log() -> Value {
    json!({ "space": "Default", "taskId": "ServerTasks-90032" })
}

fn deploy_arguments(environment: &str) -> Value {
    json!({ "space": "Default", "projectName": "Parcel Tracking API", "releaseVersion": "1.12.0",
        "environmentNames": [environment] })
}

#[tokio::test]
async fn stateless_requests_need_no_affinity() {
    let mut fleet = Fleet::start("off", (0, 0)).await;
    for kind in [ClientKind::Modern, ClientKind::Stateless] {
        let mut calls_by_replica = BTreeMap::<String, usize>::new();
        for _ in 0..6 {
            let (mut response, replica) = fleet.call(kind, "list_spaces", &json!({})).await;
            let (answer, _) = response.next().await;
            assert_eq!(answer["result"]["structuredContent"]["totalResults"], 2, "{answer}");
            *calls_by_replica.entry(replica).or_default() += 1;
        }
        assert_eq!(calls_by_replica.into_values().collect::<Vec<_>>(), [2, 2, 2], "{kind:?}");
        // The code of one replica is accepted once, by another replica.
        let environment = if kind == ClientKind::Modern { "Development" } else { "Staging" };
        let mut arguments = deploy_arguments(environment);
        let (mut response, first) = fleet.call(kind, "deploy_release", &arguments).await;
        let (preview, _) = response.next().await;
        let code = &preview["result"]["structuredContent"]["confirm"];
        assert!(code.is_string(), "{preview}");
        arguments["confirm"] = code.clone();
        let before = fleet.sample.changes().len();
        let (mut response, second) = fleet.call(kind, "deploy_release", &arguments).await;
        let (result, _) = response.next().await;
        assert_eq!(result["result"]["structuredContent"]["success"], true, "{result}");
        let (mut response, third) = fleet.call(kind, "deploy_release", &arguments).await;
        let (rejected, _) = response.next().await;
        assert!(rejected.to_string().contains("another replica"), "{rejected}");
        assert!(first != second && second != third && third != first);
        assert_eq!(fleet.sample.changes().len(), before + 1);
        // Progress messages pass through the proxy.
        let (mut response, _) = fleet.call(kind, "get_task_raw", &log()).await;
        let (answer, progress) = response.next().await;
        assert!(answer["result"].is_object() && progress > 0, "{progress}: {answer}");
    }
    let killed = fleet.replicas.keys().next().unwrap().clone();
    fleet.kill(&killed).await;
    for kind in
        [ClientKind::Modern, ClientKind::Stateless, ClientKind::Modern, ClientKind::Stateless]
    {
        let (mut response, replica) = fleet.call(kind, "list_spaces", &json!({})).await;
        assert_eq!(response.next().await.0["result"]["structuredContent"]["totalResults"], 2);
        assert_ne!(replica, killed);
    }
}

#[tokio::test]
async fn replicas_behind_a_proxy_share_limits() {
    let fleet = Fleet::start("off", (1, 7)).await;
    let mut served = 0;
    for _ in 0..12 {
        let (mut response, _) = fleet.call(ClientKind::Modern, "list_spaces", &json!({})).await;
        served += usize::from(response.next().await.0["result"].is_object());
    }
    assert_eq!(served, 7);
}

#[tokio::test]
async fn session_survives_the_loss_of_a_replica() {
    let mut fleet = Fleet::start("store", (0, 0)).await;
    let session = fleet.session().await;
    let kind = ClientKind::Session(&session);
    let mut calls_by_replica = BTreeMap::<String, usize>::new();
    for _ in 0..6 {
        let (mut response, replica) = fleet.call(kind, "get_task_raw", &log()).await;
        let (answer, progress) = response.next().await;
        assert!(answer["result"].is_object() && progress > 0, "{progress}: {answer}");
        *calls_by_replica.entry(replica).or_default() += 1;
    }
    assert_eq!(calls_by_replica.into_values().collect::<Vec<_>>(), [2, 2, 2]);
    // The response goes to the replica after the requesting one.
    let (mut response, requester) =
        fleet.call(kind, "deploy_release", &deploy_arguments("Development")).await;
    let (elicitation, _) = response.next().await;
    assert_eq!(elicitation["method"], "elicitation/create", "{elicitation}");
    let accept = |elicitation: &Value| {
        json!({ "jsonrpc": "2.0", "id": elicitation["id"],
            "result": { "action": "accept", "content": {} } })
    };
    assert_eq!(fleet.notify(&session, &accept(&elicitation)).await, 202);
    let (result, _) = response.next().await;
    assert_eq!(result["result"]["structuredContent"]["success"], true, "{result}");
    assert_eq!(fleet.sample.changes().len(), 1);
    // The requesting replica is killed. Another replica sends the next request of the session,
    // during a call.
    fleet.kill(&requester).await;
    for _ in 0..4 {
        let (mut response, replica) = fleet.call(kind, "list_spaces", &json!({})).await;
        assert_eq!(response.next().await.0["result"]["structuredContent"]["totalResults"], 2);
        assert_ne!(replica, requester);
    }
    let (mut response, _) = fleet.call(kind, "deploy_release", &deploy_arguments("Staging")).await;
    let (elicitation, _) = response.next().await;
    assert_eq!(fleet.notify(&session, &accept(&elicitation)).await, 202);
    let (result, _) = response.next().await;
    assert_eq!(result["result"]["structuredContent"]["success"], true, "{result}");
    // The replica that waited for the response is gone, so the response is lost and the call is
    // repeated.
    let (mut pending, killed) =
        fleet.call(kind, "deploy_release", &deploy_arguments("Staging")).await;
    let (elicitation, _) = pending.next().await;
    fleet.kill(&killed).await;
    assert_eq!(fleet.notify(&session, &accept(&elicitation)).await, 202);
    let (mut response, last) =
        fleet.call(kind, "deploy_release", &deploy_arguments("Staging")).await;
    let (elicitation, _) = response.next().await;
    assert_eq!(elicitation["method"], "elicitation/create", "{elicitation}");
    assert_eq!(fleet.replicas.keys().collect::<Vec<_>>(), [&last]);
    assert_eq!(fleet.notify(&session, &accept(&elicitation)).await, 202);
    assert!(response.next().await.0["result"].is_object());
    assert_eq!(
        fleet.sample.changes().len(),
        3,
        "the approval sent to the killed replica changed nothing"
    );
}
