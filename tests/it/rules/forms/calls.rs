//! Calls of `execute`: each operation with values that lead to what is denied, in every spelling.

use std::fmt::Write as _;

use octopus_mcp::octopus::operations::{Operation, Parameter, Part, Scope, Subject};
use serde_json::{Value, json};

use super::{instance::Denied, key, values::Values};

/// A call of `execute`.
#[derive(Debug, Clone)]
pub struct Call {
    method: &'static str,
    path: String,
    query: Vec<(String, String)>,
    body: Option<Value>,
    spelling: &'static str,
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
        ("slash", format!("{}/", path(id, &joined).trim_end_matches('/'))),
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
    for (choice, below) in paths(operation, values).into_iter().enumerate() {
        let spelled = spellings(operation, &below, denied);
        // The first leads to what is denied everywhere, and comes in every spelling.
        let most = if choice == 0 { spelled.len() } else { 2 };
        for (spelling, path) in spelled.iter().take(most) {
            calls.push(call(spelling, path, Vec::new()));
        }
        if choice > 0 {
            continue;
        }
        for (place, (spelling, query)) in queries(operation, values).into_iter().enumerate() {
            let (_, path) = &spelled[place % 2];
            calls.push(call(spelling, path, query));
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
