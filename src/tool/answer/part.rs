//! Selects the part of a document that a call requests, and names the parts that were omitted.
//!
//! A tool supports this if it has the arguments `pointer` and `pointerSkip`, and returns its
//! document in the field `response`. The part is selected after the document is sanitized, because
//! the sanitizer needs the neighbours of a value.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::text::json_pointer::{rest_below, split_index};

/// Argument with the JSON pointer to the part (RFC 6901).
pub(in crate::tool) const POINTER: &str = "pointer";
/// Argument with the number of items, entries or characters of the part to skip.
const POINTER_SKIP: &str = "pointerSkip";
/// Field of the answer with the document.
const DOCUMENT: &str = "/response";
/// Field of the answer with the omitted parts.
const CONTINUE_AT: &str = "continueAt";
/// Maximum number of omitted parts that an answer names.
const MAX_CONTINUATIONS: usize = 6;

/// A list, object or text that was cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// JSON pointer in the answer (RFC 6901).
    pub(super) pointer: String,
    /// Number of items, entries or characters that are kept.
    pub(super) kept: usize,
}

/// The part of a document that a call requests.
#[derive(Debug, Clone, Default)]
pub(in crate::tool) struct DocumentPart {
    pointer: String,
    skip: usize,
}

/// Arguments of a call that returns an omitted part of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Continuation {
    pointer: String,
    pointer_skip: usize,
}

impl Continuation {
    /// Names the omitted parts of a document. `places` are pointers in the document, with the number
    /// of items, entries or characters that are included.
    pub fn list(places: impl IntoIterator<Item = (String, usize)>) -> Option<Vec<Self>> {
        let all = places.into_iter().map(|(pointer, pointer_skip)| Self { pointer, pointer_skip });
        let named: Vec<Self> = all.take(MAX_CONTINUATIONS).collect();
        (!named.is_empty()).then_some(named)
    }

    /// Returns whether the continuation `after` includes this one.
    fn is_covered_by(&self, after: &Self) -> bool {
        match rest_below(&self.pointer, &after.pointer) {
            Some("") => true,
            Some(rest) => split_index(rest).is_some_and(|(index, _)| index >= after.pointer_skip),
            None => false,
        }
    }
}

impl DocumentPart {
    /// Reads the arguments of a call. Without them, the part is the whole document.
    pub(in crate::tool) fn from_arguments(arguments: &Map<String, Value>) -> Self {
        let pointer = arguments.get(POINTER).and_then(Value::as_str).unwrap_or_default();
        let skip = arguments.get(POINTER_SKIP).and_then(Value::as_u64).unwrap_or_default();
        Self { pointer: pointer.to_owned(), skip: usize::try_from(skip).unwrap_or(usize::MAX) }
    }

    /// Replaces the document in the answer with its part; with `null` if it has no such part.
    pub(in crate::tool) fn select(&self, answer: &mut Value) {
        let Some(document) = answer.pointer_mut(DOCUMENT) else { return };
        if !self.pointer.is_empty() {
            *document = document.pointer_mut(&self.pointer).map(Value::take).unwrap_or_default();
        }
        match document {
            Value::Array(items) => drop(items.drain(..self.skip.min(items.len()))),
            Value::Object(entries) if self.skip > 0 => {
                *entries = std::mem::take(entries).into_iter().skip(self.skip).collect();
            }
            Value::String(text) if self.skip > 0 => *text = text.chars().skip(self.skip).collect(),
            _ => {}
        }
    }

    /// Returns the arguments for a place where the answer was cut; `None` if the place is outside
    /// of the document.
    fn continuation(&self, place: &Place) -> Option<Continuation> {
        let rest = rest_below(&place.pointer, DOCUMENT)?;
        let (rest, pointer_skip) = match (rest, split_index(rest)) {
            ("", _) => (String::new(), self.skip.saturating_add(place.kept)),
            (_, Some((index, below))) => {
                (format!("/{}{below}", index.saturating_add(self.skip)), place.kept)
            }
            (rest, None) => (rest.to_owned(), place.kept),
        };
        Some(Continuation { pointer: format!("{}{rest}", self.pointer), pointer_skip })
    }

    /// Removes the names of omitted parts from the answer and returns them.
    pub(super) fn take_named(answer: &mut Value) -> Vec<Continuation> {
        let named = answer.as_object_mut().and_then(|answer| answer.remove(CONTINUE_AT));
        let all = named.as_ref().and_then(Value::as_array).into_iter().flatten();
        all.filter_map(|one| {
            let pointer = one.get(POINTER)?.as_str()?.to_owned();
            let pointer_skip = one.get(POINTER_SKIP)?.as_u64()?.try_into().ok()?;
            Some(Continuation { pointer, pointer_skip })
        })
        .collect()
    }

    /// Adds the names of omitted parts to the answer, in at most `budget` bytes: of the places where
    /// the answer was cut, and of the parts that were `omitted` before. `next_item` is the first
    /// item that belongs to the next page, if the answer is a page of a list. Returns whether any
    /// part is named.
    pub(super) fn name_omitted(
        &self,
        answer: &mut Value,
        places: &[Place],
        omitted: Vec<Continuation>,
        next_item: Option<usize>,
        budget: usize,
    ) -> bool {
        let page =
            next_item.map(|kept| Continuation { pointer: "/Items".to_owned(), pointer_skip: kept });
        let mut named: Vec<Continuation> =
            places.iter().filter_map(|place| self.continuation(place)).collect();
        let is_covered =
            |one: &Continuation| named.iter().chain(&page).any(|after| one.is_covered_by(after));
        let rest: Vec<Continuation> = omitted.into_iter().filter(|one| !is_covered(one)).collect();
        named.extend(rest);
        let mut left = budget;
        let shown = named.into_iter().take(MAX_CONTINUATIONS).map_while(|one| {
            let shown = json!(one);
            left = left.checked_sub(shown.to_string().len() + 1)?;
            Some(shown)
        });
        let shown: Vec<Value> = shown.collect();
        match answer {
            Value::Object(answer) if !shown.is_empty() => {
                answer.insert(CONTINUE_AT.to_owned(), Value::Array(shown));
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(pointer: &str, skip: usize) -> DocumentPart {
        DocumentPart { pointer: pointer.to_owned(), skip }
    }

    fn selected(pointer: &str, skip: usize) -> Value {
        let mut answer = json!({ "tier": "read", "response": {
            "Phases": [{ "Name": "a" }, { "Name": "b" }, { "Name": "c" }], "Text": "äöü" } });
        part(pointer, skip).select(&mut answer);
        answer["response"].take()
    }

    #[test]
    fn selects_parts_of_lists_objects_and_texts() {
        assert_eq!(selected("/Phases/1", 0), json!({ "Name": "b" }));
        assert_eq!(selected("/Phases", 2), json!([{ "Name": "c" }]));
        assert_eq!(selected("/Phases", 9), json!([]));
        assert_eq!(selected("", 1), json!({ "Text": "äöü" }));
        assert_eq!(selected("/Text", 1), "öü");
        assert_eq!(selected("/Missing", 0), Value::Null);
    }

    #[test]
    fn continuations_are_positions_in_the_whole_document() {
        for (part, pointer, kept, expected) in [
            (part("", 0), "/response/Phases", 2, Some(("/Phases", 2))),
            (part("/Phases", 3), "/response", 2, Some(("/Phases", 5))),
            (part("/Phases", 3), "/response/0/Steps", 1, Some(("/Phases/3/Steps", 1))),
            (part("/Phases/1", 0), "/response/Name", 4, Some(("/Phases/1/Name", 4))),
            (part("", 0), "/path", 4, None),
        ] {
            let place = Place { pointer: pointer.to_owned(), kept };
            let found = part.continuation(&place);
            let found = found.as_ref().map(|one| (one.pointer.as_str(), one.pointer_skip));
            assert_eq!(found, expected, "{pointer}");
        }
    }

    #[test]
    fn omits_continuations_that_another_one_covers() {
        let omitted =
            [("/Phases", 5), ("/Phases/3/Steps", 1), ("/Phases/0/Steps", 1), ("/Next", 0)];
        let omitted = omitted.map(|(pointer, pointer_skip)| Continuation {
            pointer: pointer.to_owned(),
            pointer_skip,
        });
        let cut = [Place { pointer: "/response/Phases".to_owned(), kept: 2 }];
        let mut answer = json!({ "response": {} });
        assert!(part("", 0).name_omitted(&mut answer, &cut, omitted.to_vec(), None, 1000));
        let expected = json!([
            { "pointer": "/Phases", "pointerSkip": 2 },
            { "pointer": "/Phases/0/Steps", "pointerSkip": 1 },
            { "pointer": "/Next", "pointerSkip": 0 },
        ]);
        assert_eq!(answer["continueAt"], expected);
        assert_eq!(DocumentPart::take_named(&mut answer).len(), 3);
        assert!(!part("", 0).name_omitted(&mut answer, &cut, Vec::new(), None, 20));
        assert_eq!(answer, json!({ "response": {} }));
    }
}
