//! Pages of lists.

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use serde_with::{As, DefaultOnNull};

use super::{error::Error, response::RawResponse};

/// The requested part of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRange {
    /// Number of items to skip.
    pub skip: u32,
    /// Maximum number of items to return.
    pub take: u32,
}

impl PageRange {
    /// Returns the range of the first `take` items.
    pub(in crate::octopus) fn first(take: usize) -> Self {
        Self { skip: 0, take: u32::try_from(take).unwrap_or(u32::MAX) }
    }
}

/// One page of a list, as Octopus sends it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Page<T> {
    /// Items of this page that have the form of `T`.
    pub items: Vec<T>,
    /// Number of items in the whole list.
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub total_results: u32,
    /// Items of this page that do not have the form of `T`. They count in `total_results`.
    #[serde(skip)]
    pub unreadable: Vec<UnreadableItem>,
}

/// An item of a list that does not have the expected form, because the instance is newer or older
/// than this server expects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableItem {
    /// ID of the item, if it has one.
    pub id: Option<String>,
    /// Path of the field that has an unexpected form, for example `Endpoint.CommunicationStyle`.
    pub field: String,
}

/// Maximum length of the ID and of the field of an unreadable item, in characters.
const MAX_TEXT: usize = 100;
/// Maximum number of unreadable items that a message names.
const MAX_NAMED: usize = 5;

impl UnreadableItem {
    /// Describes why `item` could not be parsed as `T`.
    fn of<T: DeserializeOwned>(item: &RawValue) -> Self {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Identified {
            id: Option<String>,
        }
        let limited = |text: String| text.chars().take(MAX_TEXT).collect::<String>();
        let identified = serde_json::from_str::<Identified>(item.get()).ok();
        let mut json = serde_json::Deserializer::from_str(item.get());
        let error = serde_path_to_error::deserialize::<_, T>(&mut json).err();
        let field = error.map(|error| match error.path().to_string() {
            // A missing field has the path of its object. The message names the field, no value.
            path if error.inner().to_string().starts_with("missing field") => {
                let inner = error.inner().to_string();
                let name = inner.split('`').nth(1).unwrap_or_default();
                if path == "." { name.to_owned() } else { format!("{path}.{name}") }
            }
            path => path,
        });
        Self {
            id: identified.and_then(|identified| identified.id).map(limited),
            field: limited(field.unwrap_or_default()),
        }
    }

    /// Describes unreadable items for the field `incomplete` of an answer, for example
    /// "2 items could not be read: Environments-3 (field `SortOrder`), ...". `None` if `items` is
    /// empty.
    pub fn describe(items: &[Self]) -> Option<String> {
        if items.is_empty() {
            return None;
        }
        let name = |item: &Self| {
            let id = item.id.as_deref().unwrap_or("an item without ID");
            format!("{id} (field `{}`)", item.field)
        };
        let named: Vec<String> = items.iter().take(MAX_NAMED).map(name).collect();
        let noun = if items.len() == 1 { "item" } else { "items" };
        let rest = if items.len() > MAX_NAMED { ", and others" } else { "" };
        Some(format!(
            "{} {noun} could not be read, because Octopus sent an unexpected form: {}{rest}",
            items.len(),
            named.join(", ")
        ))
    }
}

impl<T: DeserializeOwned> Page<T> {
    /// Parses a page and drops the items outside of `window`. An item that does not have the form
    /// of `T` is added to `unreadable`.
    ///
    /// # Errors
    ///
    /// Returns [`Error::UnexpectedResponse`] if the response is not a page.
    pub(in crate::octopus) fn parse(
        response: &RawResponse,
        route: &str,
        window: PageRange,
    ) -> Result<Self, Error> {
        if let Ok(page) = serde_json::from_slice::<Self>(&response.body) {
            return Ok(page.trimmed_to(window));
        }
        let page: Page<&RawValue> = response.json(route)?;
        let Page { items, total_results, .. } = page.trimmed_to(window);
        Ok(Self { total_results, ..Self::of_raw(items) })
    }

    /// Parses a list without pages: a JSON array.
    ///
    /// # Errors
    ///
    /// Returns [`Error::UnexpectedResponse`] if the response is not an array.
    pub(in crate::octopus) fn parse_array(
        response: &RawResponse,
        route: &str,
    ) -> Result<Self, Error> {
        response.json(route).map(Self::of_raw)
    }

    fn of_raw(items: Vec<&RawValue>) -> Self {
        let total_results = u32::try_from(items.len()).unwrap_or(u32::MAX);
        let mut read = Self { items: Vec::new(), total_results, unreadable: Vec::new() };
        for item in items {
            match serde_json::from_str(item.get()) {
                Ok(item) => read.items.push(item),
                Err(_) => read.unreadable.push(UnreadableItem::of::<T>(item)),
            }
        }
        read
    }
}

impl<T> Page<T> {
    /// Creates a page without items.
    pub(in crate::octopus) fn empty() -> Self {
        Self { items: Vec::new(), total_results: 0, unreadable: Vec::new() }
    }

    /// Returns the number of items that Octopus sent for this page.
    pub fn received(&self) -> usize {
        self.items.len() + self.unreadable.len()
    }

    /// Returns the page if all of its items could be read, for decisions that need every item.
    /// `noun` is the type of the items.
    ///
    /// # Errors
    ///
    /// Returns [`Error::UnexpectedResponse`] with the unreadable items.
    pub fn complete(self, noun: &str) -> Result<Self, Error> {
        match UnreadableItem::describe(&self.unreadable) {
            None => Ok(self),
            Some(problem) => Err(Error::UnexpectedResponse {
                reason: format!("the list of {noun}s is incomplete: {problem}"),
            }),
        }
    }

    /// Logs a warning if items of the list at `route` could not be read.
    pub(in crate::octopus) fn log_unreadable(&self, route: &str) {
        if let Some(first) = self.unreadable.first() {
            tracing::warn!(
                route,
                count = self.unreadable.len(),
                id = first.id.as_deref().unwrap_or_default(),
                field = first.field,
                "items of a list could not be read"
            );
        }
    }

    /// Drops items outside the requested range. Items after the range count in `total_results`, so
    /// that the list reports further items. An instance that ignores paging sends the whole list,
    /// including the items before the range.
    pub(in crate::octopus) fn trimmed_to(mut self, PageRange { skip, take }: PageRange) -> Self {
        let received = u32::try_from(self.items.len()).unwrap_or(u32::MAX);
        if received == self.total_results {
            self.items.drain(..skip.min(received) as usize);
        } else if received > take {
            self.total_results = self.total_results.max(skip.saturating_add(received));
        }
        self.items.truncate(take as usize);
        self
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Item {
        id: String,
        #[expect(dead_code, reason = "only its form matters")]
        scope: Option<Vec<u32>>,
    }

    fn parsed(body: &Value, window: PageRange) -> Result<Page<Item>, Error> {
        let body = serde_json::to_vec(body).unwrap().into();
        let response = RawResponse { content_type: "application/json".to_owned(), body };
        Page::parse(&response, "/items", window)
    }

    #[test]
    fn skips_and_counts_unreadable_items() {
        let body = json!({ "TotalResults": 9, "Items": [
            { "Id": "Items-1" }, { "Id": "Items-2", "Scope": [1, "two"] }, { "Name": "no ID" }, 7,
            { "Id": "Items-5", "Scope": null, "Unknown": {} }, { "Id": "Items-6" },
        ]});
        let page = parsed(&body, PageRange { skip: 0, take: 5 }).unwrap();
        let ids: Vec<_> = page.items.iter().map(|item| item.id.as_str()).collect();
        assert_eq!((ids, page.received(), page.total_results), (vec!["Items-1", "Items-5"], 5, 9));
        let unreadable = |id: Option<&str>, field: &str| UnreadableItem {
            id: id.map(str::to_owned),
            field: field.to_owned(),
        };
        let expected = [
            unreadable(Some("Items-2"), "Scope[1]"),
            unreadable(None, "Id"),
            unreadable(None, "."),
        ];
        assert_eq!(page.unreadable, expected);
        let text = UnreadableItem::describe(&page.unreadable).unwrap();
        assert!(text.starts_with("3 items could not be read"), "{text}");
        assert!(
            text.contains("Items-2 (field `Scope[1]`), an item without ID (field `Id`)"),
            "{text}"
        );
        assert!(!text.contains("two"), "values are not shown: {text}");
        assert!(page.complete("item").unwrap_err().to_string().contains("the list of items"));
    }

    #[test]
    fn log_names_the_field_but_no_value() {
        #[derive(Clone, Default)]
        struct Output(std::sync::Arc<parking_lot::Mutex<Vec<u8>>>);
        impl std::io::Write for Output {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                self.0.lock().extend(bytes);
                Ok(bytes.len())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let output = Output::default();
        let writer = output.clone();
        let subscriber =
            tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
        let body = json!({ "Items": [{ "Id": "Items-2", "Scope": ["hunter2"] }] });
        let page = parsed(&body, PageRange { skip: 0, take: 5 }).unwrap();
        tracing::subscriber::with_default(subscriber, || page.log_unreadable("/items"));
        let line = String::from_utf8(output.0.lock().clone()).unwrap();
        for part in ["WARN", "Items-2", "Scope[0]", "/items", "count=1"] {
            assert!(line.contains(part), "{part} in {line}");
        }
        assert!(!line.contains("hunter2"), "{line}");
    }

    #[test]
    fn rejects_responses_that_are_not_pages() {
        for body in [json!({}), json!([]), json!({ "Items": 3 }), json!({ "ErrorMessage": "no" })] {
            assert!(parsed(&body, PageRange { skip: 0, take: 5 }).is_err(), "{body}");
        }
        let null = json!({ "Items": [], "TotalResults": null });
        assert_eq!(parsed(&null, PageRange { skip: 0, take: 5 }).unwrap().total_results, 0);
    }

    #[test]
    fn drops_but_counts_items_outside_the_range() {
        let page = || Page {
            items: (0..500).collect::<Vec<_>>(),
            total_results: 7,
            unreadable: Vec::new(),
        };
        let cut = page().trimmed_to(PageRange { skip: 10, take: 30 });
        assert_eq!((cut.items, cut.total_results), ((0..30).collect(), 510));
        let all =
            Page { total_results: 500, ..page() }.trimmed_to(PageRange { skip: 490, take: 30 });
        assert_eq!((all.items, all.total_results), ((490..500).collect(), 500));
        let page_of_all = |skip| {
            Page { items: (0..20).collect::<Vec<_>>(), total_results: 20, unreadable: Vec::new() }
                .trimmed_to(PageRange { skip, take: 30 })
        };
        assert_eq!(page_of_all(0).items.len(), 20);
        assert_eq!(page_of_all(15).items, (15..20).collect::<Vec<_>>());
        assert_eq!((page_of_all(30).items.len(), page_of_all(30).total_results), (0, 20));
        let whole = page().trimmed_to(PageRange { skip: 10, take: 500 });
        assert_eq!((whole.items.len(), whole.total_results), (500, 7));
    }
}
