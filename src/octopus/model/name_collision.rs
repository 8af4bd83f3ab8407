//! Checks that a text in a change request identifies exactly one document.
//!
//! Octopus resolves the fields of its executions API by name, slug or ID. Anyone with permission to
//! edit an environment can name it "Environments-6", and the precedence of the two is not
//! documented. So a change rejects a text that is also the ID, name or slug of another document of
//! the same collection. The document that the policy and the approver saw is then the only possible
//! target.

use std::collections::BTreeSet;

use futures::{StreamExt, TryStreamExt, stream};

use super::{
    lookup::Collection,
    resource::{Id, Named},
    space::Space,
    spaces,
};
use crate::octopus::client::{
    error::Error,
    page::{Page, PageRange},
    path::ApiPath,
    session::Session,
};

/// Maximum number of concurrent checks.
const MAX_CONCURRENT_CHECKS: usize = 8;
/// Number of documents that the search for one text reads.
const MAX_SEARCH_RESULTS: usize = 1_000;

/// A text in a change request, and the document that it identifies.
pub(in crate::octopus) struct SentReference<'a, R> {
    pub(in crate::octopus) text: &'a str,
    pub(in crate::octopus) id: &'a Id<R>,
    pub(in crate::octopus) name: &'a str,
}

impl<'a, R: Named> SentReference<'a, R> {
    /// References a document by its ID.
    pub(in crate::octopus) fn by_id(document: &'a R) -> Self {
        Self { text: document.id().as_str(), id: document.id(), name: document.name() }
    }

    /// References a document by its name, for fields that accept no ID.
    pub(in crate::octopus) fn by_name(document: &'a R) -> Self {
        Self { text: document.name(), ..Self::by_id(document) }
    }

    /// Checks that no other of these documents matches the text. `documents` are all of their type.
    pub(in crate::octopus) fn ensure_unique_in(&self, documents: &[R]) -> Result<(), Error> {
        let rival =
            documents.iter().find(|other| other.id() != self.id && other.matches(self.text));
        rival.map_or(Ok(()), |rival| Err(self.collision_error(rival)))
    }

    /// Creates the error for a text that also matches another document.
    fn collision_error(&self, rival: &R) -> Error {
        Error::NameCollision {
            noun: R::NOUN,
            text: self.text.to_owned(),
            candidates: vec![
                format!("{} ({})", self.name, self.id),
                format!("{} ({})", rival.name(), rival.id()),
            ],
        }
    }
}

impl Collection<'_> {
    /// Finds another document of the collection that one of these texts also matches. Returns it
    /// with an error that names both. A small collection is read completely. In others, this sends
    /// one request for each text, one search for each name and one for all IDs together.
    pub(in crate::octopus) async fn find_collision<R: Named>(
        &self,
        references: &[SentReference<'_, R>],
    ) -> Result<Option<(R, Error)>, Error> {
        let mut searches: BTreeSet<&str> = BTreeSet::new();
        for reference in references {
            let is_id = Id::<R>::parse(reference.text).is_ok();
            searches.insert(if is_id { R::ID_PREFIX } else { reference.text });
        }
        if R::IS_SMALL_COLLECTION {
            searches = BTreeSet::from([""]);
        }
        for part in searches {
            let part = Some(part).filter(|part| !part.is_empty());
            let path = self.path.clone().query_opt("partialName", part);
            let path = path.query("skip", 0).query("take", MAX_SEARCH_RESULTS);
            let named: Page<R> =
                self.session.page(&path, PageRange::first(MAX_SEARCH_RESULTS)).await?;
            // An unreadable document may be the one that has the same name.
            let named = named.complete(R::NOUN)?;
            if named.total_results as usize > named.items.len() {
                return Err(Error::UnexpectedResponse {
                    reason: format!(
                        "more than {MAX_SEARCH_RESULTS} {} names contain '{}', so this server cannot verify \
                         which one the change identifies; nothing was sent",
                        R::NOUN,
                        part.unwrap_or_default()
                    ),
                });
            }
            for other in named.items {
                let is_rival = |sent: &&SentReference<'_, R>| {
                    other.id() != sent.id && other.matches(sent.text)
                };
                if let Some(reference) = references.iter().find(is_rival) {
                    let error = reference.collision_error(&other);
                    return Ok(Some((other, error)));
                }
            }
        }
        if R::IS_SMALL_COLLECTION {
            return Ok(None);
        }
        // The search covers no slugs, but Octopus's own paths accept them like IDs.
        let reads = references.iter().map(|reference| async move {
            match self.session.get::<R>(&self.path.clone().join([reference.text])).await {
                Ok(other) if other.id() != reference.id => {
                    let error = reference.collision_error(&other);
                    Ok(Some((other, error)))
                }
                Ok(_) | Err(Error::NotFound { .. } | Error::Rejected { .. }) => Ok(None),
                Err(error) => Err(error),
            }
        });
        let reads = stream::iter(reads.collect::<Vec<_>>()).buffer_unordered(MAX_CONCURRENT_CHECKS);
        let found: Vec<Option<(R, Error)>> = reads.try_collect().await?;
        Ok(found.into_iter().flatten().next())
    }
}

impl Space {
    /// Finds a document that a change sends by its ID.
    ///
    /// # Errors
    ///
    /// Returns [`Error::NameCollision`] if another document has this ID as its name or slug, and
    /// the errors of [`Space::find`].
    pub async fn find_for_change<R: Named>(&self, query: &str) -> Result<R, Error> {
        let found = self.find::<R>(query).await?;
        self.ensure_unique_ids(std::slice::from_ref(&found)).await?;
        Ok(found)
    }

    /// Finds the document that a text in the caller's request identifies, independent of the order
    /// in which Octopus compares IDs, names and slugs.
    ///
    /// # Errors
    ///
    /// Returns [`Error::NameCollision`] if the text also matches another document, and the errors
    /// of [`Space::find`].
    pub async fn find_unambiguous<R: Named>(&self, query: &str) -> Result<R, Error> {
        let found = self.find::<R>(query).await?;
        let reference = SentReference { text: query.trim(), ..SentReference::by_id(&found) };
        self.reject_collisions(self.list_path::<R>().await, &[reference]).await?;
        Ok(found)
    }

    /// Finds several documents that a change sends by their IDs.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Space::find_for_change`].
    pub async fn find_all_for_change<R: Named + Clone>(
        &self,
        query: &[String],
    ) -> Result<Vec<R>, Error> {
        let found = self.find_all::<R>(query).await?;
        self.ensure_unique_ids(&found).await?;
        Ok(found)
    }

    /// Checks that no other document has the ID of one of these documents as its name or slug.
    ///
    /// # Errors
    ///
    /// Returns [`Error::NameCollision`], which names both documents.
    pub async fn ensure_unique_ids<R: Named>(&self, documents: &[R]) -> Result<(), Error> {
        let references: Vec<_> = documents.iter().map(SentReference::by_id).collect();
        self.reject_collisions(self.list_path::<R>().await, &references).await
    }

    /// Checks that no other document has the name of one of these documents as its name, slug or
    /// ID. For fields that accept only names.
    ///
    /// # Errors
    ///
    /// Returns [`Error::NameCollision`], which names both documents.
    pub async fn ensure_unique_names<R: Named>(&self, documents: &[R]) -> Result<(), Error> {
        let references: Vec<_> = documents.iter().map(SentReference::by_name).collect();
        self.reject_collisions(self.list_path::<R>().await, &references).await
    }

    /// Checks that no other space has the ID of this space as its name or slug.
    ///
    /// # Errors
    ///
    /// Returns [`Error::NameCollision`], which names both spaces.
    pub async fn ensure_unique_space_id(&self) -> Result<(), Error> {
        let id = self.id();
        let reference: SentReference<'_, spaces::SpaceResource> =
            SentReference { text: id.as_str(), id, name: self.name() };
        self.reject_collisions(ApiPath::new(["spaces"]), &[reference]).await
    }

    /// Rejects a text that also matches another document. Records an access to that document,
    /// because the error contains its name.
    pub(in crate::octopus) async fn reject_collisions<R: Named>(
        &self,
        path: ApiPath,
        references: &[SentReference<'_, R>],
    ) -> Result<(), Error> {
        if references.is_empty() {
            return Ok(());
        }
        let session: Session = self.session().without_recording();
        let collection = Collection::new(&session, path, None);
        match collection.find_collision(references).await? {
            None => Ok(()),
            Some((rival, error)) => {
                self.record_document(&rival);
                Err(error)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::octopus::model::environments::Environment;

    fn environment((id, name, slug): &(usize, String, String)) -> Environment {
        serde_json::from_value(serde_json::json!({
            "Id": format!("Environments-{id}"), "Name": name, "Slug": slug,
        }))
        .unwrap()
    }

    fn text() -> impl Strategy<Value = String> {
        prop_oneof![(0..4_u8).prop_map(|id| format!("environments-{id}")), "[aAb]"]
    }

    /// Returns the document that a server finds if it compares the keys in this order.
    fn resolve<'a>(
        order: [usize; 3],
        text: &str,
        all: &'a [Environment],
    ) -> Option<&'a Environment> {
        let key = |one: &Environment, key: usize| match key {
            0 => one.id.to_string(),
            1 => one.name.clone(),
            _ => one.slug.clone().unwrap_or_default(),
        };
        order.into_iter().find_map(|position| {
            all.iter().find(|one| key(one, position).eq_ignore_ascii_case(text))
        })
    }

    proptest! {
        /// An accepted text identifies the approved document under every order of comparison. A
        /// rejected text matches another document as well.
        #[test]
        fn accepted_text_resolves_to_one_document_in_every_order(
            entries in prop::collection::vec((text(), text()), 1..5),
            which in any::<prop::sample::Index>(),
            by_name in any::<bool>(),
        ) {
            const ORDERS: [[usize; 3]; 6] =
                [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
            let all: Vec<Environment> = entries
                .into_iter()
                .enumerate()
                .map(|(id, (name, slug))| environment(&(id, name, slug)))
                .collect();
            let judged = which.get(&all);
            let reference = if by_name { SentReference::by_name(judged) } else { SentReference::by_id(judged) };
            let takes = |order| resolve(order, reference.text, &all).unwrap().id == judged.id;
            let others = all.iter().filter(|one| one.id != judged.id);
            let rivals = others.filter(|one| one.matches(reference.text)).count();
            match reference.ensure_unique_in(&all) {
                Ok(()) => prop_assert!(ORDERS.into_iter().all(takes)),
                Err(_) => prop_assert!(rivals > 0),
            }
        }
    }
}
