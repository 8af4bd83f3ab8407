//! Truncates answers to a maximum size: first items of a page, then long texts, lists and objects.
//! The field `truncated` of the answer counts the omitted parts and explains how to request them.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

mod page;
mod place;
mod shrink;

use super::part::DocumentPart;
use crate::{
    audit::ResponseBytes,
    text::{
        step_counter,
        truncate::{json_head, json_len},
    },
};
use page::{NextPage, truncate_page};
use shrink::{CutCounts, shrink};

/// Present if the answer was truncated.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::tool) struct Truncated {
    /// Size of the complete answer in bytes.
    full_bytes: usize,
    /// Description of the omitted parts and how to request them.
    how: String,
}

/// Maximum size of the fields `truncated` and `nextSkip` in bytes.
const MAX_NOTE_BYTES: usize = 320;
/// Smallest limit that is always met.
#[cfg(test)]
const MIN_LIMIT: usize = 1024;

/// Smallest and largest size in bytes of the names of omitted parts of a document.
const CONTINUATION_BYTES: [usize; 2] = [96, 1024];

/// Cuts `answer` to at most `limit` bytes of JSON, in linear time. Smaller answers stay unchanged.
/// `max_limit` is the largest `maxBytes` that the tool accepts; `None` if it does not have this
/// argument. `part` is the part of the document that the call requests, if the tool can return the
/// omitted parts. Returns the sizes before and after.
///
/// Limits of at least 1024 bytes are always met. [`mod@shrink`] documents the order in which parts are
/// removed, and when required fields are removed.
pub(in crate::tool) fn truncate(
    answer: &mut Value,
    limit: usize,
    max_limit: Option<usize>,
    part: Option<&DocumentPart>,
) -> ResponseBytes {
    let full_bytes = json_size(answer);
    if full_bytes > limit {
        cut(answer, full_bytes, limit, max_limit, part);
        return ResponseBytes { before: full_bytes, after: json_size(answer) };
    }
    ResponseBytes { before: full_bytes, after: full_bytes }
}

fn cut(
    answer: &mut Value,
    full_bytes: usize,
    limit: usize,
    max_limit: Option<usize>,
    part: Option<&DocumentPart>,
) {
    let [least, most] = CONTINUATION_BYTES;
    let for_continuation = part.map_or(0, |_| (limit / 8).clamp(least, most));
    let budget = limit.saturating_sub(MAX_NOTE_BYTES + for_continuation);
    let omitted = if part.is_some() { DocumentPart::take_named(answer) } else { Vec::new() };
    let next = truncate_page(answer, budget);
    // The first item is too large, or the answer is not a page.
    let (cuts, places) = (json_size(answer) > budget).then(|| shrink(answer, budget)).unzip();
    let places = places.unwrap_or_default();
    let next_item = next.as_ref().map(|next| next.kept);
    let is_continued = part.is_some_and(|part| {
        // The field with its name and comma.
        let budget = for_continuation.saturating_sub(20);
        part.name_omitted(answer, &places, omitted, next_item, budget)
    });
    let larger = max_limit.filter(|max| *max > limit);
    let mut how = describe_cut(next.as_ref(), cuts, larger);
    if is_continued {
        how.push_str("; continueAt has the arguments for omitted parts");
    }
    match answer {
        Value::Object(object) => {
            if let Some(next) = next {
                object.insert("nextSkip".to_owned(), json!(next.skip));
            }
            let note = match object.get("truncated") {
                Some(Value::Bool(_)) => Value::Bool(true),
                _ => json!(Truncated { full_bytes, how }),
            };
            object.insert("truncated".to_owned(), note);
        }
        Value::Array(items) => {
            items.push(Value::from(format!("[truncated from {full_bytes} bytes: {how}]")));
        }
        _ => {}
    }
}

/// Describes the omitted parts and how to request them.
fn describe_cut(next: Option<&NextPage>, cuts: Option<CutCounts>, larger: Option<usize>) -> String {
    let larger = larger.map(|max| format!("call again with a larger maxBytes (max {max})"));
    match (next, cuts) {
        (Some(NextPage { skip, location, .. }), Some(_)) => {
            let larger = larger.map(|larger| format!("; for the whole item {larger}"));
            format!(
                "only the first item is included, and it is shortened; the next item is at skip \
                 {skip}{location}{}",
                larger.unwrap_or_default()
            )
        }
        (Some(NextPage { kept, skip, location }), None) => {
            format!("only the first {kept} items fit; call again with skip {skip}{location}")
        }
        (None, cuts) => {
            let CutCounts { texts, items, entries } = cuts.unwrap_or_default();
            let counts = [
                ("shortened texts", texts),
                ("omitted list items", items),
                ("omitted object entries", entries),
            ];
            let counts: Vec<String> = counts
                .into_iter()
                .filter(|(_, count)| *count > 0)
                .map(|(label, count)| format!("{label}: {count}"))
                .collect();
            let counts = counts.join(", ");
            match larger {
                Some(larger) => format!("{counts}; {larger}, or narrow the request"),
                None => format!("{counts}; narrow the request, or request one item by ID"),
            }
        }
    }
}

/// Returns the beginning of a text that takes about `limit` bytes as JSON, with a note about the
/// cut. A text that fits is returned unchanged.
pub(in crate::tool) fn truncate_text(text: &str, limit: usize, how: &str) -> String {
    if text.len() <= limit && json_len(text) + 2 <= limit {
        return text.to_owned();
    }
    let kept =
        json_head(text, limit.saturating_sub(how.len() + 2 * MAX_TEXT_NOTE_BYTES)).trim_end();
    format!("{kept}\n\n[cut: {} of {} bytes are here. {how}]\n", kept.len(), text.len())
}

/// Maximum size of the note about a cut text in bytes, without the hint.
const MAX_TEXT_NOTE_BYTES: usize = 80;

/// Returns the size of a value as compact JSON in bytes.
fn json_size(value: &Value) -> usize {
    struct Count(usize);
    impl std::io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            step_counter::add(1);
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    // Writing to the counter cannot fail.
    let _ = serde_json::to_writer(&mut count, value);
    count.0
}

#[cfg(test)]
mod shapes;
#[cfg(test)]
mod tests;
