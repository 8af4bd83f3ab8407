//! Every operation of the Octopus API through `execute`, in every spelling, while one resource is
//! denied.
//!
//! The sample instance answers each request without rules. If that response shows the denied
//! resource ([`oracle`]), `execute` must reject the request.

mod calls;
mod denied;
mod harmless;
mod instance;
mod oracle;
mod values;
mod writes;

use std::collections::BTreeMap;

use futures::StreamExt;
use octopus_mcp::octopus::operations::{self, Operation, Subject};
use serde_json::{Value, json};

use self::{
    calls::Call,
    denied::DeniedResource,
    instance::{SampleReader, SampleResponse},
    oracle::Oracle,
    values::Values,
};
use super::{CODE_FLOW, policy_fixture};
use crate::approval::{ApprovalFixture, CallOutcome};

/// Number of concurrent calls.
const CONCURRENCY: usize = 8;
/// Minimum number of reads of other resources that are answered while one resource is denied.
const MIN_ANSWERED: usize = 40;

async fn fixture_without_rate_limits(rules: Value) -> ApprovalFixture {
    let fixture = ApprovalFixture::with(|config| {
        config.tools.allow_deletes = true;
        super::set_rules(config, &rules);
        config.limits.caller_rate = 1_000_000;
        config.limits.caller_burst = 1_000_000;
        config.limits.instance_rate = 1_000_000;
        config.limits.instance_burst = 1_000_000;
    })
    .await;
    // The operations of the table and their parameters are those of every version.
    fixture.server.sample.refuse_unknown(false);
    fixture
}

/// Sends the calls through `execute`; returns each with its result.
async fn execute(fixture: &ApprovalFixture, calls: Vec<Call>) -> Vec<(Call, CallOutcome)> {
    let sent = calls.into_iter().map(async |call| {
        let outcome = fixture.call(CODE_FLOW, "execute", &call.arguments()).await;
        (call, outcome)
    });
    futures::stream::iter(sent).buffer_unordered(CONCURRENCY).collect().await
}

/// Reads with every operation while a rule denies reads of one resource. No read with a spelling in
/// `without` names that resource.
async fn assert_no_read_passes(denied: DeniedResource, least: usize, without: &[&str]) {
    let instance = SampleReader::new();
    let oracle = Oracle::of(&instance, denied).await;
    let values = Values::collect(&instance, &oracle, &denied).await;
    let (mut leaking, mut harmless) = (Vec::new(), Vec::new());
    let reads = operations::all().iter().filter(|operation| operation.method == "GET");
    for (turn, operation) in reads.enumerate() {
        for call in calls::reads(operation, turn, &values, &denied) {
            let Some(answer) = instance.get(&call.url()).await else { continue };
            let leaks = oracle.find_leak(&call.url(), &answer).is_some();
            if leaks { &mut leaking } else { &mut harmless }.push(call);
        }
    }
    assert!(leaking.len() >= least, "only {} requests answer with it", leaking.len());
    let fixture = fixture_without_rate_limits(json!([denied.rule("deny", &["read"])])).await;
    // The normalized request can be narrower than the requested one and return only other
    // resources.
    let leak = |answer: &Value| {
        oracle.find_leak(answer["path"].as_str().unwrap(), &SampleResponse::of(&answer["response"]))
    };
    let (mut leaks, mut by_rule, sent) = (Vec::new(), BTreeMap::new(), leaking.len());
    for (call, outcome) in execute(&fixture, leaking).await {
        match &outcome {
            CallOutcome::Failed(message) if message.contains("rule 'r'") => {
                *by_rule.entry(call.form).or_insert(0) += 1;
            }
            // Refused for every caller.
            CallOutcome::Failed(message)
                if message.contains("is not allowed through this tool") => {}
            CallOutcome::Completed(answer) if leak(answer).is_none() => {}
            CallOutcome::Completed(answer) => {
                leaks.push(format!("{} at {:?}", call.url(), leak(answer)));
            }
            _ => leaks.push(format!("{}: {}", call.url(), shortened(&outcome))),
        }
    }
    assert!(leaks.is_empty(), "{} passed: {leaks:#?}", leaks.len());
    assert!(by_rule.values().sum::<usize>() * 10 > sent * 9, "{by_rule:?} of {sent}");
    let spellings = calls::SPELLINGS.into_iter().filter(|spelling| !without.contains(spelling));
    let missing: Vec<_> = spellings.filter(|spelling| !by_rule.contains_key(spelling)).collect();
    assert!(missing.is_empty(), "{missing:?} are not in {by_rule:?}");
    // Reads of other resources are answered.
    harmless.retain(|call| ["plain", "open parameter"].contains(&call.form));
    let (mut rejected, mut answered) = (Vec::new(), 0);
    for (call, outcome) in execute(&fixture, harmless).await {
        match &outcome {
            CallOutcome::Completed(answer) => {
                assert_eq!(leak(answer), None, "{call:?}");
                answered += 1;
            }
            CallOutcome::Failed(message)
                if message.contains("is not allowed through this tool") =>
            {
                assert!(harmless::is_forbidden_without_rules(&call), "{call:?}: {message}");
            }
            CallOutcome::Failed(message)
                if message.contains("rule 'r'") && harmless::may_contain_denied(&call, &denied) => {
            }
            _ => rejected.push(format!("{}: {}", call.url(), shortened(&outcome))),
        }
    }
    assert!(rejected.is_empty(), "{} were rejected: {rejected:#?}", rejected.len());
    assert!(answered >= MIN_ANSWERED, "only {answered}");
}

fn shortened(outcome: &CallOutcome) -> String {
    format!("{outcome:?}").chars().take(400).collect()
}

#[tokio::test]
async fn no_read_spelling_reaches_a_denied_project() {
    assert_no_read_passes(DeniedResource::PROJECT, 150, &[]).await;
}

#[tokio::test]
async fn no_read_spelling_reaches_a_denied_environment() {
    assert_no_read_passes(DeniedResource::ENVIRONMENT, 100, &[]).await;
}

#[tokio::test]
async fn no_read_spelling_reaches_a_denied_tenant() {
    assert_no_read_passes(DeniedResource::TENANT, 60, &[]).await;
}

/// A path without a space refers to the default space, which is not the denied one.
#[tokio::test]
async fn no_read_spelling_reaches_a_denied_space() {
    assert_no_read_passes(
        DeniedResource::SPACE,
        100,
        &["no space", "slugs", "slugs without space"],
    )
    .await;
}

/// Writes with every operation whose path parameter refers to the denied resource.
#[tokio::test]
async fn rejects_every_write_spelling_on_a_denied_resource() {
    let (mut by_rule, mut irreversible, mut total) = (0, 0, 0);
    let instance = SampleReader::new();
    for denied in [DeniedResource::PROJECT, DeniedResource::ENVIRONMENT, DeniedResource::TENANT] {
        let oracle = Oracle::of(&instance, denied).await;
        let values = Values::collect(&instance, &oracle, &denied).await;
        let mut calls = Vec::new();
        for (turn, operation) in write_operations().enumerate() {
            calls.extend(writes::by_path(operation, turn, &values, &denied));
        }
        total += calls.len();
        let fixture =
            fixture_without_rate_limits(json!([denied.rule("deny", &["read", "write", "delete"])]))
                .await;
        let mut leaks = Vec::new();
        for (call, outcome) in execute(&fixture, calls).await {
            match &outcome {
                CallOutcome::Failed(message) if message.contains("rule 'r'") => by_rule += 1,
                // Refused for every caller.
                CallOutcome::Failed(message)
                    if call.method == "DELETE"
                        && message.contains("the deletion cannot be undone") =>
                {
                    irreversible += 1;
                }
                _ => leaks.push(format!("{call:?}: {}", shortened(&outcome))),
            }
        }
        assert!(leaks.is_empty(), "{} passed: {leaks:#?}", leaks.len());
        assert_eq!(fixture.sent_changes(), []);
    }
    assert!(total > 120 && irreversible < 10, "{by_rule} and {irreversible} of {total}");
}

/// Writes whose path names an allowed resource and whose body or query names the denied one.
#[tokio::test]
async fn no_body_or_query_hides_a_denied_resource() {
    let instance = SampleReader::new();
    let mut forms = BTreeMap::new();
    for denied in [
        DeniedResource::PROJECT,
        DeniedResource::ENVIRONMENT,
        DeniedResource::TENANT,
        DeniedResource::SPACE,
    ] {
        // The allowed resources of the default space.
        let inside = if denied.is_space() { DeniedResource::PROJECT } else { denied };
        let oracle = Oracle::of(&instance, inside).await;
        let values = Values::collect(&instance, &oracle, &inside).await;
        let open = write_operations()
            .filter_map(|operation| writes::allowed_write(operation, &values, &denied));
        let fixture =
            fixture_without_rate_limits(json!([denied.rule("deny", &["write", "delete"])])).await;
        // The rule allows these writes, so it can reject them only because of the hidden name.
        let mut hidden = Vec::new();
        for (turn, (call, outcome)) in
            execute(&fixture, open.collect()).await.into_iter().enumerate()
        {
            if matches!(outcome, CallOutcome::ApprovalRequired { .. }) {
                hidden.extend(writes::hidden_writes(&call, turn, &values, &denied));
            }
        }
        assert!(hidden.len() > 20, "{denied:?}: only {}", hidden.len());
        let mut leaks = Vec::new();
        for (call, outcome) in execute(&fixture, hidden).await {
            match &outcome {
                CallOutcome::Failed(message) if message.contains("rule 'r'") => {}
                CallOutcome::Failed(message)
                    if denied.is_space() && message.contains("name the same space") => {}
                _ => leaks.push(format!("{call:?}: {}", shortened(&outcome))),
            }
            *forms.entry(call.form).or_insert(0) += 1;
        }
        assert!(leaks.is_empty(), "{} passed: {leaks:#?}", leaks.len());
        assert_eq!(fixture.sent_changes(), []);
    }
    assert!(forms.values().all(|count| *count > 4), "{forms:?}");
}

/// Returns the operations that change data.
fn write_operations() -> impl Iterator<Item = &'static Operation> {
    operations::all().iter().filter(|operation| operation.method != "GET")
}

/// An additional parameter, another spelling or another method never makes a denied read allowed.
#[tokio::test]
async fn read_rules_reject_unknown_parameters_and_paths() {
    let fixture = policy_fixture(json!([DeniedResource::PROJECT.rule("deny", &["read"])])).await;
    for (path, query, expected) in [
        ("/api/Spaces-1/projects/Projects-4/nothing", json!({}), "is not a known operation"),
        ("/api/default/projects/Projects-4", json!({}), "is not a known operation"),
        ("/api/Spaces-1/projects/Projects-4.json", json!({}), "was not found; give the ID"),
        ("/api/Spaces-1/tagsets", json!({ "foo": "x" }), "`foo` is not a parameter"),
        ("/api/Spaces-1/tasks", json!({ "project": "Projects-4,Projects-5" }), "takes one value"),
        ("/api/Spaces-1/deployments", json!({ "projects": "" }), "limit it by `projects`"),
        (
            "/api/Spaces-1/deployments",
            json!({ "projects": "nothing" }),
            "was not found; give the ID",
        ),
        ("/api/Spaces-1/deployments", json!({ "skip": 1, "SKIP": 2 }), "given twice"),
        ("/api/tasks", json!({ "project": "Projects-4" }), "name a space in the path"),
        ("/api/Spaces-1/events", json!({ "projects": "Projects-4", "asCsv": true }), "asCsv"),
    ] {
        let call = json!({ "method": "GET", "path": path, "query": query });
        let outcome = fixture.call(CODE_FLOW, "execute", &call).await;
        let CallOutcome::Failed(message) = outcome else { panic!("{call}: {outcome:?}") };
        assert!(message.contains("rule 'r'") && message.contains(expected), "{call}: {message}");
    }
    for (path, query, sent) in [
        ("/api/tagsets", json!({ "take": 5 }), "/api/Spaces-1/tagsets?take=5"),
        (
            "/api/spaces/DEFAULT/Deployments",
            json!({ "PROJECTS[0]": "route-planner", "projects[1]": "Projects-4" }),
            "/api/Spaces-1/Deployments?projects=Projects-2%2CProjects-4",
        ),
        ("/api/projects/route-planner", json!({}), "/api/Spaces-1/projects/Projects-2"),
    ] {
        let call = json!({ "method": "GET", "path": path, "query": query });
        let answer = fixture.call(CODE_FLOW, "execute", &call).await.expect_result();
        assert_eq!(answer["path"], sent, "the sent path must be the evaluated path");
    }
}

/// `find_events` about a denied resource is rejected for each parameter that can name it.
#[tokio::test]
async fn rejects_events_about_a_denied_project() {
    let fixture = policy_fixture(json!([DeniedResource::PROJECT.rule("deny", &["read"])])).await;
    for (filter, rejected) in [
        (json!({ "projects": ["Parcel Tracking API"] }), true),
        (json!({ "regarding": ["Projects-1"] }), true),
        (json!({ "regardingAny": ["Projects-2", "Projects-1"] }), true),
        (json!({ "regarding": ["Releases-9001"] }), true),
        (json!({ "regardingAny": ["ServerTasks-90001"] }), true),
        (json!({ "regarding": ["Projects-2"] }), false),
    ] {
        let mut call = filter.clone();
        call["space"] = json!("Default");
        let outcome = fixture.call(CODE_FLOW, "find_events", &call).await;
        let is_rejected =
            matches!(&outcome, CallOutcome::Failed(message) if message.contains("rule 'r'"));
        assert_eq!(is_rejected, rejected, "{filter}: {}", shortened(&outcome));
    }
}

/// IDs by subject.
type BySubject = BTreeMap<String, String>;

fn key(subject: Subject) -> String {
    format!("{subject:?}")
}
