//! Names beside IDs: every ID of an answer is looked up in one request for its kind.

use std::collections::HashMap;

use crate::octopus::{Error, Id, Named, Space};

use super::{Ref, Words};

/// The names of documents of one kind, by ID.
#[derive(Debug)]
pub struct Names(HashMap<String, String>);

impl Names {
    /// Looks up the names of these IDs.
    pub async fn of<'a, R: Named>(
        space: &Space,
        ids: impl IntoIterator<Item = &'a Id<R>>,
    ) -> Result<Self, Error> {
        let documents = space.by_ids(ids).await?;
        let name = |(id, document): (String, R)| (id, document.name().to_owned());
        Ok(Self(documents.into_iter().map(name).collect()))
    }

    /// The name of an ID, where the caller may see it.
    pub fn get(&self, id: &str) -> Option<String> {
        self.0.get(id).cloned()
    }

    /// The names of these IDs, each in its place; the ID itself where the caller may not see it.
    pub fn all<R>(&self, ids: &[Id<R>]) -> Vec<String> {
        ids.iter().map(|id| self.get(id.as_str()).unwrap_or_else(|| id.to_string())).collect()
    }

    /// The ID with its name.
    pub fn with<R>(&self, id: &Id<R>) -> Ref {
        Ref { id: id.to_string(), name: self.get(id.as_str()) }
    }
}

/// The IDs of what a call names, with one look-up for all. Nothing where it names nothing.
pub async fn ids_of<R: Named + Clone>(
    space: &Space,
    wanted: Option<Words>,
) -> Result<Vec<Id<R>>, Error> {
    match wanted {
        Some(Words(wanted)) => {
            let found = space.find_all::<R>(&wanted).await?;
            Ok(found.iter().map(|document| document.id().clone()).collect())
        }
        None => Ok(Vec::new()),
    }
}

/// A document as its ID and its name.
pub fn name_of<R: Named>(document: &R) -> Ref {
    Ref { id: document.id().to_string(), name: Some(document.name().to_owned()) }
}
