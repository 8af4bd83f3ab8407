//! Renders a line for the result: valid UTF-8, of limited length, sanitized if it is truncated.

use serde::Serialize;

use super::pattern::Pattern;
use crate::sanitize::sanitize;

/// Maximum number of bytes of a shown line; longer lines are truncated.
pub(super) const MAX_LINE_BYTES: usize = 2_000;
/// Marks truncated text.
const ELLIPSIS: &str = "...";

/// Returns the line as text of about `longest` bytes. A longer line is truncated around its match.
/// It is sanitized first, because half a secret is hard to recognise.
pub(super) fn render_line(line: &[u8], found: Option<&Pattern>, longest: usize) -> String {
    let text = String::from_utf8_lossy(line);
    if text.len() <= longest {
        return text.into_owned();
    }
    let text = sanitize(&text).text;
    let position = found.and_then(|pattern| pattern.find(text.as_bytes())).unwrap_or_default();
    excerpt_around(&text, position, longest)
}

/// Returns about `longest` bytes of a text around `position`.
fn excerpt_around(text: &str, position: usize, longest: usize) -> String {
    let last = text.len().saturating_sub(longest);
    let start = if position <= longest / 2 { 0 } else { (position - longest / 4).min(last) };
    let start = text.ceil_char_boundary(start);
    let (_, rest) = text.split_at(start);
    let (shown, after) = rest.split_at(rest.floor_char_boundary(longest));
    match (start > 0, !after.is_empty()) {
        (false, false) => shown.to_owned(),
        (false, true) => format!("{shown} {ELLIPSIS}"),
        (true, false) => format!("{ELLIPSIS} {shown}"),
        (true, true) => format!("{ELLIPSIS} {shown} {ELLIPSIS}"),
    }
}

/// Returns the number of bytes of the sanitized text as JSON.
pub(super) fn json_size(text: &str) -> usize {
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
    // Writing to the counter cannot fail.
    let _ = sanitize(text).text.serialize(&mut serde_json::Serializer::new(&mut count));
    count.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn long_line_is_truncated_around_its_match() {
        let pattern = Pattern::new("needle", false, false).unwrap();
        let hay = "x".repeat(5_000);
        for (line, begins, ends) in [
            (format!("needle{hay}"), "needlex", "x ..."),
            (format!("{hay}needle"), "... x", "needle"),
            (format!("{hay}needle{hay}"), "... x", "x ..."),
        ] {
            let shown = render_line(line.as_bytes(), Some(&pattern), MAX_LINE_BYTES);
            assert!(shown.starts_with(begins) && shown.ends_with(ends), "{shown}");
            assert!(shown.contains("needle") && shown.len() <= MAX_LINE_BYTES + 8);
        }
        assert!(render_line(hay.as_bytes(), None, MAX_LINE_BYTES).ends_with("x ..."));
        assert_eq!(render_line(b"caf\xff", None, MAX_LINE_BYTES), "caf\u{fffd}");
    }

    #[test]
    fn line_is_sanitized_before_truncation() {
        let line = format!("{}password=hunter2hunter2 {}", "x ".repeat(997), "y".repeat(3_000));
        let shown = render_line(line.as_bytes(), None, MAX_LINE_BYTES);
        assert!(!shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn json_size_is_that_of_sanitized_text() {
        assert_eq!(json_size("a\"b\n"), 8);
        assert_eq!(json_size("password=hunter2hunter2"), json_size("password=[redacted:password]"));
    }

    proptest! {
        #[test]
        fn excerpt_contains_the_position_within_its_size(text in "\\PC{0,200}", position in 0usize..300, longest in 20usize..100) {
            let position = text.floor_char_boundary(position.min(text.len()));
            let shown = excerpt_around(&text, position, longest);
            prop_assert!(shown.len() <= longest + 8);
            let next: String = text[position..].chars().take(1).collect();
            prop_assert!(shown.contains(&next));
        }
    }
}
