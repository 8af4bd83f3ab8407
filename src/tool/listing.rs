//! The listed forms of a tool: without pinned arguments, and with the annotations of headers that
//! repeat arguments.

use std::sync::Arc;

use rmcp::model::{self, JsonObject};
use serde_json::Value;

use super::arguments::pinned::is_pinned;
use crate::access::PinnedArguments;

/// Arguments that select the target of a call, and the `Mcp-Param-*` headers that repeat them
/// (SEP-2243). Proxies can then route and authorize requests without reading bodies. A tool has at
/// most one argument for each header.
const HEADER_ARGUMENTS: [(&str, &str); 6] = [
    ("space", "Space"),
    ("projectId", "Project"),
    ("projectName", "Project"),
    ("environmentId", "Environment"),
    ("tenantId", "Tenant"),
    ("tenant", "Tenant"),
];

/// Schema keyword for the header of an argument.
const HEADER_KEYWORD: &str = "x-mcp-header";

/// The forms in which a tool is listed, built once.
#[derive(Debug)]
pub(super) struct ToolListings {
    unpinned: HeaderVariants,
    in_space: HeaderVariants,
    in_project: HeaderVariants,
}

/// The tool with header annotations, for protocol revisions that support them, and without.
#[derive(Debug)]
struct HeaderVariants {
    with_headers: model::Tool,
    without_headers: model::Tool,
}

impl ToolListings {
    pub(super) fn new(model: &model::Tool) -> Self {
        let pair = |space: bool, project: bool| {
            let pinned = PinnedArguments { instance: false, space, project };
            let mut without = model.clone();
            without.input_schema = Arc::new(without_pinned(&model.input_schema, pinned));
            let mut with = without.clone();
            with.input_schema = Arc::new(annotate_headers(&without.input_schema));
            HeaderVariants { with_headers: with, without_headers: without }
        };
        Self {
            unpinned: pair(false, false),
            in_space: pair(true, false),
            in_project: pair(true, true),
        }
    }

    pub(super) fn get(&self, pinned: PinnedArguments, headers: bool) -> &model::Tool {
        let pair = match pinned {
            PinnedArguments { project: true, .. } => &self.in_project,
            PinnedArguments { space: true, .. } => &self.in_space,
            _ => &self.unpinned,
        };
        if headers { &pair.with_headers } else { &pair.without_headers }
    }
}

/// Removes pinned arguments from a schema. Tools declare `space` as optional because it can be
/// pinned; this marks it as required otherwise.
fn without_pinned(schema: &JsonObject, pinned: PinnedArguments) -> JsonObject {
    let mut schema = schema.clone();
    let Some(Value::Object(properties)) = schema.get_mut("properties") else { return schema };
    let takes_space = properties.contains_key("space");
    properties.retain(|name, _| !is_pinned(name, pinned));
    let is_required = |name: &Value| !name.as_str().is_some_and(|name| is_pinned(name, pinned));
    if let Some(Value::Array(required)) = schema.get_mut("required") {
        required.retain(is_required);
    }
    if takes_space
        && !pinned.space
        && let Value::Array(required) =
            schema.entry("required").or_insert_with(|| Value::Array(Vec::new()))
    {
        required.insert(0, "space".into());
    }
    schema
}

fn annotate_headers(schema: &JsonObject) -> JsonObject {
    let mut schema = schema.clone();
    let Some(Value::Object(properties)) = schema.get_mut("properties") else { return schema };
    for (argument, header) in HEADER_ARGUMENTS {
        if let Some(Value::Object(argument)) = properties.get_mut(argument)
            && argument.get("type").is_some_and(|kind| kind == "string")
        {
            argument.insert(HEADER_KEYWORD.to_owned(), header.into());
        }
    }
    schema
}
