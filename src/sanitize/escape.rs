//! Escapes invisible characters in JSON.

use std::{borrow::Cow, fmt::Write as _};

use super::invisible::INVISIBLE_CHARACTER;
use crate::text::step_counter;

/// Replaces each invisible character of a JSON text by its JSON escape, in one pass.
pub fn escape_invisible_json(json: &str) -> Cow<'_, str> {
    let Some(invisible) = INVISIBLE_CHARACTER.as_ref() else { return Cow::Borrowed(json) };
    step_counter::add(json.len());
    let mut shown = String::new();
    let mut done = 0;
    for found in invisible.find_iter(json) {
        step_counter::add(1);
        shown.push_str(json.get(done..found.start()).unwrap_or_default());
        for unit in found.as_str().encode_utf16() {
            let _ = write!(shown, "\\u{unit:04x}");
        }
        done = found.end();
    }
    if done == 0 {
        return Cow::Borrowed(json);
    }
    shown.push_str(json.get(done..).unwrap_or_default());
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::sanitize::strip::strip_invisible;

    #[test]
    fn escaping_takes_linear_time() {
        for part in ["ü", "你", "\u{200b}", "\u{9b}", "\u{90}", "\u{e0041}x", "x"] {
            let text = json!(part.repeat(1_000)).to_string();
            let ((), steps) = step_counter::count(|| drop(escape_invisible_json(&text)));
            assert!(steps <= 2 * text.len(), "{part:?}: {steps} for {} bytes", text.len());
        }
    }

    proptest! {
        #[test]
        fn escaped_json_has_the_same_value_and_no_invisible_characters(text in any::<String>()) {
            let json = json!(text).to_string();
            let shown = escape_invisible_json(&json);
            prop_assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), json!(text));
            for letter in shown.chars() {
                let letter = letter.to_string();
                prop_assert_eq!(&strip_invisible(&letter).text, &letter);
            }
        }
    }
}
