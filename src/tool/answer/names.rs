//! Looks up the names of documents in answers, with one lookup per document type and answer.

use std::collections::HashMap;

use crate::{
    octopus::{Error, Id, Named, Space},
    tool::StringList,
};

use super::list::NamedId;

/// Names of documents of one type, by ID.
#[derive(Debug)]
pub struct NamesById(HashMap<String, String>);

impl NamesById {
    /// Looks up the names of these IDs with one request.
    pub async fn lookup<'a, R: Named>(
        space: &Space,
        ids: impl IntoIterator<Item = &'a Id<R>>,
    ) -> Result<Self, Error> {
        let documents = space.by_ids(ids).await?;
        let name = |(id, document): (String, R)| (id, document.name().to_owned());
        Ok(Self(documents.into_iter().map(name).collect()))
    }

    /// Returns the name of an ID; `None` if the caller cannot read the document.
    pub fn get(&self, id: &str) -> Option<String> {
        self.0.get(id).cloned()
    }

    /// Returns the names of these IDs in the same order. Returns the ID instead of the name if the
    /// caller cannot read the document.
    pub fn all<R>(&self, ids: &[Id<R>]) -> Vec<String> {
        ids.iter().map(|id| self.get(id.as_str()).unwrap_or_else(|| id.to_string())).collect()
    }

    /// Returns the ID with its name.
    pub fn named_id<R>(&self, id: &Id<R>) -> NamedId {
        NamedId { id: id.to_string(), name: self.get(id.as_str()) }
    }
}

/// Returns the IDs of the named documents, with one lookup for all of them. Returns an empty list
/// for `None`.
pub async fn find_ids<R: Named + Clone>(
    space: &Space,
    names: Option<StringList>,
) -> Result<Vec<Id<R>>, Error> {
    match names {
        Some(StringList(names)) => {
            let found = space.find_all::<R>(&names).await?;
            Ok(found.iter().map(|document| document.id().clone()).collect())
        }
        None => Ok(Vec::new()),
    }
}

/// Returns the ID and name of a document.
pub fn named_id<R: Named>(document: &R) -> NamedId {
    NamedId { id: document.id().to_string(), name: Some(document.name().to_owned()) }
}
