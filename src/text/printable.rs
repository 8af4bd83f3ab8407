//! Text for log lines.

use std::{borrow::Cow, fmt::Write as _};

/// Escapes invisible and control characters, such as line breaks and marks for the direction of
/// text. Quotes and backslashes stay as they are, because the log format quotes them if it must.
pub fn printable(text: &str) -> Cow<'_, str> {
    let is_plain = |letter: char| {
        matches!(letter, '\'' | '"' | '\\') || letter.escape_debug().eq(std::iter::once(letter))
    };
    if text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        if is_plain(letter) {
            escaped.push(letter);
        } else {
            let _ = write!(escaped, "{}", letter.escape_debug());
        }
    }
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_controls_but_no_quotes() {
        for (text, shown) in [
            ("it's \"fine\" \\ ä 数", "it's \"fine\" \\ ä 数"),
            ("a\nb\u{1b}[31m", "a\\nb\\u{1b}[31m"),
            ("a\u{202e}b", "a\\u{202e}b"),
        ] {
            assert_eq!(printable(text), shown);
        }
    }
}
