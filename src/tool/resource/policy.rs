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

    /// Returns whether the policy lets the caller read the resource at this URI or URI template, if
    /// the read accesses this set.
    pub fn may_read(&self, uri: &str, touches: &AccessSet) -> bool {
        let asked = self.called_tool_for(uri);
        let situation = self.policy_input(asked, Tier::Read, PolicyAction::Read, touches);
        self.policy.decide(&situation).effect != Effect::Deny
    }

    /// Returns the context of the same call, for the resource at this URI or URI template.
    #[must_use]
    pub fn for_resource(&self, uri: &str) -> Self {
        Self { called_tool: self.called_tool_for(uri), ..self.clone() }
    }

    fn called_tool_for(&self, uri: &str) -> CalledTool {
        let mut shown = visible_resources(self.toolsets, &self.access);
        let kind = resource_name(uri, self.toolsets, &self.access);
        let found = shown.find(|(_, definition)| Some(definition.name) == kind);
        found.map_or(self.called_tool, |(toolset, _)| CalledTool { name: "read_resource", toolset })
    }
}
