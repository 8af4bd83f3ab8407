//! Traits of all documents, and typed IDs.

use std::{borrow::Cow, collections::BTreeMap, fmt, hash, marker::PhantomData};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};
use serde_json::Value;

use crate::octopus::client::{access_set::AccessSet, error::Error, version::OctopusVersion};

/// Parses an object of lists. `null` in place of the object or of a list is empty. A newer server may
/// add keys with other values; their lists are empty, so that a key still shows that it exists.
pub(super) fn lists_by_key<'de, D, T>(deserializer: D) -> Result<BTreeMap<String, Vec<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let values = Option::<BTreeMap<String, Value>>::deserialize(deserializer)?;
    let list = |(key, value)| (key, serde_json::from_value(value).unwrap_or_default());
    Ok(values.unwrap_or_default().into_iter().map(list).collect())
}

/// A document type of Octopus. The struct names the fields that the tools read.
pub trait Resource: DeserializeOwned + Send + Sync + 'static {
    /// Resource type in messages, e.g. "deployment target".
    const NOUN: &'static str;
    /// Prefix of its IDs, e.g. `Machines-`.
    const ID_PREFIX: &'static str;
    /// Name of its collection in paths, e.g. `machines`.
    const COLLECTION: &'static str;
    /// First version whose list has no filter `ids`; `None` if every version has it.
    const IDS_REMOVED_IN: Option<OctopusVersion> = None;
    /// First version that may have the list `{collection}/v2`, which also contains documents that
    /// the list `{collection}` omits.
    const V2_SINCE: Option<OctopusVersion> = None;

    /// Returns the ID of this document.
    fn id(&self) -> &Id<Self>;

    /// Adds this document to the call's access set.
    fn record_access(&self, _touches: &mut AccessSet) {}
}

/// A document type with named documents.
pub trait Named: Resource {
    /// Whether a space has few of these documents, so that all can be read before each change.
    const IS_SMALL_COLLECTION: bool = false;

    /// Returns the name, unique among its type regardless of letter case.
    fn name(&self) -> &str;

    /// Returns the slug, which identifies the document in URLs of the portal.
    fn slug(&self) -> Option<&str>;

    /// Returns whether `query` is the name, slug or ID of this document, in any letter case.
    fn matches(&self, query: &str) -> bool {
        let is = |text: &str| text.to_lowercase() == query.trim().to_lowercase();
        is(self.name()) || self.slug().is_some_and(is) || is(self.id().as_str())
    }

    /// Returns whether the name has the form of an ID of this type, e.g. an environment named
    /// "Environments-6".
    fn has_id_like_name(&self) -> bool {
        Id::<Self>::parse(self.name()).is_ok()
    }

    /// Returns the name for display in an approval. A name that has the form of an ID is followed
    /// by the document's own ID, so that it cannot be mistaken for another document.
    fn label(&self) -> Cow<'_, str> {
        if self.has_id_like_name() {
            Cow::Owned(format!("{} ({})", self.name(), self.id()))
        } else {
            Cow::Borrowed(self.name())
        }
    }
}

/// ID of a document of type `R`.
pub struct Id<R> {
    text: String,
    kind: PhantomData<fn() -> R>,
}

impl<R: Resource> Id<R> {
    /// Parses an ID from a caller's input. The letter case of the prefix does not matter.
    ///
    /// # Errors
    ///
    /// Returns [`Error::MalformedId`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        Self::parse_with_prefix(R::ID_PREFIX, text)
    }

    /// Parses an ID with a different prefix than [`Resource::ID_PREFIX`].
    pub(in crate::octopus) fn parse_with_prefix(
        prefix: &'static str,
        text: &str,
    ) -> Result<Self, Error> {
        let (query, text) = (prefix, text.trim());
        let malformed = || Error::MalformedId {
            noun: R::NOUN,
            prefix: R::ID_PREFIX,
            given: text.chars().take(80).collect(),
        };
        let (prefix, rest) = text.split_at_checked(query.len()).ok_or_else(malformed)?;
        let is_id = prefix.eq_ignore_ascii_case(query)
            && (1..=60).contains(&rest.len())
            && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if !is_id {
            return Err(malformed());
        }
        Ok(Self { text: format!("{query}{rest}"), kind: PhantomData })
    }
}

impl<R> Id<R> {
    /// Creates an ID from text of Octopus's own documents, without validation: old installations
    /// have other forms.
    pub(in crate::octopus) fn from_octopus(text: String) -> Self {
        Self { text, kind: PhantomData }
    }

    /// Returns the ID as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Converts the ID into text.
    pub fn into_string(self) -> String {
        self.text
    }
}

impl<R> Clone for Id<R> {
    fn clone(&self) -> Self {
        Self { text: self.text.clone(), kind: PhantomData }
    }
}

impl<R> PartialEq for Id<R> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl<R> Eq for Id<R> {}

impl<R> hash::Hash for Id<R> {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl<R> fmt::Display for Id<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<R> fmt::Debug for Id<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Accepts any text, see [`Id::from_octopus`].
impl<'de, R> Deserialize<'de> for Id<R> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from_octopus)
    }
}

impl<R> Serialize for Id<R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::octopus::{releases::Release, tasks::Task};

    #[test]
    fn parses_only_ids_of_its_type() {
        assert_eq!(Id::<Release>::parse(" releases-7 ").unwrap().as_str(), "Releases-7");
        assert_eq!(Id::<Task>::parse("ServerTasks-42").unwrap().as_str(), "ServerTasks-42");
        for wrong in ["", "7", "Releases-", "Projects-7", "Releases-7/../x", "Releases-é", "é"] {
            let error = Id::<Release>::parse(wrong).unwrap_err().to_string();
            assert!(error.contains("release IDs look like 'Releases-123'"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn parsed_ids_are_plain_path_segments(text in "\\PC*|Releases-\\PC*") {
            if let Ok(id) = Id::<Release>::parse(&text) {
                prop_assert!(id.as_str().starts_with("Releases-"));
                prop_assert!(id.as_str().bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'));
            }
        }
    }
}
