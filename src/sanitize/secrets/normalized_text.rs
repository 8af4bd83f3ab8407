//! Copies of a text in the spelling that the rules expect, with a map back to the original.
//!
//! Rules match only one spelling of a secret: ASCII spaces and signs.
//! [`NormalizedText::with_plain_spaces`] and [`NormalizedText::percent_decoded`] rewrite other
//! spellings. A text that needs no change is not copied. The time is linear in the text.

use std::{borrow::Cow, ops::Range};

use memchr::memchr;

/// A text rewritten into another spelling.
#[derive(Debug)]
pub(super) struct NormalizedText<'t> {
    /// The rewritten text; borrowed if nothing changed.
    pub(super) text: Cow<'t, str>,
    /// Start offsets of segments: the offset in the copy and the offset in the original. Each
    /// replaced character is a separate segment.
    segments: Vec<(usize, usize)>,
}

impl<'t> NormalizedText<'t> {
    /// Returns the text unchanged.
    fn unchanged(text: &'t str) -> Self {
        Self { text: Cow::Borrowed(text), segments: Vec::new() }
    }

    /// Replaces Unicode spaces by an ASCII space, and fullwidth `：` and `＝` by `:` and `=`. Line
    /// breaks and tabs stay.
    pub(super) fn with_plain_spaces(text: &'t str) -> Self {
        if text.is_ascii() {
            return Self::unchanged(text);
        }
        let mut copy = NormalizedTextBuilder::default();
        for (at, letter) in text.char_indices().filter(|(_, letter)| !letter.is_ascii()) {
            if let Some(plain) = ascii_equivalent(letter) {
                copy.replace(text, at..at + letter.len_utf8(), plain);
            }
        }
        copy.finish(text)
    }

    /// Decodes percent escapes, including repeatedly encoded ones. If `plus` is set, `+` becomes a
    /// space. Returns `None` for a text without escapes.
    pub(super) fn percent_decoded(text: &'t str, plus: bool) -> Option<Self> {
        let bytes = text.as_bytes();
        let mut copy = NormalizedTextBuilder::default();
        let (mut position, mut has_escape) = (0, false);
        while position < bytes.len() {
            match bytes.get(position) {
                Some(b'%') => match decode_char(bytes, position) {
                    Some((letter, end)) => {
                        copy.replace(
                            text,
                            position..end,
                            ascii_equivalent(letter).unwrap_or(letter),
                        );
                        (position, has_escape) = (end, true);
                    }
                    None => position += 1,
                },
                Some(b'+') if plus => {
                    copy.replace(text, position..position + 1, ' ');
                    position += 1;
                }
                _ => {
                    let rest = bytes.get(position + 1..).unwrap_or_default();
                    let next =
                        if plus { memchr::memchr2(b'%', b'+', rest) } else { memchr(b'%', rest) };
                    position = next.map_or(bytes.len(), |next| position + 1 + next);
                }
            }
        }
        has_escape.then(|| copy.finish(text))
    }

    /// Maps a range of the copy to the range in the original.
    pub(super) fn to_original(&self, at: &Range<usize>) -> Range<usize> {
        let position = |offset: usize| {
            let part = self.segments.partition_point(|(begins, _)| *begins <= offset);
            let part = part.checked_sub(1).and_then(|part| self.segments.get(part));
            part.map_or(offset, |(begins, original)| original + (offset - begins))
        };
        position(at.start)..position(at.end)
    }
}

/// Returns the lines of a text that contain a percent escape, with their offsets.
pub(super) fn lines_with_escapes(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let bytes = text.as_bytes();
    let mut position = 0;
    std::iter::from_fn(move || {
        loop {
            let found = position + memchr(b'%', bytes.get(position..)?)?;
            if decode_char(bytes, found).is_none() {
                position = found + 1;
                continue;
            }
            let start = memchr::memrchr(b'\n', bytes.get(..found)?).map_or(0, |end| end + 1);
            let end = memchr(b'\n', bytes.get(found..)?).map_or(bytes.len(), |end| found + end);
            position = end;
            return Some((start, text.get(start..end)?));
        }
    })
}

/// Returns the ASCII replacement of a character, if it has one.
fn ascii_equivalent(letter: char) -> Option<char> {
    match letter {
        '\u{ff1a}' => Some(':'),
        '\u{ff1d}' => Some('='),
        '\u{85}' | '\u{2028}' | '\u{2029}' => None,
        _ if !letter.is_ascii() && letter.is_whitespace() => Some(' '),
        _ => None,
    }
}

/// Decodes the escaped character at `position` and returns it with the end of the escape. Bytes
/// that are not valid UTF-8 are not decoded.
fn decode_char(bytes: &[u8], position: usize) -> Option<(char, usize)> {
    let (first, mut end) = decode_byte(bytes, position)?;
    let length = match first {
        0..0x80 => return Some((char::from(first), end)),
        0xC2..0xE0 => 2,
        0xE0..0xF0 => 3,
        0xF0..0xF5 => 4,
        _ => return None,
    };
    let mut letter = [first, 0, 0, 0];
    for byte in letter.get_mut(1..length)? {
        (*byte, end) = decode_byte(bytes, end)?;
    }
    let letter = std::str::from_utf8(letter.get(..length)?).ok()?;
    Some((letter.chars().next()?, end))
}

/// Decodes the escaped byte at `position`: `%3D`, or `%253D` if it was encoded twice.
fn decode_byte(bytes: &[u8], position: usize) -> Option<(u8, usize)> {
    if *bytes.get(position)? != b'%' {
        return None;
    }
    let digit = |position: usize| char::from(*bytes.get(position)?).to_digit(16);
    let byte = |position: usize| u8::try_from(digit(position)? * 16 + digit(position + 1)?).ok();
    let mut at = position + 1;
    while byte(at)? == b'%' && at - position < MAX_ESCAPE_LEN && byte(at + 2).is_some() {
        at += 2;
    }
    Some((byte(at)?, at + 2))
}

/// Maximum length of an escape. More deeply encoded escapes are decoded only up to this length.
const MAX_ESCAPE_LEN: usize = 8;

/// Builder for a [`NormalizedText`].
#[derive(Default)]
struct NormalizedTextBuilder {
    text: String,
    segments: Vec<(usize, usize)>,
    /// Offset in the original up to which the text is copied.
    copied_to: usize,
}

impl NormalizedTextBuilder {
    /// Copies the text up to the range and appends `letter` instead of the range.
    fn replace(&mut self, text: &str, at: Range<usize>, letter: char) {
        self.text.push_str(text.get(self.copied_to..at.start).unwrap_or_default());
        self.segments.push((self.text.len(), at.start));
        self.text.push(letter);
        self.segments.push((self.text.len(), at.end));
        self.copied_to = at.end;
    }

    fn finish(mut self, text: &str) -> NormalizedText<'_> {
        if self.copied_to == 0 {
            return NormalizedText::unchanged(text);
        }
        self.text.push_str(text.get(self.copied_to..).unwrap_or_default());
        NormalizedText { text: Cow::Owned(self.text), segments: self.segments }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn decodes_escapes_of_any_depth() {
        for (text, plain, form) in [
            ("a%3Db%20c+d", "a=b c+d", "a=b c d"),
            ("a%253Db", "a=b", "a=b"),
            ("a%2525253db", "a=b", "a=b"),
            ("50%25 of", "50% of", "50% of"),
            ("%2525", "%", "%"),
            ("p%C2%A0x%E3%80%80y", "p x y", "p x y"),
            ("p%C3%A4%C3x", "pä%C3x", "pä%C3x"),
            ("%41%zz%4", "A%zz%4", "A%zz%4"),
        ] {
            assert_eq!(NormalizedText::percent_decoded(text, false).unwrap().text, plain, "{text}");
            assert_eq!(NormalizedText::percent_decoded(text, true).unwrap().text, form, "{text}");
        }
        for text in ["", "a+b", "100 %", "%zz", "%C3", "%FF%FF"] {
            assert!(NormalizedText::percent_decoded(text, true).is_none(), "{text}");
        }
    }

    #[test]
    fn maps_ranges_back_to_the_original() {
        let text = "a\u{a0}b\u{3000}\u{2003}cd\u{ff1a}";
        let view = NormalizedText::with_plain_spaces(text);
        assert_eq!(view.text, "a b  cd:");
        for (at, original) in
            [(0..1, "a"), (1..2, "\u{a0}"), (2..4, "b\u{3000}"), (5..7, "cd"), (7..8, "\u{ff1a}")]
        {
            assert_eq!(&text[view.to_original(&at)], original);
        }
        let text = "x=%41%42c%25";
        let view = NormalizedText::percent_decoded(text, false).unwrap();
        assert_eq!(view.text, "x=ABc%");
        for (at, original) in [(2..4, "%41%42"), (3..5, "%42c"), (5..6, "%25"), (0..6, text)] {
            assert_eq!(&text[view.to_original(&at)], original);
        }
    }

    #[test]
    fn finds_lines_with_escapes() {
        let lines: Vec<_> = lines_with_escapes("a\n%20 and %21\n100 %\n\nb%0Ac").collect();
        assert_eq!(lines, [(2, "%20 and %21"), (21, "b%0Ac")]);
        assert_eq!(lines_with_escapes("no escape: %").count(), 0);
    }

    proptest! {
        #[test]
        fn every_mapped_range_is_valid_in_the_original(
            text in "[a%253D0C2A+ \u{a0}\u{3000}\u{ff1a}é\n]{0,40}",
        ) {
            let views = [false, true].into_iter().filter_map(|plus| NormalizedText::percent_decoded(&text, plus));
            for view in views.chain([NormalizedText::with_plain_spaces(&text)]) {
                let ends: Vec<usize> = view.text.char_indices().map(|(at, _)| at).chain([view.text.len()]).collect();
                let positions: Vec<usize> = ends.iter().map(|end| view.to_original(&(0..*end)).end).collect();
                prop_assert!(positions.is_sorted());
                prop_assert!(positions.iter().all(|position| text.is_char_boundary(*position)));
                prop_assert_eq!(positions.last(), Some(&text.len()));
            }
        }
    }
}
