//! Edits outside the API, as if made in the portal by another user.

use serde_json::Value;

use super::Sample;
use super::database::{Collection, Database};
use super::response::{ApiError, ApiResponse};

impl Sample {
    /// Sets a text field of the document with this ID, such as `Name` or `Slug`. Validates nothing
    /// and adds no journal entry. Does nothing if the document does not exist.
    pub fn edit(&self, id: &str, key: &str, value: &str) {
        // An error discards the draft, so an unknown ID changes nothing.
        let _ = self.instance.change(|_, draft| {
            let resources = resources(draft, id).ok_or(ApiError::NoRoute)?;
            let mut body = resources.find(id).ok_or(ApiError::NoRoute)?.body.clone();
            if let Value::Object(fields) = &mut body {
                fields.insert(key.to_owned(), Value::String(value.to_owned()));
            }
            resources.put(body);
            Ok(ApiResponse::json(""))
        });
    }
}

/// Returns the collection of an ID, by its prefix.
fn resources<'a>(database: &'a mut Database, id: &str) -> Option<&'a mut Collection> {
    Some(match id.split_once('-')?.0 {
        "Spaces" => &mut database.spaces,
        "Environments" => &mut database.environments,
        "Projects" => &mut database.projects,
        "Tenants" => &mut database.tenants,
        "Channels" => &mut database.channels,
        "Releases" => &mut database.releases,
        "Runbooks" => &mut database.runbooks,
        "RunbookSnapshots" => &mut database.runbook_snapshots,
        "Machines" => &mut database.machines,
        _ => return None,
    })
}
