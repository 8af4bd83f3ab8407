//! Three replicas behind a proxy that sends each request to another replica than the one before.

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
    for speaks in [ClientKind::Modern, ClientKind::Stateless] {
        let mut seen = BTreeMap::<String, usize>::new();
        for _ in 0..6 {
            let (mut came, replica) = fleet.call(speaks, "list_spaces", &json!({})).await;
            let (answer, _) = came.next().await;
            assert_eq!(answer["result"]["structuredContent"]["totalResults"], 2, "{answer}");
            *seen.entry(replica).or_default() += 1;
        }
        assert_eq!(seen.into_values().collect::<Vec<_>>(), [2, 2, 2], "{speaks:?}");
        // The code of one replica is accepted by another, but not by a third one again.
        let environment = if speaks == ClientKind::Modern { "Development" } else { "Staging" };
        let mut arguments = deploy_arguments(environment);
        let (mut came, first) = fleet.call(speaks, "deploy_release", &arguments).await;
        let (asked, _) = came.next().await;
        let code = &asked["result"]["structuredContent"]["confirm"];
        assert!(code.is_string(), "{asked}");
        arguments["confirm"] = code.clone();
        let before = fleet.sample.changes().len();
        let (mut came, second) = fleet.call(speaks, "deploy_release", &arguments).await;
        let (did, _) = came.next().await;
        assert_eq!(did["result"]["structuredContent"]["success"], true, "{did}");
        let (mut came, third) = fleet.call(speaks, "deploy_release", &arguments).await;
        let (refused, _) = came.next().await;
        assert!(refused.to_string().contains("another replica"), "{refused}");
        assert!(first != second && second != third && third != first);
        assert_eq!(fleet.sample.changes().len(), before + 1);
        // Progress messages pass through the proxy.
        let (mut came, _) = fleet.call(speaks, "get_task_raw", &log()).await;
        let (answer, progress) = came.next().await;
        assert!(answer["result"].is_object() && progress > 0, "{progress}: {answer}");
    }
    let dies = fleet.replicas.keys().next().unwrap().clone();
    fleet.kill(&dies).await;
    for speaks in
        [ClientKind::Modern, ClientKind::Stateless, ClientKind::Modern, ClientKind::Stateless]
    {
        let (mut came, replica) = fleet.call(speaks, "list_spaces", &json!({})).await;
        assert_eq!(came.next().await.0["result"]["structuredContent"]["totalResults"], 2);
        assert_ne!(replica, dies);
    }
}

#[tokio::test]
async fn replicas_behind_a_proxy_share_limits() {
    let fleet = Fleet::start("off", (1, 7)).await;
    let mut served = 0;
    for _ in 0..12 {
        let (mut came, _) = fleet.call(ClientKind::Modern, "list_spaces", &json!({})).await;
        served += usize::from(came.next().await.0["result"].is_object());
    }
    assert_eq!(served, 7);
}

#[tokio::test]
async fn session_survives_the_loss_of_a_replica() {
    let mut fleet = Fleet::start("store", (0, 0)).await;
    let session = fleet.session().await;
    let speaks = ClientKind::Session(&session);
    let mut seen = BTreeMap::<String, usize>::new();
    for _ in 0..6 {
        let (mut came, replica) = fleet.call(speaks, "get_task_raw", &log()).await;
        let (answer, progress) = came.next().await;
        assert!(answer["result"].is_object() && progress > 0, "{progress}: {answer}");
        *seen.entry(replica).or_default() += 1;
    }
    assert_eq!(seen.into_values().collect::<Vec<_>>(), [2, 2, 2]);
    // The response goes to the replica after the requesting one.
    let (mut came, asker) =
        fleet.call(speaks, "deploy_release", &deploy_arguments("Development")).await;
    let (question, _) = came.next().await;
    assert_eq!(question["method"], "elicitation/create", "{question}");
    let yes = |question: &Value| {
        json!({ "jsonrpc": "2.0", "id": question["id"],
            "result": { "action": "accept", "content": {} } })
    };
    assert_eq!(fleet.notify(&session, &yes(&question)).await, 202);
    let (did, _) = came.next().await;
    assert_eq!(did["result"]["structuredContent"]["success"], true, "{did}");
    assert_eq!(fleet.sample.changes().len(), 1);
    // The requesting replica is killed. Another replica sends the next request of the session,
    // during a call.
    fleet.kill(&asker).await;
    for _ in 0..4 {
        let (mut came, replica) = fleet.call(speaks, "list_spaces", &json!({})).await;
        assert_eq!(came.next().await.0["result"]["structuredContent"]["totalResults"], 2);
        assert_ne!(replica, asker);
    }
    let (mut came, _) = fleet.call(speaks, "deploy_release", &deploy_arguments("Staging")).await;
    let (question, _) = came.next().await;
    assert_eq!(fleet.notify(&session, &yes(&question)).await, 202);
    let (did, _) = came.next().await;
    assert_eq!(did["result"]["structuredContent"]["success"], true, "{did}");
    // The replica that waited for the response is gone, so the response is lost and the call is
    // repeated.
    let (mut waits, dies) =
        fleet.call(speaks, "deploy_release", &deploy_arguments("Staging")).await;
    let (question, _) = waits.next().await;
    fleet.kill(&dies).await;
    assert_eq!(fleet.notify(&session, &yes(&question)).await, 202);
    let (mut came, last) = fleet.call(speaks, "deploy_release", &deploy_arguments("Staging")).await;
    let (question, _) = came.next().await;
    assert_eq!(question["method"], "elicitation/create", "{question}");
    assert_eq!(fleet.replicas.keys().collect::<Vec<_>>(), [&last]);
    assert_eq!(fleet.notify(&session, &yes(&question)).await, 202);
    assert!(came.next().await.0["result"].is_object());
    assert_eq!(
        fleet.sample.changes().len(),
        3,
        "the approval sent to the killed replica changed nothing"
    );
}
