//! All toolsets, ready to be listed and called. Built once.

use rmcp::model::{self, JsonObject};
use serde_json::Value;

use super::{
    Context, Definition, Error, Outcome, Passed, Policy, Toolset, arguments::normalise,
    definition::Ran, fit::fit,
};
use crate::text;

/// All toolsets, ready to be listed and called.
#[derive(Debug)]
pub struct Catalog {
    toolsets: &'static [Toolset],
    entries: Vec<Entry>,
}

/// One tool of the catalog.
#[derive(Debug)]
pub struct Entry {
    /// The toolset that it belongs to.
    pub toolset: &'static str,
    /// Its record.
    pub definition: &'static Definition,
    /// What clients are told of it.
    pub model: model::Tool,
}

impl Catalog {
    /// Builds the listings. Where the settings fix the space, no tool takes one.
    pub fn new(toolsets: &'static [Toolset], space_is_fixed: bool) -> Self {
        let entries = toolsets
            .iter()
            .flat_map(|toolset| toolset.tools.iter().map(move |tool| (toolset.name, tool)))
            .map(|(toolset, definition)| {
                let mut model = (definition.model)();
                settle_space(&mut model, space_is_fixed);
                Entry { toolset, definition, model }
            })
            .collect();
        Self { toolsets, entries }
    }

    /// The lists that it was built from.
    pub fn toolsets(&self) -> &'static [Toolset] {
        self.toolsets
    }

    /// The tools that a request sees, in the order of the lists.
    pub fn shown<'a>(&'a self, policy: &'a Policy) -> impl Iterator<Item = &'a Entry> {
        self.entries.iter().filter(|entry| policy.shows(entry.toolset, entry.definition))
    }

    /// The tool that serves a call: the one with this name, or the one that has it as another
    /// name. Where several have, the arguments of the call decide.
    pub fn serving(&self, name: &str, arguments: &JsonObject) -> Option<&Entry> {
        let aliases = || {
            self.entries.iter().flat_map(|entry| {
                let called = entry.definition.aliases.iter().filter(|alias| alias.name == name);
                called.map(move |alias| (alias.with, entry))
            })
        };
        let fits = |argument: &&str| arguments.get(*argument).is_some_and(|value| !value.is_null());
        self.named(name)
            .or_else(|| {
                let fitting = aliases().find(|(with, _)| with.as_ref().is_some_and(&fits));
                fitting.map(|(_, entry)| entry)
            })
            .or_else(|| aliases().find(|(with, _)| with.is_none()).map(|(_, entry)| entry))
    }

    /// The tool with this name, whoever may see it.
    pub fn named(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.definition.name == name)
    }
}

/// Tools read the space as optional, because the settings may fix it. Where they do not, the call
/// must name it.
fn settle_space(model: &mut model::Tool, space_is_fixed: bool) {
    let mut schema = (*model.input_schema).clone();
    let Some(Value::Object(properties)) = schema.get_mut("properties") else { return };
    if !properties.contains_key("space") {
        return;
    }
    if space_is_fixed {
        properties.shift_remove("space");
    } else if let Value::Array(required) =
        schema.entry("required").or_insert_with(|| Value::Array(Vec::new()))
    {
        required.insert(0, "space".into());
    }
    model.input_schema = std::sync::Arc::new(schema);
}

impl Entry {
    /// Calls the tool: checks the arguments, runs it, and lets the answer through the one door
    /// for text and within its size.
    pub async fn call(&self, arguments: JsonObject, cx: &Context) -> Result<Outcome, Error> {
        let nothing = JsonObject::new();
        let properties = match self.model.input_schema.get("properties") {
            Some(Value::Object(properties)) => properties,
            _ => &nothing,
        };
        let arguments = normalise(arguments, properties)?;
        let mut limit = cx.limits.answer;
        if let Some(asked) = arguments.get("maxBytes").and_then(Value::as_u64) {
            let asked = usize::try_from(asked).unwrap_or(usize::MAX);
            limit = asked.clamp(1024, cx.limits.answer_cap);
        }
        let mut cx = cx.clone();
        cx.limits.answer = limit;
        let value = match (self.definition.run)(arguments, &cx).await? {
            Ran::Ask(question) => return Ok(Outcome::Ask(question)),
            Ran::Done(value) => value,
        };
        let can_ask_for = properties.contains_key("maxBytes").then_some(cx.limits.answer_cap);
        Ok(Outcome::Done(passed(value, limit, can_ask_for)))
    }
}

/// Lets an answer through the door for text, and within its size.
pub(super) fn passed(mut value: Value, limit: usize, can_ask_for: Option<usize>) -> Passed {
    let mut passed = Passed { value: Value::Null, removed: 0, redacted: 0 };
    pass(&mut value, &mut passed);
    fit(&mut value, limit, can_ask_for);
    passed.value = value;
    passed
}

/// Lets every text of an answer through the door, and drops what has no value.
fn pass(value: &mut Value, outcome: &mut Passed) {
    match value {
        Value::String(text) => {
            let passed = text::door(text);
            outcome.removed += passed.removed;
            outcome.redacted += passed.redacted;
            if let std::borrow::Cow::Owned(changed) = passed.text {
                *text = changed;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| pass(item, outcome)),
        Value::Object(object) => {
            object.retain(|_, item| !item.is_null());
            hide_by_name(object, outcome);
            object.values_mut().for_each(|item| pass(item, outcome));
        }
        _ => {}
    }
}

/// A value alone does not look like a password; beside its name it does.
fn hide_by_name(object: &mut JsonObject, outcome: &mut Passed) {
    for (name, value) in [("name", "value"), ("Name", "Value")] {
        let (Some(Value::String(name)), Some(Value::String(text))) =
            (object.get(name), object.get(value))
        else {
            continue;
        };
        let line = format!("{name}={text}");
        let passed = text::door(&line);
        if passed.redacted > 0 && text::door(text).redacted == 0 {
            let shown = passed.text.strip_prefix(&format!("{name}=")).unwrap_or("[redacted]");
            let shown = Value::String(shown.to_owned());
            outcome.redacted += passed.redacted;
            object.insert(value.to_owned(), shown);
        }
    }
}
