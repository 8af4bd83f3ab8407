//! A test server that checks every answer against the common rules: schema, size and fields.

use std::{collections::HashMap, sync::LazyLock};

use octopus_mcp::{app, config::Config};
use octopus_sample::{Fault, Sample, keys};
use serde_json::{Value, json};

use crate::support::{CallResult, TestServer};

/// Default size limit of an answer in bytes.
pub const BUDGET: usize = 20 * 1024;
/// Largest size limit that a call can request, in bytes.
pub const CAP: usize = 100 * 1024;

/// A test server that checks every answer; see `check_answer`.
pub struct CheckedServer {
    pub server: TestServer,
}

impl CheckedServer {
    pub async fn start() -> Self {
        Self { server: TestServer::start().await }
    }

    /// Starts a server in front of an Octopus of this version.
    pub async fn with_version(version: &str) -> Self {
        Self { server: TestServer::with_sample(Sample::with_version(version), |_| {}).await }
    }

    /// Calls a tool in both eras and returns their common answer.
    pub async fn call_ok(&self, tool: &str, arguments: Value) -> Value {
        let limit = size_limit(&arguments);
        let answer = self.server.call_ok(tool, arguments).await;
        check_answer(tool, &answer, limit);
        answer
    }

    /// Calls a tool in one era only, for calls that take long.
    pub async fn call_ok_once(&self, tool: &str, arguments: Value) -> Value {
        let limit = size_limit(&arguments);
        let CallResult { structured, is_error, text, .. } =
            self.server.call_as(keys::ADMIN, tool, arguments).await;
        assert!(!is_error, "{tool}: {text}");
        check_answer(tool, &structured, limit);
        structured
    }

    /// Calls a tool that fails in both eras and returns the error message.
    pub async fn call_error(&self, tool: &str, arguments: Value) -> String {
        self.server.call_error(tool, arguments).await
    }

    /// Asserts that the call fails with a message that contains all of the words.
    pub async fn assert_error_contains(&self, tool: &str, arguments: Value, parts: &[&str]) {
        let message = self.call_error(tool, arguments.clone()).await;
        for part in parts {
            assert!(message.contains(part), "{tool} {arguments}: no {part:?} in {message:?}");
        }
    }

    /// Makes Octopus return this body on all paths that contain `path`.
    pub fn mock_response(&self, path: &str, body: &Value) {
        self.server.sample.faults().add(Fault::on(path).body(&body.to_string()));
    }

    /// Returns the paths and queries of the requests to Octopus since the last call of this
    /// function.
    pub fn take_requests(&self) -> Vec<String> {
        let journal = self.server.sample.journal();
        self.server.sample.clear_journal();
        let line = |entry: octopus_sample::JournalEntry| {
            assert_eq!(entry.method, "GET");
            format!("{}?{}", entry.path, entry.query.unwrap_or_default())
        };
        journal.into_iter().map(line).collect()
    }
}

/// Returns the list response of Octopus with these items.
pub fn list_response(items: &Value) -> Value {
    json!({ "TotalResults": items.as_array().unwrap().len(), "Items": items })
}

/// Returns the values of this key in the items of a list.
pub fn column<'a>(list: &'a Value, key: &str) -> Vec<&'a str> {
    let items = list["items"].as_array().unwrap();
    items.iter().map(|item| item[key].as_str().unwrap_or("-")).collect()
}

/// Compares an answer with its reviewed snapshot.
pub fn assert_snapshot(name: &str, answer: &Value) {
    let mut answer = answer.clone();
    hide_port(&mut answer);
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots/answers");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_json_snapshot!(name, answer));
}

fn hide_port(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Some((_, page)) = text.split_once("/app#/") {
                *text = format!("https://octopus.example/app#/{page}");
            }
        }
        Value::Array(items) => items.iter_mut().for_each(hide_port),
        Value::Object(object) => object.values_mut().for_each(hide_port),
        _ => {}
    }
}

pub fn size_limit(arguments: &Value) -> usize {
    let requested = arguments["maxBytes"].as_u64().and_then(|bytes| usize::try_from(bytes).ok());
    requested.map_or(BUDGET, |bytes| bytes.clamp(1024, CAP))
}

/// Checks an answer against its schema, its size limit and the rules of every answer.
pub fn check_answer(tool: &str, answer: &Value, limit: usize) {
    static SCHEMAS: LazyLock<HashMap<&str, jsonschema::Validator>> = LazyLock::new(strict_schemas);
    let wrong: Vec<String> = SCHEMAS[tool]
        .iter_errors(answer)
        .map(|e| format!("{e} at {}", e.instance_path()))
        .collect();
    assert!(wrong.is_empty(), "{tool}: answer violates its output schema: {wrong:?}");
    let size = answer.to_string().len();
    assert!(size <= limit, "{tool}: {size} of {limit} bytes");
    visit_fields(answer, &mut |key, value| {
        assert!(!value.is_null(), "{tool}: {key} is null");
        assert_ne!(key, "Links", "{tool}");
        if key == "url" {
            let url = value.as_str().unwrap();
            assert!(url.starts_with("http://127.0.0.1:") && url.contains("/app#/Spaces-"), "{url}");
        }
    });
}

fn visit_fields(value: &Value, look: &mut impl FnMut(&str, &Value)) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| visit_fields(item, look)),
        Value::Object(object) => {
            for (key, item) in object {
                look(key, item);
                visit_fields(item, look);
            }
        }
        _ => {}
    }
}

/// Returns the published output schemas with `additionalProperties: false`, so that unknown keys
/// fail.
fn strict_schemas() -> HashMap<&'static str, jsonschema::Validator> {
    let config = Config::default();
    let (catalog, policy) = (app::catalog(), app::tool_access(&config).unwrap());
    let strict = |entry: &octopus_mcp::tool::Entry| {
        let mut schema = serde_json::to_value(&entry.model.output_schema).unwrap();
        forbid_additional_properties(&mut schema);
        (entry.metadata.name, jsonschema::validator_for(&schema).unwrap())
    };
    catalog.visible(&policy).map(strict).collect()
}

fn forbid_additional_properties(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(forbid_additional_properties),
        Value::Object(object) => {
            if object.get("properties").is_some_and(Value::is_object) {
                object.insert("additionalProperties".to_owned(), json!(false));
            }
            object.values_mut().for_each(forbid_additional_properties);
        }
        _ => {}
    }
}

#[test]
#[should_panic(expected = "answer violates its output schema")]
fn detects_a_field_missing_from_the_schema() {
    check_answer("list_spaces", &json!({ "items": [], "surprise": 1 }), BUDGET);
}
