//! Everything that is known of a call.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::Deed;
pub use crate::config::TierWord as Tier;

/// Everything that is known of a call.
#[derive(Debug, Clone)]
pub struct Situation {
    /// The name of the tool; of a resource, that of the tool that reads resources.
    pub tool: String,
    /// The toolset that it belongs to.
    pub toolset: String,
    /// What the call does to Octopus.
    pub tier: Tier,
    /// What is done, for the risk.
    pub deed: Deed,
    /// The instance, by its name here.
    pub instance: String,
    /// The words for the caller: the name, and where an issuer said who they are,
    /// `issuer|subject`, which nobody else has.
    pub callers: Vec<String>,
    /// The groups that the caller is in.
    pub groups: BTreeSet<String>,
    /// The moments at which it is asked for and done; all of them count.
    pub times: Vec<Moment>,
    /// The space.
    pub space: Of,
    /// The project, or several.
    pub projects: Of,
    /// The environments.
    pub environments: Of,
    /// The tenants.
    pub tenants: Of,
}

/// A moment at which something is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Then.
    At(Timestamp),
    /// At some time that nobody knows.
    Unknown,
}

/// The things of a kind that a call touches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Of {
    /// Those that are known; none where the kind does not come into it.
    pub things: Vec<Thing>,
    /// Whether there may be more, or any, that nobody knows.
    pub more: bool,
}

/// One thing, as far as it is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Thing {
    /// Its ID.
    pub id: String,
    /// Its name.
    pub name: Option<String>,
    /// Its slug.
    pub slug: Option<String>,
    /// Its tags.
    pub tags: Option<Vec<String>>,
    /// The group that it is in.
    pub group: Option<Box<Thing>>,
}

impl Thing {
    /// A thing that is called so.
    pub fn called(name: &str) -> Self {
        Self { id: name.to_owned(), name: Some(name.to_owned()), ..Self::default() }
    }

    /// The words for it.
    pub(super) fn words(&self) -> impl Iterator<Item = &str> + Clone {
        let named = [self.name.as_deref(), self.slug.as_deref()].into_iter().flatten();
        std::iter::once(self.id.as_str()).chain(named)
    }

    /// What a person calls it.
    pub fn shown(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.id)
    }
}

impl Of {
    /// These and no others.
    pub fn known(things: Vec<Thing>) -> Self {
        Self { things, more: false }
    }

    /// That nobody knows which, or whether any.
    pub fn unknown() -> Self {
        Self { things: Vec::new(), more: true }
    }

    /// That the kind does not come into it.
    pub fn none() -> Self {
        Self::default()
    }

    /// Each of them alone; one that is not there where there are none, and one that is not known
    /// where there may be more.
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

/// One of the things that a call touches.
#[derive(Debug, Clone, Copy)]
pub(super) enum One<'a> {
    Unknown,
    None,
    Thing(&'a Thing),
}
