//! Memory and compute time of calls: changes, whose responses are stored, and parsed documents.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    body::Body,
    extract::Request,
    middleware::{Next, from_fn},
    response::IntoResponse,
};
use futures::future::join_all;
use http::Method;
use octopus_mcp::config::{ApprovalMode, Config, DurationSetting};
use octopus_sample::{Sample, keys};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::support::{TestServer, wait_until_some};

/// Starts a server whose changes to environments get this response, each when `resume` has a
/// permit for it. Also returns the number of changes that have arrived.
async fn changing_server(
    answer: String,
    resume: &Arc<Semaphore>,
    change: impl FnOnce(&mut Config),
) -> (TestServer, Arc<AtomicUsize>) {
    let (sample, arrived) = (Sample::new(), Arc::new(AtomicUsize::new(0)));
    let (gate, count) = (Arc::clone(resume), Arc::clone(&arrived));
    let answered = move |request: Request, next: Next| {
        let (gate, count, answer) = (Arc::clone(&gate), Arc::clone(&count), answer.clone());
        async move {
            if request.method() != Method::POST || !request.uri().path().contains("environments") {
                return next.run(request).await;
            }
            count.fetch_add(1, Ordering::SeqCst);
            gate.acquire().await.unwrap().forget();
            ([("content-type", "application/json")], Body::from(answer)).into_response()
        }
    };
    let router = sample.router().layer(from_fn(answered));
    let server = TestServer::with_router(sample, router, |config| {
        config.octopus.concurrent_requests = 128;
        config.limits.caller_rate = 0;
        config.tools.read_only = false;
        config.tools.confirm = ApprovalMode::Never;
        change(config);
    });
    (server.await, arrived)
}

fn change_arguments(number: usize) -> Value {
    json!({ "method": "POST", "path": "/api/Spaces-1/environments", "maxBytes": 1024,
        "body": { "Name": format!("Sandbox {number}") } })
}

/// Makes a change. A second equal call would return the stored result.
async fn make_change(server: &TestServer, number: usize) -> Value {
    let called = server.call_as(keys::ADMIN, "execute", change_arguments(number)).await;
    assert!(!called.is_error, "{}", called.text);
    called.structured
}

/// Returns the response to a change, with this many numbers.
fn change_response(numbers: usize) -> String {
    json!({ "Id": "Environments-9", "Numbers": vec![1; numbers] }).to_string()
}

#[tokio::test]
async fn change_response_memory_is_released_after_the_call() {
    let resume = Arc::new(Semaphore::new(2));
    let (server, _) = changing_server(change_response(200_000), &resume, |_| {}).await;
    let memory = server.running.as_ref().unwrap().memory.clone();
    let first = make_change(&server, 1).await;
    assert_eq!(first["response"]["Id"], "Environments-9");
    assert!(memory.bodies().peak() > 400_000, "{}", memory.bodies().peak());
    wait_until_some(async || (memory.reserved() == 0).then_some(())).await;
    // The stored result is still available.
    let again = make_change(&server, 1).await;
    assert_eq!(
        (&again["repeated"], &again["response"]["Id"]),
        (&json!(true), &json!("Environments-9"))
    );
}

#[tokio::test]
async fn change_is_reported_after_compute_timeout() {
    let resume = Arc::new(Semaphore::new(1));
    let (server, _) = changing_server(change_response(2_000_000), &resume, |config| {
        config.limits.compute_time = DurationSetting(Duration::from_millis(5));
    })
    .await;
    let answer = make_change(&server, 1).await;
    assert_eq!(answer["response"]["Id"], "Environments-9", "{answer}");
}

#[tokio::test]
async fn forty_changes_of_one_caller_run_concurrently() {
    let resume = Arc::new(Semaphore::new(0));
    let (server, arrived) = changing_server(change_response(1), &resume, |_| {}).await;
    // After this call Octopus has accepted the key.
    server.call_ok("list_spaces", json!({})).await;
    let changes = join_all((0..40).map(|number| make_change(&server, number)));
    let release_all = async {
        wait_until_some(async || (arrived.load(Ordering::SeqCst) == 40).then_some(())).await;
        resume.add_permits(40);
    };
    let (changes, ()) = tokio::join!(changes, release_all);
    assert!(changes.iter().all(|answer| answer["response"]["Id"] == "Environments-9"));
    let memory = &server.running.as_ref().unwrap().memory;
    wait_until_some(async || (memory.reserved() == 0).then_some(())).await;
}

/// Returns the details of a task with this many messages in one step.
fn task_details(messages: usize) -> String {
    let elements = vec!["{}"; messages].join(",");
    format!(
        r#"{{"Task":{{"Id":"ServerTasks-90004"}},"ActivityLogs":[{{"Name":"Deploy",
            "Status":"Success","LogElements":[{elements}]}}]}}"#
    )
}

/// Starts a server whose tasks have `messages` messages, or `short` messages if only the last 20 of
/// each step are requested.
async fn logging_server(messages: usize, short: usize) -> TestServer {
    let sample = Sample::new();
    let bodies = [task_details(messages), task_details(short)];
    let answer = move |request: Request, next: Next| {
        let [long, short] = bodies.clone();
        async move {
            if !request.uri().path().ends_with("/details") {
                return next.run(request).await;
            }
            let is_short = request.uri().query().is_some_and(|query| query.contains("tail=20&"))
                || request.uri().query().is_some_and(|query| query.ends_with("tail=20"));
            let body = if is_short { short } else { long };
            ([("content-type", "application/json")], Body::from(body)).into_response()
        }
    };
    let router = sample.router().layer(from_fn(answer));
    TestServer::with_router(sample, router, |_| {}).await
}

fn task_arguments() -> Value {
    json!({ "space": "Default", "taskId": "ServerTasks-90004" })
}

#[tokio::test]
async fn oversized_tree_is_read_with_fewer_messages() {
    let server = logging_server(200_000, 20).await;
    let answer = server.call_ok("get_task_details", task_arguments()).await;
    let left_out = answer["leftOut"].as_str().unwrap_or_default();
    assert!(left_out.contains("messages before the last 20 of each step"), "{answer}");
}

#[tokio::test]
async fn rejects_oversized_tree_without_messages() {
    let server = logging_server(200_000, 200_000).await;
    let failure = server.call_error("get_task_details", task_arguments()).await;
    assert!(
        failure.contains("MiB of memory") && failure.contains("narrow the request"),
        "{failure}"
    );
}

#[tokio::test]
async fn concurrent_documents_stay_within_the_memory_budget() {
    // Each document takes about 40 MiB, so two of one caller do not fit at once.
    let server = logging_server(60_000, 20).await;
    let memory = server.running.as_ref().unwrap().memory.clone();
    let calls = (0..6).map(|_| server.call_as(keys::ADMIN, "get_task_details", task_arguments()));
    for called in join_all(calls).await {
        assert!(!called.is_error, "{}", called.text);
    }
    let (peak, share) = (memory.parsed().peak(), memory.parsed().owner_share());
    assert!(peak > share / 2 && peak <= share, "{peak} {share}");
    wait_until_some(async || (memory.reserved() == 0).then_some(())).await;
    assert_eq!(memory.refusals(), 0);
}
