//! Every tool survives every form of a response that the contract allows: each operation that a
//! call reads responds with required fields only, and the others are null or absent; or with fields
//! and words that newer servers may add.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::Request,
    middleware::{Next, from_fn},
    response::Response,
};
use http::header::CONTENT_LENGTH;
use octopus_sample::{
    JournalEntry, Sample,
    contract::{Contract, Edition, Form, Optional, Shape},
    keys,
};
use serde_json::{Value, json};

use super::{
    calls::{filtered_calls, filtered_calls_of_new_features},
    walk::NEW_TOOLS,
};
use crate::{
    approval::{ApprovalFixture, ApprovalFlow, CallOutcome, write_calls},
    resources::SAMPLE_URIS,
    support::{Era, TestServer},
    tools::{check_answer, sample_calls, size_limit},
};

/// Fields that identify an item, by type, although the contract does not require them. Every server
/// sends them, and an item without them is not shown. `Id` and `Name` belong to every type.
const IDENTITY: &[(&str, &[&str])] = &[
    ("Channel", &["ProjectId"]),
    ("Deployment", &["ProjectId", "TaskId"]),
    ("FeatureToggle", &["Slug"]),
    ("Release", &["ProjectId"]),
    ("Root", &["Version"]),
    ("Runbook", &["ProjectId"]),
    ("RunbookRun", &["TaskId"]),
    ("TaskDetails", &["Task.Id"]),
];

/// A call of the server.
#[derive(Debug, Clone)]
enum Call {
    Read(&'static str, Value),
    /// The preview of a change.
    Preview(&'static str, Value),
    Resource(&'static str),
}

/// Returns a call of every tool and resource that the edition supports.
fn calls(edition: Edition) -> Vec<Call> {
    let is_new = edition == Edition::V2026_3;
    let mut reads = sample_calls();
    reads.extend(filtered_calls());
    if is_new {
        reads.extend(filtered_calls_of_new_features());
    }
    reads.retain(|(tool, _)| is_new || !NEW_TOOLS.contains(tool));
    let reads = reads.into_iter().map(|(tool, arguments)| Call::Read(tool, arguments));
    let changes = write_calls().into_iter().filter(|(tool, arguments, ..)| {
        is_new || !NEW_TOOLS.contains(tool) && arguments.get("gitRef").is_none()
    });
    let changes = changes.map(|(tool, arguments, ..)| Call::Preview(tool, arguments));
    reads.chain(changes).chain(SAMPLE_URIS.iter().map(|(_, uri)| Call::Resource(uri))).collect()
}

/// The operations whose responses are reduced, by their paths in the contract. `None` reduces all.
type Reduced = Arc<Mutex<Option<BTreeSet<&'static str>>>>;

/// A server in front of an Octopus whose responses can be reduced.
struct Fixture {
    changes: ApprovalFixture,
    contract: &'static Contract,
    reduced: Reduced,
}

impl Fixture {
    async fn start(edition: Edition, form: &Form<'static>) -> Self {
        let sample = Sample::with_version(edition.server_version());
        let contract = Contract::of(edition);
        let reduced = Reduced::default();
        *reduced.lock().unwrap() = Some(BTreeSet::new());
        let router = reducing_router(&sample, contract, *form, &reduced);
        let server =
            TestServer::with_router(sample, router, |config| config.tools.read_only = false).await;
        let changes = ApprovalFixture { server, key: keys::ADMIN };
        Self { changes, contract, reduced }
    }

    /// Makes a call. Returns the message of an error.
    async fn outcome(&self, call: &Call) -> Result<(), String> {
        let server = &self.changes.server;
        match call {
            Call::Read(tool, arguments) => {
                let result = server.call_as(keys::ADMIN, tool, arguments.clone()).await;
                if result.is_error {
                    return Err(result.text);
                }
                check_answer(tool, &result.structured, size_limit(arguments));
            }
            Call::Preview(tool, arguments) => {
                let flow = ApprovalFlow::ConfirmCode(Era::Modern);
                if let CallOutcome::Failed(error) = self.changes.call(flow, tool, arguments).await {
                    return Err(error);
                }
            }
            Call::Resource(uri) => {
                let reply = server.rpc(Era::Modern, "resources/read", json!({ "uri": uri })).await;
                let error = &reply.json()["error"];
                if !error.is_null() {
                    return Err(error["message"].as_str().unwrap_or_default().to_owned());
                }
            }
        }
        Ok(())
    }

    /// Returns the paths of the operations that were read since the last call of this function.
    fn read_operations(&self) -> BTreeSet<&'static str> {
        let journal = self.changes.server.sample.journal();
        self.changes.server.sample.clear_journal();
        let operation = |entry: &JournalEntry| {
            (entry.method == "GET").then(|| self.contract.find("GET", &entry.path))?
        };
        journal.iter().filter_map(operation).map(|operation| operation.path).collect()
    }

    fn reduce(&self, operations: Option<BTreeSet<&'static str>>) {
        *self.reduced.lock().unwrap() = operations;
    }
}

/// Serves the sample instance and reduces the responses of the selected operations.
fn reducing_router(
    sample: &Sample,
    contract: &'static Contract,
    form: Form<'static>,
    reduced: &Reduced,
) -> Router {
    let reduced = Arc::clone(reduced);
    sample.router().layer(from_fn(move |request: Request, next: Next| {
        let is_read = request.method() == http::Method::GET;
        let operation = contract.find("GET", request.uri().path()).filter(|operation| {
            let reduced = reduced.lock().unwrap();
            is_read && reduced.as_ref().is_none_or(|paths| paths.contains(operation.path))
        });
        async move {
            let response = next.run(request).await;
            let shape = operation.and_then(|operation| operation.response.as_ref());
            match shape {
                Some(shape) if response.status().is_success() => {
                    reduced_response(contract, form, shape, response).await
                }
                _ => response,
            }
        }
    }))
}

async fn reduced_response(
    contract: &Contract,
    form: Form<'static>,
    shape: &Shape,
    response: Response,
) -> Response {
    let (mut parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let Ok(document) = serde_json::from_slice::<Value>(&body) else {
        return Response::from_parts(parts, Body::from(body));
    };
    let keep = identity(contract, shape);
    let keep: Vec<&str> = keep.iter().map(String::as_str).collect();
    let form = Form { keep: &keep, ..form };
    let document = contract.reduce(shape, document, &form);
    parts.headers.remove(CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(document.to_string()))
}

/// Returns the paths of the identity in a document or in the items of a list.
fn identity(contract: &Contract, shape: &Shape) -> Vec<String> {
    let (prefix, item) = match shape {
        Shape::List(item) => ("", &**item),
        Shape::Object(page) => match page.fields.iter().find(|field| field.name == "Items") {
            Some(items) => match &items.shape {
                Shape::List(item) => ("Items.", &**item),
                _ => ("", shape),
            },
            None => ("", shape),
        },
        shape => ("", shape),
    };
    let of_type = match item {
        Shape::Named(name) => IDENTITY.iter().find(|(of, _)| of == name),
        _ => None,
    };
    let mut fields: Vec<&str> = of_type.map_or(&[][..], |(_, fields)| *fields).to_vec();
    fields.extend(["Id", "Name"]);
    // Items without a name of their own, such as the variables that a tenant lacks.
    if let Shape::Object(object) = contract.resolve(item)
        && !object.fields.iter().any(|field| field.name == "Id")
    {
        fields.push("TenantId");
    }
    fields.into_iter().map(|field| format!("{prefix}{field}")).collect()
}

/// Failures with another reason than the form: the call needs a fact that the response lacks, and
/// the error says which. Each row has the tool or URI, the operation and a part of the message.
const OTHER_FAILURES: &[(&str, &str, &str)] = &[
    ("get_deployment_process", "/projects", "deploymentprocesses' not found"),
    ("get_branches", "/projects", "is not version-controlled"),
    ("find_runbooks", "/projects", "not in Git; leave out `gitRef`"),
    (
        "update_feature_toggle",
        "/projects/{projectId}/featuretoggles/{slug}",
        "the toggle has no entry for Production",
    ),
    ("run_runbook", "/projects/{projectId}/runbooks", "did you mean one of these?"),
    ("run_runbook", "/projects", "not in Git; leave out gitRef"),
    (
        "run_runbook",
        "/projects/{projectId}/{gitRef}/runbooks/{id}/runbookRuns/preview/{environment}",
        "no variable is prompted",
    ),
    (
        "octopus://spaces/Default/projects/route-planner/main/runbooks/rebuild-route-cache",
        "/projects",
        "project 'route-planner' not found",
    ),
];

const NULL: Form<'_> =
    Form { optional: Optional::Null, keep: &[], is_newer: false, alternative: 0 };
const ABSENT: Form<'_> = Form { optional: Optional::Absent, ..NULL };
const NEWER: Form<'_> = Form { optional: Optional::Present, is_newer: true, ..NULL };

async fn assert_survives(edition: Edition, form: Form<'static>) {
    let fixture = Fixture::start(edition, &form).await;
    let mut failures = Vec::new();
    let (mut made, mut seen) = (0, BTreeSet::new());
    for call in calls(edition) {
        fixture.reduce(Some(BTreeSet::new()));
        fixture.read_operations();
        // A call that this edition does not support has no form.
        if fixture.outcome(&call).await.is_err() {
            continue;
        }
        let operations = fixture.read_operations();
        for operation in &operations {
            fixture.reduce(Some(BTreeSet::from([*operation])));
            made += 1;
            if let Err(error) = fixture.outcome(&call).await {
                let name = match &call {
                    Call::Read(name, _) | Call::Preview(name, _) | Call::Resource(name) => *name,
                };
                let is_other = OTHER_FAILURES.iter().any(|(of, path, text)| {
                    *of == name && path == operation && error.contains(text)
                });
                if !is_other {
                    failures.push(format!("{operation}: {call:?}: {error}"));
                }
            }
        }
        seen.extend(operations);
        // All responses together: whatever the call lacks then, the form is not the reason.
        fixture.reduce(None);
        if let Err(error) = fixture.outcome(&call).await
            && error.contains("unexpected response from Octopus")
        {
            failures.push(format!("all operations: {call:?}: {error}"));
        }
    }
    assert!(made > 200 && seen.len() > 30, "{made} calls, {seen:?}");
    assert!(failures.is_empty(), "{} failures\n{}", failures.len(), failures.join("\n"));
}

#[tokio::test]
async fn tools_survive_null_fields_of_2026_3() {
    assert_survives(Edition::V2026_3, NULL).await;
}

#[tokio::test]
async fn tools_survive_absent_fields_of_2026_3() {
    assert_survives(Edition::V2026_3, ABSENT).await;
}

#[tokio::test]
async fn tools_survive_null_fields_of_2023_4() {
    assert_survives(Edition::V2023_4, NULL).await;
}

#[tokio::test]
async fn tools_survive_absent_fields_of_2023_4() {
    assert_survives(Edition::V2023_4, ABSENT).await;
}

#[tokio::test]
async fn tools_survive_fields_and_words_of_newer_servers() {
    assert_survives(Edition::V2026_3, NEWER).await;
}

/// The identity of spaces and the version of the server are cached, so they are reduced first.
#[tokio::test]
async fn cached_documents_survive_every_form() {
    for edition in Edition::ALL {
        for form in [NULL, ABSENT, NEWER] {
            let fixture = Fixture::start(edition, &form).await;
            fixture.reduce(None);
            let call = Call::Read("list_environments", json!({ "space": "Default" }));
            fixture.outcome(&call).await.unwrap();
            assert!(fixture.read_operations().contains("/spaces"));
            fixture.outcome(&Call::Resource("octopus://api/capabilities")).await.unwrap();
            assert!(fixture.read_operations().contains("/"));
        }
    }
}
