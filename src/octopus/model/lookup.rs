//! Looks up a document by name (in any letter case), slug or ID.
//!
//! An ID takes precedence over a name, and a name over a slug. Octopus allows the ID of one
//! resource as the name or slug of another one, and its own precedence is not documented. So a
//! change sends only texts that identify one document under every precedence (see
//! `name_collision.rs`).

use crate::{
    octopus::client::{
        error::Error,
        page::{Page, PageRange, UnreadableItem},
        path::{ApiPath, id_batches},
        session::Session,
    },
    text::nearest::nearest,
};

use super::resource::{Id, Named};

/// Maximum number of documents that a look-up by name reads. In a larger collection, Octopus still
/// searches the names; only slugs and suggestions beyond this limit are missed.
const MAX_SCANNED: usize = 5_000;
/// Number of documents per request of a scan.
const SCAN_PAGE_SIZE: usize = 1_000;
/// Maximum number of suggestions in an error.
const MAX_SUGGESTIONS: usize = 5;

/// A collection to search.
pub(in crate::octopus) struct Collection<'a> {
    pub(in crate::octopus) session: &'a Session,
    pub(in crate::octopus) path: ApiPath,
    /// Whether documents are read by ID from the list, because the path of one document differs
    /// between versions.
    pub(in crate::octopus) reads_ids_from_list: bool,
    /// Name of the space, for error messages.
    pub(in crate::octopus) space_name: Option<&'a str>,
}

impl<'a> Collection<'a> {
    /// Creates a collection whose documents are read by ID at `path` and the ID.
    pub(in crate::octopus) fn new(
        session: &'a Session,
        path: ApiPath,
        space_name: Option<&'a str>,
    ) -> Self {
        Self { session, path, reads_ids_from_list: false, space_name }
    }
}

impl Collection<'_> {
    /// Finds one document.
    ///
    /// # Errors
    ///
    /// Returns [`Error::NotFound`] with suggestions, [`Error::Ambiguous`], and the errors of the
    /// requests.
    pub(in crate::octopus) async fn find<R: Named>(&self, query: &str) -> Result<R, Error> {
        let query = query.trim();
        if query.is_empty() {
            return Err(self.missing::<R>(query, &[]));
        }
        // A name may look like an ID, so continue with the names.
        if let Ok(id) = Id::<R>::parse(query)
            && let Some(found) = self.by_id(&id).await?
        {
            return Ok(found);
        }
        let path = self.path.clone().query("partialName", query);
        let path = path.query("skip", 0).query("take", SCAN_PAGE_SIZE);
        let mut by_name: Page<R> =
            self.session.page(&path, PageRange::first(SCAN_PAGE_SIZE)).await?;
        if let Some(position) = position_of(query, &by_name.items)? {
            return Ok(by_name.items.swap_remove(position));
        }
        let mut all = self.scan::<R>().await?;
        match position_of(query, &all.documents)? {
            Some(position) => Ok(all.documents.swap_remove(position)),
            None => Err(self.not_found(query, &all)),
        }
    }

    /// Reads one document by ID; `None` if it does not exist.
    async fn by_id<R: Named>(&self, id: &Id<R>) -> Result<Option<R>, Error> {
        if self.reads_ids_from_list {
            let path = self.path.clone().query("ids", id).query("skip", 0).query("take", 1);
            let page: Page<R> = self.session.page(&path, PageRange::first(1)).await?;
            return Ok(page.items.into_iter().find(|found| found.id() == id));
        }
        match self.session.get(&self.path.clone().join([id])).await {
            Err(Error::NotFound { .. }) => Ok(None),
            read => read.map(Some),
        }
    }

    /// Finds several documents. Sends one request if all of `query` are IDs, otherwise one scan of
    /// the collection, regardless of their number.
    pub(in crate::octopus) async fn find_all<R: Named + Clone>(
        &self,
        query: &[String],
    ) -> Result<Vec<R>, Error> {
        if let [only] = query {
            return Ok(vec![self.find(only).await?]);
        }
        if let Some(found) = self.by_ids(query).await? {
            return Ok(found);
        }
        let all = self.scan::<R>().await?;
        let mut found = Vec::with_capacity(query.len());
        for query in query {
            // Each comparison covers up to `MAX_SCANNED` names, so yield to other calls in between.
            tokio::task::yield_now().await;
            let position = position_of(query.trim(), &all.documents)?;
            match position.and_then(|position| all.documents.get(position)) {
                Some(document) => found.push(document.clone()),
                None if all.is_whole => return Err(self.not_found(query, &all)),
                // Documents beyond the scan limit are searched by Octopus.
                None => found.push(self.find(query).await?),
            }
        }
        Ok(found)
    }

    /// Finds several documents by ID. Returns `None` unless each text is the ID of a document,
    /// because a name may look like an ID.
    async fn by_ids<R: Named + Clone>(&self, query: &[String]) -> Result<Option<Vec<R>>, Error> {
        let ids: Result<Vec<Id<R>>, _> = query.iter().map(|query| Id::parse(query)).collect();
        let Ok(ids) = ids else { return Ok(None) };
        // Too many for one request; the caller scans the collection.
        if id_batches(&ids).count() > 1 {
            return Ok(None);
        }
        let path = self.path.clone().query_list("ids", &ids);
        let path = path.query("skip", 0).query("take", ids.len());
        let page: Page<R> = self.session.page(&path, PageRange::first(ids.len())).await?;
        let is =
            |document: &&R, id: &Id<R>| document.id().as_str().eq_ignore_ascii_case(id.as_str());
        let each = ids.iter().map(|id| page.items.iter().find(|document| is(document, id)));
        Ok(each.map(Option::<&R>::cloned).collect())
    }

    /// Reads the collection up to the scan limit.
    pub(in crate::octopus) async fn scan<R: Named>(&self) -> Result<Scan<R>, Error> {
        let mut scan = Scan { documents: Vec::new(), unreadable: Vec::new(), is_whole: false };
        let mut received = 0;
        loop {
            let path = self.path.clone().query("skip", received).query("take", SCAN_PAGE_SIZE);
            let skip = u32::try_from(received).unwrap_or(u32::MAX);
            let window = PageRange { skip, ..PageRange::first(SCAN_PAGE_SIZE) };
            let page: Page<R> = self.session.page(&path, window).await?;
            received += page.received();
            scan.is_whole = page.received() == 0 || received >= page.total_results as usize;
            scan.documents.extend(page.items);
            scan.unreadable.extend(page.unreadable);
            if scan.is_whole || received >= MAX_SCANNED {
                return Ok(scan);
            }
        }
    }

    /// Creates the error for a name that no document of the scan has. A document that could not be
    /// read may have the name, so the error then says that.
    fn not_found<R: Named>(&self, query: &str, scan: &Scan<R>) -> Error {
        match UnreadableItem::describe(&scan.unreadable) {
            None => self.missing::<R>(query, &suggest_names(query, &scan.documents)),
            Some(problem) => Error::UnexpectedResponse {
                reason: format!(
                    "no readable {} matches '{}', and {problem}; use its ID",
                    R::NOUN,
                    query.chars().take(200).collect::<String>()
                ),
            },
        }
    }

    fn missing<R: Named>(&self, query: &str, suggestions: &[String]) -> Error {
        name_not_found::<R>(query, self.space_name, suggestions)
    }
}

/// The documents of a collection, up to the scan limit.
#[derive(Debug)]
pub(in crate::octopus) struct Scan<R> {
    pub(in crate::octopus) documents: Vec<R>,
    /// Documents that do not have the form of `R`.
    pub(in crate::octopus) unreadable: Vec<UnreadableItem>,
    /// Whether the collection has no further documents.
    pub(in crate::octopus) is_whole: bool,
}

/// Returns the document of a list that matches `query`, if any.
///
/// # Errors
///
/// Returns [`Error::Ambiguous`] if several match and neither an ID nor a name identifies exactly
/// one of them.
pub(in crate::octopus) fn find_in<'a, R: Named>(
    query: &str,
    documents: &'a [R],
) -> Result<Option<&'a R>, Error> {
    Ok(position_of(query.trim(), documents)?.and_then(|position| documents.get(position)))
}

/// Returns the index of the matching document, if any.
fn position_of<R: Named>(query: &str, documents: &[R]) -> Result<Option<usize>, Error> {
    let matches = documents.iter().enumerate().filter(|(_, document)| document.matches(query));
    let mut matches: Vec<(usize, &R)> = matches.collect();
    if matches.len() > 1 {
        // Precedence: ID, then name in the same letter case, then name over slug.
        let ranks: [fn(&R, &str) -> bool; 3] = [
            |document, query| document.id().as_str().eq_ignore_ascii_case(query),
            |document, query| document.name() == query,
            |document, query| document.name().to_lowercase() == query.to_lowercase(),
        ];
        for rank in ranks {
            if matches.iter().filter(|(_, document)| rank(document, query)).count() == 1 {
                matches.retain(|(_, document)| rank(document, query));
                break;
            }
        }
    }
    if matches.len() > 1 {
        let candidates =
            matches.iter().map(|(_, d)| format!("{} ({})", d.name(), d.id())).collect();
        let query = query.to_owned();
        return Err(Error::Ambiguous { noun: R::NOUN, query, candidates });
    }
    Ok(matches.pop().map(|(position, _)| position))
}

/// Creates the error for an unknown name.
pub(in crate::octopus) fn name_not_found<R: Named>(
    query: &str,
    location: Option<&str>,
    suggestions: &[String],
) -> Error {
    Error::NotFound {
        noun: R::NOUN,
        query: query.chars().take(200).collect(),
        location: location.map(str::to_owned),
        suggestions: suggestions.to_vec(),
    }
}

fn suggest_names<R: Named>(query: &str, documents: &[R]) -> Vec<String> {
    let names = documents.iter().map(Named::name);
    nearest(query, names, MAX_SUGGESTIONS).into_iter().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::octopus::model::environments::Environment;

    fn environment((id, name, slug): &(u8, String, String)) -> Environment {
        serde_json::from_value(serde_json::json!({
            "Id": format!("Environments-{id}"), "Name": name, "Slug": slug,
        }))
        .unwrap()
    }

    /// Texts that are often equal or differ in letter case only.
    fn text() -> impl Strategy<Value = String> {
        prop_oneof![
            (0..4_u8).prop_map(|id| format!("Environments-{id}")),
            (0..4_u8).prop_map(|id| format!("environments-{id}")),
            "[aA]{1,2}",
        ]
    }

    proptest! {
        /// IDs take precedence over names and names over slugs, in any order of the documents.
        #[test]
        fn look_up_prefers_ids_then_names_then_slugs(
            entries in prop::collection::vec((0..4_u8, text(), text()), 0..6),
            query in text(),
            seed in any::<u64>(),
        ) {
            let mut entries = entries;
            let mut seen = std::collections::BTreeSet::new();
            entries.retain(|(id, ..)| seen.insert(*id));
            let documents: Vec<Environment> = entries.iter().map(environment).collect();
            let is = |text: &str| text.to_lowercase() == query.to_lowercase();
            let by = |of: &dyn Fn(&Environment) -> bool| -> Vec<String> {
                documents.iter().filter(|d| of(d)).map(|d| d.id.to_string()).collect()
            };
            let ids = by(&|d| is(d.id.as_str()));
            let exact = by(&|d| d.name == query);
            let names = by(&|d| is(&d.name));
            let slugs = by(&|d| d.slug.as_deref().is_some_and(is));
            let found = find_in(&query, &documents);
            let chosen = found.as_ref().ok().map(|found| found.map(|d| d.id.to_string()));
            if let [id] = ids.as_slice() {
                prop_assert_eq!(chosen.clone(), Some(Some(id.clone())));
            } else if let [id] = exact.as_slice() {
                prop_assert_eq!(chosen.clone(), Some(Some(id.clone())));
            } else if let [id] = names.as_slice() {
                prop_assert_eq!(chosen.clone(), Some(Some(id.clone())));
            } else if names.is_empty() && slugs.len() < 2 {
                prop_assert_eq!(chosen.clone(), Some(slugs.first().cloned()));
            } else {
                prop_assert!(found.is_err(), "{:?}", found);
            }
            let mut turned = documents.clone();
            if !turned.is_empty() {
                let by = usize::try_from(seed % turned.len() as u64).unwrap();
                turned.rotate_left(by);
            }
            let again = find_in(&query, &turned);
            let again = again.ok().map(|found| found.map(|d| d.id.to_string()));
            prop_assert_eq!(again, chosen);
        }
    }
}
