//! Input of a policy decision.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::Deed;
pub use crate::config::TierWord as Tier;

/// Everything that is known about a call.
#[derive(Debug, Clone)]
pub struct Situation {
    /// The name of the tool. For a resource, the tool that reads resources.
    pub tool: String,
    /// The toolset of the tool.
    pub toolset: String,
    /// The access level of the call.
    pub tier: Tier,
    /// The action, which determines the risk.
    pub deed: Deed,
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
    pub space: Of,
    /// The projects.
    pub projects: Of,
    /// The environments.
    pub environments: Of,
    /// The tenants.
    pub tenants: Of,
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
pub struct Of {
    /// The known resources. Empty if the kind is not applicable.
    pub things: Vec<Thing>,
    /// Whether the call may access further resources that are unknown.
    pub more: bool,
}

/// A resource, as far as it is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Thing {
    /// The ID.
    pub id: String,
    /// The name.
    pub name: Option<String>,
    /// The slug.
    pub slug: Option<String>,
    /// The tags.
    pub tags: Option<Vec<String>>,
    /// The project group of a project.
    pub group: Option<Box<Thing>>,
}

impl Thing {
    /// Creates a resource with this text as ID and name.
    pub fn called(name: &str) -> Self {
        Self { id: name.to_owned(), name: Some(name.to_owned()), ..Self::default() }
    }

    /// Returns the ID and the known name and slug.
    pub(super) fn words(&self) -> impl Iterator<Item = &str> + Clone {
        let named = [self.name.as_deref(), self.slug.as_deref()].into_iter().flatten();
        std::iter::once(self.id.as_str()).chain(named)
    }

    /// Returns the name or, if it is unknown, the ID.
    pub fn shown(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.id)
    }
}

impl Of {
    /// Exactly these resources.
    pub fn known(things: Vec<Thing>) -> Self {
        Self { things, more: false }
    }

    /// Unknown resources, or none.
    pub fn unknown() -> Self {
        Self { things: Vec::new(), more: true }
    }

    /// Not applicable to the call.
    pub fn none() -> Self {
        Self::default()
    }

    /// Returns each resource separately, with an entry for unknown or absent resources.
    pub(super) fn each(&self) -> Vec<One<'_>> {
        let mut each: Vec<One<'_>> = self.things.iter().map(One::Thing).collect();
        if self.more {
            each.push(One::Unknown);
        } else if each.is_empty() {
            each.push(One::None);
        }
        each
    }
}

/// One resource of a target.
#[derive(Debug, Clone, Copy)]
pub(super) enum One<'a> {
    Unknown,
    None,
    Thing(&'a Thing),
}
