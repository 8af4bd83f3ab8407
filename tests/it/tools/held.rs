//! A server whose every answer is held to the rules that all answers keep.

use std::{collections::HashMap, sync::LazyLock};

use octopus_mcp::{app, config::Config};
use octopus_sample::{Fault, Sample, keys};
use serde_json::{Value, json};

use crate::support::{Called, TestServer};

/// What an answer may have where the call does not ask for more.
pub const BUDGET: usize = 20 * 1024;
/// Whatever the call asks for.
pub const CAP: usize = 100 * 1024;

/// A server whose every answer is held to the rules.
pub struct Held {
    pub server: TestServer,
}

impl Held {
    pub async fn start() -> Self {
        Self { server: TestServer::start().await }
    }

    /// A server on an Octopus of this version.
    pub async fn version(version: &str) -> Self {
        Self { server: TestServer::on(Sample::with_version(version), |_| {}).await }
    }

    /// What a tool answers, the same in both eras.
    pub async fn answer(&self, tool: &str, arguments: Value) -> Value {
        let limit = limit(&arguments);
        let answer = self.server.answer(tool, arguments).await;
        hold(tool, &answer, limit);
        answer
    }

    /// What a tool answers in one era, where a call takes long.
    pub async fn answer_once(&self, tool: &str, arguments: Value) -> Value {
        let limit = limit(&arguments);
        let Called { structured, is_error, text, .. } =
            self.server.call_as(keys::ADMIN, tool, arguments).await;
        assert!(!is_error, "{tool}: {text}");
        hold(tool, &structured, limit);
        structured
    }

    /// The words of a tool that fails, the same in both eras.
    pub async fn failure(&self, tool: &str, arguments: Value) -> String {
        self.server.failure(tool, arguments).await
    }

    /// Fails with every one of these words.
    pub async fn refuses(&self, tool: &str, arguments: Value, words: &[&str]) {
        let said = self.failure(tool, arguments.clone()).await;
        for word in words {
            assert!(said.contains(word), "{tool} {arguments}: no {word:?} in {said:?}");
        }
    }

    /// Octopus answers on paths with this in them with this body.
    pub fn says(&self, path: &str, body: &Value) {
        self.server.sample.faults().add(Fault::on(path).body(&body.to_string()));
    }

    /// The paths and queries that Octopus was asked since the last time.
    pub fn requests(&self) -> Vec<String> {
        let asked = self.server.sample.journal();
        self.server.sample.clear_journal();
        let line = |entry: octopus_sample::JournalEntry| {
            assert_eq!(entry.method, "GET");
            format!("{}?{}", entry.path, entry.query.unwrap_or_default())
        };
        asked.into_iter().map(line).collect()
    }
}

/// What Octopus says in a list of these items.
pub fn page(items: &Value) -> Value {
    json!({ "TotalResults": items.as_array().unwrap().len(), "Items": items })
}

/// Every value under this key of the items of a list.
pub fn column<'a>(list: &'a Value, key: &str) -> Vec<&'a str> {
    let items = list["items"].as_array().unwrap();
    items.iter().map(|item| item[key].as_str().unwrap_or("-")).collect()
}

/// An answer as it was reviewed.
pub fn snapshot(name: &str, answer: &Value) {
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

fn limit(arguments: &Value) -> usize {
    let asked = arguments["maxBytes"].as_u64().and_then(|bytes| usize::try_from(bytes).ok());
    asked.map_or(BUDGET, |bytes| bytes.clamp(1024, CAP))
}

/// Holds an answer to its own schema, to its size, and to the rules of every answer.
fn hold(tool: &str, answer: &Value, limit: usize) {
    static SCHEMAS: LazyLock<HashMap<&str, jsonschema::Validator>> = LazyLock::new(schemas);
    let wrong: Vec<String> = SCHEMAS[tool]
        .iter_errors(answer)
        .map(|e| format!("{e} at {}", e.instance_path()))
        .collect();
    assert!(wrong.is_empty(), "{tool} answers what its schema does not say: {wrong:?}");
    let size = answer.to_string().len();
    assert!(size <= limit, "{tool}: {size} of {limit} bytes");
    visit(answer, &mut |key, value| {
        assert!(!value.is_null(), "{tool}: {key} is null");
        assert_ne!(key, "Links", "{tool}");
        if key == "url" {
            let url = value.as_str().unwrap();
            assert!(url.starts_with("http://127.0.0.1:") && url.contains("/app#/Spaces-"), "{url}");
        }
    });
}

fn visit(value: &Value, look: &mut impl FnMut(&str, &Value)) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| visit(item, look)),
        Value::Object(object) => {
            for (key, item) in object {
                look(key, item);
                visit(item, look);
            }
        }
        _ => {}
    }
}

/// The published schemas of answers, made strict: a key that they do not name is wrong.
fn schemas() -> HashMap<&'static str, jsonschema::Validator> {
    let config = Config::default();
    let (catalog, policy) = (app::catalog(), app::policy(&config).unwrap());
    let strict = |entry: &octopus_mcp::tool::Entry| {
        let mut schema = serde_json::to_value(&entry.model.output_schema).unwrap();
        close(&mut schema);
        (entry.definition.name, jsonschema::validator_for(&schema).unwrap())
    };
    catalog.shown(&policy).map(strict).collect()
}

fn close(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(close),
        Value::Object(object) => {
            if object.get("properties").is_some_and(Value::is_object) {
                object.insert("additionalProperties".to_owned(), json!(false));
            }
            object.values_mut().for_each(close);
        }
        _ => {}
    }
}

#[test]
#[should_panic(expected = "answers what its schema does not say")]
fn a_key_that_no_schema_names_is_found() {
    hold("list_spaces", &json!({ "items": [], "surprise": 1 }), BUDGET);
}
