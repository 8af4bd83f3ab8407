//! What is told of mistakes, and of what Octopus refuses.

use octopus_sample::{Fault, keys};
use serde_json::json;

use super::{Held, arguments};

#[tokio::test]
async fn mistakes_are_told_before_octopus_is_asked() {
    let server = Held::start().await;
    for (more, words) in [
        (json!({ "pattern": "" }), &["pattern: ", "empty"][..]),
        (json!({ "pattern": "(a" }), &["pattern: unclosed group", "fixedString"]),
        (json!({ "pattern": "(?<=a)b" }), &["pattern: ", "no look-around"]),
        (json!({ "pattern": r"(a)\1" }), &["pattern: ", "no back-references"]),
        (json!({ "pattern": "a\nb" }), &["pattern: ", "line break"]),
        (json!({ "pattern": "x".repeat(2_000) }), &["pattern: ", "2000 characters"]),
        (json!({ "pattern": "x", "maxCount": 0 }), &["maxCount: 0 is not between 1 and 500"]),
        (json!({ "pattern": "x", "maxCount": 501 }), &["maxCount: 501 is not"]),
        (
            json!({ "pattern": "x", "beforeContext": 51 }),
            &["beforeContext: 51 is not between 0 and 50"],
        ),
        (json!({ "pattern": "x", "afterContext": 51 }), &["afterContext: 51 is not"]),
        (json!({ "pattern": "x", "offset": -1 }), &["offset: "]),
        (json!({ "pattern": "x", "taskId": "Deployments-1" }), &["is not a task ID"]),
        (json!({}), &["pattern: this argument is required"]),
    ] {
        server.refuses("grep_task_log", arguments(&more), words).await;
        if more.get("taskId").is_none() && more != json!({}) {
            let said = server.failure("grep_llms_txt", more).await;
            assert!(words.iter().all(|word| said.contains(word)), "{said}");
        }
    }
    let asked = server.requests();
    assert!(asked.iter().all(|path| path == "/api?"), "{asked:?}");
}

#[tokio::test]
async fn what_octopus_refuses_is_told() {
    let server = Held::start().await;
    let missing = arguments(&json!({ "pattern": "x", "taskId": "ServerTasks-1" }));
    server.refuses("grep_task_log", missing, &["no task 'ServerTasks-1' in space 'Default'"]).await;
    let said = server.server.call_as(
        keys::WITHOUT_TASK_VIEW,
        "grep_task_log",
        arguments(&json!({ "pattern": "x" })),
    );
    assert!(said.await.is_error);
    server.server.sample.faults().add(Fault::on("/raw").cut_off());
    server
        .refuses("grep_task_log", arguments(&json!({ "pattern": "x" })), &["cannot be reached"])
        .await;
}
