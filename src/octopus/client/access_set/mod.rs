//! Access sets: the spaces, projects, environments and tenants that a call accesses, as far as they
//! are known.

pub(in crate::octopus) mod access_recorder;
mod documents;
mod kind;
pub(in crate::octopus) mod owner_keys;

use std::collections::{BTreeMap, BTreeSet, HashMap};

pub use kind::ResourceKind;

use crate::text::step_counter;

/// Maximum number of resources of a kind in a set. If a call accesses more, the kind becomes
/// incomplete.
const MAX_PER_KIND: usize = 1_000;
/// Maximum number of reasons in a message.
const MAX_REASONS: usize = 3;

/// Names of resources that a policy rule needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameDetail {
    /// IDs, names and tags.
    Names,
    /// Also the names of project groups.
    NamesAndGroups,
}

/// A resource in an access set, as far as it is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccessedResource {
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
pub struct AccessSet {
    resources: BTreeMap<ResourceKind, Vec<AccessedResource>>,
    /// Positions in `things` by ID in lower case.
    positions: BTreeMap<ResourceKind, HashMap<String, usize>>,
    /// Incomplete kinds: the call may access more resources of them than the set contains.
    incomplete: BTreeSet<ResourceKind>,
    /// Kinds with resources that no ID identifies, for example the targets of a task that specifies
    /// none. They count for every read, also for tools that read a single document.
    unidentified: BTreeSet<ResourceKind>,
    /// Why resources are accessed that no ID identifies, for messages.
    reasons: BTreeSet<String>,
    /// IDs of intermediate resources, whose project, environment and tenant have to be read.
    intermediate: BTreeSet<String>,
    /// IDs of intermediate resources that were read.
    resolved: BTreeSet<String>,
}

impl AccessedResource {
    /// Creates an entry of which only the ID is known.
    pub fn with_id(id: impl Into<String>) -> Self {
        Self { id: id.into(), ..Self::default() }
    }

    /// Copies the fields that `other` knows.
    fn complete(&mut self, other: Self) {
        let Self { id: _, name, slug, tags, group, group_name } = other;
        self.name = name.or(self.name.take());
        self.slug = slug.or(self.slug.take());
        self.tags = tags.or(self.tags.take());
        self.group = group.or(self.group.take());
        self.group_name = group_name.or(self.group_name.take());
    }
}

impl AccessSet {
    /// Adds a resource, or completes its entry.
    pub fn add(&mut self, kind: ResourceKind, thing: AccessedResource) {
        if thing.id.is_empty() {
            return;
        }
        step_counter::add(1);
        let things = self.resources.entry(kind).or_default();
        let positions = self.positions.entry(kind).or_default();
        let id = thing.id.to_ascii_lowercase();
        if let Some(position) = positions.get(&id) {
            if let Some(known) = things.get_mut(*position) {
                known.complete(thing);
            }
        } else if things.len() < MAX_PER_KIND {
            positions.insert(id, things.len());
            things.push(thing);
        } else {
            self.incomplete.insert(kind);
        }
    }

    /// Completes the entries of this set with the fields that `others` knows.
    pub fn complete_from(&mut self, others: &Self) {
        for (kind, things) in &mut self.resources {
            for thing in things {
                let known = others.position(*kind, &thing.id);
                let known = known.and_then(|position| others.resources(*kind).get(position));
                if let Some(known) = known.filter(|known| known.id == thing.id) {
                    thing.complete(known.clone());
                }
            }
        }
    }

    /// Returns the position of the entry with this ID.
    fn position(&self, kind: ResourceKind, id: &str) -> Option<usize> {
        step_counter::add(1);
        self.positions.get(&kind)?.get(&id.to_ascii_lowercase()).copied()
    }

    /// Adds everything in the other set.
    pub fn merge(&mut self, other: Self) {
        for (kind, things) in other.resources {
            *self = std::mem::take(self).with_resources(kind, things);
        }
        self.incomplete.extend(other.incomplete);
        self.unidentified.extend(other.unidentified);
        other.reasons.into_iter().for_each(|reason| self.add_reason(reason));
        let free = MAX_PER_KIND.saturating_sub(self.intermediate.len());
        self.intermediate.extend(other.intermediate.into_iter().take(free));
        self.resolved
            .extend(other.resolved.into_iter().filter(|id| self.intermediate.contains(id)));
    }

    /// Adds resources and returns the set.
    #[must_use]
    pub fn with_resources(
        mut self,
        kind: ResourceKind,
        things: impl IntoIterator<Item = AccessedResource>,
    ) -> Self {
        things.into_iter().for_each(|thing| self.add(kind, thing));
        self
    }

    /// Marks kinds as incomplete and returns the set.
    #[must_use]
    pub fn with_incomplete(mut self, kinds: impl IntoIterator<Item = ResourceKind>) -> Self {
        self.incomplete.extend(kinds);
        self
    }

    /// Marks kinds as accessed without an identifying ID, with the reason.
    pub fn add_unidentified(
        &mut self,
        kinds: impl IntoIterator<Item = ResourceKind>,
        reason: impl Into<String>,
    ) {
        self.unidentified.extend(kinds);
        self.incomplete.extend(&self.unidentified);
        self.add_reason(reason.into());
    }

    fn add_reason(&mut self, reason: String) {
        if self.reasons.len() < MAX_REASONS {
            self.reasons.insert(reason);
        }
    }

    /// Returns the reasons why the set is incomplete: at most three recorded ones, and at most
    /// three resources whose name, or with [`NameDetail::NamesAndGroups`] whose group, is unknown.
    pub fn reasons(&self, about: NameDetail) -> Vec<String> {
        let nameless = self.unnamed(about).take(MAX_REASONS);
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
    pub fn has_unnamed(&self, about: NameDetail) -> bool {
        self.unnamed(about).next().is_some()
    }

    fn unnamed(&self, about: NameDetail) -> impl Iterator<Item = &AccessedResource> {
        let named = [ResourceKind::Project, ResourceKind::Environment, ResourceKind::Tenant];
        named.into_iter().flat_map(|kind| self.resources(kind)).filter(move |thing| {
            let has_group = thing.group.is_some() && thing.group_name.is_none();
            thing.name.is_none() || about == NameDetail::NamesAndGroups && has_group
        })
    }

    /// Returns whether resources are accessed that no ID identifies.
    pub fn has_unidentified(&self) -> bool {
        !self.unidentified.is_empty()
    }

    /// Marks a kind as complete and returns the set.
    #[must_use]
    pub fn with_complete(mut self, kind: ResourceKind) -> Self {
        self.incomplete.remove(&kind);
        self.unidentified.remove(&kind);
        self
    }

    /// Returns whether the call may access more resources of this kind than the set contains.
    pub fn is_incomplete(&self, kind: ResourceKind) -> bool {
        self.incomplete.contains(&kind)
    }

    /// Returns the resources of a kind in the order of access.
    pub fn resources(&self, kind: ResourceKind) -> &[AccessedResource] {
        self.resources.get(&kind).map_or(&[], Vec::as_slice)
    }

    /// Returns the resources of a kind, to complete their entries.
    pub(in crate::octopus) fn resources_mut(
        &mut self,
        kind: ResourceKind,
    ) -> impl Iterator<Item = &mut AccessedResource> {
        self.resources.get_mut(&kind).into_iter().flatten()
    }
}

#[cfg(test)]
mod tests;
