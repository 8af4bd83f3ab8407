//! Every operation of Octopus's API through `execute`, in every spelling, while one thing is denied.
//!
//! The sample instance is the oracle: where its own answer to a request holds a document of the
//! denied thing, `execute` refuses that request.

mod calls;
mod instance;
mod values;

use std::collections::BTreeMap;

use futures::StreamExt;
use octopus_mcp::octopus::operations::{self, Subject};
use serde_json::{Value, json};

use self::{
    calls::Call,
    instance::{Answer, Denied, Instance},
    values::Values,
};
use super::{CODE, desk};
use crate::consent::{Came, Desk};

/// How many calls are under way at a time.
const AT_ONCE: usize = 8;

async fn limitless(rules: Value) -> Desk {
    Desk::with(|config| {
        config.tools.allow_deletes = true;
        super::rules(config, &rules);
        config.limits.caller_rate = 1_000_000;
        config.limits.caller_burst = 1_000_000;
        config.limits.instance_rate = 1_000_000;
        config.limits.instance_burst = 1_000_000;
    })
    .await
}

/// Sends the calls through `execute`; returns each with what came of it.
async fn execute(desk: &Desk, calls: Vec<Call>) -> Vec<(Call, Came)> {
    let sent = calls.into_iter().map(async |call| {
        let came = desk.call(CODE, "execute", &call.arguments()).await;
        (call, came)
    });
    futures::stream::iter(sent).buffer_unordered(AT_ONCE).collect().await
}

/// Reads with every operation while a rule denies reads of one thing.
async fn no_read_passes(denied: Denied, least: usize) {
    let instance = Instance::new();
    let values = Values::harvest(&instance, &denied).await;
    let (mut leaking, mut harmless) = (Vec::new(), Vec::new());
    for operation in operations::all().iter().filter(|operation| operation.method == "GET") {
        for call in calls::reads(operation, &values, &denied) {
            let Some(answer) = instance.get(&call).await else { continue };
            let list = if denied.is_in(&answer) { &mut leaking } else { &mut harmless };
            list.push(call);
        }
    }
    assert!(leaking.len() >= least, "only {} requests answer with it", leaking.len());
    let desk = limitless(json!([denied.rule("deny", &["read"])])).await;
    let (mut passed, mut by_rule, sent) = (Vec::new(), 0, leaking.len());
    for (call, came) in execute(&desk, leaking).await {
        match &came {
            Came::Refused(said) if said.contains("rule 'r'") => by_rule += 1,
            // The request was sent in another form, which is limited to other things.
            Came::Answered(answer) if !denied.is_in(&Answer::of(&answer["response"])) => {}
            _ => passed.push(format!("{call:?}: {}", shown(&came))),
        }
    }
    assert!(by_rule * 10 > sent * 9, "{by_rule} of {sent}");
    assert!(passed.is_empty(), "{} passed: {passed:#?}", passed.len());
    // What is about other things is still read.
    harmless.retain(Call::is_plain);
    let all = harmless.len();
    let answered = execute(&desk, harmless).await;
    let answered = answered.iter().filter(|(_, came)| matches!(came, Came::Answered(_))).count();
    assert!(answered * 3 > all && answered > 20, "{answered} of {all}");
}

fn shown(came: &Came) -> String {
    format!("{came:?}").chars().take(400).collect()
}

#[tokio::test]
async fn no_form_of_a_read_passes_a_denied_project() {
    no_read_passes(Denied::PROJECT, 150).await;
}

#[tokio::test]
async fn no_form_of_a_read_passes_a_denied_environment() {
    no_read_passes(Denied::ENVIRONMENT, 100).await;
}

#[tokio::test]
async fn no_form_of_a_read_passes_a_denied_tenant() {
    no_read_passes(Denied::TENANT, 60).await;
}

#[tokio::test]
async fn no_form_of_a_read_passes_a_denied_space() {
    no_read_passes(Denied::SPACE, 100).await;
}

/// Writes with every operation that a path parameter leads to the denied thing.
#[tokio::test]
async fn no_form_of_a_write_passes_a_denied_thing() {
    let (mut by_rule, mut total) = (0, 0);
    for denied in [Denied::PROJECT, Denied::ENVIRONMENT, Denied::TENANT] {
        let instance = Instance::new();
        let values = Values::harvest(&instance, &denied).await;
        let writes = operations::all().iter().filter(|operation| operation.method != "GET");
        let mut calls = Vec::new();
        for (place, operation) in writes.enumerate() {
            calls.extend(calls::writes(operation, &values, &denied, place));
        }
        total += calls.len();
        let desk = limitless(json!([denied.rule("deny", &["read", "write", "delete"])])).await;
        let mut passed = Vec::new();
        for (call, came) in execute(&desk, calls).await {
            match &came {
                Came::Refused(said) if said.contains("rule 'r'") => by_rule += 1,
                // What nobody may do with this tool, or what does not read, is refused before.
                Came::Refused(said) if !said.contains("internal") => {}
                _ => passed.push(format!("{call:?}: {}", shown(&came))),
            }
        }
        assert!(passed.is_empty(), "{} passed: {passed:#?}", passed.len());
        assert_eq!(desk.changes(), []);
    }
    assert!(total > 120 && by_rule * 2 > total, "{by_rule} of {total}");
}

/// A parameter more, another spelling or another method never makes a denied read allowed.
#[tokio::test]
async fn unknown_parameters_and_paths_are_refused_while_rules_about_reads_exist() {
    let desk = desk(json!([Denied::PROJECT.rule("deny", &["read"])])).await;
    for (path, query, words) in [
        ("/api/Spaces-1/projects/Projects-4/nothing", json!({}), "is not an operation"),
        ("/api/default/projects/Projects-4", json!({}), "is not an operation"),
        ("/api/Spaces-1/projects/Projects-4.json", json!({}), "could not be found"),
        ("/api/Spaces-1/tagsets", json!({ "foo": "x" }), "`foo` is not a parameter"),
        ("/api/Spaces-1/tasks", json!({ "project": "Projects-4,Projects-5" }), "takes one value"),
        ("/api/Spaces-1/deployments", json!({ "projects": "" }), "limit it by `projects`"),
        ("/api/Spaces-1/deployments", json!({ "projects": "nothing" }), "could not be found"),
        ("/api/Spaces-1/deployments", json!({ "skip": 1, "SKIP": 2 }), "given twice"),
        ("/api/tasks", json!({ "project": "Projects-4" }), "name one in the path"),
        ("/api/Spaces-1/events", json!({ "projects": "Projects-4", "asCsv": true }), "asCsv"),
    ] {
        let call = json!({ "method": "GET", "path": path, "query": query });
        let came = desk.call(CODE, "execute", &call).await;
        let Came::Refused(said) = came else { panic!("{call}: {came:?}") };
        assert!(said.contains("rule 'r'") && said.contains(words), "{call}: {said}");
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
        let answer = desk.call(CODE, "execute", &call).await.answered();
        assert_eq!(answer["path"], sent, "what was judged is what is sent");
    }
}

/// `find_events` about a denied thing is refused, whatever parameter names it.
#[tokio::test]
async fn events_about_a_denied_project_are_not_found() {
    let desk = desk(json!([Denied::PROJECT.rule("deny", &["read"])])).await;
    for (filter, refused) in [
        (json!({ "projects": ["Parcel Tracking API"] }), true),
        (json!({ "regarding": ["Projects-1"] }), true),
        (json!({ "regardingAny": ["Projects-2", "Projects-1"] }), true),
        (json!({ "regarding": ["Releases-9001"] }), true),
        (json!({ "regardingAny": ["ServerTasks-90001"] }), true),
        (json!({ "regarding": ["Projects-2"] }), false),
    ] {
        let mut call = filter.clone();
        call["space"] = json!("Default");
        let came = desk.call(CODE, "find_events", &call).await;
        let is_refused = matches!(&came, Came::Refused(said) if said.contains("rule 'r'"));
        assert_eq!(is_refused, refused, "{filter}: {}", shown(&came));
    }
}

/// What a subject's word leads to, by subject.
type BySubject = BTreeMap<String, String>;

fn key(subject: Subject) -> String {
    format!("{subject:?}")
}
