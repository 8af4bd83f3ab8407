//! Four-eyes rule: callers cannot answer interruptions of tasks that they started through this
//! server.

use octopus_sample::{Fault, keys};
use serde_json::{Value, json};

use super::{CODE_FLOW, deploy_arguments, groups::GroupFixture};
use crate::{approval::ApprovalFixture, rate_limits::redis::Redis, support::TestServer};

/// Starts a task with a tool and returns the task ID.
async fn start_task(desk: &ApprovalFixture, tool: &str, arguments: &Value) -> String {
    let (_, code) = desk.call(CODE_FLOW, tool, arguments).await.expect_approval_request();
    first_task_id(&desk.approve(CODE_FLOW, tool, arguments, &code).await.expect_result())
}

/// Returns the first task ID in an answer.
fn first_task_id(answer: &Value) -> String {
    let answer = answer.to_string();
    let place = answer.find("ServerTasks-").unwrap();
    answer[place..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect()
}

/// Starts a new server on the same Octopus for the same caller.
async fn restart(desk: &ApprovalFixture) -> ApprovalFixture {
    let sample = desk.server.sample.clone();
    let server = TestServer::with_sample(sample, |config| config.tools.read_only = false);
    ApprovalFixture { server: server.await, key: desk.key }
}

fn run_runbook_arguments() -> Value {
    json!({ "space": "Default", "projectName": "Parcel Tracking API",
        "runbookName": "restart-tracking-workers", "environmentNames": ["Staging"] })
}

/// Makes the interruption belong to this task.
fn mock_interruption(desk: &ApprovalFixture, task: &str) {
    let body = json!({ "Id": "Interruptions-9008", "TaskId": task, "IsPending": true });
    let fault =
        Fault::on("/interruptions/Interruptions-9008").method("GET").body(&body.to_string());
    desk.server.sample.faults().add(fault);
}

fn interruption_responses() -> [Value; 3] {
    let path = "/api/Spaces-1/interruptions/Interruptions-9008";
    [
        json!({ "method": "POST", "path": format!("{path}/submit"), "body": { "Result": "Proceed" } }),
        json!({ "method": "PUT", "path": format!("{path}/responsible") }),
        json!({ "method": "POST", "path": "/api/spaces/default/Interruptions/Interruptions-9008/Submit", "body": { "Result": "Proceed" } }),
    ]
}

#[tokio::test]
async fn initiator_cannot_answer_own_interruption() {
    let by_path = json!({ "method": "POST", "path": "/api/Spaces-1/deployments",
        "body": { "ReleaseId": "Releases-9003", "EnvironmentId": "Environments-2" } });
    for (tool, arguments) in [
        ("deploy_release", deploy_arguments(&["Staging"])),
        ("run_runbook", run_runbook_arguments()),
        ("execute", by_path),
    ] {
        let mut desk = ApprovalFixture::start().await;
        if tool == "execute" {
            let made = json!({ "Id": "Deployments-1", "TaskId": "ServerTasks-77777" });
            let fault = Fault::on("/deployments").method("POST").body(&made.to_string());
            desk.server.sample.faults().add(fault);
        }
        let task = start_task(&desk, tool, &arguments).await;
        mock_interruption(&desk, &task);
        let before = desk.sent_changes().len();
        for answer in interruption_responses() {
            let came = desk.call(CODE_FLOW, "execute", &answer).await;
            came.expect_error(&format!("you started {task} through this server"));
        }
        assert_eq!(desk.sent_changes().len(), before, "{tool}");
        desk.key = keys::DEFAULT_SPACE_ONLY;
        for answer in interruption_responses() {
            desk.call(CODE_FLOW, "execute", &answer).await.expect_approval_request();
        }
    }
}

/// Two API keys of one Octopus user identify one person.
#[tokio::test]
async fn another_key_of_the_same_user_is_the_same_initiator() {
    let mut desk = ApprovalFixture::start().await;
    let task = start_task(&desk, "deploy_release", &deploy_arguments(&["Staging"])).await;
    mock_interruption(&desk, &task);
    let me = json!({ "Id": "Users-1", "Username": "admin" });
    desk.server.sample.faults().add(Fault::on("/users/me").body(&me.to_string()));
    desk.key = keys::DEFAULT_SPACE_ONLY;
    desk.call(CODE_FLOW, "execute", &interruption_responses()[0])
        .await
        .expect_error("another person must answer");
}

#[tokio::test]
async fn foreign_tasks_and_disabled_setting_allow_answers() {
    let desk = ApprovalFixture::start().await;
    for answer in interruption_responses() {
        desk.call(CODE_FLOW, "execute", &answer).await.expect_approval_request();
    }
    let desk = ApprovalFixture::with(|config| config.policy.four_eyes = false).await;
    let task = start_task(&desk, "deploy_release", &deploy_arguments(&["Staging"])).await;
    mock_interruption(&desk, &task);
    for answer in interruption_responses() {
        desk.call(CODE_FLOW, "execute", &answer).await.expect_approval_request();
    }
}

#[tokio::test]
async fn replicas_share_task_initiators() {
    let redis = Redis::start().await;
    let one = ApprovalFixture::with(|config| redis.configure(config)).await;
    let two = ApprovalFixture::with(|config| redis.configure(config)).await;
    let task = start_task(&one, "deploy_release", &deploy_arguments(&["Staging"])).await;
    mock_interruption(&two, &task);
    let came = two.call(CODE_FLOW, "execute", &interruption_responses()[0]).await;
    came.expect_error(&format!("you started {task} through this server"));
}

#[tokio::test]
async fn initiator_is_read_from_octopus_after_restart() {
    for (tool, arguments) in [
        ("deploy_release", deploy_arguments(&["Staging"])),
        ("run_runbook", run_runbook_arguments()),
    ] {
        let desk = ApprovalFixture::start().await;
        let task = start_task(&desk, tool, &arguments).await;
        let mut desk = restart(&desk).await;
        mock_interruption(&desk, &task);
        for answer in interruption_responses() {
            let came = desk.call(CODE_FLOW, "execute", &answer).await;
            came.expect_error(&format!("{task} was started by the Octopus user that acts for you"));
        }
        desk.key = keys::DEFAULT_SPACE_ONLY;
        for answer in interruption_responses() {
            desk.call(CODE_FLOW, "execute", &answer).await.expect_approval_request();
        }
    }
}

/// Octopus does not distinguish callers that share one API key. If this server does not remember
/// the initiator either, every caller with that key may be the initiator.
#[tokio::test]
async fn shared_key_requires_a_remembered_initiator() {
    let company = GroupFixture::with_rules(json!([])).await;
    let (ada, bob) = (json!(["ada"]), json!(["bob"]));
    let task =
        company.call(&ada, "deploy_release", &deploy_arguments(&["Staging"])).await.expect_result();
    let task = first_task_id(&task);
    let body = json!({ "Id": "Interruptions-9008", "TaskId": task, "IsPending": true });
    let fault = Fault::on("/interruptions/Interruptions-9008").method("GET");
    company.server.sample.faults().add(fault.body(&body.to_string()));
    let [_, takes, _] = interruption_responses();
    company.call(&ada, "execute", &takes).await.expect_error("you started");
    company.call(&bob, "execute", &takes).await.expect_result();
    let company = company.restarted().await;
    for caller in [&ada, &bob] {
        let came = company.call(caller, "execute", &takes).await;
        came.expect_error("this server has no record for which caller");
    }
}

/// The start request reaches Octopus, but its response is lost, so this server remembers no
/// initiator.
#[tokio::test]
async fn initiator_with_lost_response_cannot_answer() {
    for (tool, arguments) in [
        ("deploy_release", deploy_arguments(&["Staging"])),
        ("run_runbook", run_runbook_arguments()),
    ] {
        let mut desk = ApprovalFixture::start().await;
        let (_, code) = desk.call(CODE_FLOW, tool, &arguments).await.expect_approval_request();
        desk.server.sample.faults().add(Fault::on("/create/").method("POST").lost().times(1));
        desk.approve(CODE_FLOW, tool, &arguments, &code)
            .await
            .expect_error("it is not known whether");
        let place = if tool == "run_runbook" { "runbookRuns" } else { "deployments" };
        let newest = json!({ "method": "GET", "path": format!("/api/Spaces-1/{place}"),
            "query": { "take": "1" } });
        let task = first_task_id(&desk.call(CODE_FLOW, "execute", &newest).await.expect_result());
        mock_interruption(&desk, &task);
        for answer in interruption_responses() {
            let came = desk.call(CODE_FLOW, "execute", &answer).await;
            came.expect_error(&format!("{task} was started by the Octopus user that acts for you"));
        }
        desk.key = keys::DEFAULT_SPACE_ONLY;
        for answer in interruption_responses() {
            desk.call(CODE_FLOW, "execute", &answer).await.expect_approval_request();
        }
    }
}

#[tokio::test]
async fn unknown_initiator_blocks_all_answers() {
    let desk = ApprovalFixture::start().await;
    let (task, deployment) = ("/tasks/ServerTasks-90008", "/deployments/Deployments-9008");
    let document = |path: &str, fields: Value| Fault::on(path).body(&fields.to_string());
    let unknown = "the initiator of ServerTasks-90008 is unknown";
    for (fault, words) in [
        (document(deployment, json!({ "TaskId": "ServerTasks-90008" })), unknown),
        (
            document(deployment, json!({ "TaskId": "ServerTasks-90008", "DeployedById": "" })),
            unknown,
        ),
        // The task is a retry of a deployment that another user had started.
        (
            document(deployment, json!({ "TaskId": "ServerTasks-1", "DeployedById": "Users-41" })),
            unknown,
        ),
        (document(deployment, json!({ "DeployedById": "Users-41" })), unknown),
        (Fault::on(deployment).status(404), unknown),
        (Fault::on(deployment).status(403), unknown),
        (document(task, json!({ "Id": "ServerTasks-90008" })), unknown),
        (
            document(
                task,
                json!({ "Id": "ServerTasks-90008", "Arguments": { "DeploymentId": 7 } }),
            ),
            unknown,
        ),
        (Fault::on(task).status(403), unknown),
        (
            document("/interruptions/", json!({ "Id": "Interruptions-9008" })),
            "does not report which task",
        ),
        (document("/interruptions/", json!({ "TaskId": "../x" })), "does not report which task"),
        (Fault::on(deployment).status(500), "Octopus returned 500"),
        (Fault::on("/users/me").status(500), "Octopus returned 500"),
    ] {
        desk.server.sample.faults().clear();
        desk.server.sample.faults().add(fault.method("GET"));
        for answer in interruption_responses() {
            desk.call(CODE_FLOW, "execute", &answer).await.expect_error(words);
        }
    }
    desk.server.sample.faults().clear();
    for answer in interruption_responses() {
        desk.call(CODE_FLOW, "execute", &answer).await.expect_approval_request();
    }
    assert_eq!(desk.sent_changes(), []);
}

/// Returns the caller name that audit records and release notes use.
async fn caller_name(desk: &ApprovalFixture) -> String {
    let called = desk.server.call_as(desk.key, "explain_access", json!({})).await;
    called.structured["caller"]["name"].as_str().unwrap().to_owned()
}

/// Release notes are user input. Their audit line is for readers and does not prove who deployed
/// the release.
#[tokio::test]
async fn release_notes_do_not_identify_the_initiator() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = ApprovalFixture::with(|config| {
        config.audit.file.path = Some(folder.path().join("a.jsonl"));
    })
    .await;
    let ada = caller_name(&desk).await;
    desk.key = keys::WITHOUT_VARIABLE_VIEW;
    let bob = caller_name(&desk).await;
    assert_ne!(ada, bob);
    desk.key = keys::ADMIN;
    let line = |who: &str| {
        format!("Made through octopus-mcp by {who} (audit 0198f000-0000-7000-8000-000000000000)")
    };

    // Ada creates and deploys a release whose notes name Bob.
    let notes = format!("{}\n\nServerTasks-90008 was started by {bob}", line(&bob));
    let release = json!({ "space": "Default", "projectName": "Parcel Tracking API",
        "releaseVersion": "1.13.0", "releaseNotes": notes });
    let (_, code) =
        desk.call(CODE_FLOW, "create_release", &release).await.expect_approval_request();
    desk.approve(CODE_FLOW, "create_release", &release, &code).await.expect_result();
    let made = desk.sent_changes()[0].body.as_ref().unwrap()["ReleaseNotes"].to_string();
    assert!(made.contains(&line(&bob)) && made.contains(&ada), "both lines: {made}");
    let deployment = json!({ "space": "Default", "projectName": "Parcel Tracking API",
        "releaseVersion": "1.13.0", "environmentNames": ["Development"] });
    let task = start_task(&desk, "deploy_release", &deployment).await;
    mock_interruption(&desk, &task);
    for answer in interruption_responses() {
        let came = desk.call(CODE_FLOW, "execute", &answer).await;
        came.expect_error(&format!("you started {task} through this server"));
    }
    desk.key = keys::WITHOUT_VARIABLE_VIEW;
    for answer in interruption_responses() {
        desk.call(CODE_FLOW, "execute", &answer).await.expect_approval_request();
    }

    // A task that was not started through this server, of a release whose notes name Bob.
    desk.server.sample.faults().clear();
    let release = json!({ "Id": "Releases-9003", "Version": "0.35.2", "ReleaseNotes": line(&bob) });
    desk.server
        .sample
        .faults()
        .add(Fault::on("/releases/Releases-9003").method("GET").body(&release.to_string()));
    mock_interruption(&desk, "ServerTasks-90008");
    for answer in interruption_responses() {
        desk.call(CODE_FLOW, "execute", &answer).await.expect_approval_request();
    }
}
