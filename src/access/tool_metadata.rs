//! Metadata of tools and toolsets.

use std::collections::BTreeSet;

use super::ScopeLevel;
use crate::{
    octopus::OctopusVersion,
    policy::{PolicyAction, Tier},
};

/// Metadata of a tool.
#[derive(Debug)]
pub struct ToolMetadata {
    /// Name on the wire.
    pub name: &'static str,
    /// Display name.
    pub title: &'static str,
    /// Highest tier of its calls.
    pub tier: Tier,
    /// Lowest tier of its calls.
    pub min_tier: Tier,
    /// Kind of change, which determines the risk in the policy.
    pub policy_action: PolicyAction,
    /// First version of Octopus that supports the tool.
    pub since: OctopusVersion,
    /// Aliases of the name.
    pub aliases: &'static [Alias],
    /// Level of the argument whose choices the tool lists, if it has no other purpose.
    pub lists_choices_for: Option<ScopeLevel>,
    /// Whether the tool is available when the project is pinned although it has no project
    /// argument.
    pub project_scoped: bool,
}

/// Alias of a tool: its name in an earlier version of the official Octopus server. Aliases are not
/// listed, but calls with them are accepted.
#[derive(Debug, Clone, Copy)]
pub struct Alias {
    /// The alias.
    pub name: &'static str,
    /// The argument that selects this tool, if several tools share the alias.
    pub required_argument: Option<&'static str>,
}

impl Alias {
    /// Creates an alias that belongs to one tool.
    pub const fn new(name: &'static str) -> Self {
        Self { name, required_argument: None }
    }

    /// Creates an alias that selects this tool if the call has this argument.
    pub const fn with_argument(name: &'static str, argument: &'static str) -> Self {
        Self { name, required_argument: Some(argument) }
    }
}

/// Metadata of a toolset and its tools.
#[derive(Debug)]
pub struct ToolsetMetadata {
    /// Name on the wire.
    pub name: &'static str,
    /// Purpose of its tools, in a few words.
    pub summary: &'static str,
    /// Paths of the API that belong to the toolset; `execute` requires the toolset for them. A path
    /// without a leading slash is below a space. `*` matches one segment, and a path includes
    /// everything below it. The toolset with the most literal matching path owns a request.
    pub paths: &'static [&'static str],
    /// Its tools, in listing order.
    pub tools: Vec<&'static ToolMetadata>,
}

/// All toolsets, enabled or not.
#[derive(Debug, Default)]
pub struct ToolIndex {
    /// The toolsets, in listing order.
    pub toolsets: Vec<ToolsetMetadata>,
    /// Names of the tools that stay available when the project is pinned.
    pub project_tools: BTreeSet<&'static str>,
}

impl ToolIndex {
    /// Returns the names of all toolsets.
    pub fn toolset_names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.toolsets.iter().map(|toolset| toolset.name)
    }

    /// Returns the names of all tools.
    pub fn tool_names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.toolsets.iter().flat_map(|toolset| &toolset.tools).map(|tool| tool.name)
    }

    /// Returns the name of a toolset as it is registered. Letter case makes no difference.
    pub fn canonical_toolset(&self, given: &str) -> Option<&'static str> {
        self.toolset_names().find(|name| name.eq_ignore_ascii_case(given))
    }

    /// Returns the name of a tool as it is registered. Letter case makes no difference.
    pub fn canonical_tool(&self, given: &str) -> Option<&'static str> {
        self.tool_names().find(|name| name.eq_ignore_ascii_case(given))
    }

    /// Returns the toolset with this name.
    pub fn toolset(&self, name: &str) -> Option<&ToolsetMetadata> {
        self.toolsets.iter().find(|toolset| toolset.name == name)
    }

    /// Returns the tool with this name and its toolset.
    pub fn find(&self, tool: &str) -> Option<(&'static str, &'static ToolMetadata)> {
        self.toolsets.iter().find_map(|toolset| {
            let tool = toolset.tools.iter().copied().find(|metadata| metadata.name == tool)?;
            Some((toolset.name, tool))
        })
    }
}
