//! Truncates answers to a maximum size: first items of a page, then long texts, lists and objects.
//! The answer states what was cut and how to get the rest.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

mod page;
mod shrink;

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

/// Maximum size of the note about the cut, with the `nextSkip` beside it.
const MAX_NOTE_BYTES: usize = 320;
/// The smallest limit that every answer can be cut to.
#[cfg(test)]
const MIN_LIMIT: usize = 1024;

/// Cuts `answer` to at most `limit` bytes of JSON, in linear time. Smaller answers stay unchanged.
/// `can_ask_for` is the largest `maxBytes` that the tool accepts; `None` if it has no such
/// argument. Returns the sizes before and after.
///
/// Limits of at least 1024 bytes are always met. [`shrink`] documents in which order an answer
/// loses its parts, and when it loses required fields.
pub(in crate::tool) fn truncate(
    answer: &mut Value,
    limit: usize,
    can_ask_for: Option<usize>,
) -> ResponseBytes {
    let full_bytes = json_size(answer);
    if full_bytes > limit {
        cut(answer, full_bytes, limit, can_ask_for);
        return ResponseBytes { before: full_bytes, after: json_size(answer) };
    }
    ResponseBytes { before: full_bytes, after: full_bytes }
}

fn cut(answer: &mut Value, full_bytes: usize, limit: usize, can_ask_for: Option<usize>) {
    let room = limit.saturating_sub(MAX_NOTE_BYTES);
    let next = truncate_page(answer, room);
    // Not even one item fits, or the answer is not a page.
    let cuts = (json_size(answer) > room).then(|| shrink(answer, room));
    let larger = can_ask_for.filter(|most| *most > limit);
    let how = describe_cut(next.as_ref(), cuts, larger);
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

/// Describes what was cut and how to get it.
fn describe_cut(next: Option<&NextPage>, cuts: Option<CutCounts>, larger: Option<usize>) -> String {
    let larger = larger.map(|most| format!("call again with a larger maxBytes, {most} at most"));
    match (next, cuts) {
        (Some(NextPage { skip, location: within, .. }), Some(_)) => {
            let larger = larger.map(|larger| format!("; for the whole item {larger}"));
            format!(
                "only the first item is included, and it is shortened; the next item is at skip \
                 {skip}{within}{}",
                larger.unwrap_or_default()
            )
        }
        (Some(NextPage { kept, skip, location: within }), None) => {
            format!("only the first {kept} items fit; call again with skip {skip}{within}")
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
                .map(|(what, count)| format!("{what}: {count}"))
                .collect();
            let counts = counts.join(", ");
            match larger {
                Some(larger) => format!("{counts}; {larger}, or ask for less"),
                None => format!("{counts}; ask for less, or for one item alone"),
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

/// Maximum size of the note about a cut text, without the hint how to get the rest.
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
