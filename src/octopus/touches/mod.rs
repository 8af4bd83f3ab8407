//! Access sets: the spaces, projects, environments and tenants that a call accesses, as far as they
//! are known.

mod documents;

use std::collections::{BTreeMap, BTreeSet, HashMap};

pub(super) use super::belongs::place;
use crate::text::steps;

/// Maximum number of resources of a kind in a set. If a call accesses more, the kind becomes
/// incomplete.
const MOST: usize = 1_000;
/// Maximum number of reasons in a message.
const MOST_REASONS: usize = 3;

/// Kinds of resources that policy rules match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Spaces.
    Space,
    /// Projects.
    Project,
    /// Environments.
    Environment,
    /// Tenants.
    Tenant,
}

/// Names of resources that a policy rule needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// IDs, names and tags.
    Names,
    /// Also the names of project groups.
    Groups,
}

/// A resource in an access set, as far as it is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Thing {
    /// Its ID.
    pub id: String,
    /// Its name.
    pub name: Option<String>,
    /// Its slug.
    pub slug: Option<String>,
    /// Tags as `Set/Tag`; environments and tenants only.
    pub tags: Option<Vec<String>>,
    /// ID of the project group; projects only.
    pub group: Option<String>,
    /// Name of the project group.
    pub group_name: Option<String>,
}

/// The resources that a call accesses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Touches {
    things: BTreeMap<Kind, Vec<Thing>>,
    /// Positions in `things` by ID in lower case.
    positions: BTreeMap<Kind, HashMap<String, usize>>,
    /// Incomplete kinds: the call may access more resources of them than the set contains.
    unsure: BTreeSet<Kind>,
    /// Kinds with resources that no ID identifies, for example the targets of a task that specifies
    /// none. They count for every read, also for tools that read a single document.
    unnamed: BTreeSet<Kind>,
    /// Why resources are accessed that no ID identifies, for messages.
    reasons: BTreeSet<String>,
    /// IDs of intermediate resources, whose project, environment and tenant have to be read.
    between: BTreeSet<String>,
    /// IDs of intermediate resources that were read.
    read: BTreeSet<String>,
}

impl Kind {
    pub(super) const ALL: [Self; 4] = [Self::Space, Self::Project, Self::Environment, Self::Tenant];

    /// Returns the collection of the kind in paths.
    pub fn collection(self) -> &'static str {
        match self {
            Self::Space => "spaces",
            Self::Project => "projects",
            Self::Environment => "environments",
            Self::Tenant => "tenants",
        }
    }

    /// Returns the kind of the resource with this ID.
    fn of(id: &str) -> Option<Self> {
        let (prefix, number) = id.rsplit_once('-')?;
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let is = |kind: &Self| prefix.eq_ignore_ascii_case(kind.collection());
        Self::ALL.into_iter().find(is).filter(|_| is_number)
    }
}

impl Thing {
    /// Creates an entry of which only the ID is known.
    pub fn with_id(id: impl Into<String>) -> Self {
        Self { id: id.into(), ..Self::default() }
    }

    /// Copies the fields that `other` knows.
    fn learn(&mut self, other: Self) {
        let Self { id: _, name, slug, tags, group, group_name } = other;
        self.name = name.or(self.name.take());
        self.slug = slug.or(self.slug.take());
        self.tags = tags.or(self.tags.take());
        self.group = group.or(self.group.take());
        self.group_name = group_name.or(self.group_name.take());
    }
}

impl Touches {
    /// Adds a resource, or completes its entry.
    pub fn add(&mut self, kind: Kind, thing: Thing) {
        if thing.id.is_empty() {
            return;
        }
        steps::add(1);
        let things = self.things.entry(kind).or_default();
        let positions = self.positions.entry(kind).or_default();
        let id = thing.id.to_ascii_lowercase();
        if let Some(position) = positions.get(&id) {
            if let Some(known) = things.get_mut(*position) {
                known.learn(thing);
            }
        } else if things.len() < MOST {
            positions.insert(id, things.len());
            things.push(thing);
        } else {
            self.unsure.insert(kind);
        }
    }

    /// Completes the entries of this set with the fields that `others` knows.
    pub fn learn(&mut self, others: &Self) {
        for (kind, things) in &mut self.things {
            for thing in things {
                let known = others.position(*kind, &thing.id);
                let known = known.and_then(|position| others.of(*kind).get(position));
                if let Some(known) = known.filter(|known| known.id == thing.id) {
                    thing.learn(known.clone());
                }
            }
        }
    }

    /// Returns the position of the entry with this ID.
    fn position(&self, kind: Kind, id: &str) -> Option<usize> {
        steps::add(1);
        self.positions.get(&kind)?.get(&id.to_ascii_lowercase()).copied()
    }

    /// Adds everything in the other set.
    pub fn extend(&mut self, other: Self) {
        for (kind, things) in other.things {
            *self = std::mem::take(self).with(kind, things);
        }
        self.unsure.extend(other.unsure);
        self.unnamed.extend(other.unnamed);
        other.reasons.into_iter().for_each(|reason| self.add_reason(reason));
        let free = MOST.saturating_sub(self.between.len());
        self.between.extend(other.between.into_iter().take(free));
        self.read.extend(other.read.into_iter().filter(|id| self.between.contains(id)));
    }

    /// Adds resources and returns the set.
    #[must_use]
    pub fn with(mut self, kind: Kind, things: impl IntoIterator<Item = Thing>) -> Self {
        things.into_iter().for_each(|thing| self.add(kind, thing));
        self
    }

    /// Marks kinds as incomplete and returns the set.
    #[must_use]
    pub fn unsure(mut self, kinds: impl IntoIterator<Item = Kind>) -> Self {
        self.unsure.extend(kinds);
        self
    }

    /// Marks kinds as accessed without an identifying ID, with the reason.
    pub fn add_unnamed(
        &mut self,
        kinds: impl IntoIterator<Item = Kind>,
        reason: impl Into<String>,
    ) {
        self.unnamed.extend(kinds);
        self.unsure.extend(&self.unnamed);
        self.add_reason(reason.into());
    }

    fn add_reason(&mut self, reason: String) {
        if self.reasons.len() < MOST_REASONS {
            self.reasons.insert(reason);
        }
    }

    /// Returns the reasons why the set is incomplete: at most three recorded ones, and at most
    /// three resources whose name, or with [`NameDetail::NamesAndGroups`] whose group, is unknown.
    pub fn reasons(&self, about: About) -> Vec<String> {
        let nameless = self.nameless(about).take(MOST_REASONS);
        let nameless = nameless.map(|thing| {
            format!(
                "the name of '{}' is unknown: it was deleted, or this key may not read it",
                thing.id
            )
        });
        self.reasons.iter().cloned().chain(nameless).collect()
    }

    /// Returns whether the set contains a project, environment or tenant with an unknown name, or
    /// with [`NameDetail::NamesAndGroups`] a project with an unknown group.
    pub fn has_nameless(&self, about: About) -> bool {
        self.nameless(about).next().is_some()
    }

    fn nameless(&self, about: About) -> impl Iterator<Item = &Thing> {
        let named = [Kind::Project, Kind::Environment, Kind::Tenant];
        named.into_iter().flat_map(|kind| self.of(kind)).filter(move |thing| {
            let has_group = thing.group.is_some() && thing.group_name.is_none();
            thing.name.is_none() || about == About::Groups && has_group
        })
    }

    /// Returns whether resources are accessed that no ID identifies.
    pub fn has_unnamed(&self) -> bool {
        !self.unnamed.is_empty()
    }

    /// Marks a kind as complete and returns the set.
    #[must_use]
    pub fn sure(mut self, kind: Kind) -> Self {
        self.unsure.remove(&kind);
        self.unnamed.remove(&kind);
        self
    }

    /// Returns whether the call may access more resources of this kind than the set contains.
    pub fn is_unsure(&self, kind: Kind) -> bool {
        self.unsure.contains(&kind)
    }

    /// Returns the resources of a kind in the order of access.
    pub fn of(&self, kind: Kind) -> &[Thing] {
        self.things.get(&kind).map_or(&[], Vec::as_slice)
    }

    /// Returns the resources of a kind, to complete their entries.
    pub(super) fn of_mut(&mut self, kind: Kind) -> impl Iterator<Item = &mut Thing> {
        self.things.get_mut(&kind).into_iter().flatten()
    }
}

#[cfg(test)]
mod tests;
