//! Event log of ninety days, generated on first use: events of releases, deployments and targets,
//! changes, and sign-ins.

mod changes;
mod deployments;
mod draft;
mod machines;
mod people;
mod vocabulary;

use std::collections::HashSet;

use draft::EventDraft;
pub(crate) use vocabulary::{AGENTS, CATEGORIES, DOCUMENT_TYPES, GROUPS};

use crate::database::{Collection, Database, Events};
use crate::version::Version;

/// Number of events.
pub(crate) const COUNT: usize = 5_000;

/// Generates all events of a database.
pub(crate) fn events(database: &Database, version: &Version) -> Events {
    let mut drafts = deployments::drafts(database);
    drafts.extend(machines::drafts(database));
    drafts.extend(changes::drafts(database));
    // Sign-ins fill the remaining events.
    drafts.extend(people::drafts(COUNT.saturating_sub(drafts.len())));
    drafts.sort_by_key(|draft: &EventDraft| draft.occurred);
    let mut internal = HashSet::new();
    let mut bodies = Vec::with_capacity(drafts.len());
    for (draft, number) in drafts.iter().zip(80_001..) {
        let id = format!("Events-{number}");
        bodies.push(draft.body(database, version, &id));
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
    fn events_are_ordered_and_references_exist() {
        let version = Version::parse(VERSION);
        let database = Database::build(&version);
        let events = events(&database, &version);
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
