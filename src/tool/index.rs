//! Builds the index of toolsets and tools that access decisions use.

use std::{collections::BTreeSet, sync::Arc};

use super::{Toolset, arguments::pinned::project_argument};
use crate::{
    access::{ToolIndex, ToolsetMetadata},
    tool::Definition,
};

/// Returns the index of these toolsets. Generates the schema of every tool, so build it once.
pub fn tool_index(toolsets: &'static [Toolset]) -> Arc<ToolIndex> {
    let metadata = |toolset: &'static Toolset| ToolsetMetadata {
        name: toolset.name,
        summary: toolset.summary,
        paths: toolset.paths,
        tools: toolset.tools.iter().map(|tool| &tool.metadata).collect(),
    };
    Arc::new(ToolIndex {
        toolsets: toolsets.iter().map(metadata).collect(),
        project_tools: tools_within_project(toolsets),
    })
}

/// Returns the tools that stay available when the project is pinned: those with a project argument,
/// and those that declare [`Tool::KEEPS_TO_PROJECT`](super::Tool::KEEPS_TO_PROJECT).
fn tools_within_project(toolsets: &'static [Toolset]) -> BTreeSet<&'static str> {
    let is_available = |tool: &&Definition| {
        tool.metadata.project_scoped || project_argument(&(tool.model)().input_schema).is_some()
    };
    let tools = toolsets.iter().flat_map(|toolset| toolset.tools);
    tools.filter(is_available).map(|tool| tool.metadata.name).collect()
}
