//! A walk over every tool, resource and change against both editions.

use octopus_sample::{
    JournalEntry, Sample,
    contract::{Contract, Edition},
    keys,
};
use serde_json::{Value, json};

use super::calls::{filtered_calls, filtered_calls_of_new_features};
use crate::{
    approval::{ApprovalFixture, ApprovalFlow, CallOutcome, write_calls},
    resources::SAMPLE_URIS,
    support::{Era, TestServer},
    tools::sample_calls,
};

/// Paths outside of the API reference.
const OTHER_PATHS: &[&str] = &["/llms.txt", "/api/experimental/llms.txt"];

/// Tools that 2023.4 does not have.
pub const NEW_TOOLS: &[&str] = &[
    "get_kubernetes_live_status",
    "find_feature_toggles",
    "update_feature_toggle",
    "grep_llms_txt",
];

/// Returns the differences of a request from the contract.
pub fn request_problems(contract: &Contract, request: &JournalEntry) -> Vec<String> {
    let line = format!("{} {}", request.method, request.path);
    if OTHER_PATHS.contains(&request.path.as_str()) {
        return Vec::new();
    }
    let Some(operation) = contract.find(&request.method, &request.path) else {
        // The client finds out that an older server lacks an operation by its answer.
        let newest = Contract::of(Edition::V2026_3).find(&request.method, &request.path);
        if newest.is_some() && request.status == Some(404) {
            return Vec::new();
        }
        return vec![format!("{line}: unknown operation")];
    };
    let query = request.query.as_deref().unwrap_or_default();
    let mut problems = contract.check_query(operation, query);
    if let Some(body) = &request.body {
        problems.extend(contract.check_request_body(operation, body));
    }
    problems.into_iter().map(|problem| format!("{line}: {problem}")).collect()
}

/// Starts a server in front of an Octopus of this edition, which compares its responses with the
/// contract and accepts unknown parameters, so that all of them are found.
async fn start(edition: Edition) -> ApprovalFixture {
    let sample = Sample::with_version(edition.server_version());
    let server = TestServer::with_sample(sample, |config| config.tools.read_only = false).await;
    server.sample.refuse_unknown(false);
    server.sample.check_responses(true);
    ApprovalFixture { server, key: keys::ADMIN }
}

/// Calls every tool and reads every resource. Returns the number of calls that succeeded, and the
/// others.
async fn walk(fixture: &ApprovalFixture, edition: Edition) -> (usize, Vec<String>) {
    let is_new = edition == Edition::V2026_3;
    let mut calls = sample_calls();
    calls.extend(filtered_calls());
    if is_new {
        calls.extend(filtered_calls_of_new_features());
    }
    calls.retain(|(tool, _)| is_new || !NEW_TOOLS.contains(tool));
    let (mut succeeded, mut failed) = (0, Vec::new());
    for (tool, mut arguments) in calls {
        if !is_new && tool == "find_runbooks" && arguments["projectId"] == "Route Planner" {
            arguments["projectId"] = json!("Parcel Tracking API");
        }
        let result = fixture.server.call_as(keys::ADMIN, tool, arguments.clone()).await;
        if result.is_error {
            failed.push(format!("{tool} {arguments}: {}", result.text));
        }
        succeeded += usize::from(!result.is_error);
    }
    for (name, uri) in SAMPLE_URIS {
        let uri = uri.replace("Interruptions-1", "Interruptions-9008");
        let reply = fixture.server.rpc(Era::Modern, "resources/read", json!({ "uri": uri })).await;
        let is_missing = !is_new
            && ["runbook-git", "featureToggle", "rolloutGroup", "catalog-llms-txt"].contains(name);
        if reply.json()["error"].is_null() == is_missing {
            failed.push(format!("{uri}: {}", reply.text));
        }
        succeeded += usize::from(!is_missing);
    }
    (succeeded, failed)
}

/// Makes every change. Returns those that failed.
async fn change(fixture: &ApprovalFixture, edition: Edition) -> Vec<String> {
    let is_new = edition == Edition::V2026_3;
    let flow = ApprovalFlow::ConfirmCode(Era::Modern);
    let mut failed = Vec::new();
    for (tool, arguments, ..) in write_calls() {
        if !is_new && (NEW_TOOLS.contains(&tool) || arguments.get("gitRef").is_some()) {
            continue;
        }
        let outcome = match fixture.call(flow, tool, &arguments).await {
            CallOutcome::ApprovalRequired { token, .. } => {
                fixture.approve(flow, tool, &arguments, &token).await
            }
            other => other,
        };
        if !matches!(outcome, CallOutcome::Completed(_)) {
            failed.push(format!("{edition:?} {tool} {arguments}: {outcome:?}"));
        }
    }
    assert!(fixture.sent_changes().len() > 3, "{:#?}", fixture.sent_changes());
    failed
}

#[tokio::test]
async fn requests_and_responses_follow_the_contract() {
    let mut problems = Vec::new();
    for edition in Edition::ALL {
        let fixture = start(edition).await;
        let (succeeded, failed) = walk(&fixture, edition).await;
        problems.extend(failed.into_iter().map(|line| format!("{edition:?} {line}")));
        assert!(succeeded > 60, "{succeeded}");
        problems.extend(change(&fixture, edition).await);
        let contract = Contract::of(edition);
        let journal = fixture.server.sample.journal();
        assert!(journal.len() > 150, "{}", journal.len());
        let requests = journal.iter().flat_map(|request| request_problems(contract, request));
        let responses = fixture.server.sample.contract_problems();
        let mut found: Vec<String> =
            requests.chain(responses).map(|problem| format!("{edition:?} {problem}")).collect();
        found.sort();
        found.dedup();
        problems.extend(found);
    }
    assert_eq!(problems, Vec::<String>::new(), "\n{}", problems.join("\n"));
}

#[test]
fn finds_planted_wrong_path_parameter_and_type() {
    let request = |method: &str, path: &str, query: &str, body: Option<Value>| JournalEntry {
        method: method.to_owned(),
        path: path.to_owned(),
        query: Some(query.to_owned()),
        user: None,
        user_agent: None,
        body,
        status: Some(200),
    };
    let release = json!({
        "SpaceId": "Spaces-1", "SpaceIdOrName": "Spaces-1", "ProjectName": "Projects-1",
        "ReleaseVersion": 9,
    });
    let rows = [
        (request("GET", "/api/Spaces-1/release", "", None), "unknown operation"),
        (request("GET", "/api/Spaces-1/releases", "partialName=1", None), "unknown parameter"),
        (request("GET", "/api/Spaces-1/tasks", "take=ten", None), "'ten' is not an integer"),
        (
            request("POST", "/api/Spaces-1/releases/create/v1", "", Some(release)),
            "ReleaseVersion: 9 is not a string",
        ),
    ];
    for edition in Edition::ALL {
        for (request, expected) in &rows {
            let problems = request_problems(Contract::of(edition), request);
            let [problem] = problems.as_slice() else { panic!("{problems:?}") };
            assert!(problem.contains(expected), "{problem}");
        }
    }
}
