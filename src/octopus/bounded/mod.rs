//! Parses a JSON document of any size into a tree of bounded size.
//!
//! A `serde_json::Value` takes ten times the memory of its text and more. An answer shows 100 KB
//! at most, so the rest of a large document is parsed and counted, and not kept: the first items
//! of a list, the first fields of an object, the beginning of a text. `Links` are never kept.

mod build;

use serde::{Deserialize, Deserializer, Serialize, de::DeserializeSeed};
use serde_json::Value;

pub use self::build::beginning;
use self::build::{Build, Seed};
use crate::text::steps;

/// The most of a document that is kept.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Bytes of compact JSON.
    pub json: usize,
    /// Bytes of one text.
    pub text: usize,
    /// Values: scalars, lists and objects, nested ones too.
    pub values: usize,
}

impl Bounds {
    /// For documents that are not shown whole anyway, and larger than most of them are.
    pub const DOCUMENT: Self = Self { json: 512 * 1024, text: 512 * 1024, values: 16 * 1024 };

    /// For an answer of at most `limit` bytes. Twice that is kept, because redaction makes texts
    /// shorter, and so that a text is cut by the limit of the answer and not in the part shown.
    pub const fn for_answer(limit: usize) -> Self {
        Self { json: 2 * limit + 16 * 1024, text: limit + 8 * 1024, values: 8 * 1024 }
    }
}

/// The part of a JSON document that is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Bounded {
    /// What is kept, without `Links`.
    pub value: Value,
    /// What is not.
    pub omitted: Omitted,
}

/// Counts of what was parsed and not kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Omitted {
    /// Items of the lists whose first items are kept.
    pub items: u64,
    /// Fields of the objects whose first fields are kept.
    pub fields: u64,
    /// Texts of which only the beginning is kept.
    pub texts: u64,
}

impl Omitted {
    /// Whether the document is kept whole.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

impl Bounded {
    /// Parses a document within these bounds.
    ///
    /// # Errors
    ///
    /// If the body is not JSON.
    pub fn parse(body: &[u8], bounds: Bounds) -> serde_json::Result<Self> {
        steps::add(body.len());
        Self::read(&mut serde_json::Deserializer::from_slice(body), bounds)
    }

    fn read<'de, D: Deserializer<'de>>(json: D, bounds: Bounds) -> Result<Self, D::Error> {
        let mut build = Build::new(bounds);
        let value = Seed::root(&mut build).deserialize(json)?;
        Ok(Self { value: value.unwrap_or_default(), omitted: build.omitted })
    }
}

/// Reads a value within these bounds, as a part of something else.
#[derive(Debug, Clone, Copy)]
pub(super) struct Within(pub(super) Bounds);

impl<'de> DeserializeSeed<'de> for Within {
    type Value = Bounded;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Bounded, D::Error> {
        Bounded::read(json, self.0)
    }
}

impl<'de> Deserialize<'de> for Bounded {
    /// Reads a document within [`Bounds::DOCUMENT`].
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(deserializer, Bounds::DOCUMENT)
    }
}

#[cfg(test)]
mod tests;
