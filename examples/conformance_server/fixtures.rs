//! The types of `catalog.json`: listings, answers, and the input requests before an answer.

use rmcp::model::{InputRequests, Prompt, Resource, ResourceTemplate, Tool};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// All tools, prompts and resources of the fixture server.
#[derive(Debug, Deserialize)]
pub(crate) struct Fixtures {
    pub(crate) tools: Vec<Fixture<Tool>>,
    pub(crate) prompts: Vec<Fixture<Prompt>>,
    pub(crate) resources: Vec<Fixture<Resource>>,
    pub(crate) templates: Vec<Fixture<ResourceTemplate>>,
}

/// A tool, prompt or resource that the suite selects by name.
#[derive(Debug, Deserialize)]
pub(crate) struct Fixture<T> {
    pub(crate) listing: T,
    /// The input that the client has to provide, round by round, before the answer.
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

    /// Returns the contents of the resource at `uri`, which may match a template.
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
    /// Returns the answer with each `{name}` in it replaced by its value.
    pub(crate) fn answer<A: DeserializeOwned>(
        &self,
        values: &[(&str, &str)],
    ) -> serde_json::Result<A> {
        let mut answer = fill_placeholders(&self.answer, values);
        // `resultType` is set here because a deserialized result lacks it, unlike a constructed
        // one.
        if let Value::Object(members) = &mut answer {
            members.insert("resultType".to_owned(), "complete".into());
        }
        serde_json::from_value(answer)
    }
}

fn fill_placeholders(answer: &Value, values: &[(&str, &str)]) -> Value {
    match answer {
        Value::String(text) => values
            .iter()
            .fold(text.clone(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
            .into(),
        Value::Array(elements) => {
            elements.iter().map(|element| fill_placeholders(element, values)).collect()
        }
        Value::Object(members) => members
            .iter()
            .map(|(key, member)| (key.clone(), fill_placeholders(member, values)))
            .collect(),
        other => other.clone(),
    }
}
