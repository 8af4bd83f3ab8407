//! The policy input of a call.
//!
//! The server, the tool `explain_access` and the command `policy test` build their input here, so
//! that they reach the same decision on the same call.

use super::CalledTool;
use crate::{
    access::ToolMetadata,
    auth::Identity,
    octopus::{AccessSet, AccessedResource, ResourceKind},
    policy::{Moment, PolicyAction, PolicyInput, ResourceRef, ResourceSet, Tier},
};

/// The kinds of resources that policy rules match.
const KINDS: [ResourceKind; 4] =
    [ResourceKind::Space, ResourceKind::Project, ResourceKind::Environment, ResourceKind::Tenant];

/// A call with everything that the policy depends on.
#[derive(Debug)]
pub struct PolicyCall<'a> {
    /// The tool that the call is evaluated as.
    pub tool: CalledTool,
    /// The tier of the call.
    pub tier: Tier,
    /// The action of the call, or of the changes of its tool.
    pub action: PolicyAction,
    /// The configured name of the instance.
    pub instance: &'a str,
    /// The caller.
    pub caller: &'a Identity,
    /// The moments of the call and of its execution.
    pub times: Vec<Moment>,
    /// The accessed resources.
    pub access_set: &'a AccessSet,
}

impl PolicyCall<'_> {
    /// Returns the input of the policy.
    ///
    /// A resource kind is unknown if the access set marks it as incomplete. For a read, a kind
    /// without resources is unknown as well, because a read can show resources of any kind.
    pub fn input(self) -> PolicyInput {
        let set = |kind: ResourceKind| ResourceSet {
            resources: self.access_set.resources(kind).iter().map(resource_ref).collect(),
            has_unknown: self.access_set.is_incomplete(kind)
                || self.tier == Tier::Read && self.access_set.resources(kind).is_empty(),
        };
        PolicyInput {
            tool: self.tool.name.to_owned(),
            toolset: self.tool.toolset.to_owned(),
            tier: self.tier,
            action: self.action.at_tier(self.tier),
            instance: self.instance.to_owned(),
            callers: self.caller.policy_names(),
            groups: (*self.caller.groups).clone(),
            space: set(ResourceKind::Space),
            projects: set(ResourceKind::Project),
            environments: set(ResourceKind::Environment),
            tenants: set(ResourceKind::Tenant),
            times: self.times,
        }
    }
}

fn resource_ref(resource: &AccessedResource) -> ResourceRef {
    let AccessedResource { id, name, slug, tags, group, group_name } = resource.clone();
    let group =
        group.map(|id| Box::new(ResourceRef { id, name: group_name, ..ResourceRef::default() }));
    ResourceRef { id, name, slug, tags, group }
}

/// A call that a person or model describes by some of its resources.
#[derive(Debug)]
pub struct DescribedCall {
    tool: CalledTool,
    tier: Tier,
    action: PolicyAction,
    access_set: AccessSet,
}

impl DescribedCall {
    /// Describes a call of a tool by its resources.
    ///
    /// The kinds that `is_omitted` are unknown. An omitted tenant is the exception: the call is for
    /// no tenant, as most calls are. A release in a given or unknown environment is deployed there,
    /// because the lifecycle may deploy it on creation.
    pub fn new(
        toolset: &'static str,
        tool: &'static ToolMetadata,
        tier: Tier,
        access_set: AccessSet,
        is_omitted: impl Fn(ResourceKind) -> bool,
    ) -> Self {
        let unknown =
            KINDS.into_iter().filter(|kind| *kind != ResourceKind::Tenant && is_omitted(*kind));
        let access_set = access_set.with_incomplete(unknown);
        let has_environment = access_set.is_incomplete(ResourceKind::Environment)
            || !access_set.resources(ResourceKind::Environment).is_empty();
        let action = match tool.policy_action {
            PolicyAction::Release if has_environment => PolicyAction::Run,
            action => action,
        };
        Self { tool: CalledTool { name: tool.name, toolset }, tier, action, access_set }
    }

    /// Returns the policy input of the call by this caller at an instance.
    pub fn input(self, caller: &Identity, instance: &str, times: Vec<Moment>) -> PolicyInput {
        let Self { tool, tier, action, access_set } = self;
        PolicyCall { tool, tier, action, instance, caller, times, access_set: &access_set }.input()
    }
}
