//! The audit trail of ninety days, made when somebody first asks for it: what happened to releases,
//! deployments and targets, who changed what, and who came and went.

mod changes;
mod deployments;
mod draft;
mod machines;
mod people;
mod vocabulary;

use std::collections::HashSet;

use draft::Draft;
pub(crate) use vocabulary::{AGENTS, CATEGORIES, DOCUMENT_TYPES, GROUPS};

use crate::version::Version;
use crate::world::{Collection, World};

/// How many events there are.
pub(crate) const COUNT: usize = 5_000;

/// The events of all spaces, newest first.
#[derive(Default)]
pub(crate) struct Events {
    pub(crate) all: Collection,
    /// The IDs of those that are only shown to whoever asks for internal events.
    pub(crate) internal: HashSet<String>,
}

/// Everything there is to tell about a world.
pub(crate) fn events(world: &World, version: &Version) -> Events {
    let mut drafts = deployments::drafts(world);
    drafts.extend(machines::drafts(world));
    drafts.extend(changes::drafts(world));
    // Coming and going fills the rest.
    drafts.extend(people::drafts(COUNT.saturating_sub(drafts.len())));
    drafts.sort_by_key(|draft: &Draft| draft.occurred);
    let mut internal = HashSet::new();
    let mut bodies = Vec::with_capacity(drafts.len());
    for (draft, number) in drafts.iter().zip(80_001..) {
        let id = format!("Events-{number}");
        bodies.push(draft.body(world, version, &id));
        if draft.is_internal {
            internal.insert(id);
        }
    }
    bodies.reverse();
    Events { all: Collection::new(bodies), internal }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::VERSION;

    #[test]
    fn five_thousand_events_in_order_with_true_references() {
        let version = Version::parse(VERSION);
        let world = World::build(&version);
        let events = events(&world, &version);
        assert_eq!(events.all.iter().count(), COUNT);
        let mut last = String::from("9");
        let mut categories = HashSet::new();
        for event in events.all.iter() {
            assert!(event.text("Occurred") <= last.as_str(), "{}", event.id);
            event.text("Occurred").clone_into(&mut last);
            categories.insert(event.text("Category"));
            let message: Vec<char> = event.text("Message").chars().collect();
            for reference in event.list("MessageReferences") {
                let at = |key: &str| usize::try_from(reference[key].as_u64().unwrap()).unwrap();
                let (start, length) = (at("StartIndex"), at("Length"));
                assert!(length > 0 && start + length <= message.len(), "{}", event.id);
            }
        }
        assert!(last.as_str() >= "2026-08-03", "{last}");
        let known: HashSet<&str> = CATEGORIES.iter().map(|(id, _)| *id).collect();
        assert!(categories.is_subset(&known), "{:?}", categories.difference(&known));
        assert!(events.all.iter().any(|event| event.json.len() > 300_000));
        assert!(!events.internal.is_empty());
    }
}
