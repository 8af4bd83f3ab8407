//! Arguments that are hidden while the space or the project is pinned.

use rmcp::model::JsonObject;
use serde_json::Value;

use crate::access::PinnedArguments;

/// Arguments that select the project of a call. `projects` is a list.
const PROJECT_ARGUMENTS: [&str; 3] = ["projectId", "projectName", "projects"];

/// Arguments that select single items and therefore bypass a project filter.
const PROJECT_BYPASS_ARGUMENTS: [&str; 2] = ["eventId", "mode"];

/// Returns whether an argument is hidden because of the pinned arguments.
pub(in crate::tool) fn is_pinned(argument: &str, pinned: PinnedArguments) -> bool {
    pinned.space && argument == "space"
        || pinned.project
            && (PROJECT_ARGUMENTS.contains(&argument)
                || PROJECT_BYPASS_ARGUMENTS.contains(&argument))
}

/// Returns the argument that selects the project, and whether it is a list; `None` if the tool has
/// no project argument.
pub(in crate::tool) fn project_argument(schema: &JsonObject) -> Option<(&'static str, bool)> {
    let properties = schema.get("properties").and_then(Value::as_object)?;
    let found =
        PROJECT_ARGUMENTS.into_iter().find(|argument| properties.contains_key(*argument))?;
    let kind = properties.get(found).and_then(|argument| argument.get("type"));
    Some((found, kind.is_some_and(|kind| kind == "array")))
}
