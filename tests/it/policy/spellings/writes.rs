//! Writes through `execute` that name the denied resource in path, body or query.

use octopus_mcp::octopus::operations::{Operation, Parameter, PathSegment, SpaceScope, Subject};
use serde_json::{Value, json};

use super::{
    calls::{Call, paths, spellings},
    denied::DeniedResource,
    key,
    values::Values,
};

/// Number of variants per operation in which the body or query names the denied resource.
const VARIANTS_PER_OPERATION: usize = 2;

/// Returns writes of an operation whose path refers to the denied resource, in two spellings each.
pub fn by_path(
    operation: &'static Operation,
    turn: usize,
    values: &Values,
    denied: &DeniedResource,
) -> Vec<Call> {
    let names = |part: &PathSegment| {
        let PathSegment::Parameter(Parameter { subject: Some(subject), .. }) = part else {
            return false;
        };
        let by_value = values.denied.get(&key(*subject));
        by_value.is_some_and(|value| value == denied.id) || *subject == Subject::Deployment
    };
    if !operation.path.iter().any(names) || operation.scope == SpaceScope::System {
        return Vec::new();
    }
    let below = paths(operation, values).remove(0);
    let spelled = spellings(operation, &below, denied);
    let chosen = spelled.iter().cycle().skip(turn).take(2);
    let body = (operation.method != "DELETE").then(|| json!({ "Name": "x" }));
    let call = |(form, path): &(&'static str, String)| Call {
        method: operation.method,
        path: path.clone(),
        query: Vec::new(),
        body: body.clone(),
        form,
    };
    chosen.map(call).collect()
}

/// Returns a write that names only allowed resources.
pub fn allowed_write(
    operation: &'static Operation,
    values: &Values,
    denied: &DeniedResource,
) -> Option<Call> {
    if operation.scope == SpaceScope::System {
        return None;
    }
    let below = paths(operation, values).pop()?;
    let space = if denied.is_space() { denied.allowed_id } else { denied.space.0 };
    let of = |subject: Subject| json!(values.allowed.get(&key(subject)));
    let body = match (operation.method, below[0].to_lowercase().as_str()) {
        ("DELETE", _) => None,
        ("POST", "releases") => {
            Some(json!({ "ProjectId": of(Subject::Project), "Version": "9.9.9" }))
        }
        ("POST", "deployments") => Some(json!({
            "ReleaseId": of(Subject::Release), "EnvironmentId": of(Subject::Environment),
        })),
        ("POST", "runbookruns") => Some(json!({
            "RunbookId": of(Subject::Runbook), "EnvironmentId": of(Subject::Environment),
        })),
        _ => Some(json!({ "Name": "x" })),
    };
    let path = format!("/api/{space}/{}", below.join("/"));
    Some(Call { method: operation.method, path, query: Vec::new(), body, form: "open" })
}

/// Returns allowed writes with the denied resource in body or query. `turn` selects
/// [`VARIANTS_PER_OPERATION`] of the variants.
pub fn hidden_writes(
    call: &Call,
    turn: usize,
    values: &Values,
    denied: &DeniedResource,
) -> Vec<Call> {
    let forms = if call.body.is_some() { hidden_bodies(values, denied) } else { Vec::new() };
    let with_body = forms.into_iter().map(|(form, more)| {
        let mut call = call.clone();
        let fields = call.body.as_mut().and_then(Value::as_object_mut).unwrap();
        fields.extend(more.as_object().unwrap().clone());
        Call { form, ..call }
    });
    let with_query = hidden_queries(denied).into_iter().map(|(form, name, value)| Call {
        form,
        query: vec![(name, value)],
        ..call.clone()
    });
    let all: Vec<Call> = with_body.chain(with_query).collect();
    let count = all.len().min(VARIANTS_PER_OPERATION);
    all.into_iter().cycle().skip(turn * VARIANTS_PER_OPERATION).take(count).collect()
}

/// Returns body fields that name the denied resource.
fn hidden_bodies(values: &Values, denied: &DeniedResource) -> Vec<(&'static str, Value)> {
    let DeniedResource { id, allowed_id: open, name, .. } = *denied;
    let noun = denied.noun();
    if denied.is_space() {
        return vec![
            ("SpaceIdOrName", json!({ "SpaceIdOrName": name })),
            ("space by its slug", json!({ "spaceIdOrName": denied.slug })),
            ("SpaceId", json!({ "SpaceId": id })),
            ("capital SpaceId", json!({ "SPACEID": id.to_lowercase() })),
            ("SpaceId within", json!({ "Things": [[{ "SpaceId": id }]] })),
            ("SpaceIds", json!({ "SpaceIds": [open, id] })),
            ("Space within", json!({ "Things": [{ "Space": { "Spaces": [[name]] } }] })),
            ("space in an unknown key", json!({ "Target": id })),
            ("space in a list in a text", json!({ "Targets": format!("{open},{id}") })),
            ("space as an object key", json!({ "Map": { id: true } })),
        ];
    }
    let mut bodies = vec![
        ("known key", json!({ format!("{noun}Id"): id })),
        ("known key in capitals", json!({ format!("{noun}Id").to_uppercase(): id })),
        ("unknown key", json!({ "Target": id })),
        ("small", json!({ "Target": id.to_lowercase() })),
        ("within", json!({ "Things": { "Inner": [{ "Where": id }] } })),
        ("nested lists", json!({ "Things": [[[id]]] })),
        ("nested lists of a known key", json!({ format!("{noun}Ids"): [[id]] })),
        ("Id", json!({ "Target": { "Id": id } })),
        ("Id in a list", json!({ "Targets": [{ "Id": open }, { "Id": id }] })),
        ("Id of a known key", json!({ format!("{noun}Ids"): [{ "Id": id }] })),
        ("object key", json!({ id: true })),
        ("object key within", json!({ "Map": { id: ["x"] } })),
        ("list in a text", json!({ "Targets": format!("{open},{id}") })),
        ("name", json!({ format!("Target{noun}"): name })),
        ("name within", json!({ "Inner": { format!("{noun}Name"): name } })),
    ];
    for subject in [Subject::Deployment, Subject::Task] {
        if let Some(id) = values.denied.get(&key(subject)) {
            bodies.push(("leads there", json!({ "Again": { "Reference": id } })));
        }
    }
    bodies
}

/// Returns query parameters that name the denied resource.
fn hidden_queries(denied: &DeniedResource) -> Vec<(&'static str, String, String)> {
    let DeniedResource { id, allowed_id: open, name, .. } = *denied;
    let noun = denied.noun().to_lowercase();
    vec![
        ("name in a parameter", format!("{noun}s"), name.to_owned()),
        ("parameter", format!("{noun}Id"), id.to_owned()),
        ("unknown parameter", "target".to_owned(), id.to_owned()),
        ("indexed parameter", "target[0]".to_owned(), id.to_lowercase()),
        ("list in a parameter", "targets".to_owned(), format!("{open},{id}")),
    ]
}
