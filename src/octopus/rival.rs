//! Whether a text that a change sends stands for one document alone.
//!
//! Octopus resolves the fields of its executions API by name, slug or ID, and anybody who may edit an
//! environment can name it "Environments-6". Which of two documents Octopus then takes is not
//! documented. So a change refuses a text that is the ID, the name or the slug of another document of
//! the same collection: what a rule and a person judged is then the only thing that it can mean.

use std::collections::BTreeSet;

use futures::{StreamExt, TryStreamExt, stream};

use super::{
    Error, Id, Named, Page, Path, Session, Space, Window, find::Collection, runbooks, spaces,
};

/// How many texts are checked at the same moment.
const AT_ONCE: usize = 8;
/// How many documents the search for one text reads.
const FOUND: usize = 1_000;

/// A text that a change sends, and the document that it stands for.
pub(super) struct Meant<'a, R> {
    pub(super) text: &'a str,
    pub(super) id: &'a Id<R>,
    pub(super) name: &'a str,
}

impl<'a, R: Named> Meant<'a, R> {
    /// A document, sent by its ID.
    pub(super) fn by_id(document: &'a R) -> Self {
        Self { text: document.id().as_str(), id: document.id(), name: document.name() }
    }

    /// A document, sent by its name, where Octopus takes no ID.
    pub(super) fn by_name(document: &'a R) -> Self {
        Self { text: document.name(), ..Self::by_id(document) }
    }

    /// Checks that the text stands for no other of these documents, which are all of their kind.
    pub(super) fn alone_in(&self, documents: &[R]) -> Result<(), Error> {
        let rival =
            documents.iter().find(|other| other.id() != self.id && other.is_called(self.text));
        rival.map_or(Ok(()), |rival| Err(self.confusable(rival)))
    }

    /// The refusal of a text that stands for another document too.
    fn confusable(&self, rival: &R) -> Error {
        Error::Confusable {
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
    /// Returns another document of the collection that one of these texts may stand for, with the
    /// error that names both. Reads the collection where it is small. Elsewhere it sends one request
    /// for each text, and one search for each name and for all IDs together.
    pub(super) async fn rival<R: Named>(
        &self,
        meant: &[Meant<'_, R>],
    ) -> Result<Option<(R, Error)>, Error> {
        let mut searches: BTreeSet<&str> = BTreeSet::new();
        for one in meant {
            let is_id = Id::<R>::parse(one.text).is_ok();
            searches.insert(if is_id { R::ID_PREFIX } else { one.text });
        }
        if R::FEW {
            searches = BTreeSet::from([""]);
        }
        for part in searches {
            let part = Some(part).filter(|part| !part.is_empty());
            let path = self.path.clone().with_some("partialName", part).with("take", FOUND);
            let named: Page<R> = self.session.page(&path, Window::first(FOUND)).await?;
            if named.total_results as usize > named.items.len() {
                return Err(Error::Unexpected {
                    reason: format!(
                        "more than {FOUND} names of the kind {} contain '{}', so this change \
                         cannot prove which one it means",
                        R::NOUN,
                        part.unwrap_or_default()
                    ),
                });
            }
            for other in named.items {
                let is_rival =
                    |one: &&Meant<'_, R>| other.id() != one.id && other.is_called(one.text);
                if let Some(one) = meant.iter().find(is_rival) {
                    let error = one.confusable(&other);
                    return Ok(Some((other, error)));
                }
            }
        }
        if R::FEW {
            return Ok(None);
        }
        // Slugs are not searched by name, but Octopus's own paths take them beside IDs.
        let reads = meant.iter().map(|one| async move {
            match self.session.get::<R>(&self.path.clone().then([one.text])).await {
                Ok(other) if other.id() != one.id => {
                    let error = one.confusable(&other);
                    Ok(Some((other, error)))
                }
                Ok(_) | Err(Error::NotFound { .. } | Error::Rejected { .. }) => Ok(None),
                Err(error) => Err(error),
            }
        });
        let reads = stream::iter(reads.collect::<Vec<_>>()).buffer_unordered(AT_ONCE);
        let found: Vec<Option<(R, Error)>> = reads.try_collect().await?;
        Ok(found.into_iter().flatten().next())
    }
}

impl Space {
    /// Finds a document that a change sends by its ID.
    ///
    /// # Errors
    /// [`Error::Confusable`] where another document has this ID as its name or slug, and the errors
    /// of [`Space::find`].
    pub async fn find_for_change<R: Named>(&self, wanted: &str) -> Result<R, Error> {
        let found = self.find::<R>(wanted).await?;
        self.ensure_one_meaning(std::slice::from_ref(&found)).await?;
        Ok(found)
    }

    /// Finds the document that a text in the request of a caller stands for, in whatever order
    /// Octopus compares IDs, names and slugs.
    ///
    /// # Errors
    /// [`Error::Confusable`] where the text stands for another document too, and the errors of
    /// [`Space::find`].
    pub async fn find_as_written<R: Named>(&self, wanted: &str) -> Result<R, Error> {
        let found = self.find::<R>(wanted).await?;
        let meant = Meant { text: wanted.trim(), ..Meant::by_id(&found) };
        self.refuse_rival(self.collection::<R>().path, &[meant]).await?;
        Ok(found)
    }

    /// Finds several documents that a change sends by their IDs.
    ///
    /// # Errors
    /// As [`Space::find_for_change`].
    pub async fn find_all_for_change<R: Named + Clone>(
        &self,
        wanted: &[String],
    ) -> Result<Vec<R>, Error> {
        let found = self.find_all::<R>(wanted).await?;
        self.ensure_one_meaning(&found).await?;
        Ok(found)
    }

    /// Checks that the ID of each document is no other document's name or slug.
    ///
    /// # Errors
    /// [`Error::Confusable`] where it is; the error names both.
    pub async fn ensure_one_meaning<R: Named>(&self, documents: &[R]) -> Result<(), Error> {
        let meant: Vec<_> = documents.iter().map(Meant::by_id).collect();
        self.refuse_rival(self.collection::<R>().path, &meant).await
    }

    /// Checks that the name of each document is no other document's name, slug or ID, for fields
    /// that take names alone.
    ///
    /// # Errors
    /// [`Error::Confusable`] where it is; the error names both.
    pub async fn ensure_one_name<R: Named>(&self, documents: &[R]) -> Result<(), Error> {
        let meant: Vec<_> = documents.iter().map(Meant::by_name).collect();
        self.refuse_rival(self.collection::<R>().path, &meant).await
    }

    /// Checks that the ID of this space is no other space's name or slug.
    ///
    /// # Errors
    /// [`Error::Confusable`] where it is; the error names both.
    pub async fn ensure_own_meaning(&self) -> Result<(), Error> {
        let id = self.id();
        let meant: Meant<'_, spaces::Space> = Meant { text: id.as_str(), id, name: self.name() };
        self.refuse_rival(Path::new(["spaces"]), &[meant]).await
    }

    /// Reports a rival as an error. It counts as read, since the error names it.
    pub(super) async fn refuse_rival<R: Named>(
        &self,
        path: Path,
        meant: &[Meant<'_, R>],
    ) -> Result<(), Error> {
        if meant.is_empty() {
            return Ok(());
        }
        let session: Session = self.session().unrecorded();
        let collection = Collection { session: &session, path, place: None };
        match collection.rival(meant).await? {
            None => Ok(()),
            Some((rival, error)) => {
                self.note(&rival);
                Err(error)
            }
        }
    }
}

/// Checks that the name of a runbook is no other runbook's name, slug or ID at that place: Octopus
/// takes the runbook of a run by its name.
///
/// # Errors
/// [`Error::Confusable`] where it is; the error names both.
pub(super) async fn ensure_runbook(
    space: &Space,
    place: runbooks::Place<'_>,
    runbook: &runbooks::Runbook,
) -> Result<(), Error> {
    space.refuse_rival(place.path(space), &[Meant::by_name(runbook)]).await
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::octopus::environments::Environment;

    fn environment((id, name, slug): &(usize, String, String)) -> Environment {
        serde_json::from_value(serde_json::json!({
            "Id": format!("Environments-{id}"), "Name": name, "Slug": slug,
        }))
        .unwrap()
    }

    fn text() -> impl Strategy<Value = String> {
        prop_oneof![(0..4_u8).prop_map(|id| format!("environments-{id}")), "[aAb]"]
    }

    /// What a server takes that compares these keys one after the other.
    fn taken<'a>(order: [usize; 3], text: &str, all: &'a [Environment]) -> Option<&'a Environment> {
        let key = |one: &Environment, key: usize| match key {
            0 => one.id.to_string(),
            1 => one.name.clone(),
            _ => one.slug.clone().unwrap_or_default(),
        };
        order
            .into_iter()
            .find_map(|place| all.iter().find(|one| key(one, place).eq_ignore_ascii_case(text)))
    }

    proptest! {
        /// A text that has passed means the document that was judged, in every order of
        /// comparison; and one that has not could mean another one in some order.
        #[test]
        fn text_with_one_meaning_is_taken_for_it_in_every_order(
            things in prop::collection::vec((text(), text()), 1..5),
            which in any::<prop::sample::Index>(),
            by_name in any::<bool>(),
        ) {
            const ORDERS: [[usize; 3]; 6] =
                [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
            let all: Vec<Environment> = things
                .into_iter()
                .enumerate()
                .map(|(id, (name, slug))| environment(&(id, name, slug)))
                .collect();
            let judged = which.get(&all);
            let meant = if by_name { Meant::by_name(judged) } else { Meant::by_id(judged) };
            let takes = |order| taken(order, meant.text, &all).unwrap().id == judged.id;
            let others = all.iter().filter(|one| one.id != judged.id);
            let rivals = others.filter(|one| one.is_called(meant.text)).count();
            match meant.alone_in(&all) {
                Ok(()) => prop_assert!(ORDERS.into_iter().all(takes)),
                Err(_) => prop_assert!(rivals > 0),
            }
        }
    }
}
