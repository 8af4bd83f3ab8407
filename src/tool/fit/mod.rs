//! Keeps an answer within its size: items of a list first, then long texts. What is cut says so,
//! and how to get the rest.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use crate::{audit::Bytes, text::cut::head};

/// Says that an answer was cut.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Truncated {
    /// How many bytes the whole answer has.
    full_bytes: usize,
    /// What was left out, and how to get it.
    how: String,
}

/// A text is not cut below this, so that what is left still says something.
const SHORTEST: usize = 256;
/// What the words about the cut take at most.
const NOTE: usize = 320;

/// Cuts `answer` to about `limit` bytes of JSON. Answers below it are not touched. `can_ask_for`:
/// how large an answer of this tool a call can ask for with maxBytes, where it takes that. Gives how
/// large it was and is.
pub(super) fn fit(answer: &mut Value, limit: usize, can_ask_for: Option<usize>) -> Bytes {
    let full_bytes = size(answer);
    if full_bytes > limit {
        cut(answer, full_bytes, limit, can_ask_for);
        return Bytes { before: full_bytes, after: size(answer) };
    }
    Bytes { before: full_bytes, after: full_bytes }
}

fn cut(answer: &mut Value, full_bytes: usize, limit: usize, can_ask_for: Option<usize>) {
    let room = limit.saturating_sub(NOTE);
    let next = cut_items(answer, room);
    // Not even one item fits, or the answer is no page.
    let is_over = size(answer) > room;
    if is_over {
        cut_texts(answer, room);
    }
    let more = can_ask_for.filter(|most| *most > limit);
    let larger = more.map(|most| format!("call again with a larger maxBytes, {most} at most"));
    let how = match (next, larger) {
        (Some(Next { skip, within, .. }), larger) if is_over => {
            let larger = larger.map(|larger| format!("; for all of it {larger}"));
            let larger = larger.unwrap_or_default();
            format!(
                "only the first item is here, cut too; the next is at skip {skip}{within}{larger}"
            )
        }
        (Some(Next { kept, skip, within }), _) => {
            format!("only the first {kept} items fit; call again with skip {skip}{within}")
        }
        (None, Some(larger)) => {
            format!("the longest texts and lists are cut; {larger}, or ask for less")
        }
        (None, None) => {
            "the longest texts and lists are cut; ask for less, or for one item alone".to_owned()
        }
    };
    if let Value::Object(object) = answer {
        let cut = match object.get("truncated") {
            Some(Value::Bool(_)) => Value::Bool(true),
            _ => json!(Truncated { full_bytes, how }),
        };
        object.insert("truncated".to_owned(), cut);
    }
}

/// The beginning of a text that takes about `limit` bytes as JSON, with an end that says what was
/// cut and how to get the rest. A text that fits is not touched.
pub(super) fn fit_text(text: &str, limit: usize, how: &str) -> String {
    let room = limit.saturating_sub(how.len() + 2 * CUT);
    if text.len() <= limit && size(&Value::from(text)) <= limit {
        return text.to_owned();
    }
    let mut kept = head(text, room);
    loop {
        let over = size(&Value::from(kept)).saturating_sub(room);
        if over == 0 {
            break;
        }
        // Escapes make a text longer as JSON than it is.
        kept = head(kept, kept.len() - over.div_ceil(6).min(kept.len()));
    }
    let kept = kept.trim_end();
    format!("{kept}\n\n[cut: {} of {} bytes are here. {how}]\n", kept.len(), text.len())
}

/// What the words about a cut text take at most, beside how to get the rest.
const CUT: usize = 80;

struct Next {
    kept: usize,
    skip: u64,
    /// Where the call says its `skip`.
    within: &'static str,
}

/// Where the items stand of a page that Octopus sent and that is passed on as it is.
const ITEMS: &str = "/response/Items";

/// Keeps as many items of a page as fit, and the first in any case: a page without one would leave
/// nothing to go on from. `None` where it is no page or has no item to leave out. A page is an
/// answer with a `skip`, and its items are the one list in it, or in what it passes on.
fn cut_items(answer: &mut Value, room: usize) -> Option<Next> {
    let skip = answer.get("skip")?.as_u64()?;
    let own = answer.as_object()?.iter().find(|(_, value)| value.is_array());
    let (list, within) = match own {
        Some((key, _)) => (format!("/{key}"), ""),
        None => (ITEMS.to_owned(), " in `query`"),
    };
    let items = answer.pointer(&list)?;
    let mut left = room.saturating_sub(size(answer) - size(items));
    let items = items.as_array()?;
    let mut kept = 0;
    for item in items {
        match left.checked_sub(size(item) + 1) {
            Some(rest) => left = rest,
            None => break,
        }
        kept += 1;
    }
    let kept = kept.max(1);
    if kept >= items.len() {
        return None;
    }
    answer.pointer_mut(&list)?.as_array_mut()?.truncate(kept);
    let skip = skip + kept as u64;
    answer.as_object_mut()?.insert("nextSkip".to_owned(), json!(skip));
    Some(Next { kept, skip, within })
}

/// Cuts the longest text again and again, then the longest list, until the answer fits or nothing
/// is left to cut.
fn cut_texts(answer: &mut Value, room: usize) {
    loop {
        let over = size(answer).saturating_sub(room);
        if over == 0 {
            return;
        }
        let Some(longest) = longest(answer) else { return };
        match longest {
            Value::String(text) => {
                // Escapes make a text longer as JSON than it is: as much of it is left out as has
                // to go, at the rate of the whole. Where they are uneven, this takes some rounds.
                let written = size(&Value::String(text.clone())).max(1);
                let excess = (over + 4).saturating_mul(text.len()).div_ceil(written);
                let keep = text.len().saturating_sub(excess.max(1)).max(SHORTEST / 2);
                *text = format!("{} ...", head(text, keep).trim_end());
            }
            Value::Array(items) => items.truncate(items.len() / 2),
            _ => return,
        }
    }
}

/// The largest text that can be cut; where there is none, the largest list with several items.
fn longest(answer: &mut Value) -> Option<&mut Value> {
    let mut best: Option<(bool, usize, String)> = None;
    visit(answer, "", &mut |value, place| {
        let score = match value {
            Value::String(text) if text.len() > SHORTEST => (true, text.len()),
            Value::Array(items) if items.len() > 1 => (false, size(value)),
            _ => return,
        };
        if best.as_ref().is_none_or(|(is_text, length, _)| (*is_text, *length) < score) {
            best = Some((score.0, score.1, place.to_owned()));
        }
    });
    answer.pointer_mut(&best?.2)
}

fn visit(value: &Value, place: &str, look: &mut impl FnMut(&Value, &str)) {
    look(value, place);
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                visit(item, &format!("{place}/{index}"), look);
            }
        }
        Value::Object(object) => {
            for (key, item) in object {
                let key = key.replace('~', "~0").replace('/', "~1");
                visit(item, &format!("{place}/{key}"), look);
            }
        }
        _ => {}
    }
}

/// How many bytes a value has as compact JSON.
fn size(value: &Value) -> usize {
    struct Count(usize);
    impl std::io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    // Counting cannot fail.
    let _ = serde_json::to_writer(&mut count, value);
    count.0
}

#[cfg(test)]
mod tests;
