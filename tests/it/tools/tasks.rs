//! `get_task_by_id` and `get_task_details`.

use serde_json::{Value, json};

use super::checked_server::{BUDGET, CheckedServer, assert_snapshot};

async fn details(server: &CheckedServer, id: &str) -> Value {
    let space = if id.ends_with("42") || id.ends_with("44") || id.ends_with("49") {
        "Spaces-22"
    } else {
        "Default"
    };
    server.call_ok("get_task_details", json!({ "space": space, "taskId": id })).await
}

#[tokio::test]
async fn task_shows_state_and_subject() {
    let server = CheckedServer::start().await;
    let arguments = json!({ "space": "Default", "taskId": "servertasks-90004" });
    let task = server.call_ok("get_task_by_id", arguments).await;
    assert_eq!((&task["state"], &task["isCompleted"]), (&json!("Failed"), &json!(true)));
    assert_eq!(task["projectName"], "Parcel Tracking API");
    assert_eq!(task["arguments"], json!({ "deploymentId": "Deployments-9004" }));
    assert_eq!(task["duration"], "56 seconds");
    assert!(task["url"].as_str().unwrap().ends_with("/app#/Spaces-1/tasks/ServerTasks-90004"));
    assert_snapshot("get_task_by_id", &task);
    let arguments = json!({ "space": "Default", "taskId": "ServerTasks-90028" });
    let waits = server.call_ok("get_task_by_id", arguments).await;
    assert_eq!(waits["pendingInterruptionTypes"], json!(["GuidedFailure"]));
    let arguments = json!({ "space": "Default", "taskId": "ServerTasks-90203" });
    let health = server.call_ok("get_task_by_id", arguments).await;
    assert_eq!((&health["name"], health.get("projectId")), (&json!("Health"), None));
}

#[tokio::test]
async fn failing_steps_come_first_with_error_lines() {
    let server = CheckedServer::start().await;
    let found = details(&server, "ServerTasks-90004").await;
    let path = [
        "Deploy Parcel Tracking API release 1.12.0 to Staging",
        "Step 2: Smoke test",
        "Octopus Server",
    ];
    assert_eq!(found["failures"][0]["path"], json!(path));
    let messages = found["failures"][0]["messages"].to_string();
    assert!(messages.contains("Error: curl: (22) The requested URL returned error: 503"));
    let text = found.to_string();
    assert_eq!(text.matches("curl: (22)").count(), 1, "each failure is listed once");
    assert!(text.find("failures") < text.find("activityLogs"));
    assert!(found.get("progress").is_none(), "a finished task has no progress");
    assert_snapshot("get_task_details", &found);
}

#[tokio::test]
async fn failures_show_error_lines_of_the_failing_path() {
    let server = CheckedServer::start().await;
    let found = details(&server, "ServerTasks-90004").await;
    let messages = found["failures"][0]["messages"].as_array().unwrap();
    let messages: Vec<&str> = messages.iter().map(|message| message.as_str().unwrap()).collect();
    assert!(
        messages.iter().all(|line| line.starts_with("Error: ") || line.starts_with("Fatal: ")),
        "retry warnings are no errors: {messages:?}"
    );
    assert_eq!(
        messages[3..],
        [
            "Fatal: The action Smoke test on the Octopus Server failed",
            "Fatal: The step failed: Activity Smoke test on the Octopus Server failed with error \
             'The remote script failed with exit code 1'.",
            "Fatal: The deployment failed because one or more steps failed. Please see the \
             deployment log for details.",
        ],
        "the lines of the step and of the task follow"
    );
    let tree = found["activityLogs"].to_string();
    assert!(tree.contains("Attempt 1 of 3 failed"), "other messages stay in the tree: {tree}");
    assert!(!tree.contains("The step failed"), "{tree}");
}

#[tokio::test]
async fn successful_retries_are_not_failures() {
    let server = CheckedServer::start().await;
    let found = details(&server, "ServerTasks-90019").await;
    assert_eq!((&found["task"]["state"], &found["failures"]), (&json!("Success"), &json!([])));
    let all = json!({ "space": "Default", "taskId": "ServerTasks-90019", "allMessages": true });
    let all = server.call_ok("get_task_details", all).await;
    assert!(all["activityLogs"].to_string().contains("it is retried in 15 seconds"), "{all}");

    let error = |text: &str| json!([{ "Category": "Error", "MessageText": text }]);
    let node = |name: &str, status: &str, children: Value, text: &str| json!({ "Name": name, "Status": status, "Children": children, "LogElements": error(text) });
    let body = json!({
        "Task": { "Id": "ServerTasks-90004", "State": "Failed", "IsCompleted": true },
        "ActivityLogs": [node("Deploy", "Failed", json!([
            node("Step 1: Retry queue", "Success", json!([
                node("web-01", "Failed", json!([]), "nested attempt"),
                node("Retry: web-01", "Success", json!([]), "-"),
            ]), "-"),
            node("Step 2: Web", "Failed", json!([
                node("web-01", "Failed", json!([]), "attempt beside a good one"),
                node("web-02", "Failed", json!([]), "disk full"),
                node("web-01 (attempt 2 of 3)", "Success", json!([]), "-"),
                node("web-03", "Failed", json!([
                    node("Attempt 1", "Failed", json!([]), "first attempt"),
                    node("Retry attempt #2", "Failed", json!([]), "second attempt"),
                ]), "gave up"),
            ]), "step failed"),
            node("Step 3: Notify", "SuccessWithWarning", json!([
                node("Octopus Server", "Failed", json!([]), "ignored failure"),
            ]), "-"),
        ]), "deployment failed")],
    });
    server.mock_response("/details", &body);
    let found = details(&server, "ServerTasks-90004").await;
    let failures = found["failures"].as_array().unwrap();
    let last = |failure: &Value| failure["path"].as_array().unwrap().last().unwrap().clone();
    let names: Vec<Value> = failures.iter().map(last).collect();
    assert_eq!(names, ["web-02", "Attempt 1", "Retry attempt #2"], "{found}");
    assert_eq!(
        failures[0]["messages"],
        json!(["Error: disk full", "Error: step failed", "Error: deployment failed"])
    );
    assert_eq!(
        failures[1]["messages"],
        json!(["Error: first attempt", "Error: gave up"]),
        "lines of parents are listed once"
    );
}

#[tokio::test]
async fn queued_tasks_say_what_they_wait_for() {
    let server = CheckedServer::start().await;
    let queued = details(&server, "ServerTasks-90009").await;
    let reasons = queued["waitsFor"].as_array().unwrap();
    assert_eq!(reasons.len(), 1, "{queued}");
    assert!(reasons[0].as_str().unwrap().starts_with("Waiting for ServerTasks-"), "{queued}");
    let retention = details(&server, "ServerTasks-90204").await;
    assert_eq!(
        retention["waitsFor"],
        json!(["Waiting for another task of this server node to finish"])
    );
    let failed = details(&server, "ServerTasks-90004").await;
    assert!(failed.get("waitsFor").is_none(), "{failed}");
    let wait = |text: &str| json!({ "Category": "Wait", "MessageText": text });
    let info = json!({ "Category": "Info", "MessageText": "goes on" });
    let node = |name: &str, status: &str, lines: Value| json!({ "Name": name, "Status": status, "Children": [], "LogElements": lines });
    let body = json!({
        "Task": { "Id": "ServerTasks-90004", "State": "Queued", "IsCompleted": false },
        "ActivityLogs": [{ "Name": "Deploy", "Status": "Running", "LogElements": [], "Children": [
            node("Step 1", "Success", json!([wait("over")])),
            node("Step 2", "Running", json!([wait("over as well"), info])),
            node("Step 3", "Running", json!([info, wait("for a person")])),
            node("Step 4", "Pending", json!([wait("for a slot"), wait("for a slot")])),
        ] }],
    });
    server.mock_response("/details", &body);
    let found = details(&server, "ServerTasks-90004").await;
    assert_eq!(found["waitsFor"], json!(["for a person", "for a slot"]));
}

#[tokio::test]
async fn failed_tasks_name_their_failures() {
    let server = CheckedServer::start().await;
    for (task, step, expected) in [
        ("ServerTasks-90013", "Step 1: Deploy portal manifests", "ErrImagePull"),
        (
            "ServerTasks-90020",
            "Step 2: Migrate ledger database",
            "Lock request time out period exceeded",
        ),
        ("ServerTasks-90027", "Step 1: Check gateway settings", "Customs.TraderId has no value"),
        ("ServerTasks-90049", "Step 1: ", "Yard.GateCount and Site.Code"),
        ("ServerTasks-90202", "", "Could not resolve host"),
        ("ServerTasks-90044", "", ""),
    ] {
        let found = details(&server, task).await;
        let failures = found["failures"].as_array().unwrap();
        assert_eq!(failures.len(), 1, "{task}: {failures:?}");
        assert!(failures[0]["path"].to_string().contains(step), "{task}: {}", failures[0]);
        assert!(failures[0]["messages"].to_string().contains(expected), "{task}: {}", failures[0]);
    }
}

#[tokio::test]
async fn step_waiting_for_guidance_shows_its_error() {
    let server = CheckedServer::start().await;
    let found = details(&server, "ServerTasks-90028").await;
    assert_eq!(found["task"]["state"], "Executing");
    let failure = &found["failures"][0];
    assert_eq!(
        (&failure["path"][2], &failure["status"]),
        (&json!("biz-prd-01"), &json!("Running"))
    );
    assert!(failure["messages"].to_string().contains("SIGABRT"));
    let intervention = details(&server, "ServerTasks-90008").await;
    assert_eq!(intervention["failures"], json!([]), "a manual intervention is not a failure");
    assert!(intervention.to_string().contains("waiting for manual intervention"));
}

#[tokio::test]
async fn shows_running_and_canceled_tasks() {
    let server = CheckedServer::start().await;
    let queued = details(&server, "ServerTasks-90009").await;
    assert_eq!((&queued["task"]["state"], &queued["failures"]), (&json!("Queued"), &json!([])));
    assert_eq!(queued["activityLogs"][0]["status"], "Pending");
    let running = details(&server, "ServerTasks-90031").await;
    assert_eq!(running["progress"]["estimatedTimeRemaining"], "1 minute");
    assert_eq!(running["failures"], json!([]));
    assert!(running["activityLogs"].to_string().contains("driver-app-backend configured"));
    let canceled = details(&server, "ServerTasks-90015").await;
    assert_eq!(canceled["failures"][0]["status"], "Canceled");
    assert!(canceled["failures"][0]["messages"].to_string().contains("Requested cancellation"));
    let cancelling = details(&server, "ServerTasks-90042").await;
    assert_eq!(cancelling["task"]["isCompleted"], false);
    let warned = details(&server, "ServerTasks-90032").await;
    assert_eq!((&warned["failures"], warned.get("leftOut")), (&json!([]), None));
    assert!(warned["activityLogs"].to_string().contains("A call took longer than 10 seconds"));
}

#[tokio::test]
async fn all_messages_includes_successful_steps() {
    let server = CheckedServer::start().await;
    let arguments =
        json!({ "space": "Default", "taskId": "ServerTasks-90004", "allMessages": true });
    let found = server.call_ok("get_task_details", arguments).await;
    assert!(found.to_string().contains("Extracting package Larkspur.Tracking.Api v1.12.0"));
    assert_eq!(found.to_string().matches("curl: (22)").count(), 1);
}

/// Returns a task with a step on `targets` targets. The step failed on the first `failed` targets.
fn task_with_targets(targets: usize, failed: usize, message: &str) -> Value {
    let target = |n: usize| {
        let status = if n < failed { "Failed" } else { "Success" };
        let lines = json!([{ "Category": "Error", "MessageText": message, "Detail": null }]);
        json!({ "Name": format!("web-{n:04}"), "Status": status, "Started": "2026-11-02T08:10:19.926+00:00",
                "LogElements": lines, "Children": null })
    };
    let targets: Vec<Value> = (0..targets).map(target).collect();
    json!({
        "Task": { "Id": "ServerTasks-90004", "State": "Failed", "IsCompleted": true },
        "ActivityLogs": [{ "Name": "Deploy", "Status": "Failed", "Children": [
            { "Name": "Step 1: Web", "Status": "Failed", "Children": targets, "LogElements": null },
        ]}],
    })
}

#[tokio::test]
async fn large_log_tree_is_truncated_with_a_note() {
    let server = CheckedServer::start().await;
    let clear_faults = || server.server.sample.faults().clear();
    server.mock_response("/details", &task_with_targets(400, 2, "Disk full"));
    let found = details(&server, "ServerTasks-90004").await;
    let step = &found["activityLogs"][0]["children"][0];
    assert_eq!((&step["wentWell"], step["children"].as_array().unwrap().len()), (&json!(398), 2));
    assert_eq!(found["failures"].as_array().unwrap().len(), 2);
    let left_out = found["leftOut"].as_str().unwrap();
    assert!(
        left_out.contains("succeeded steps") && left_out.contains("get_task_raw"),
        "{left_out}"
    );

    clear_faults();
    server
        .mock_response("/details", &task_with_targets(600, 590, &"No space is left. ".repeat(200)));
    let found = details(&server, "ServerTasks-90004").await;
    assert_eq!(found["failures"].as_array().unwrap().len(), 10);
    let left_out = found["leftOut"].as_str().unwrap();
    assert!(left_out.starts_with("580 more failures; "), "{left_out}");
    assert!(found.get("truncated").is_none(), "the tree is reduced before it would be truncated");

    let arguments =
        json!({ "space": "Default", "taskId": "ServerTasks-90004", "maxBytes": 60_000 });
    let larger = server.call_ok("get_task_details", arguments).await;
    assert!(larger.to_string().len() > BUDGET, "a larger answer shows more");
}

#[tokio::test]
async fn rejects_malformed_task_ids() {
    let server = CheckedServer::start().await;
    for tool in ["get_task_by_id", "get_task_details", "get_task_raw"] {
        for id in ["90004", "Deployments-9004", "ServerTasks-1/raw"] {
            let expected = ["is not a task ID", "ServerTasks-123"];
            server
                .assert_error_contains(tool, json!({ "space": "Default", "taskId": id }), &expected)
                .await;
        }
        let expected = ["task 'ServerTasks-1' not found in space 'Default'", "list_deployments"];
        server
            .assert_error_contains(
                tool,
                json!({ "space": "Default", "taskId": "ServerTasks-1" }),
                &expected,
            )
            .await;
        let other = json!({ "space": "Default", "taskId": "ServerTasks-90044" });
        server
            .assert_error_contains(
                tool,
                other,
                &["task 'ServerTasks-90044' not found in space 'Default'"],
            )
            .await;
        server
            .assert_error_contains(
                tool,
                json!({ "space": "Default" }),
                &["taskId: this argument is required"],
            )
            .await;
    }
}

#[tokio::test]
async fn shows_preconditions_of_both_versions() {
    let server = CheckedServer::start().await;
    let arguments = json!({ "space": "Default", "taskId": "ServerTasks-90004" });
    let former = json!({
        "Id": "ServerTasks-90004", "State": "Queued",
        "UnmetPreconditions": [
            { "PreconditionName": "ChangeRequest", "Message": "CHG-7 is open", "WillFailTask": false },
        ],
    });
    let present = json!({
        "Id": "ServerTasks-90004", "State": "Queued", "HasPendingPreconditions": true,
        "PendingPreconditionTypes": ["ChangeRequest"],
    });
    for task in [&former, &present] {
        server.mock_response("/tasks/ServerTasks-90004", task);
        let shown = server.call_ok("get_task_by_id", arguments.clone()).await;
        assert_eq!(shown["hasPendingPreconditions"], true, "{task}");
        if task == &former {
            let unmet = json!([
                { "name": "ChangeRequest", "message": "CHG-7 is open", "willFailTask": false },
            ]);
            assert_eq!(shown["unmetPreconditions"], unmet);
        } else {
            assert_eq!(shown["pendingPreconditionTypes"], json!(["ChangeRequest"]));
            assert_eq!(shown.get("unmetPreconditions"), None);
        }
        server.server.sample.faults().clear();
    }
}
