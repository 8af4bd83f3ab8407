//! Escapes invisible characters in JSON.

use std::{borrow::Cow, fmt::Write as _};

use super::{invisible::CHARACTER, steps};

/// Replaces each invisible character of a JSON text by its JSON escape, in one pass.
pub fn escape_invisible(json: &str) -> Cow<'_, str> {
    let Some(invisible) = CHARACTER.as_ref() else { return Cow::Borrowed(json) };
    steps::add(json.len());
    let mut shown = String::new();
    let mut done = 0;
    for found in invisible.find_iter(json) {
        steps::add(1);
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
    use crate::text::sanitize::sanitize;

    #[test]
    fn a_text_is_read_once() {
        for part in ["ü", "你", "\u{200b}", "\u{9b}", "\u{90}", "\u{e0041}x", "x"] {
            let text = json!(part.repeat(1_000)).to_string();
            let ((), steps) = steps::of(|| drop(escape_invisible(&text)));
            assert!(steps <= 2 * text.len(), "{part:?}: {steps} for {} bytes", text.len());
        }
    }

    proptest! {
        #[test]
        fn nothing_is_hidden_and_nothing_is_changed(text in any::<String>()) {
            let json = json!(text).to_string();
            let shown = escape_invisible(&json);
            prop_assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), json!(text));
            for letter in shown.chars() {
                let letter = letter.to_string();
                prop_assert_eq!(&sanitize(&letter).text, &letter);
            }
        }
    }
}
