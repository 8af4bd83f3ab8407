//! The create commands of the executions API: the lists that are sent, and the answers of different
//! versions of Octopus.

use octopus_sample::{Fault, Sample};
use serde_json::{Value, json};

use super::{ApprovalFixture, ApprovalFlow, write_calls};

const FLOW: ApprovalFlow = ApprovalFlow::InputRequired;

/// Returns the calls of the tools that use the executions API.
fn create_calls() -> impl Iterator<Item = (&'static str, Value)> {
    let calls = write_calls().into_iter().map(|(tool, arguments, ..)| (tool, arguments));
    calls.filter(|(tool, _)| ["create_release", "deploy_release", "run_runbook"].contains(tool))
}

#[tokio::test]
async fn both_success_statuses_are_accepted() {
    // 2023.4 answers 200 to all commands; 2026.3 answers 201 to the creation of a release.
    for (version, status) in [("2023.4.8338", 200), ("2026.3.7314", 201)] {
        for (tool, arguments) in create_calls() {
            if arguments.get("gitRef").is_some() && version.starts_with("2023") {
                continue;
            }
            let fixture = ApprovalFixture::with_sample(Sample::with_version(version), |_| {}).await;
            let (_, token) = fixture.call(FLOW, tool, &arguments).await.expect_approval_request();
            let answer = fixture.approve(FLOW, tool, &arguments, &token).await.expect_result();
            assert_eq!(answer["success"], true, "{version} {tool}: {answer}");
            let expected = if tool == "create_release" { status } else { 200 };
            assert_eq!(fixture.sent_changes()[0].status, Some(expected), "{version} {tool}");
        }
    }
    let fixture = ApprovalFixture::start().await;
    let body = json!({
        "deploymentServerTasks": [{ "deploymentId": "Deployments-1", "serverTaskId": "ServerTasks-1" }],
    });
    let fault = Fault::on("/deployments/create/").status(201).body(&body.to_string());
    fixture.server.sample.faults().add(fault);
    let (tool, arguments) = create_calls().find(|(tool, _)| *tool == "deploy_release").unwrap();
    let (_, token) = fixture.call(FLOW, tool, &arguments).await.expect_approval_request();
    let answer = fixture.approve(FLOW, tool, &arguments, &token).await.expect_result();
    assert_eq!(answer["deploymentTasks"][0]["taskId"], "ServerTasks-1");
}

#[tokio::test]
async fn requests_contain_no_empty_lists() {
    for (tool, arguments) in create_calls() {
        let fixture = ApprovalFixture::start().await;
        let (_, token) = fixture.call(FLOW, tool, &arguments).await.expect_approval_request();
        fixture.approve(FLOW, tool, &arguments, &token).await.expect_result();
        let body = fixture.sent_changes().remove(0).body.unwrap();
        for (key, value) in body.as_object().unwrap() {
            assert!(value.as_array().is_none_or(|list| !list.is_empty()), "{tool} {key}: {body}");
        }
    }
}

#[tokio::test]
async fn empty_lists_of_targets_are_rejected() {
    let fixture = ApprovalFixture::start().await;
    for (tool, arguments) in create_calls().filter(|(tool, _)| *tool != "create_release") {
        for key in ["environmentNames", "tenants", "tenantTags"] {
            for empty in [json!([]), json!([""]), json!([" "])] {
                let mut arguments = arguments.clone();
                arguments[key] = empty;
                fixture.call(FLOW, tool, &arguments).await.expect_error(key);
            }
        }
    }
    assert_eq!(fixture.sent_changes(), []);
}

#[tokio::test]
async fn answer_without_tasks_is_not_a_success() {
    let fixture = ApprovalFixture::start().await;
    let body = json!({ "DeploymentServerTasks": [], "RunbookRunServerTasks": [] });
    fixture.server.sample.faults().add(Fault::on("/create/").body(&body.to_string()));
    for (tool, arguments) in create_calls().filter(|(tool, _)| *tool != "create_release") {
        let (_, token) = fixture.call(FLOW, tool, &arguments).await.expect_approval_request();
        let answer = fixture.approve(FLOW, tool, &arguments, &token).await.expect_result();
        assert_eq!(answer["success"], false, "{tool}: {answer}");
        let message = answer["message"].as_str().unwrap();
        assert!(message.contains("started no "), "{tool}: {message}");
    }
}

/// The maximum number of reads before the approval, with the space already cached: the look-ups of
/// the names and their checks, and one request for each kind of document that the preview needs.
#[tokio::test]
async fn plans_stay_within_their_request_budget() {
    let fixture = ApprovalFixture::start().await;
    for (tool, arguments) in create_calls() {
        fixture.call(FLOW, tool, &arguments).await.expect_approval_request();
        fixture.server.sample.clear_journal();
        fixture.call(FLOW, tool, &arguments).await.expect_approval_request();
        let journal = fixture.server.sample.journal();
        let paths: Vec<&str> = journal.iter().map(|entry| entry.path.as_str()).collect();
        assert!(paths.len() <= 22, "{tool} sends {}: {paths:#?}", paths.len());
    }
}
