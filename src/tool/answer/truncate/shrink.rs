//! Shrinks JSON of any shape to a size, in linear time.
//!
//! The steps are ordered by the loss of information. Shrinking stops at the first sufficient step:
//!
//! 1. The longest texts are shortened to one length, which is at least [`MIN_TEXT`] bytes.
//! 2. Lists and large objects keep their first items and entries, at least one. All other objects
//!    keep all their fields.
//! 3. As step 2, with texts as short as [`MIN_SHORT_TEXT`] bytes.
//! 4. Objects of any size can lose fields, and lists can become empty. Required fields can be
//!    missing only after this step. It is always sufficient.
//!
//! The sizes of all values are measured once for each step. Then the byte budget is divided from
//! the top: the fields of an object get equal shares, and large fields get the unused shares of
//! small fields (max-min fairness, also called water-filling).

use serde_json::{Map, Value};

use super::{
    json_size,
    place::{Path, Places},
};
use crate::{
    text::{step_counter, truncate},
    tool::answer::part::Place,
};

/// Numbers of shortened and omitted parts.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct CutCounts {
    /// Texts that were shortened.
    pub(super) texts: usize,
    /// Items of lists that were omitted.
    pub(super) items: usize,
    /// Entries of objects that were omitted.
    pub(super) entries: usize,
}

/// Texts up to this size in bytes of JSON are not shortened in the first two steps.
pub(super) const MIN_TEXT: usize = 256;
/// Texts up to this size in bytes of JSON are never shortened.
const MIN_SHORT_TEXT: usize = 32;
/// Maximum number of fields of an object. A larger object is treated as a map: its entries are
/// omitted like the items of a list. No output schema has so many fields.
const MAX_FIELDS: usize = 64;
/// End of a shortened text.
const ELLIPSIS: &str = " ...";
/// Size of the brackets of a list or an object, and of the quotes of a text.
const DELIMITERS: usize = 2;

/// One of the steps 2 to 4.
#[derive(Clone, Copy)]
struct Step {
    /// Minimum size of a shortened text.
    text: usize,
    /// Whether objects keep all fields, and lists and maps keep their first entry.
    keeps_fields: bool,
}

const STEPS: [Step; 3] = [
    Step { text: MIN_TEXT, keeps_fields: true },
    Step { text: MIN_SHORT_TEXT, keeps_fields: true },
    Step { text: MIN_SHORT_TEXT, keeps_fields: false },
];

/// The size of a value whose texts have at most [`MIN_TEXT`] bytes, and its minimum size.
///
/// Parts of a list or map beyond the budget of the whole answer are not measured, because no share
/// is larger.
#[derive(Clone, Copy, Default)]
struct Measurement {
    size: usize,
    least: usize,
    /// Number of measured values: this one and all below it.
    values: usize,
}

/// The counts and places of the parts that were shortened or omitted.
#[derive(Debug, Default)]
struct Cuts {
    counts: CutCounts,
    places: Places,
}

/// Cuts `value` to at most `budget` bytes of JSON. A budget of 32 bytes is always sufficient.
/// Returns the counts and the places of the cuts.
pub(super) fn shrink(value: &mut Value, budget: usize) -> (CutCounts, Vec<Place>) {
    let mut cuts = Cuts::default();
    shrink_to(value, budget, &mut cuts);
    (cuts.counts, cuts.places.into_sorted())
}

fn shrink_to(value: &mut Value, budget: usize, cuts: &mut Cuts) {
    let mut texts = Vec::new();
    let whole = json_size(value);
    collect_long_texts(value, &mut texts);
    let others = whole - texts.iter().map(|text| text.size).sum::<usize>();
    if others + MIN_TEXT * texts.len() <= budget {
        let longest = fair_share(&texts, budget - others);
        shorten_texts(value, longest.max(MIN_TEXT), &Path::Root, cuts);
        return;
    }
    for step in STEPS {
        let mut measured = Vec::new();
        let least = measure(value, step, budget, &mut measured).least;
        if least <= budget || !step.keeps_fields {
            cut_to(value, &measured, budget, &Path::Root, cuts);
            break;
        }
    }
}

/// Returns the largest share with which the parts fit into `budget`. A smaller part keeps its size,
/// and no part becomes smaller than its minimum.
fn fair_share(parts: &[Measurement], budget: usize) -> usize {
    let total_size = |share: usize| {
        step_counter::add(parts.len());
        parts.iter().map(|part| share.clamp(part.least, part.size)).sum::<usize>()
    };
    let (mut fits, mut too_much) = (0, budget + 1);
    while too_much - fits > 1 {
        let middle = fits + (too_much - fits) / 2;
        if total_size(middle) <= budget { fits = middle } else { too_much = middle }
    }
    fits
}

fn collect_long_texts(value: &Value, texts: &mut Vec<Measurement>) {
    step_counter::add(1);
    match value {
        Value::String(text) => {
            let size = truncate::json_len(text) + DELIMITERS;
            if size > MIN_TEXT {
                texts.push(Measurement { size, least: MIN_TEXT, values: 1 });
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect_long_texts(item, texts)),
        Value::Object(entries) => entries.values().for_each(|item| collect_long_texts(item, texts)),
        _ => {}
    }
}

fn shorten_texts(value: &mut Value, longest: usize, path: &Path<'_>, cuts: &mut Cuts) {
    step_counter::add(1);
    match value {
        Value::String(text) => shorten(text, longest, path, cuts),
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                shorten_texts(item, longest, &Path::Index(path, index), cuts);
            }
        }
        Value::Object(entries) => {
            for (key, item) in entries.iter_mut() {
                shorten_texts(item, longest, &Path::Key(path, key), cuts);
            }
        }
        _ => {}
    }
}

fn shorten(text: &mut String, budget: usize, path: &Path<'_>, cuts: &mut Cuts) {
    let kept = truncate::json_head(text, budget.saturating_sub(DELIMITERS));
    if kept.len() == text.len() {
        return;
    }
    let kept = truncate::json_head(text, budget.saturating_sub(DELIMITERS + ELLIPSIS.len()));
    let kept = kept.trim_end();
    cuts.places.add(path, kept.chars().count());
    *text = format!("{kept}{ELLIPSIS}");
    cuts.counts.texts += 1;
}

/// Measures a value and all values below it, in the order in which they are written.
fn measure(
    value: &Value,
    step: Step,
    budget: usize,
    measured: &mut Vec<Measurement>,
) -> Measurement {
    step_counter::add(1);
    let index = measured.len();
    measured.push(Measurement::default());
    let (size, least) = match value {
        Value::String(text) => {
            let size = (truncate::json_len(text) + DELIMITERS).min(MIN_TEXT);
            (size, size.min(step.text))
        }
        Value::Array(items) => {
            let items = items.iter().map(|item| (0, item));
            measure_parts(items, true, step, budget, measured)
        }
        Value::Object(entries) => {
            let is_map = is_map(entries);
            let entries = entries.iter().map(|(key, item)| (key_size(key), item));
            measure_parts(entries, is_map, step, budget, measured)
        }
        scalar => {
            let size = json_size(scalar);
            (size, size)
        }
    };
    let own = Measurement { size, least, values: measured.len() - index };
    if let Some(here) = measured.get_mut(index) {
        *here = own;
    }
    own
}

fn measure_parts<'v>(
    parts: impl Iterator<Item = (usize, &'v Value)>,
    is_list: bool,
    step: Step,
    budget: usize,
    measured: &mut Vec<Measurement>,
) -> (usize, usize) {
    let (mut size, mut least) = (DELIMITERS, DELIMITERS);
    for (index, (key, part)) in parts.enumerate() {
        let part = measure(part, step, budget, measured);
        let overhead = key + usize::from(index > 0);
        size += overhead + part.size;
        if step.keeps_fields && (index == 0 || !is_list) {
            least += overhead + part.least;
        }
        if is_list && size > budget {
            break;
        }
    }
    (size, least)
}

/// Cuts a value to its share of the budget. `measured` holds the measurements of this value and all
/// values below it.
fn cut_to(
    value: &mut Value,
    measured: &[Measurement],
    budget: usize,
    path: &Path<'_>,
    cuts: &mut Cuts,
) {
    step_counter::add(1);
    let Some((own, below)) = measured.split_first() else { return };
    if own.size <= budget {
        shorten_texts(value, MIN_TEXT, path, cuts);
        return;
    }
    match value {
        Value::String(text) => shorten(text, budget, path, cuts),
        Value::Array(items) => {
            let parts = items
                .iter_mut()
                .enumerate()
                .map(|(index, item)| (0, Path::Index(path, index), item));
            let kept = cut_list(parts, below, budget, cuts);
            if kept < items.len() {
                cuts.counts.items += items.len() - kept;
                cuts.places.add(path, kept);
            }
            items.truncate(kept);
        }
        Value::Object(entries) => {
            let shares = if is_map(entries) { None } else { field_shares(entries, below, budget) };
            if let Some(shares) = shares {
                let fields = entries.iter_mut().zip(split_parts(below)).zip(shares);
                for (((key, field), measured), share) in fields {
                    cut_to(field, measured, share, &Path::Key(path, key), cuts);
                }
                return;
            }
            let parts =
                entries.iter_mut().map(|(key, item)| (key_size(key), Path::Key(path, key), item));
            let kept = cut_list(parts, below, budget, cuts);
            if kept < entries.len() {
                cuts.counts.entries += entries.len() - kept;
                cuts.places.add(path, kept);
            }
            *entries = std::mem::take(entries).into_iter().take(kept).collect();
        }
        _ => {}
    }
}

/// Returns the share of each field of an object; `None` if the budget is too small for all fields.
fn field_shares(
    entries: &Map<String, Value>,
    below: &[Measurement],
    budget: usize,
) -> Option<Vec<usize>> {
    let fields: Vec<Measurement> =
        split_parts(below).filter_map(|part| part.first().copied()).collect();
    let overhead = DELIMITERS + entries.keys().map(|key| key_size(key) + 1).sum::<usize>();
    let budget = budget.checked_sub(overhead.saturating_sub(1))?;
    if fields.iter().map(|field| field.least).sum::<usize>() > budget {
        return None;
    }
    let share = fair_share(&fields, budget);
    Some(fields.iter().map(|field| share.clamp(field.least, field.size)).collect())
}

/// Cuts the parts of a list or map to their share, and returns how many are kept.
///
/// Parts are kept completely while they fit. The next part is cut to the remaining budget if it is
/// the first part, or if at least half of the budget remains.
fn cut_list<'v>(
    all: impl Iterator<Item = (usize, Path<'v>, &'v mut Value)>,
    below: &[Measurement],
    budget: usize,
    cuts: &mut Cuts,
) -> usize {
    let (mut remaining, mut kept) = (budget.saturating_sub(DELIMITERS), 0);
    for ((key, path, part), measured) in all.zip(split_parts(below)) {
        let overhead = key + usize::from(kept > 0);
        let (Some(own), Some(share)) = (measured.first(), remaining.checked_sub(overhead)) else {
            break;
        };
        if own.size <= share {
            cut_to(part, measured, share, &path, cuts);
            (remaining, kept) = (share - own.size, kept + 1);
            continue;
        }
        if own.least <= share && (kept == 0 || remaining >= budget / 2) {
            cut_to(part, measured, share, &path, cuts);
            kept += 1;
        }
        break;
    }
    kept
}

/// Splits the measurements of all values below a value into those of its parts.
fn split_parts(below: &[Measurement]) -> impl Iterator<Item = &[Measurement]> {
    let mut rest = below;
    std::iter::from_fn(move || {
        let (part, after) = rest.split_at_checked(rest.first()?.values)?;
        rest = after;
        Some(part)
    })
}

fn is_map(entries: &Map<String, Value>) -> bool {
    entries.len() > MAX_FIELDS
}

/// Returns the size of a key with its quotes and colon.
fn key_size(key: &str) -> usize {
    truncate::json_len(key) + "\"\":".len()
}
