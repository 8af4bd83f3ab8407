//! The visitor that builds the tree and counts what it leaves out.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::{Bounds, Omitted};

/// Containers that are nested deeper are left out. `serde_json` rejects 128 levels.
const DEPTH: usize = 100;
/// Once the bounds are reached, short scalars of the document itself are still kept, such as
/// `TotalResults` behind the items of a page: so many bytes of them, and so many values.
const RESERVE: Bounds = Bounds { json: 8 * 1024, text: 256, values: 256 };

/// What is left of the bounds, and what was left out.
pub(super) struct Build {
    left: Bounds,
    reserve: Bounds,
    text: usize,
    is_full: bool,
    pub(super) omitted: Omitted,
}

impl Build {
    pub(super) fn new(bounds: Bounds) -> Self {
        let omitted = Omitted::default();
        Self { left: bounds, reserve: RESERVE, text: bounds.text, is_full: false, omitted }
    }

    /// Takes one value of so many bytes out of what is left.
    fn take(&mut self, bytes: usize, depth: usize) -> bool {
        if !self.is_full && take_of(&mut self.left, bytes) {
            return true;
        }
        self.is_full = true;
        depth == 1 && bytes <= RESERVE.text && take_of(&mut self.reserve, bytes)
    }
}

fn take_of(left: &mut Bounds, bytes: usize) -> bool {
    match (left.json.checked_sub(bytes), left.values.checked_sub(1)) {
        (Some(json), Some(values)) => {
            *left = Bounds { json, values, ..*left };
            true
        }
        _ => false,
    }
}

/// Reads one value; `None` if it is left out.
pub(super) struct Seed<'a> {
    build: &'a mut Build,
    depth: usize,
    /// Bytes that stand before the value: its key, or a comma.
    before: usize,
}

impl<'a> Seed<'a> {
    pub(super) fn root(build: &'a mut Build) -> Self {
        Self { build, depth: 0, before: 0 }
    }

    fn scalar(self, bytes: usize, value: impl Into<Value>) -> Option<Value> {
        self.build.take(self.before + bytes, self.depth).then(|| value.into())
    }

    fn text(self, text: &str) -> Option<Value> {
        let kept = beginning(text, self.build.text);
        let is_cut = kept.len() < text.len();
        let bytes = self.before + written(kept) + if is_cut { CUT.len() } else { 0 };
        if !self.build.take(bytes, self.depth) {
            return None;
        }
        if is_cut {
            self.build.omitted.texts += 1;
            return Some(Value::String([kept, CUT].concat()));
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
        // The longest that a number of 64 bits is written with.
        Ok(self.scalar(24, value))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(self.text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let Self { build, depth, before } = self;
        let is_shown = depth < DEPTH && !build.is_full && build.take(before + 2, depth);
        let mut items = Vec::new();
        while is_shown && !build.is_full {
            let before = build.omitted;
            match list.next_element_seed(Seed { build, depth: depth + 2, before: 1 })? {
                None => return Ok(Some(Value::Array(items))),
                // A reader would take a shortened item for a complete one; the first is
                // kept all the same.
                Some(Some(item)) if build.is_full && is_container(&item) && !items.is_empty() => {
                    build.omitted = Omitted { items: before.items + 1, ..before };
                }
                Some(Some(item)) => items.push(item),
                Some(None) => build.omitted.items += 1,
            }
        }
        while list.next_element::<IgnoredAny>()?.is_some() {
            build.omitted.items += u64::from(is_shown);
        }
        Ok(is_shown.then_some(Value::Array(items)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        let Self { build, depth, before } = self;
        let is_shown = depth < DEPTH && !build.is_full && build.take(before + 2, depth);
        let mut fields = Map::new();
        let omitted = build.omitted;
        if !is_shown {
            while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(None);
        }
        while let Some(key) = object.next_key::<std::borrow::Cow<'_, str>>()? {
            // Only scalars of the document itself are kept beyond the bounds.
            let is_over = build.is_full && depth > 0;
            if key == "Links" || is_over || key.len() > build.text {
                object.next_value::<IgnoredAny>()?;
                build.omitted.fields += u64::from(key != "Links");
                continue;
            }
            let before = written(&key) + 2;
            match object.next_value_seed(Seed { build, depth: depth + 1, before })? {
                Some(value) => drop(fields.insert(key.into_owned(), value)),
                None => build.omitted.fields += 1,
            }
        }
        let Omitted { items, fields: left_out, .. } = build.omitted;
        if (items, left_out) != (omitted.items, omitted.fields) {
            // A field that is left out may say that the value beside it is sensitive.
            let all = fields.len();
            fields.retain(|key, _| !VALUES.iter().any(|value| key.eq_ignore_ascii_case(value)));
            build.omitted.fields += (all - fields.len()) as u64;
        }
        Ok(Some(Value::Object(fields)))
    }
}

/// Fields whose content is sensitive or not by what stands in other fields: a type, a flag, a name.
const VALUES: &[&str] = &["Value", "Values", "DefaultValue", "NewValue", "SensitiveValue", "Hint"];

fn is_container(value: &Value) -> bool {
    value.is_array() || value.is_object()
}

/// What stands at the end of a text that is cut.
const CUT: &str = " ...";
/// A cut text loses its last word, up to this length: half a secret would not be recognised.
const WORD: usize = 8 * 1024;

/// The beginning of a text, at most `limit` bytes long. It ends before a space or a sign that
/// stands between words in JSON, XML and code; without one, `WORD` bytes are left out.
pub fn beginning(text: &str, limit: usize) -> &str {
    if text.len() <= limit {
        return text;
    }
    let (kept, _) = text.split_at(text.floor_char_boundary(limit));
    let is_between = |letter: char| letter.is_whitespace() || "\"'<>,;(){}[]|".contains(letter);
    let earliest = kept.len().saturating_sub(WORD);
    match kept.rfind(is_between) {
        Some(end) if end >= earliest => kept.split_at(end).0,
        _ => kept.split_at(kept.floor_char_boundary(earliest)).0,
    }
}

/// How many bytes a text has as JSON.
fn written(text: &str) -> usize {
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
