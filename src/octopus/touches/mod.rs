//! What a call touches: spaces, projects, environments and tenants, as far as they are known.

mod documents;

use std::collections::{BTreeMap, BTreeSet, HashMap};

pub(super) use super::belongs::place;
use crate::text::steps;

/// How many things of a kind are written down for one call.
const MOST: usize = 1_000;
/// How many reasons a message holds.
const MOST_REASONS: usize = 3;

/// The kinds of things that rules are about.
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

/// Which names of things a rule needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// Their IDs and names, and tags.
    Names,
    /// And the names of the groups of projects.
    Groups,
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
    /// Its tags, as `Set/Tag`: of environments and tenants.
    pub tags: Option<Vec<String>>,
    /// The ID of the group that a project is in.
    pub group: Option<String>,
    /// The name of that group.
    pub group_name: Option<String>,
}

/// What a call touches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Touches {
    things: BTreeMap<Kind, Vec<Thing>>,
    /// Positions in `things`, by the ID in lower case.
    positions: BTreeMap<Kind, HashMap<String, usize>>,
    /// The kinds of which it may touch more than is known.
    unsure: BTreeSet<Kind>,
    /// The kinds of things that are touched although no ID names them, for example the targets of a
    /// task that names none. They count for every read, also of tools that read one document.
    unnamed: BTreeSet<Kind>,
    /// Why something is touched that no ID names, for messages.
    reasons: BTreeSet<String>,
    /// IDs of things between: whose project, environment and tenant are yet to be read.
    between: BTreeSet<String>,
    /// IDs of such things that have been read.
    read: BTreeSet<String>,
}

impl Kind {
    pub(super) const ALL: [Self; 4] = [Self::Space, Self::Project, Self::Environment, Self::Tenant];

    /// The collection of the kind in paths.
    pub fn collection(self) -> &'static str {
        match self {
            Self::Space => "spaces",
            Self::Project => "projects",
            Self::Environment => "environments",
            Self::Tenant => "tenants",
        }
    }

    /// The kind of the thing with this ID.
    fn of(id: &str) -> Option<Self> {
        let (prefix, number) = id.rsplit_once('-')?;
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let is = |kind: &Self| prefix.eq_ignore_ascii_case(kind.collection());
        Self::ALL.into_iter().find(is).filter(|_| is_number)
    }
}

impl Thing {
    /// A thing of which the ID is known alone.
    pub fn with_id(id: impl Into<String>) -> Self {
        Self { id: id.into(), ..Self::default() }
    }

    /// Takes over what the other knows more.
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
    /// Writes a thing down, or what more is known of it.
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

    /// Takes over what the others know more of the things that are written down here.
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

    /// Returns the position of the thing of this kind that has this ID.
    fn position(&self, kind: Kind, id: &str) -> Option<usize> {
        steps::add(1);
        self.positions.get(&kind)?.get(&id.to_ascii_lowercase()).copied()
    }

    /// Takes over everything that the other says.
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

    /// The same, in a row.
    #[must_use]
    pub fn with(mut self, kind: Kind, things: impl IntoIterator<Item = Thing>) -> Self {
        things.into_iter().for_each(|thing| self.add(kind, thing));
        self
    }

    /// Says that more of these kinds may be touched than is written down.
    #[must_use]
    pub fn unsure(mut self, kinds: impl IntoIterator<Item = Kind>) -> Self {
        self.unsure.extend(kinds);
        self
    }

    /// Says that something of these kinds is touched that no ID names, and why.
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

    /// Returns why it is unknown what is touched: at most three reasons, and the things whose name or,
    /// if `about` asks for it, whose group is unknown.
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

    /// Returns whether a project, an environment or a tenant is touched whose name is unknown, or a
    /// project whose group is unknown if `about` asks for it.
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

    /// Returns whether something is touched that no ID names.
    pub fn has_unnamed(&self) -> bool {
        !self.unnamed.is_empty()
    }

    /// Says that nothing more of a kind is touched than is written down.
    #[must_use]
    pub fn sure(mut self, kind: Kind) -> Self {
        self.unsure.remove(&kind);
        self.unnamed.remove(&kind);
        self
    }

    /// Whether more of this kind may be touched than is written down.
    pub fn is_unsure(&self, kind: Kind) -> bool {
        self.unsure.contains(&kind)
    }

    /// The things of a kind, in the order in which they were touched.
    pub fn of(&self, kind: Kind) -> &[Thing] {
        self.things.get(&kind).map_or(&[], Vec::as_slice)
    }

    /// The same, to complete them.
    pub(super) fn of_mut(&mut self, kind: Kind) -> impl Iterator<Item = &mut Thing> {
        self.things.get_mut(&kind).into_iter().flatten()
    }
}

#[cfg(test)]
mod tests;
