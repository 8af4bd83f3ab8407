//! Four-eyes rule: callers cannot answer interruptions of tasks that they started through this
//! server.

use octopus_sample::{Fault, keys};
use serde_json::{Value, json};

use super::{CODE_FLOW, deploy_arguments, groups::GroupFixture};
use crate::{approval::ApprovalFixture, rate_limits::redis::Redis, support::TestServer};

/// Starts a task with a tool and returns the task ID.
async fn start_task(fixture: &ApprovalFixture, tool: &str, arguments: &Value) -> String {
    let (_, code) = fixture.call(CODE_FLOW, tool, arguments).await.expect_approval_request();
    first_task_id(&fixture.approve(CODE_FLOW, tool, arguments, &code).await.expect_result())
}

/// Returns the first task ID in an answer.
fn first_task_id(answer: &Value) -> String {
    let answer = answer.to_string();
    let offset = answer.find("ServerTasks-").unwrap();
    answer[offset..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect()
}

/// Starts a new server on the same Octopus for the same caller.
async fn restart(fixture: &ApprovalFixture) -> ApprovalFixture {
    let sample = fixture.server.sample.clone();
    let server = TestServer::with_sample(sample, |config| config.tools.read_only = false);
    ApprovalFixture { server: server.await, key: fixture.key }
}

fn run_runbook_arguments() -> Value {
    json!({ "space": "Default", "projectName": "Parcel Tracking API",
        "runbookName": "restart-tracking-workers", "environmentNames": ["Staging"] })
}

/// Makes the interruption belong to this task.
fn mock_interruption(fixture: &ApprovalFixture, task: &str) {
    let body = json!({ "Id": "Interruptions-9008", "TaskId": task, "IsPending": true });
    let fault =
        Fault::on("/interruptions/Interruptions-9008").method("GET").body(&body.to_string());
    fixture.server.sample.faults().add(fault);
}

fn interruption_responses() -> [Value; 3] {
    let path = "/api/Spaces-1/interruptions/Interruptions-9008";
    [
        json!({ "method": "POST", "path": format!("{path}/submit"), "body": { "Result": "Proceed" } }),
        json!({ "method": "PUT", "path": format!("{path}/responsible") }),
        json!({ "method": "POST", "path": "/api/spaces/default/Interruptions/Interruptions-9008/Submit", "body": { "Result": "Proceed" } }),
    ]
}

/// Asserts that this caller cannot answer the interruption with any request.
async fn assert_answers_rejected(fixture: &ApprovalFixture, expected: &str) {
    for answer in interruption_responses() {
        fixture.call(CODE_FLOW, "execute", &answer).await.expect_error(expected);
    }
}

/// Asserts that this caller can answer the interruption after approval.
async fn assert_answers_allowed(fixture: &ApprovalFixture) {
    for answer in interruption_responses() {
        fixture.call(CODE_FLOW, "execute", &answer).await.expect_approval_request();
    }
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
        let mut fixture = ApprovalFixture::start().await;
        if tool == "execute" {
            let made = json!({ "Id": "Deployments-1", "TaskId": "ServerTasks-77777" });
            let fault = Fault::on("/deployments").method("POST").body(&made.to_string());
            fixture.server.sample.faults().add(fault);
        }
        let task = start_task(&fixture, tool, &arguments).await;
        mock_interruption(&fixture, &task);
        let before = fixture.sent_changes().len();
        let expected = format!("you started {task} through this server");
        assert_answers_rejected(&fixture, &expected).await;
        assert_eq!(fixture.sent_changes().len(), before, "{tool}");
        fixture.key = keys::DEFAULT_SPACE_ONLY;
        assert_answers_allowed(&fixture).await;
    }
}

/// Two API keys of one Octopus user identify one person.
#[tokio::test]
async fn another_key_of_the_same_user_is_the_same_initiator() {
    let mut fixture = ApprovalFixture::start().await;
    let task = start_task(&fixture, "deploy_release", &deploy_arguments(&["Staging"])).await;
    mock_interruption(&fixture, &task);
    let me = json!({ "Id": "Users-1", "Username": "admin" });
    fixture.server.sample.faults().add(Fault::on("/users/me").body(&me.to_string()));
    fixture.key = keys::DEFAULT_SPACE_ONLY;
    fixture
        .call(CODE_FLOW, "execute", &interruption_responses()[0])
        .await
        .expect_error("another person must answer");
}

#[tokio::test]
async fn foreign_tasks_and_disabled_setting_allow_answers() {
    let fixture = ApprovalFixture::start().await;
    assert_answers_allowed(&fixture).await;
    let fixture = ApprovalFixture::with(|config| config.policy.four_eyes = false).await;
    let task = start_task(&fixture, "deploy_release", &deploy_arguments(&["Staging"])).await;
    mock_interruption(&fixture, &task);
    assert_answers_allowed(&fixture).await;
}

#[tokio::test]
async fn replicas_share_task_initiators() {
    let redis = Redis::start().await;
    let first = ApprovalFixture::with(|config| redis.configure(config)).await;
    let second = ApprovalFixture::with(|config| redis.configure(config)).await;
    let task = start_task(&first, "deploy_release", &deploy_arguments(&["Staging"])).await;
    mock_interruption(&second, &task);
    let outcome = second.call(CODE_FLOW, "execute", &interruption_responses()[0]).await;
    outcome.expect_error(&format!("you started {task} through this server"));
}

#[tokio::test]
async fn initiator_is_read_from_octopus_after_restart() {
    for (tool, arguments) in [
        ("deploy_release", deploy_arguments(&["Staging"])),
        ("run_runbook", run_runbook_arguments()),
    ] {
        let fixture = ApprovalFixture::start().await;
        let task = start_task(&fixture, tool, &arguments).await;
        let mut fixture = restart(&fixture).await;
        mock_interruption(&fixture, &task);
        let expected = format!("{task} was started by the Octopus user that acts for you");
        assert_answers_rejected(&fixture, &expected).await;
        fixture.key = keys::DEFAULT_SPACE_ONLY;
        assert_answers_allowed(&fixture).await;
    }
}

/// Octopus does not distinguish callers that share one API key. If this server has no record of the
/// initiator either, every caller with that key may be the initiator.
#[tokio::test]
async fn shared_key_requires_a_recorded_initiator() {
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
        let outcome = company.call(caller, "execute", &takes).await;
        outcome.expect_error("this server has no record for which caller");
    }
}

/// Octopus receives the start request, but its response is lost, so this server records no
/// initiator.
#[tokio::test]
async fn initiator_with_lost_response_cannot_answer() {
    for (tool, arguments) in [
        ("deploy_release", deploy_arguments(&["Staging"])),
        ("run_runbook", run_runbook_arguments()),
    ] {
        let mut fixture = ApprovalFixture::start().await;
        let (_, code) = fixture.call(CODE_FLOW, tool, &arguments).await.expect_approval_request();
        fixture.server.sample.faults().add(Fault::on("/create/").method("POST").lost().times(1));
        fixture
            .approve(CODE_FLOW, tool, &arguments, &code)
            .await
            .expect_error("it is not known whether");
        let collection = if tool == "run_runbook" { "runbookRuns" } else { "deployments" };
        let newest = json!({ "method": "GET", "path": format!("/api/Spaces-1/{collection}"),
            "query": { "take": "1" } });
        let task =
            first_task_id(&fixture.call(CODE_FLOW, "execute", &newest).await.expect_result());
        mock_interruption(&fixture, &task);
        let expected = format!("{task} was started by the Octopus user that acts for you");
        assert_answers_rejected(&fixture, &expected).await;
        fixture.key = keys::DEFAULT_SPACE_ONLY;
        assert_answers_allowed(&fixture).await;
    }
}

#[tokio::test]
async fn unknown_initiator_blocks_all_answers() {
    let fixture = ApprovalFixture::start().await;
    let (task, deployment) = ("/tasks/ServerTasks-90008", "/deployments/Deployments-9008");
    let document = |path: &str, fields: Value| Fault::on(path).body(&fields.to_string());
    let unknown = "the initiator of ServerTasks-90008 is unknown";
    for (fault, expected) in [
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
        fixture.server.sample.faults().clear();
        fixture.server.sample.faults().add(fault.method("GET"));
        assert_answers_rejected(&fixture, expected).await;
    }
    fixture.server.sample.faults().clear();
    assert_answers_allowed(&fixture).await;
    assert_eq!(fixture.sent_changes(), []);
}

/// Returns the caller name that audit records and release notes use.
async fn caller_name(fixture: &ApprovalFixture) -> String {
    let called = fixture.server.call_as(fixture.key, "explain_access", json!({})).await;
    called.structured["caller"]["name"].as_str().unwrap().to_owned()
}

/// Release notes are user input. Their audit line is for readers and does not prove who deployed
/// the release.
#[tokio::test]
async fn release_notes_do_not_identify_the_initiator() {
    let folder = tempfile::tempdir().unwrap();
    let mut fixture = ApprovalFixture::with(|config| {
        config.audit.file.path = Some(folder.path().join("a.jsonl"));
    })
    .await;
    let ada = caller_name(&fixture).await;
    fixture.key = keys::WITHOUT_VARIABLE_VIEW;
    let bob = caller_name(&fixture).await;
    assert_ne!(ada, bob);
    fixture.key = keys::ADMIN;
    let line = |name: &str| {
        format!("Made through octopus-mcp by {name} (audit 0198f000-0000-7000-8000-000000000000)")
    };

    // Ada creates and deploys a release whose notes name Bob.
    let notes = format!("{}\n\nServerTasks-90008 was started by {bob}", line(&bob));
    let release = json!({ "space": "Default", "projectName": "Parcel Tracking API",
        "releaseVersion": "1.13.0", "releaseNotes": notes });
    let (_, code) =
        fixture.call(CODE_FLOW, "create_release", &release).await.expect_approval_request();
    fixture.approve(CODE_FLOW, "create_release", &release, &code).await.expect_result();
    let made = fixture.sent_changes()[0].body.as_ref().unwrap()["ReleaseNotes"].to_string();
    assert!(made.contains(&line(&bob)) && made.contains(&ada), "both lines: {made}");
    let deployment = json!({ "space": "Default", "projectName": "Parcel Tracking API",
        "releaseVersion": "1.13.0", "environmentNames": ["Development"] });
    let task = start_task(&fixture, "deploy_release", &deployment).await;
    mock_interruption(&fixture, &task);
    let expected = format!("you started {task} through this server");
    assert_answers_rejected(&fixture, &expected).await;
    fixture.key = keys::WITHOUT_VARIABLE_VIEW;
    assert_answers_allowed(&fixture).await;

    // A task that was not started through this server, of a release whose notes name Bob.
    fixture.server.sample.faults().clear();
    let release = json!({ "Id": "Releases-9003", "Version": "0.35.2", "ReleaseNotes": line(&bob) });
    fixture
        .server
        .sample
        .faults()
        .add(Fault::on("/releases/Releases-9003").method("GET").body(&release.to_string()));
    mock_interruption(&fixture, "ServerTasks-90008");
    assert_answers_allowed(&fixture).await;
}
