//! Evaluates the policy for reads of resources.

use super::read::{resource_name, visible_resources};
use crate::{
    config::Effect,
    octopus::AccessSet,
    policy::{PolicyAction, Tier},
    tool::{CalledTool, Context, ResourceDefinition},
};

impl Context {
    /// Returns the resources that the request can see.
    pub fn visible_resources(&self) -> impl Iterator<Item = &'static ResourceDefinition> {
        visible_resources(self.toolsets, &self.access).map(|(_, definition)| definition)
    }

    /// Returns whether the policy allows the caller to read the resource at this URI or URI
    /// template, with this access set.
    pub fn may_read(&self, uri: &str, access_set: &AccessSet) -> bool {
        let tool = self.called_tool_for(uri);
        let input = self.policy_input(tool, Tier::Read, PolicyAction::Read, access_set);
        self.policy.decide(&input).effect != Effect::Deny
    }

    /// Returns the context of the same call, for the resource at this URI or URI template.
    #[must_use]
    pub fn for_resource(&self, uri: &str) -> Self {
        Self { called_tool: self.called_tool_for(uri), ..self.clone() }
    }

    fn called_tool_for(&self, uri: &str) -> CalledTool {
        let mut visible = visible_resources(self.toolsets, &self.access);
        let kind = resource_name(uri, self.toolsets, &self.access);
        let found = visible.find(|(_, definition)| Some(definition.name) == kind);
        found.map_or(self.called_tool, |(toolset, _)| CalledTool { name: "read_resource", toolset })
    }
}
