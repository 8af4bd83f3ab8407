//! Finding a document by what people call it: a name in any letter case, a slug, or an ID.
//!
//! An ID wins over a name, and a name over a slug. Octopus lets people give a thing the ID of another
//! one as its name or slug, and its own order of precedence is not documented. A change therefore
//! sends only texts that stand for one document in every order (`rival.rs`).

use crate::text::nearest::nearest;

use super::{Error, Id, Named, Page, Path, Session, Window, path::batches};

/// How many documents a look-up by name reads at most. A collection that is larger is searched
/// by Octopus itself, and only its slugs and near names past this are not seen.
const WALK: usize = 5_000;
/// How many documents one request of a walk asks for.
const PAGE: usize = 1_000;
/// How many IDs one request asks for, so that its URL stays short. Octopus's own clients send
/// 300.
pub(super) const BATCH: usize = 300;
/// How many near names a message holds.
const NEAR: usize = 5;

/// A collection to look in.
pub(super) struct Collection<'a> {
    pub(super) session: &'a Session,
    pub(super) path: Path,
    /// The space, for messages.
    pub(super) place: Option<&'a str>,
}

impl Collection<'_> {
    /// Finds one document.
    pub(super) async fn find<R: Named>(&self, wanted: &str) -> Result<R, Error> {
        let wanted = wanted.trim();
        if wanted.is_empty() {
            return Err(self.missing::<R>(wanted, &[]));
        }
        if let Ok(id) = Id::<R>::parse(wanted) {
            match self.session.get(&self.path.clone().then([&id])).await {
                // A name may look like an ID; if none does, near names help.
                Err(Error::NotFound { .. }) => {}
                found => return found,
            }
        }
        let path = self.path.clone().with("partialName", wanted).with("take", PAGE);
        let mut by_name: Page<R> = self.session.page(&path, Window::first(PAGE)).await?;
        if let Some(place) = pick(wanted, &by_name.items)? {
            return Ok(by_name.items.swap_remove(place));
        }
        let (mut all, _) = self.walk::<R>().await?;
        match pick(wanted, &all)? {
            Some(place) => Ok(all.swap_remove(place)),
            None => Err(self.missing::<R>(wanted, &near_names(wanted, &all))),
        }
    }

    /// Finds each of several documents: with one request where all are meant by their IDs, with one
    /// walk over the collection where not, whatever their number.
    pub(super) async fn find_all<R: Named + Clone>(
        &self,
        wanted: &[String],
    ) -> Result<Vec<R>, Error> {
        if let [only] = wanted {
            return Ok(vec![self.find(only).await?]);
        }
        if let Some(found) = self.by_ids(wanted).await? {
            return Ok(found);
        }
        let (all, complete) = self.walk::<R>().await?;
        let mut found = Vec::with_capacity(wanted.len());
        for wanted in wanted {
            // Each compares up to WALK names, so other calls get their turn in between.
            tokio::task::yield_now().await;
            let place = pick(wanted.trim(), &all)?;
            match place.and_then(|place| all.get(place)) {
                Some(document) => found.push(document.clone()),
                None if complete => {
                    return Err(self.missing::<R>(wanted, &near_names(wanted, &all)));
                }
                // Past what a walk reads, Octopus searches.
                None => found.push(self.find(wanted).await?),
            }
        }
        Ok(found)
    }

    /// Finds several documents by their IDs; `None` where not each of them is the ID of one. A name
    /// may look like an ID.
    async fn by_ids<R: Named + Clone>(&self, wanted: &[String]) -> Result<Option<Vec<R>>, Error> {
        let ids: Result<Vec<Id<R>>, _> = wanted.iter().map(|wanted| Id::parse(wanted)).collect();
        let Ok(ids) = ids else { return Ok(None) };
        // More than one request takes: the walk finds them.
        if batches(&ids, BATCH).count() > 1 {
            return Ok(None);
        }
        let path = self.path.clone().with_list("ids", &ids).with("take", ids.len());
        let page: Page<R> = self.session.page(&path, Window::first(ids.len())).await?;
        let is =
            |document: &&R, id: &Id<R>| document.id().as_str().eq_ignore_ascii_case(id.as_str());
        let each = ids.iter().map(|id| page.items.iter().find(|document| is(document, id)));
        Ok(each.map(Option::<&R>::cloned).collect())
    }

    /// Reads the collection, and whether that was all of it.
    pub(super) async fn walk<R: Named>(&self) -> Result<(Vec<R>, bool), Error> {
        let mut all = Vec::new();
        loop {
            let path = self.path.clone().with("skip", all.len()).with("take", PAGE);
            let skip = u32::try_from(all.len()).unwrap_or(u32::MAX);
            let window = Window { skip, ..Window::first(PAGE) };
            let page: Page<R> = self.session.page(&path, window).await?;
            let came = page.items.len();
            all.extend(page.items);
            let complete = came == 0 || all.len() >= page.total_results as usize;
            if complete || all.len() >= WALK {
                return Ok((all, complete));
            }
        }
    }

    fn missing<R: Named>(&self, wanted: &str, near: &[String]) -> Error {
        missing::<R>(wanted, self.place, near)
    }
}

/// Returns the one document of a list that is called so, if there is one.
///
/// # Errors
/// [`Error::Ambiguous`] where several are called so and none has it as its ID or alone as its name.
pub(super) fn choose<'a, R: Named>(
    wanted: &str,
    documents: &'a [R],
) -> Result<Option<&'a R>, Error> {
    Ok(pick(wanted.trim(), documents)?.and_then(|place| documents.get(place)))
}

/// The place of the one document that is called so, if there is one.
fn pick<R: Named>(wanted: &str, documents: &[R]) -> Result<Option<usize>, Error> {
    let called = documents.iter().enumerate().filter(|(_, document)| document.is_called(wanted));
    let mut called: Vec<(usize, &R)> = called.collect();
    if called.len() > 1 {
        // An ID wins; then the same letters in the same case; then a name wins over a slug.
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

/// That nothing is called so.
pub(super) fn missing<R: Named>(wanted: &str, place: Option<&str>, near: &[String]) -> Error {
    Error::NotFound {
        noun: R::NOUN,
        wanted: wanted.chars().take(200).collect(),
        place: place.map(str::to_owned),
        near: near.to_vec(),
    }
}

fn near_names<R: Named>(wanted: &str, documents: &[R]) -> Vec<String> {
    let names = documents.iter().map(Named::name);
    nearest(wanted, names, NEAR).into_iter().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::octopus::environments::Environment;

    fn environment((id, name, slug): &(u8, String, String)) -> Environment {
        serde_json::from_value(serde_json::json!({
            "Id": format!("Environments-{id}"), "Name": name, "Slug": slug,
        }))
        .unwrap()
    }

    /// Texts of which many are equal, or differ in letter case alone.
    fn text() -> impl Strategy<Value = String> {
        prop_oneof![
            (0..4_u8).prop_map(|id| format!("Environments-{id}")),
            (0..4_u8).prop_map(|id| format!("environments-{id}")),
            "[aA]{1,2}",
        ]
    }

    proptest! {
        /// An ID wins, then a name, then a slug, in whatever order Octopus lists the documents.
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
            let found = choose(&wanted, &documents);
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
            let again = choose(&wanted, &turned);
            let again = again.ok().map(|found| found.map(|d| d.id.to_string()));
            prop_assert_eq!(again, chosen);
        }
    }
}
