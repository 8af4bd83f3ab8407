//! Truncates text to a number of bytes, at a line end where possible.

/// Returns the beginning of `text`, at most `max_bytes` long.
///
/// The result ends after a line if a line ends in the second half of the budget. Otherwise it ends
/// after a whole character.
pub fn head(text: &str, max_bytes: usize) -> &str {
    if text.len() <= max_bytes {
        return text;
    }
    let (kept, rest) = text.split_at(text.floor_char_boundary(max_bytes));
    if rest.starts_with('\n') {
        return kept;
    }
    match kept.rfind('\n') {
        Some(line_end) if line_end >= max_bytes / 2 => kept.split_at(line_end + 1).0,
        _ => kept,
    }
}

/// Returns the end of `text`, at most `max_bytes` long.
///
/// The result begins with a line if a line begins in the first half of the budget. Otherwise it
/// begins with a whole character.
pub fn tail(text: &str, max_bytes: usize) -> &str {
    if text.len() <= max_bytes {
        return text;
    }
    let (rest, kept) = text.split_at(text.ceil_char_boundary(text.len() - max_bytes));
    if rest.ends_with('\n') {
        return kept;
    }
    match kept.find('\n') {
        Some(line_end) if line_end < max_bytes / 2 => kept.split_at(line_end + 1).1,
        _ => kept,
    }
}

/// Returns the number of bytes of `text` inside a JSON string, without the quotes.
pub fn json_len(text: &str) -> usize {
    text.bytes().map(json_escaped_len).sum()
}

/// Returns the beginning of `text`, at most `max_bytes` long inside a JSON string.
///
/// The result ends at a line or character boundary as in [`head`]. The time is linear in
/// `max_bytes`.
pub fn json_head(text: &str, max_bytes: usize) -> &str {
    let mut left = max_bytes;
    let is_over = |byte: u8| match left.checked_sub(json_escaped_len(byte)) {
        Some(rest) => {
            left = rest;
            false
        }
        None => true,
    };
    match text.bytes().position(is_over) {
        Some(end) => head(text, end),
        None => text,
    }
}

/// Returns the number of bytes that `serde_json` writes for one byte of a string.
fn json_escaped_len(byte: u8) -> usize {
    match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 2,
        0..=0x1f => 6,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn truncates_at_line_and_character_boundaries() {
        let rows = [
            ("", 0, "", ""),
            ("short", 5, "short", "short"),
            ("anything", 0, "", ""),
            ("abcdef", 4, "abcd", "cdef"),
            ("one\ntwo\nthree\n", 9, "one\ntwo\n", "three\n"),
            ("one\ntwo\nsix", 7, "one\ntwo", "two\nsix"),
            ("a\nbcdefgh\ni", 6, "a\nbcde", "efgh\ni"),
            ("äöü", 3, "ä", "ü"),
            ("ä", 1, "", ""),
            ("🐙🐙", 7, "🐙", "🐙"),
        ];
        for (text, max_bytes, first, last) in rows {
            assert_eq!(head(text, max_bytes), first, "head of {text:?}");
            assert_eq!(tail(text, max_bytes), last, "tail of {text:?}");
        }
    }

    proptest! {
        #[test]
        fn json_len_equals_serde_json(text in any::<String>(), max_bytes in 0_usize..80) {
            let written = |text: &str| serde_json::to_string(text).unwrap().len() - 2;
            prop_assert_eq!(json_len(&text), written(&text));
            let first = json_head(&text, max_bytes);
            prop_assert!(text.starts_with(first) && written(first) <= max_bytes);
            prop_assert!(first == text || json_len(first) * 2 + 12 >= max_bytes.min(written(&text)) / 2);
        }

        #[test]
        fn control_characters_have_their_json_len(byte in 0_u8..0x80) {
            let text = char::from(byte).to_string();
            prop_assert_eq!(json_len(&text), serde_json::to_string(&text).unwrap().len() - 2);
        }

        #[test]
        fn truncated_text_stays_close_to_the_limit(
            text in "([a-z äß🐙]{0,9}\n?){0,30}",
            max_bytes in 0_usize..200,
        ) {
            let (first, last) = (head(&text, max_bytes), tail(&text, max_bytes));
            prop_assert!(text.starts_with(first) && text.ends_with(last));
            for piece in [first, last] {
                prop_assert!(piece.len() <= max_bytes);
                prop_assert!(piece.len() + 3 >= text.len().min(max_bytes / 2));
            }
        }
    }
}
