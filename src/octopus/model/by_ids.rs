//! Reads several documents by ID.
//!
//! Most lists have the filter `ids`. The lists of releases and users lost it in 2023.4
//! ([`Resource::IDS_REMOVED_IN`]), and an instance may ignore it. The documents that a list does
//! not return are then read one by one, within [`MAX_SINGLE_READS`].

use std::collections::{HashMap, HashSet};

use futures::{StreamExt, stream};

use super::resource::{Id, Resource};
use crate::octopus::client::{
    error::Error,
    page::{Page, PageRange},
    path::{ApiPath, IDS_PER_REQUEST, id_batches},
    session::Session,
};

/// Maximum number of documents that are read one by one for one look-up.
const MAX_SINGLE_READS: usize = 30;
/// Maximum number of concurrent reads of single documents.
const MAX_CONCURRENT_READS: usize = 10;
/// Maximum number of IDs in a message.
const MAX_NAMED_IDS: usize = 10;

/// Documents by ID.
#[derive(Debug)]
pub struct ById<R> {
    /// The documents. Documents that the caller cannot see are omitted, because answers are useful
    /// without their names.
    pub documents: HashMap<String, R>,
    /// IDs that were not read, because there were more than [`MAX_SINGLE_READS`] or because Octopus
    /// failed to return them.
    pub unread: Vec<String>,
}

impl<R: Resource> ById<R> {
    /// Returns the reason why `fields` are missing in an answer. `None` if everything was read.
    pub fn incomplete(&self, fields: &str) -> Option<String> {
        incomplete_text(R::NOUN, fields, &self.unread)
    }
}

/// Returns the reason why `fields` of an answer are missing: `unread` documents of type `noun`.
fn incomplete_text(noun: &str, fields: &str, unread: &[String]) -> Option<String> {
    if unread.is_empty() {
        return None;
    }
    let named = unread.iter().take(MAX_NAMED_IDS).map(String::as_str).collect::<Vec<_>>();
    let more = match unread.len().saturating_sub(named.len()) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Some(format!(
        "{fields} missing for {noun} {}{more}: Octopus did not return them in a list, and at most \
         {MAX_SINGLE_READS} are read one by one; request a smaller page",
        named.join(", ")
    ))
}

/// Reads the documents with these IDs from the list at `list`, or one by one below `collection`.
///
/// # Errors
///
/// Returns the error of the list, except that documents which the caller cannot see are omitted.
/// Errors of single documents go to [`ById::unread`].
pub(in crate::octopus) async fn read<'a, R: Resource>(
    session: &Session,
    list: &ApiPath,
    collection: &ApiPath,
    ids: impl IntoIterator<Item = &'a Id<R>>,
) -> Result<ById<R>, Error> {
    let mut seen = HashSet::new();
    let ids: Vec<&str> = ids.into_iter().map(Id::as_str).filter(|id| seen.insert(*id)).collect();
    let mut documents = HashMap::new();
    let mut missing: Vec<&str> = Vec::new();
    if ids.is_empty() {
        return Ok(ById { documents, unread: Vec::new() });
    }
    let has_filter = match R::IDS_REMOVED_IN {
        Some(removed) => session.version().await.is_ok_and(|version| version < removed),
        None => true,
    };
    // Without the filter, the newest documents of the collection are likely to include these.
    let batches: Vec<&[&str]> = match ids.as_slice() {
        all if has_filter => id_batches(all).collect(),
        [_] => {
            missing.extend(&ids);
            Vec::new()
        }
        all => vec![all],
    };
    for batch in batches {
        let path = if has_filter { list.clone().query_list("ids", batch) } else { list.clone() };
        let path = path.query("skip", 0).query("take", IDS_PER_REQUEST);
        let (page, total) = match session.page::<R>(&path, PageRange::first(IDS_PER_REQUEST)).await
        {
            Ok(page) => {
                let total = page.total_results as usize;
                (page, total)
            }
            Err(Error::Forbidden { .. } | Error::NotFound { .. }) => continue,
            // A page of any documents can be too large, unlike the requested documents.
            Err(Error::TooLarge { .. } | Error::TooManyValues { .. }) if !has_filter => {
                (Page::empty(), usize::MAX)
            }
            Err(error) => return Err(error),
        };
        let is_whole = match total {
            // Lists of some versions have no total.
            0 => page.received() < IDS_PER_REQUEST,
            total => total <= page.received(),
        };
        let requested: HashSet<&str> = batch.iter().copied().collect();
        let is_filtered = page.items.iter().all(|one| requested.contains(one.id().as_str()));
        let listed = page.items.into_iter().filter(|one| requested.contains(one.id().as_str()));
        documents.extend(listed.map(|one| (one.id().as_str().to_owned(), one)));
        // A list that is whole, or that applied the filter, omits only what the caller cannot see.
        let is_unreadable = |id: &&str| {
            page.unreadable.iter().any(|item| item.id.as_deref().is_some_and(|of| of == *id))
        };
        let omits_nothing_else = is_whole || has_filter && is_filtered;
        missing.extend(batch.iter().copied().filter(|id| {
            !documents.contains_key(*id) && (!omits_nothing_else || is_unreadable(id))
        }));
    }
    let (to_read, rest) = missing.split_at(missing.len().min(MAX_SINGLE_READS));
    let mut unread: Vec<String> = rest.iter().map(|id| (*id).to_owned()).collect();
    for (id, read) in read_singly::<R>(session, collection, to_read).await {
        match read {
            Ok(document) => {
                documents.insert(id.to_owned(), document);
            }
            Err(Error::Forbidden { .. } | Error::NotFound { .. }) => {}
            Err(error) => {
                tracing::warn!(%error, id, "failed to read a document by ID");
                unread.push(id.to_owned());
            }
        }
    }
    Ok(ById { documents, unread })
}

async fn read_singly<'a, R: Resource>(
    session: &Session,
    collection: &ApiPath,
    ids: &[&'a str],
) -> Vec<(&'a str, Result<R, Error>)> {
    let reads = ids.iter().map(|id| {
        let path = collection.clone().join([*id]);
        async move { (*id, session.get::<R>(&path).await) }
    });
    let reads = reads.collect::<Vec<_>>();
    stream::iter(reads).buffer_unordered(MAX_CONCURRENT_READS).collect().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn incomplete_text_names_at_most_ten_ids() {
        let ids = |count: usize| (1..=count).map(|n| format!("Releases-{n}")).collect::<Vec<_>>();
        assert_eq!(incomplete_text("release", "releaseVersion", &[]), None);
        let text = incomplete_text("release", "releaseVersion", &ids(2)).unwrap();
        assert!(text.starts_with("releaseVersion missing for release Releases-1, Releases-2: "));
        let text = incomplete_text("release", "releaseVersion", &ids(12)).unwrap();
        assert!(text.contains("Releases-10 and 2 more: "), "{text}");
    }
}
