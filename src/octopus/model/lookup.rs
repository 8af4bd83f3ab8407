//! Looks up a document by name (in any letter case), slug or ID.
//!
//! An ID takes precedence over a name, and a name over a slug. Octopus allows the ID of one
//! resource as the name or slug of another one, and its own precedence is not documented. So a
//! change sends only texts that identify one document under every precedence (see
//! `name_collision.rs`).

use crate::{
    octopus::client::{
        error::Error,
        page::{Page, PageRange},
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
    /// Name of the space, for error messages.
    pub(in crate::octopus) space_name: Option<&'a str>,
}

impl Collection<'_> {
    /// Finds one document.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] with suggestions, [`Error::Ambiguous`], and the errors of the requests.
    pub(in crate::octopus) async fn find<R: Named>(&self, wanted: &str) -> Result<R, Error> {
        let wanted = wanted.trim();
        if wanted.is_empty() {
            return Err(self.missing::<R>(wanted, &[]));
        }
        if let Ok(id) = Id::<R>::parse(wanted) {
            match self.session.get(&self.path.clone().join([&id])).await {
                // A name may look like an ID, so continue with the names.
                Err(Error::NotFound { .. }) => {}
                found => return found,
            }
        }
        let path = self.path.clone().query("partialName", wanted).query("take", SCAN_PAGE_SIZE);
        let mut by_name: Page<R> =
            self.session.page(&path, PageRange::first(SCAN_PAGE_SIZE)).await?;
        if let Some(place) = position_of(wanted, &by_name.items)? {
            return Ok(by_name.items.swap_remove(place));
        }
        let (mut all, _) = self.scan::<R>().await?;
        match position_of(wanted, &all)? {
            Some(place) => Ok(all.swap_remove(place)),
            None => Err(self.missing::<R>(wanted, &suggest_names(wanted, &all))),
        }
    }

    /// Finds several documents. Sends one request if all of `wanted` are IDs, otherwise one scan of
    /// the collection, regardless of their number.
    pub(in crate::octopus) async fn find_all<R: Named + Clone>(
        &self,
        wanted: &[String],
    ) -> Result<Vec<R>, Error> {
        if let [only] = wanted {
            return Ok(vec![self.find(only).await?]);
        }
        if let Some(found) = self.by_ids(wanted).await? {
            return Ok(found);
        }
        let (all, complete) = self.scan::<R>().await?;
        let mut found = Vec::with_capacity(wanted.len());
        for wanted in wanted {
            // Each comparison covers up to `MAX_SCANNED` names, so yield to other calls in between.
            tokio::task::yield_now().await;
            let place = position_of(wanted.trim(), &all)?;
            match place.and_then(|place| all.get(place)) {
                Some(document) => found.push(document.clone()),
                None if complete => {
                    return Err(self.missing::<R>(wanted, &suggest_names(wanted, &all)));
                }
                // Documents beyond the scan limit are searched by Octopus.
                None => found.push(self.find(wanted).await?),
            }
        }
        Ok(found)
    }

    /// Finds several documents by ID. Returns `None` unless each text is the ID of a document,
    /// because a name may look like an ID.
    async fn by_ids<R: Named + Clone>(&self, wanted: &[String]) -> Result<Option<Vec<R>>, Error> {
        let ids: Result<Vec<Id<R>>, _> = wanted.iter().map(|wanted| Id::parse(wanted)).collect();
        let Ok(ids) = ids else { return Ok(None) };
        // Too many for one request; the caller scans the collection.
        if id_batches(&ids).count() > 1 {
            return Ok(None);
        }
        let path = self.path.clone().query_list("ids", &ids).query("take", ids.len());
        let page: Page<R> = self.session.page(&path, PageRange::first(ids.len())).await?;
        let is =
            |document: &&R, id: &Id<R>| document.id().as_str().eq_ignore_ascii_case(id.as_str());
        let each = ids.iter().map(|id| page.items.iter().find(|document| is(document, id)));
        Ok(each.map(Option::<&R>::cloned).collect())
    }

    /// Reads the collection up to the scan limit. The flag says whether that was all of it.
    pub(in crate::octopus) async fn scan<R: Named>(&self) -> Result<(Vec<R>, bool), Error> {
        let mut all = Vec::new();
        loop {
            let path = self.path.clone().query("skip", all.len()).query("take", SCAN_PAGE_SIZE);
            let skip = u32::try_from(all.len()).unwrap_or(u32::MAX);
            let window = PageRange { skip, ..PageRange::first(SCAN_PAGE_SIZE) };
            let page: Page<R> = self.session.page(&path, window).await?;
            let came = page.items.len();
            all.extend(page.items);
            let complete = came == 0 || all.len() >= page.total_results as usize;
            if complete || all.len() >= MAX_SCANNED {
                return Ok((all, complete));
            }
        }
    }

    fn missing<R: Named>(&self, wanted: &str, suggestions: &[String]) -> Error {
        name_not_found::<R>(wanted, self.space_name, suggestions)
    }
}

/// Returns the document of a list that matches `wanted`, if any.
///
/// # Errors
///
/// [`Error::Ambiguous`] if several match and neither an ID nor a name identifies exactly one of
/// them.
pub(in crate::octopus) fn find_in<'a, R: Named>(
    wanted: &str,
    documents: &'a [R],
) -> Result<Option<&'a R>, Error> {
    Ok(position_of(wanted.trim(), documents)?.and_then(|place| documents.get(place)))
}

/// Returns the index of the matching document, if any.
fn position_of<R: Named>(wanted: &str, documents: &[R]) -> Result<Option<usize>, Error> {
    let called = documents.iter().enumerate().filter(|(_, document)| document.matches(wanted));
    let mut called: Vec<(usize, &R)> = called.collect();
    if called.len() > 1 {
        // Precedence: ID, then name in the same letter case, then name over slug.
        let ranks: [fn(&R, &str) -> bool; 3] = [
            |document, wanted| document.id().as_str().eq_ignore_ascii_case(wanted),
            |document, wanted| document.name() == wanted,
            |document, wanted| document.name().to_lowercase() == wanted.to_lowercase(),
        ];
        for rank in ranks {
            if called.iter().filter(|(_, document)| rank(document, wanted)).count() == 1 {
                called.retain(|(_, document)| rank(document, wanted));
                break;
            }
        }
    }
    if called.len() > 1 {
        let candidates = called.iter().map(|(_, d)| format!("{} ({})", d.name(), d.id())).collect();
        let wanted = wanted.to_owned();
        return Err(Error::Ambiguous { noun: R::NOUN, wanted, candidates });
    }
    Ok(called.pop().map(|(place, _)| place))
}

/// Creates the error for an unknown name.
pub(in crate::octopus) fn name_not_found<R: Named>(
    wanted: &str,
    location: Option<&str>,
    suggestions: &[String],
) -> Error {
    Error::NotFound {
        noun: R::NOUN,
        wanted: wanted.chars().take(200).collect(),
        location: location.map(str::to_owned),
        suggestions: suggestions.to_vec(),
    }
}

fn suggest_names<R: Named>(wanted: &str, documents: &[R]) -> Vec<String> {
    let names = documents.iter().map(Named::name);
    nearest(wanted, names, MAX_SUGGESTIONS).into_iter().map(str::to_owned).collect()
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
            things in prop::collection::vec((0..4_u8, text(), text()), 0..6),
            wanted in text(),
            seed in any::<u64>(),
        ) {
            let mut things = things;
            let mut seen = std::collections::BTreeSet::new();
            things.retain(|(id, ..)| seen.insert(*id));
            let documents: Vec<Environment> = things.iter().map(environment).collect();
            let is = |text: &str| text.to_lowercase() == wanted.to_lowercase();
            let by = |of: &dyn Fn(&Environment) -> bool| -> Vec<String> {
                documents.iter().filter(|d| of(d)).map(|d| d.id.to_string()).collect()
            };
            let ids = by(&|d| is(d.id.as_str()));
            let exact = by(&|d| d.name == wanted);
            let names = by(&|d| is(&d.name));
            let slugs = by(&|d| d.slug.as_deref().is_some_and(is));
            let found = find_in(&wanted, &documents);
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
            let again = find_in(&wanted, &turned);
            let again = again.ok().map(|found| found.map(|d| d.id.to_string()));
            prop_assert_eq!(again, chosen);
        }
    }
}
