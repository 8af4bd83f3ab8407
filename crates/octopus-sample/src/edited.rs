//! Edits that somebody else makes in the portal, for tests.

use serde_json::Value;

use super::Sample;
use super::answer::{Answer, Refusal};
use super::world::{Collection, World};

impl Sample {
    /// Sets a text of the document with this ID, such as its `Name` or `Slug`. Nothing is checked,
    /// and the journal has no entry. Does nothing where there is no such document.
    pub fn edit(&self, id: &str, key: &str, value: &str) {
        // Without an answer the draft is forgotten, so an edit of nothing changes nothing.
        let _ = self.instance.change(|_, draft| {
            let shelf = shelf(draft, id).ok_or(Refusal::NoRoute)?;
            let mut body = shelf.find(id).ok_or(Refusal::NoRoute)?.body.clone();
            if let Value::Object(fields) = &mut body {
                fields.insert(key.to_owned(), Value::String(value.to_owned()));
            }
            shelf.put(body);
            Ok(Answer::json(""))
        });
    }
}

/// The collection of an ID, by its prefix.
fn shelf<'a>(world: &'a mut World, id: &str) -> Option<&'a mut Collection> {
    Some(match id.split_once('-')?.0 {
        "Spaces" => &mut world.spaces,
        "Environments" => &mut world.environments,
        "Projects" => &mut world.projects,
        "Tenants" => &mut world.tenants,
        "Channels" => &mut world.channels,
        "Releases" => &mut world.releases,
        "Runbooks" => &mut world.runbooks,
        "RunbookSnapshots" => &mut world.runbook_snapshots,
        "Machines" => &mut world.machines,
        _ => return None,
    })
}
