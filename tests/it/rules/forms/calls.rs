//! Calls of `execute`: each operation with values that lead to what is denied, in every spelling.

use std::fmt::Write as _;

use octopus_mcp::octopus::operations::{Operation, Parameter, Part, Scope, Subject};
use serde_json::{Value, json};

use super::{
    BySubject,
    instance::{Denied, Instance},
    key,
};

/// A call of `execute`.
#[derive(Debug, Clone)]
pub struct Call {
    method: &'static str,
    path: String,
    query: Vec<(String, String)>,
    body: Option<Value>,
    spelling: &'static str,
}

/// Values for parameters, by what they name.
pub struct Values {
    /// Those that lead to what is denied.
    denied: BySubject,
    /// Those that lead elsewhere.
    open: BySubject,
}

/// The subjects whose things are listed, with their collections.
const LISTS: [(Subject, &str); 12] = [
    (Subject::Project, "projects"),
    (Subject::Environment, "environments"),
    (Subject::Tenant, "tenants"),
    (Subject::Channel, "channels"),
    (Subject::Release, "releases"),
    (Subject::Deployment, "deployments"),
    (Subject::Task, "tasks"),
    (Subject::Runbook, "runbooks"),
    (Subject::RunbookRun, "runbookRuns"),
    (Subject::RunbookSnapshot, "runbookSnapshots"),
    (Subject::Interruption, "interruptions"),
    (Subject::Machine, "machines"),
];

impl Values {
    /// Looks for things that belong to what is denied, and for others.
    pub async fn harvest(instance: &Instance, denied: &Denied) -> Self {
        let mut values = Self { denied: BySubject::new(), open: BySubject::new() };
        for (subject, collection) in LISTS {
            let documents = instance.list(denied.space.0, collection).await;
            let belongs = |document: &&Value| {
                denied.owns(document)
                    || document["Id"] == denied.id
                    || denied.id.starts_with("Spaces")
            };
            let id = |document: &Value| document["Id"].as_str().map(str::to_owned);
            if let Some(found) = documents.iter().find(belongs).and_then(id) {
                values.denied.insert(key(subject), found);
            }
            let is_open = |document: &&Value| !belongs(document);
            if let Some(found) = documents.iter().find(is_open).and_then(id) {
                values.open.insert(key(subject), found);
            }
        }
        // A task says less of itself than its deployment.
        let deployments = instance.list(denied.space.0, "deployments").await;
        if let Some(deployment) = deployments.iter().find(|document| denied.owns(document)) {
            let task = deployment["TaskId"].as_str().unwrap().to_owned();
            values.denied.insert(key(Subject::Task), task);
        }
        values.denied.insert(key(Subject::Space), "Spaces-22".to_owned());
        values.open.insert(key(Subject::Space), "Spaces-1".to_owned());
        values.denied.insert(key(Subject::Any), denied.id.to_owned());
        values.open.insert(key(Subject::Any), denied.open.to_owned());
        values
    }

    /// A value for a parameter of a path.
    fn of(&self, parameter: &Parameter, before: &str, denied: bool) -> String {
        let Some(subject) = parameter.subject else {
            return match parameter.name {
                "gitRef" | "gitref" | "branchName" => "main".to_owned(),
                _ => "1".to_owned(),
            };
        };
        let (first, second) =
            if denied { (&self.denied, &self.open) } else { (&self.open, &self.denied) };
        let of = |subject: Subject| {
            first.get(&key(subject)).or_else(|| second.get(&key(subject))).cloned()
        };
        if subject == Subject::Owned {
            let project = of(Subject::Project).unwrap_or_default();
            let runbook = of(Subject::Runbook).unwrap_or_default();
            return match before {
                "deploymentprocesses" => format!("deploymentprocess-{project}"),
                "deploymentsettings" => format!("deploymentsettings-{project}"),
                "runbookProcesses" => format!("RunbookProcess-{runbook}"),
                _ => format!("variableset-{project}"),
            };
        }
        of(subject).unwrap_or_else(|| "Nothing-1".to_owned())
    }
}

impl Call {
    pub fn arguments(&self) -> Value {
        let mut arguments = json!({ "method": self.method, "path": self.path });
        if !self.query.is_empty() {
            let query = self.query.iter().map(|(name, value)| (name.clone(), json!(value)));
            arguments["query"] = Value::Object(query.collect());
        }
        if let Some(body) = &self.body {
            arguments["body"] = body.clone();
        }
        arguments
    }

    /// The path and query, as Octopus is asked.
    pub fn url(&self) -> String {
        let mut url = self.path.clone();
        if !self.query.is_empty() {
            let mut query = url::form_urlencoded::Serializer::new(String::new());
            query.extend_pairs(&self.query);
            let _ = write!(url, "?{}", query.finish());
        }
        url
    }

    /// Whether nothing about its spelling is unusual.
    pub fn is_plain(&self) -> bool {
        self.spelling == "plain"
    }
}

/// Each way to choose the values of the path: all lead to what is denied, one of them does, none.
fn paths(operation: &Operation, values: &Values) -> Vec<Vec<String>> {
    let named =
        |part: &&Part| matches!(part, Part::Parameter(parameter) if parameter.subject.is_some());
    let count = operation.path.iter().filter(named).count();
    let mut choices: Vec<Vec<bool>> = vec![vec![true; count]];
    if count > 1 {
        choices.extend((0..count).map(|one| (0..count).map(|place| place == one).collect()));
    }
    if count > 0 {
        choices.push(vec![false; count]);
    }
    let mut paths: Vec<Vec<String>> = Vec::new();
    for choice in choices {
        let mut choice = choice.into_iter();
        let mut before = "";
        let mut path = Vec::new();
        for part in &operation.path {
            path.push(match part {
                Part::Literal(word) => {
                    before = word;
                    (*word).to_owned()
                }
                Part::Parameter(parameter) => {
                    let denied = parameter.subject.is_some() && choice.next().unwrap();
                    values.of(parameter, before, denied)
                }
            });
        }
        if !paths.contains(&path) {
            paths.push(path);
        }
    }
    paths
}

/// A path in each spelling.
fn spellings(
    operation: &Operation,
    below: &[String],
    denied: &Denied,
) -> Vec<(&'static str, String)> {
    let joined = below.join("/");
    if operation.scope == Scope::System {
        return vec![
            ("plain", format!("/api/{joined}")),
            ("capitals", format!("/API/{}", joined.to_uppercase())),
            ("encoded", format!("/api/{}", encoded(below))),
        ];
    }
    let (id, slug) = denied.space;
    let path = |space: &str, rest: &str| format!("/api/{space}/{rest}");
    let mut all = vec![
        ("plain", path(id, &joined)),
        ("no space", format!("/api/{joined}")),
        ("slug", path(&format!("spaces/{slug}"), &joined)),
        ("capital slug", path(&format!("SPACES/{}", slug.to_uppercase()), &joined)),
        ("long ID", path(&format!("spaces/{id}"), &joined)),
        ("small", path(&id.to_lowercase(), &joined.to_lowercase())),
        ("encoded", path(id, &encoded(below))),
        ("slash", format!("{}/", path(id, &joined))),
    ];
    let slugs = joined
        .replace("Projects-1/", "parcel-tracking-api/")
        .replace("Environments-3", "production")
        .replace("Tenants-1", "brightwater-couriers");
    if slugs != joined {
        all.push(("slugs", path(id, &slugs)));
        all.push(("slugs without space", format!("/api/{slugs}")));
    }
    all
}

/// Segments with their first letters encoded.
fn encoded(below: &[String]) -> String {
    let one = |segment: &String| {
        let (first, rest) = segment.split_at(segment.len().min(1));
        first.bytes().next().map_or_else(String::new, |byte| format!("%{byte:02x}{rest}"))
    };
    below.iter().map(one).collect::<Vec<_>>().join("/")
}

/// Each way to ask by the parameters of the query.
fn queries(operation: &Operation, values: &Values) -> Vec<(&'static str, Vec<(String, String)>)> {
    let mut all = Vec::new();
    for (place, parameter) in operation.query.iter().enumerate() {
        let before = match operation.path.first() {
            Some(Part::Literal(word)) => word,
            _ => "",
        };
        if parameter.subject.is_none() {
            continue;
        }
        let denied = values.of(parameter, before, true);
        let open = values.of(parameter, before, false);
        let name = parameter.name.to_owned();
        let upper = name.to_uppercase();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let spelled = [
            ("capital parameter", vec![pair(&upper, &denied)]),
            ("indexed", vec![pair(&format!("{name}[0]"), &denied)]),
            ("list", vec![pair(&name, &format!("{open},{denied}"))]),
            ("two spellings", vec![pair(&name, &open), pair(&upper, &denied)]),
            ("empty", vec![pair(&name, "")]),
            (
                "two indexes",
                vec![pair(&format!("{name}[0]"), &open), pair(&format!("{name}[1]"), &denied)],
            ),
        ];
        all.push(("parameter", vec![pair(&name, &denied)]));
        all.push(("plain", vec![pair(&name, &open)]));
        // Each operation has some of them, all operations have all.
        all.extend(spelled.into_iter().cycle().skip(place % 6).take(3));
    }
    for (name, value) in [("spaces", "Spaces-22"), ("includeSystem", "true"), ("foo", "Projects-1")]
    {
        all.push(("unknown", vec![(name.to_owned(), value.to_owned())]));
    }
    all
}

/// The reads of an operation.
pub fn reads(operation: &'static Operation, values: &Values, denied: &Denied) -> Vec<Call> {
    let mut calls = Vec::new();
    let call = |spelling, path: &str, query| Call {
        method: "GET",
        path: path.to_owned(),
        query,
        body: None,
        spelling,
    };
    for below in paths(operation, values) {
        let spelled = spellings(operation, &below, denied);
        for (spelling, path) in &spelled {
            calls.push(call(spelling, path, Vec::new()));
        }
        for (spelling, query) in queries(operation, values) {
            for (_, path) in spelled.iter().take(2) {
                calls.push(call(spelling, path, query.clone()));
            }
        }
    }
    calls
}

/// Writes of an operation whose path leads to what is denied, in two spellings each.
pub fn writes(
    operation: &'static Operation,
    values: &Values,
    denied: &Denied,
    place: usize,
) -> Vec<Call> {
    let names = |part: &Part| {
        let Part::Parameter(Parameter { subject: Some(subject), .. }) = part else { return false };
        let by_value = values.denied.get(&key(*subject));
        by_value.is_some_and(|value| value == denied.id) || *subject == Subject::Deployment
    };
    if !operation.path.iter().any(names) || operation.scope == Scope::System {
        return Vec::new();
    }
    let below = paths(operation, values).remove(0);
    let spelled = spellings(operation, &below, denied);
    let chosen = spelled.iter().cycle().skip(place).take(2);
    let has_body = operation.method != "DELETE";
    chosen
        .map(|(spelling, path)| Call {
            method: operation.method,
            path: path.clone(),
            query: Vec::new(),
            body: has_body.then(|| json!({ "Name": "x" })),
            spelling,
        })
        .collect()
}
