//! Parses a JSON document of any size into a tree of bounded size.
//!
//! A `serde_json::Value` needs at least ten times the memory of its text. A tool result contains at
//! most 100 KB. So this module keeps only the first items of a list, the first fields of an object
//! and the beginning of a text. The rest is parsed and counted. `Links` are never kept.

mod builder;

use serde::{Deserialize, Deserializer, Serialize, de::DeserializeSeed};
use serde_json::Value;

use self::builder::{BoundedBuilder, Seed};
use crate::text::step_counter;
pub use builder::truncate_at_boundary;

/// Maximum size of the part of a document that is kept.
#[derive(Debug, Clone, Copy)]
pub struct JsonBounds {
    /// Bytes of compact JSON.
    pub json: usize,
    /// Bytes of a single text.
    pub text: usize,
    /// Number of values: scalars, lists and objects, including nested ones.
    pub values: usize,
}

impl JsonBounds {
    /// For documents that are not displayed completely. Most documents are smaller than these
    /// bounds.
    pub const DOCUMENT: Self = Self { json: 512 * 1024, text: 512 * 1024, values: 16 * 1024 };

    /// Returns the bounds for an answer of at most `limit` bytes. They are about twice as large,
    /// because redaction shortens texts. The margin leaves the truncation of visible texts to the
    /// limit of the answer.
    pub const fn for_answer(limit: usize) -> Self {
        Self { json: 2 * limit + 16 * 1024, text: limit + 8 * 1024, values: 8 * 1024 }
    }
}

/// The kept part of a JSON document, with counts of the omitted parts.
#[derive(Debug, Clone, PartialEq)]
pub struct BoundedJson {
    /// The kept part, without `Links`.
    pub value: Value,
    /// Counts of the omitted parts.
    pub omitted: OmittedCounts,
    /// Places where parts were omitted. Limited to 16; nested places come first.
    pub places: Vec<JsonPlace>,
}

/// A place where a part of a document was omitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonPlace {
    /// JSON pointer (RFC 6901) to the list, text or field.
    pub pointer: String,
    /// Number of items or characters that are kept; 0 if a field is omitted.
    pub kept: usize,
}

/// Counts of the parts that were parsed but not kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OmittedCounts {
    /// Omitted items of lists that are kept in part.
    pub items: u64,
    /// Omitted fields of objects that are kept in part.
    pub fields: u64,
    /// Truncated texts.
    pub texts: u64,
}

impl OmittedCounts {
    /// Returns whether the document is complete.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl BoundedJson {
    /// Parses a document within these bounds.
    ///
    /// # Errors
    ///
    /// Returns an error if the body is not valid JSON.
    pub fn parse(body: &[u8], bounds: JsonBounds) -> serde_json::Result<Self> {
        step_counter::add(body.len());
        Self::read(&mut serde_json::Deserializer::from_slice(body), bounds)
    }

    fn read<'de, D: Deserializer<'de>>(json: D, bounds: JsonBounds) -> Result<Self, D::Error> {
        let mut build = BoundedBuilder::new(bounds);
        let value = Seed::root(&mut build).deserialize(json)?;
        let BoundedBuilder { omitted, places, .. } = build;
        Ok(Self { value: value.unwrap_or_default(), omitted, places })
    }
}

/// Deserialization seed that reads a value within these bounds, as part of a larger document.
#[derive(Debug, Clone, Copy)]
pub(in crate::octopus) struct BoundedSeed(pub(in crate::octopus) JsonBounds);

impl<'de> DeserializeSeed<'de> for BoundedSeed {
    type Value = BoundedJson;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<BoundedJson, D::Error> {
        BoundedJson::read(json, self.0)
    }
}

impl<'de> Deserialize<'de> for BoundedJson {
    /// Deserializes a document within [`JsonBounds::DOCUMENT`].
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(deserializer, JsonBounds::DOCUMENT)
    }
}

#[cfg(test)]
mod tests;
