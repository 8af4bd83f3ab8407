//! Access sets: the known spaces, projects, environments and tenants that a call accesses.

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

/// A resource in an access set. Fields that were not read are `None`.
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
    /// Positions in `resources` by ID in lower case.
    positions: BTreeMap<ResourceKind, HashMap<String, usize>>,
    /// Incomplete kinds: the call may access more resources of them than the set contains.
    incomplete: BTreeSet<ResourceKind>,
    /// Kinds with resources that no ID identifies, for example the targets of a task that specifies
    /// none. They apply to every read, including tools that read a single document.
    unidentified: BTreeSet<ResourceKind>,
    /// Reasons for accesses without an identifying ID, for error messages.
    reasons: BTreeSet<String>,
    /// IDs of intermediate resources. Their project, environment and tenant have to be read.
    intermediate: BTreeSet<String>,
    /// IDs of intermediate resources that were read.
    resolved: BTreeSet<String>,
}

impl AccessedResource {
    /// Creates an entry with an ID and no other fields.
    pub fn with_id(id: impl Into<String>) -> Self {
        Self { id: id.into(), ..Self::default() }
    }

    /// Copies the fields that are set in `other`.
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
    pub fn add(&mut self, kind: ResourceKind, resource: AccessedResource) {
        if resource.id.is_empty() {
            return;
        }
        step_counter::add(1);
        let resources = self.resources.entry(kind).or_default();
        let positions = self.positions.entry(kind).or_default();
        let id = resource.id.to_ascii_lowercase();
        if let Some(position) = positions.get(&id) {
            if let Some(existing) = resources.get_mut(*position) {
                existing.complete(resource);
            }
        } else if resources.len() < MAX_PER_KIND {
            positions.insert(id, resources.len());
            resources.push(resource);
        } else {
            self.incomplete.insert(kind);
        }
    }

    /// Completes the entries of this set with the fields that are set in `others`.
    pub fn complete_from(&mut self, others: &Self) {
        for (kind, resources) in &mut self.resources {
            for resource in resources {
                let existing = others.position(*kind, &resource.id);
                let existing = existing.and_then(|position| others.resources(*kind).get(position));
                if let Some(existing) = existing.filter(|existing| existing.id == resource.id) {
                    resource.complete(existing.clone());
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
        for (kind, resources) in other.resources {
            *self = std::mem::take(self).with_resources(kind, resources);
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
        resources: impl IntoIterator<Item = AccessedResource>,
    ) -> Self {
        resources.into_iter().for_each(|resource| self.add(kind, resource));
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

    /// Returns the reasons for the incompleteness of the set: at most three recorded reasons, and
    /// at most three resources with an unknown name. With [`NameDetail::NamesAndGroups`], includes
    /// projects with an unknown group.
    pub fn reasons(&self, detail: NameDetail) -> Vec<String> {
        let unnamed = self.unnamed(detail).take(MAX_REASONS);
        let unnamed = unnamed.map(|resource| {
            format!(
                "the name of '{}' is unknown: it was deleted, or this key may not read it",
                resource.id
            )
        });
        self.reasons.iter().cloned().chain(unnamed).collect()
    }

    /// Returns whether the set contains a project, environment or tenant with an unknown name, or
    /// with [`NameDetail::NamesAndGroups`] a project with an unknown group.
    pub fn has_unnamed(&self, detail: NameDetail) -> bool {
        self.unnamed(detail).next().is_some()
    }

    fn unnamed(&self, detail: NameDetail) -> impl Iterator<Item = &AccessedResource> {
        let kinds = [ResourceKind::Project, ResourceKind::Environment, ResourceKind::Tenant];
        kinds.into_iter().flat_map(|kind| self.resources(kind)).filter(move |resource| {
            let has_group = resource.group.is_some() && resource.group_name.is_none();
            resource.name.is_none() || detail == NameDetail::NamesAndGroups && has_group
        })
    }

    /// Returns whether the call accesses resources without an identifying ID.
    pub fn has_unidentified(&self) -> bool {
        !self.unidentified.is_empty()
    }

    /// Marks a kind as complete: the call accesses no resources of this kind beyond those in the
    /// set.
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
