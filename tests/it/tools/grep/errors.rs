//! Errors: invalid arguments and refused upstream requests.

use octopus_sample::{Fault, keys};
use serde_json::json;

use super::{CheckedServer, arguments};

#[tokio::test]
async fn rejects_invalid_arguments_without_upstream_requests() {
    let server = CheckedServer::start().await;
    for (more, expected) in [
        (json!({ "pattern": "" }), &["pattern: ", "empty"][..]),
        (json!({ "pattern": "(a" }), &["pattern: unclosed group", "fixedString"]),
        (
            json!({ "pattern": "(?<=a)b" }),
            &["pattern: ", "look-around and back-references are not supported"],
        ),
        (json!({ "pattern": r"(a)\1" }), &["pattern: ", "back-references are not supported"]),
        (json!({ "pattern": "a\nb" }), &["pattern: ", "line break"]),
        (json!({ "pattern": "x".repeat(2_000) }), &["pattern: ", "2000 characters"]),
        (
            json!({ "pattern": "x", "maxCount": 0 }),
            &["maxCount: 0 is out of range; expected 1 to 500"],
        ),
        (
            json!({ "pattern": "x", "maxCount": 501 }),
            &["maxCount: 501 is out of range; expected 1 to 500"],
        ),
        (
            json!({ "pattern": "x", "beforeContext": 51 }),
            &["beforeContext: 51 is out of range; expected 0 to 50"],
        ),
        (
            json!({ "pattern": "x", "afterContext": 51 }),
            &["afterContext: 51 is out of range; expected 0 to 50"],
        ),
        (json!({ "pattern": "x", "offset": -1 }), &["offset: "]),
        (json!({ "pattern": "x", "taskId": "Deployments-1" }), &["is not a task ID"]),
        (json!({}), &["pattern: this argument is required"]),
    ] {
        server.assert_error_contains("grep_task_log", arguments(&more), expected).await;
        if more.get("taskId").is_none() && more != json!({}) {
            let message = server.call_error("grep_llms_txt", more).await;
            assert!(expected.iter().all(|word| message.contains(word)), "{message}");
        }
    }
    let requests = server.take_requests();
    assert!(requests.iter().all(|path| path == "/api?"), "{requests:?}");
}

#[tokio::test]
async fn reports_octopus_errors() {
    let server = CheckedServer::start().await;
    let missing = arguments(&json!({ "pattern": "x", "taskId": "ServerTasks-1" }));
    server
        .assert_error_contains(
            "grep_task_log",
            missing,
            &["task 'ServerTasks-1' not found in space 'Default'"],
        )
        .await;
    let call = server.server.call_as(
        keys::WITHOUT_TASK_VIEW,
        "grep_task_log",
        arguments(&json!({ "pattern": "x" })),
    );
    assert!(call.await.is_error);
    server.server.sample.faults().add(Fault::on("/raw").cut_off());
    server
        .assert_error_contains(
            "grep_task_log",
            arguments(&json!({ "pattern": "x" })),
            &["cannot be reached"],
        )
        .await;
}
