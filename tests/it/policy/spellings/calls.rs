//! Reads through `execute`: each operation with values that refer to the denied resource.
//!
//! Each operation has its plain form and some of the other spellings in turn, so that all
//! operations together have every spelling many times ([`SPELLINGS`]).

use std::fmt::Write as _;

use octopus_mcp::octopus::operations::{Operation, Parameter, PathSegment, SpaceScope, Subject};
use serde_json::{Value, json};

use super::{denied::DeniedResource, values::Values};

/// The spellings of paths and queries.
pub const SPELLINGS: [&str; 19] = [
    "plain",
    "no space",
    "slug",
    "capital slug",
    "long ID",
    "small",
    "encoded",
    "slash",
    "slugs",
    "slugs without space",
    "parameter",
    "capital parameter",
    "indexed",
    "list",
    "two spellings",
    "empty",
    "two indexes",
    "unknown",
    "CSV",
];

/// Number of unusual path spellings that each operation gets.
const SPELLINGS_PER_OPERATION: usize = 3;

/// A call of `execute`.
#[derive(Debug, Clone)]
pub struct Call {
    pub method: &'static str,
    pub path: String,
    pub query: Vec<(String, String)>,
    pub body: Option<Value>,
    /// One of [`SPELLINGS`], or the form in which a write names the denied resource.
    pub form: &'static str,
}

impl Call {
    fn get(form: &'static str, path: &str, query: Vec<(String, String)>) -> Self {
        Self { method: "GET", path: path.to_owned(), query, body: None, form }
    }

    pub fn arguments(&self) -> Value {
        let mut arguments = json!({ "method": self.method, "path": self.path });
        if !self.query.is_empty() {
            let query = self.query.iter().map(|(name, value)| (name.clone(), json!(value)));
            arguments["query"] = Value::Object(query.collect());
        }
        if let Some(body) = &self.body {
            arguments["body"] = body.clone();
        }
        if self.form == "CSV" {
            arguments["asCsv"] = json!(true);
        }
        if self.method == "GET" {
            // The limit is large so that truncation hides no leak.
            arguments["maxBytes"] = json!(1_000_000);
        }
        arguments
    }

    /// Returns the path and query of the upstream request.
    pub fn url(&self) -> String {
        let mut url = self.path.clone();
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(&self.query);
        if self.form == "CSV" {
            query.append_pair("format", "csv");
        }
        let query = query.finish();
        if !query.is_empty() {
            let _ = write!(url, "?{query}");
        }
        url
    }
}

/// Returns the path with each choice of values: all refer to the denied resource, one of them, or
/// none.
pub fn paths(operation: &Operation, values: &Values) -> Vec<Vec<String>> {
    let mut count = 0;
    let counted = |parameter: &Parameter, before: &str| {
        count += usize::from(values.has_both(parameter, before));
        String::new()
    };
    fill_path(operation, counted);
    let mut choices: Vec<Vec<bool>> = vec![vec![true; count]];
    if count > 1 {
        choices.extend((0..count).map(|one| (0..count).map(|index| index == one).collect()));
    }
    if count > 0 {
        choices.push(vec![false; count]);
    }
    let mut paths: Vec<Vec<String>> = Vec::new();
    for choice in choices {
        let mut choice = choice.into_iter();
        let path = fill_path(operation, |parameter, before| {
            let denied = values.has_both(parameter, before) && choice.next().unwrap();
            values.of(parameter, before, denied)
        });
        if !paths.contains(&path) {
            paths.push(path);
        }
    }
    paths
}

/// Fills the path of an operation with values. `value` gets the parameter and the preceding
/// segment.
fn fill_path(
    operation: &Operation,
    mut value: impl FnMut(&Parameter, &str) -> String,
) -> Vec<String> {
    let mut before = "";
    let part = |part: &PathSegment| match part {
        PathSegment::Literal(word) => {
            before = word;
            (*word).to_owned()
        }
        PathSegment::Parameter(parameter) => value(parameter, before),
    };
    operation.path.iter().map(part).collect()
}

/// Returns a path in each spelling, the plain one first.
pub fn spellings(
    operation: &Operation,
    below: &[String],
    denied: &DeniedResource,
) -> Vec<(&'static str, String)> {
    let joined = below.join("/");
    if operation.scope == SpaceScope::System {
        return vec![
            ("plain", format!("/api/{joined}")),
            ("small", format!("/API/{}", joined.to_uppercase())),
            ("encoded", format!("/api/{}", percent_encode_first_letters(below))),
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
        ("encoded", path(id, &percent_encode_first_letters(below))),
        ("slash", format!("{}/", path(id, &joined).trim_end_matches('/'))),
    ];
    let slugs = below.iter().map(|segment| slug_of(segment)).collect::<Vec<_>>().join("/");
    if slugs != joined {
        all.push(("slugs", path(id, &slugs)));
        all.push(("slugs without space", format!("/api/{slugs}")));
    }
    all
}

/// Returns the slug of a denied resource, or the segment unchanged.
fn slug_of(segment: &str) -> &str {
    let resources = [DeniedResource::PROJECT, DeniedResource::ENVIRONMENT, DeniedResource::TENANT];
    resources
        .iter()
        .find(|resource| resource.id == segment)
        .map_or(segment, |resource| resource.slug)
}

/// Returns the segments with their first letters percent-encoded.
fn percent_encode_first_letters(below: &[String]) -> String {
    let one = |segment: &String| {
        let (first, rest) = segment.split_at(segment.len().min(1));
        first.bytes().next().map_or_else(String::new, |byte| format!("%{byte:02x}{rest}"))
    };
    below.iter().map(one).collect::<Vec<_>>().join("/")
}

/// Returns the queries that select the denied resource by parameters.
fn query_spellings(
    operation: &Operation,
    values: &Values,
    turn: usize,
) -> Vec<(&'static str, Vec<(String, String)>)> {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let before = match operation.path.first() {
        Some(PathSegment::Literal(word)) => word,
        _ => "",
    };
    let mut all = Vec::new();
    let named = operation.query.iter().filter(|parameter| parameter.subject.is_some());
    for (index, parameter) in named.enumerate() {
        let denied = values.of(parameter, before, true);
        let open = values.of(parameter, before, false);
        let name = parameter.name;
        let upper = name.to_uppercase();
        let first = format!("{name}[0]");
        let spelled = [
            ("capital parameter", vec![pair(&upper, &denied)]),
            ("indexed", vec![pair(&first, &denied)]),
            ("list", vec![pair(name, &format!("{open},{denied}"))]),
            ("two spellings", vec![pair(name, &open), pair(&upper, &denied)]),
            ("empty", vec![pair(name, "")]),
            ("two indexes", vec![pair(&first, &open), pair(&format!("{name}[1]"), &denied)]),
        ];
        all.push(("parameter", vec![pair(name, &denied)]));
        all.push(("open parameter", vec![pair(name, &open)]));
        all.extend(spelled.into_iter().cycle().skip((turn + index) % 6).take(1));
    }
    let unknown = [("spaces", "Spaces-22"), ("includeSystem", "true"), ("foo", "Projects-1")];
    let (name, value) = unknown[turn % unknown.len()];
    all.push(("unknown", vec![pair(name, value)]));
    all
}

/// Returns the reads of an operation. `turn` is its index in the table and selects its spellings.
pub fn reads(
    operation: &'static Operation,
    turn: usize,
    values: &Values,
    denied: &DeniedResource,
) -> Vec<Call> {
    let mut calls = Vec::new();
    for (choice, below) in paths(operation, values).into_iter().enumerate() {
        let spelled = spellings(operation, &below, denied);
        let (_, plain) = &spelled[0];
        calls.push(Call::get("plain", plain, Vec::new()));
        // In the first choice every value refers to the denied resource.
        let unusual = spelled[1..].iter().cycle().skip(turn + choice);
        let unusual = unusual.take(if choice == 0 {
            SPELLINGS_PER_OPERATION.min(spelled.len() - 1)
        } else {
            1
        });
        let slugs: Vec<_> = spelled.iter().filter(|(form, _)| form.starts_with("slugs")).collect();
        let slugs = slugs.into_iter().skip((turn + choice) % 2).take(1);
        let all = unusual.chain(slugs);
        calls.extend(all.map(|(form, path)| Call::get(form, path, Vec::new())));
        if choice > 0 {
            continue;
        }
        for (index, (form, query)) in
            query_spellings(operation, values, turn).into_iter().enumerate()
        {
            let (_, path) = &spelled[(turn + index) % spelled.len().min(2)];
            calls.push(Call::get(form, path, query));
        }
        if below.last().is_some_and(|last| last == "events") {
            calls.push(Call::get("CSV", plain, Vec::new()));
        }
        for task in other_tasks(operation, values) {
            let path = plain.replace(&values.denied[&super::key(Subject::Task)], task);
            calls.push(Call::get("plain", &path, Vec::new()));
        }
    }
    calls
}

/// Returns the denied tasks that the path of an operation can name, without the first one.
fn other_tasks<'a>(operation: &Operation, values: &'a Values) -> &'a [String] {
    let is_task = |part: &PathSegment| matches!(part, PathSegment::Parameter(parameter) if parameter.subject == Some(Subject::Task));
    let tasks = values.tasks.get(1..).unwrap_or_default();
    if operation.path.iter().any(is_task) { tasks } else { &[] }
}
