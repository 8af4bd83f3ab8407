//! Input of a policy decision.

use std::collections::BTreeSet;

use jiff::Timestamp;

pub use crate::config::Tier;

/// Known facts about a call.
#[derive(Debug, Clone)]
pub struct PolicyInput {
    /// The name of the tool. For a resource, the tool that reads resources.
    pub tool: String,
    /// The toolset of the tool.
    pub toolset: String,
    /// The access level of the call.
    pub tier: Tier,
    /// The action, which determines the risk.
    pub action: PolicyAction,
    /// The configured name of the instance.
    pub instance: String,
    /// The names of the caller: the display name and, if there is an issuer, the unique
    /// `issuer|subject`.
    pub callers: Vec<String>,
    /// The groups of the caller.
    pub groups: BTreeSet<String>,
    /// The moments of the call and of its execution. All of them are evaluated.
    pub times: Vec<Moment>,
    /// The space.
    pub space: ResourceSet,
    /// The projects.
    pub projects: ResourceSet,
    /// The environments.
    pub environments: ResourceSet,
    /// The tenants.
    pub tenants: ResourceSet,
}

/// The action of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyAction {
    /// Reads data.
    Read,
    /// Creates or changes a release. Nothing runs yet.
    Release,
    /// Makes any other change, e.g. a deployment or a runbook run.
    Run,
    /// Deletes data.
    Delete,
}

impl PolicyAction {
    /// Returns the action of a call at this tier by a tool whose changes have the action `self`.
    #[must_use]
    pub fn at_tier(self, tier: Tier) -> Self {
        match (tier, self) {
            (Tier::Read, _) => Self::Read,
            (Tier::Delete, _) => Self::Delete,
            (Tier::Write, Self::Read) => Self::Run,
            (Tier::Write, action) => action,
        }
    }
}

/// A moment at which a call takes effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// A known time.
    At(Timestamp),
    /// An unknown time.
    Unknown,
}

/// The resources of one kind that a call accesses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResourceSet {
    /// The known resources. Empty if the kind is not applicable.
    pub resources: Vec<ResourceRef>,
    /// Whether the call may access further resources that are unknown.
    pub has_unknown: bool,
}

/// A kind of resource. A call can access several resources of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ResourceKind {
    Space,
    Project,
    Environment,
    Tenant,
}

/// A resource with its known properties.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResourceRef {
    /// The ID.
    pub id: String,
    /// The name.
    pub name: Option<String>,
    /// The slug.
    pub slug: Option<String>,
    /// The tags.
    pub tags: Option<Vec<String>>,
    /// The project group of a project.
    pub group: Option<Box<ResourceRef>>,
}

impl ResourceRef {
    /// Creates a resource with this text as ID and name.
    pub fn named(name: &str) -> Self {
        Self { id: name.to_owned(), name: Some(name.to_owned()), ..Self::default() }
    }

    /// Returns the ID and the known name and slug.
    pub(super) fn identifiers(&self) -> impl Iterator<Item = &str> + Clone {
        let named = [self.name.as_deref(), self.slug.as_deref()].into_iter().flatten();
        std::iter::once(self.id.as_str()).chain(named)
    }

    /// Returns the name or, if it is unknown, the ID.
    pub fn display_name(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.id)
    }
}

impl ResourceSet {
    /// Creates a set of exactly these resources.
    pub fn known(resources: Vec<ResourceRef>) -> Self {
        Self { resources, has_unknown: false }
    }

    /// Creates a set of unknown resources, which may be empty.
    pub fn unknown() -> Self {
        Self { resources: Vec::new(), has_unknown: true }
    }

    /// Creates the set of a kind that is not applicable to the call.
    pub fn none() -> Self {
        Self::default()
    }

    /// Returns each resource separately, with an entry for unknown or absent resources.
    pub(super) fn each(&self) -> Vec<TargetResource<'_>> {
        let mut each: Vec<TargetResource<'_>> =
            self.resources.iter().map(TargetResource::Known).collect();
        if self.has_unknown {
            each.push(TargetResource::Unknown);
        } else if each.is_empty() {
            each.push(TargetResource::None);
        }
        each
    }
}

/// One resource of a target.
#[derive(Debug, Clone, Copy)]
pub(super) enum TargetResource<'a> {
    Unknown,
    None,
    Known(&'a ResourceRef),
}
