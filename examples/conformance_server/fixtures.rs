//! `catalog.json`, as types: what is listed, what is answered, and what is asked before that.

use rmcp::model::{InputRequests, Prompt, Resource, ResourceTemplate, Tool};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Everything that the fixture server serves.
#[derive(Debug, Deserialize)]
pub(crate) struct Fixtures {
    pub(crate) tools: Vec<Fixture<Tool>>,
    pub(crate) prompts: Vec<Fixture<Prompt>>,
    pub(crate) resources: Vec<Fixture<Resource>>,
    pub(crate) templates: Vec<Fixture<ResourceTemplate>>,
}

/// One thing that the suite knows by its name.
#[derive(Debug, Deserialize)]
pub(crate) struct Fixture<T> {
    pub(crate) listing: T,
    /// What the client has to provide, round by round, before the answer.
    #[serde(default)]
    pub(crate) rounds: Vec<InputRequests>,
    answer: Value,
}

impl Fixtures {
    pub(crate) fn load() -> serde_json::Result<Self> {
        serde_json::from_str(include_str!("catalog.json"))
    }

    pub(crate) fn tool(&self, name: &str) -> Option<&Fixture<Tool>> {
        self.tools.iter().find(|tool| tool.listing.name == name)
    }

    pub(crate) fn prompt(&self, name: &str) -> Option<&Fixture<Prompt>> {
        self.prompts.iter().find(|prompt| prompt.listing.name == name)
    }

    /// The contents of the resource at `uri`, which may be one of a template.
    pub(crate) fn contents<A: DeserializeOwned>(&self, uri: &str) -> Option<serde_json::Result<A>> {
        if let Some(resource) = self.resources.iter().find(|found| found.listing.uri == uri) {
            return Some(resource.answer(&[]));
        }
        self.templates.iter().find_map(|template| {
            let (before, after) = template.listing.uri_template.split_once("{id}")?;
            let id = uri.strip_prefix(before)?.strip_suffix(after)?;
            Some(template.answer(&[("id", id)]))
        })
    }
}

impl<T> Fixture<T> {
    /// The answer, with each `{name}` in it replaced by its value.
    pub(crate) fn answer<A: DeserializeOwned>(
        &self,
        values: &[(&str, &str)],
    ) -> serde_json::Result<A> {
        let mut answer = filled(&self.answer, values);
        // A result that is built says this by itself; one that is read from a file does not.
        if let Value::Object(members) = &mut answer {
            members.insert("resultType".to_owned(), "complete".into());
        }
        serde_json::from_value(answer)
    }
}

fn filled(answer: &Value, values: &[(&str, &str)]) -> Value {
    match answer {
        Value::String(text) => values
            .iter()
            .fold(text.clone(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
            .into(),
        Value::Array(elements) => elements.iter().map(|element| filled(element, values)).collect(),
        Value::Object(members) => {
            members.iter().map(|(key, member)| (key.clone(), filled(member, values))).collect()
        }
        other => other.clone(),
    }
}
