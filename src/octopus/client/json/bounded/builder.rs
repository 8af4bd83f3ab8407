//! The serde visitor that builds the bounded tree and counts the omitted parts.

use std::fmt::{self, Write as _};

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::{JsonBounds, JsonPlace, OmittedCounts};
use crate::text::json_pointer;

/// Maximum nesting depth; deeper containers are omitted. `serde_json` itself rejects 128 levels.
const MAX_DEPTH: usize = 100;
/// Extra budget for short scalars of the top-level object after the bounds are reached, such as
/// `TotalResults` after the items of a page.
const RESERVE: JsonBounds = JsonBounds { json: 8 * 1024, text: 256, values: 256 };

/// The remaining budget and the counts of omitted parts.
pub(super) struct BoundedBuilder {
    remaining: JsonBounds,
    reserve: JsonBounds,
    text: usize,
    is_full: bool,
    pub(super) omitted: OmittedCounts,
    /// JSON pointer to the current value.
    pointer: String,
    pub(super) places: Vec<JsonPlace>,
}

/// Maximum number of places, and of those that are omitted fields. Fields are limited separately,
/// so that a list that was cut is named as well.
const MAX_PLACES: usize = 16;
const MAX_FIELD_PLACES: usize = 8;

impl BoundedBuilder {
    pub(super) fn new(bounds: JsonBounds) -> Self {
        let omitted = OmittedCounts::default();
        Self {
            remaining: bounds,
            reserve: RESERVE,
            text: bounds.text,
            is_full: false,
            omitted,
            pointer: String::new(),
            places: Vec::new(),
        }
    }

    /// Adds a place at the current value.
    fn add_place(&mut self, kept: usize) {
        if self.places.len() < MAX_PLACES {
            self.places.push(JsonPlace { pointer: self.pointer.clone(), kept });
        }
    }

    /// Adds the place of an omitted field of the current object.
    fn add_field_place(&mut self, key: &str) {
        if self.places.iter().filter(|place| place.kept == 0).count() < MAX_FIELD_PLACES {
            let length = self.pointer.len();
            json_pointer::push_token(&mut self.pointer, key);
            self.add_place(0);
            self.pointer.truncate(length);
        }
    }

    /// Deducts one value of `bytes` bytes from the budget. Returns whether it fits.
    fn take(&mut self, bytes: usize, depth: usize) -> bool {
        if !self.is_full && deduct(&mut self.remaining, bytes) {
            return true;
        }
        self.is_full = true;
        depth == 1 && bytes <= RESERVE.text && deduct(&mut self.reserve, bytes)
    }
}

fn deduct(left: &mut JsonBounds, bytes: usize) -> bool {
    match (left.json.checked_sub(bytes), left.values.checked_sub(1)) {
        (Some(json), Some(values)) => {
            *left = JsonBounds { json, values, ..*left };
            true
        }
        _ => false,
    }
}

/// Deserializes one value; yields `None` if the value is omitted.
pub(super) struct Seed<'a> {
    build: &'a mut BoundedBuilder,
    depth: usize,
    /// Bytes written before the value: its key, or a comma.
    prefix_bytes: usize,
}

impl<'a> Seed<'a> {
    pub(super) fn root(build: &'a mut BoundedBuilder) -> Self {
        Self { build, depth: 0, prefix_bytes: 0 }
    }

    fn scalar(self, bytes: usize, value: impl Into<Value>) -> Option<Value> {
        self.build.take(self.prefix_bytes + bytes, self.depth).then(|| value.into())
    }

    fn text(self, text: &str) -> Option<Value> {
        let kept = truncate_at_boundary(text, self.build.text);
        let is_cut = kept.len() < text.len();
        let bytes =
            self.prefix_bytes + json_len(kept) + if is_cut { TRUNCATION_MARK.len() } else { 0 };
        if !self.build.take(bytes, self.depth) {
            return None;
        }
        if is_cut {
            self.build.omitted.texts += 1;
            self.build.add_place(kept.chars().count());
            return Some(Value::String([kept, TRUNCATION_MARK].concat()));
        }
        Some(Value::String(kept.to_owned()))
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Option<Value>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Option<Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(self.scalar(4, Value::Null))
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Self::Value, E> {
        Ok(self.scalar(5, truth))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(self.scalar(digits(number.unsigned_abs()) + 1, number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(self.scalar(digits(number), number))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        let value = Number::from_f64(number).map_or(Value::Null, Value::Number);
        // Maximum length of a 64-bit number in JSON.
        Ok(self.scalar(24, value))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(self.text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let Self { build, depth, prefix_bytes: before } = self;
        let is_shown = depth < MAX_DEPTH && !build.is_full && build.take(before + 2, depth);
        let mut items = Vec::new();
        let mut is_cut = false;
        let length = build.pointer.len();
        while is_shown && !build.is_full {
            let (before, places) = (build.omitted, build.places.len());
            let _ = write!(build.pointer, "/{}", items.len());
            let item = list.next_element_seed(Seed {
                build: &mut *build,
                depth: depth + 2,
                prefix_bytes: 1,
            });
            build.pointer.truncate(length);
            match item? {
                None => {
                    if is_cut {
                        build.add_place(items.len());
                    }
                    return Ok(Some(Value::Array(items)));
                }
                // A shortened item would look complete to a reader. The first item is kept anyway,
                // so that the list is not empty.
                Some(Some(item)) if build.is_full && is_container(&item) && !items.is_empty() => {
                    build.omitted = OmittedCounts { items: before.items + 1, ..before };
                    build.places.truncate(places);
                    is_cut = true;
                }
                Some(Some(item)) => items.push(item),
                Some(None) => {
                    build.omitted.items += 1;
                    is_cut = true;
                }
            }
        }
        while list.next_element::<IgnoredAny>()?.is_some() {
            build.omitted.items += u64::from(is_shown);
            is_cut |= is_shown;
        }
        if is_cut {
            build.add_place(items.len());
        }
        Ok(is_shown.then_some(Value::Array(items)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        let Self { build, depth, prefix_bytes: before } = self;
        let is_shown = depth < MAX_DEPTH && !build.is_full && build.take(before + 2, depth);
        let mut fields = Map::new();
        let omitted = build.omitted;
        if !is_shown {
            while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(None);
        }
        while let Some(key) = object.next_key::<std::borrow::Cow<'_, str>>()? {
            // Beyond the bounds, only scalars of the top-level object are kept.
            let is_over = build.is_full && depth > 0;
            if key == "Links" || is_over || key.len() > build.text {
                object.next_value::<IgnoredAny>()?;
                if key != "Links" {
                    build.omitted.fields += 1;
                    build.add_field_place(&key);
                }
                continue;
            }
            let before = json_len(&key) + 2;
            let length = build.pointer.len();
            json_pointer::push_token(&mut build.pointer, &key);
            let value = object.next_value_seed(Seed {
                build: &mut *build,
                depth: depth + 1,
                prefix_bytes: before,
            });
            build.pointer.truncate(length);
            if let Some(value) = value? {
                fields.insert(key.into_owned(), value);
            } else {
                build.omitted.fields += 1;
                build.add_field_place(&key);
            }
        }
        let OmittedCounts { items, fields: left_out, .. } = build.omitted;
        if (items, left_out) != (omitted.items, omitted.fields) {
            // An omitted field may be the flag that marks a neighbouring value as sensitive.
            let all = fields.len();
            fields
                .retain(|key, _| !VALUE_FIELDS.iter().any(|value| key.eq_ignore_ascii_case(value)));
            build.omitted.fields += (all - fields.len()) as u64;
        }
        Ok(Some(Value::Object(fields)))
    }
}

/// Fields with values that other fields can mark as sensitive (by a type, a flag or a name).
const VALUE_FIELDS: &[&str] =
    &["Value", "Values", "DefaultValue", "NewValue", "SensitiveValue", "Hint"];

fn is_container(value: &Value) -> bool {
    value.is_array() || value.is_object()
}

/// Marker at the end of a truncated text.
const TRUNCATION_MARK: &str = " ...";
/// Maximum number of bytes removed from a truncated text besides the excess. The last word is
/// dropped, because redaction would not recognize half a secret.
const MAX_WORD: usize = 8 * 1024;

/// Truncates a text to at most `limit` bytes. The result ends before whitespace or before a
/// character that separates words in JSON, XML and code. Without such a character, it is `MAX_WORD`
/// bytes shorter than `limit`.
pub fn truncate_at_boundary(text: &str, limit: usize) -> &str {
    if text.len() <= limit {
        return text;
    }
    let (kept, _) = text.split_at(text.floor_char_boundary(limit));
    let is_between = |letter: char| letter.is_whitespace() || "\"'<>,;(){}[]|".contains(letter);
    let earliest = kept.len().saturating_sub(MAX_WORD);
    match kept.rfind(is_between) {
        Some(end) if end >= earliest => kept.split_at(end).0,
        _ => kept.split_at(kept.floor_char_boundary(earliest)).0,
    }
}

/// Returns the length in bytes of a text as a JSON string, with quotes and escapes.
fn json_len(text: &str) -> usize {
    let escapes = text.bytes().map(|byte| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 1,
        0..0x20 => 5,
        _ => 0,
    });
    text.len() + 2 + escapes.sum::<usize>()
}

fn digits(number: u64) -> usize {
    number.checked_ilog10().map_or(1, |log| log as usize + 1)
}
