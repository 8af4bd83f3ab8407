//! Removes invisible characters and terminal sequences from text.
//!
//! Unicode decides which characters are invisible: the property `Default_Ignorable_Code_Point`
//! covers bidirectional controls, zero-width characters, tag characters, variation selectors,
//! fillers and soft hyphens. This module adds control characters, interlinear annotations, format
//! controls of hieroglyphs and Unicode noncharacters.
//!
//! Emoji keep one `U+FE0F`, because ordinary logs contain many and a single selector after an emoji
//! carries no information. All other joiners and tags of emoji are removed, because they can carry
//! hidden words. A family emoji becomes its members, and the flag of a region becomes a black flag.
//! The zero-width non-joiner of Persian is removed too: the words stay readable without it.
//!
//! The time is linear in the text. An unterminated terminal string is scanned once, up to the last
//! possible position of its terminator. Further openings of terminal strings within that range are
//! skipped.

use std::borrow::Cow;

use regex::Captures;

use super::invisible::{INVISIBLE, INVISIBLE_NO_STRINGS};
use crate::text::step_counter;

/// Result of [`strip_invisible`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stripped<'a> {
    /// The text without invisible characters; borrowed if nothing changed.
    pub text: Cow<'a, str>,
    /// Number of removed characters. Normalised line ends are not counted.
    pub removed: usize,
}

/// Removes invisible characters, control characters and terminal sequences from `text`.
///
/// All line ends become `\n`. A lone carriage return is a line end too, so each state of a progress
/// bar becomes a separate line.
pub fn strip_invisible(text: &str) -> Stripped<'_> {
    let untouched = Stripped { text: Cow::Borrowed(text), removed: 0 };
    if is_plain_ascii(text) {
        return untouched;
    }
    let mut removed = 0;
    let text = replace_invisible(text, |found| {
        let all = found.get_match().as_str();
        if all.starts_with('\r') || LINE_SEPARATORS.contains(&all) {
            return "\n".to_owned();
        }
        let kept = found.name("kept").map_or("", |kept| kept.as_str());
        removed += all.chars().count() - kept.chars().count();
        kept.to_owned()
    });
    Stripped { text, removed }
}

/// Escapes invisible characters instead of removing them, e.g. a zero-width space as `\u{200b}`.
/// Line ends become `\n`.
pub fn reveal_invisible(text: &str) -> Cow<'_, str> {
    if is_plain_ascii(text) {
        return Cow::Borrowed(text);
    }
    replace_invisible(text, |found| {
        let all = found.get_match().as_str();
        if found.name("kept").is_some() {
            return all.to_owned();
        }
        if all.starts_with('\r') || LINE_SEPARATORS.contains(&all) {
            return "\n".to_owned();
        }
        all.chars().map(|c| format!("\\u{{{:x}}}", u32::from(c))).collect::<Vec<_>>().concat()
    })
}

/// Replaces each match of the invisible-character patterns by the result of `with`.
fn replace_invisible(text: &str, mut with: impl FnMut(&Captures<'_>) -> String) -> Cow<'_, str> {
    let (Some(unseen), Some(single)) = (INVISIBLE.as_ref(), INVISIBLE_NO_STRINGS.as_ref()) else {
        return Cow::Borrowed(text);
    };
    let mut shown = String::new();
    let (mut done, mut position) = (0, 0);
    step_counter::add(text.len());
    // Before this position no terminal string has a terminator.
    let mut endless = 0;
    loop {
        let unseen = if position < endless { single } else { unseen };
        let Some(found) = unseen.captures_at(text, position) else { break };
        let all = found.get_match();
        step_counter::add(all.end() - position);
        if position < endless && all.start() >= endless {
            position = endless;
        } else if found.name("body").is_some() && found.name("end").is_none() {
            (position, endless) = (all.start(), all.end());
        } else {
            shown.push_str(text.get(done..all.start()).unwrap_or_default());
            shown.push_str(&with(&found));
            (done, position) = (all.end(), all.end());
        }
    }
    if done == 0 {
        return Cow::Borrowed(text);
    }
    shown.push_str(text.get(done..).unwrap_or_default());
    Cow::Owned(shown)
}

const LINE_SEPARATORS: [&str; 2] = ["\u{2028}", "\u{2029}"];

fn is_plain_ascii(text: &str) -> bool {
    // No early exit inside a block, so that the compiler emits SIMD comparisons.
    text.as_bytes().chunks(64).all(|block| {
        block.iter().fold(true, |plain, byte| plain & matches!(byte, b'\n' | b'\t' | b' '..=b'~'))
    })
}

/// Returns the position of the first byte that is not plain ASCII. `\n` and `\r\n` are plain.
pub(crate) fn first_special_byte(text: &[u8]) -> Option<usize> {
    let is_plain = |byte: &u8| matches!(byte, b'\n' | b'\t' | b' '..=b'~');
    let mut position = 0;
    loop {
        let rest = text.get(position..)?;
        // Whole blocks first, so that the compiler emits SIMD comparisons.
        let blocks = rest
            .chunks(64)
            .take_while(|block| block.iter().fold(true, |plain, byte| plain & is_plain(byte)));
        let start = position + blocks.map(<[u8]>::len).sum::<usize>();
        let found = start + text.get(start..)?.iter().position(|byte| !is_plain(byte))?;
        if !text.get(found..)?.starts_with(b"\r\n") {
            return Some(found);
        }
        position = found + 2;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reveals_invisible_characters() {
        for (text, shown) in [
            ("1.13.0", "1.13.0"),
            ("1.13.0\u{200b}", "1.13.0\\u{200b}"),
            ("a\u{202e}b\r\nc\u{2028}d", "a\\u{202e}b\nc\nd"),
            ("x\u{1b}[31my", "x\\u{1b}\\u{5b}\\u{33}\\u{31}\\u{6d}y"),
            ("\u{2764}\u{fe0f} \u{e0041}", "\u{2764}\u{fe0f} \\u{e0041}"),
        ] {
            assert_eq!(reveal_invisible(text), shown);
        }
    }

    #[test]
    fn unterminated_terminal_strings_take_linear_time() {
        for part in [
            "\u{90}",
            "\u{98}\u{9d}",
            "\u{9e}x\u{9f}",
            "\u{90}\u{9b}0;",
            "\x1b]",
            "\x1bP\x1bX\x1b^\x1b_",
            "\x1b]\u{9d}\u{90}x",
            "\u{90}\r",
            "\u{90}\u{90}\n",
            "\u{9b}",
            "\x1b[0",
            "\x1b ",
        ] {
            let text = part.repeat(400);
            let ((), steps) = step_counter::count(|| drop(strip_invisible(&text)));
            assert!(steps <= 4 * text.len(), "{part:?}: {steps} steps for {} bytes", text.len());
        }
    }

    #[test]
    fn strips_invisible_characters_and_keeps_the_rest() {
        let rows = [
            ("", "", 0),
            ("plain\ttext\n", "plain\ttext\n", 0),
            ("Größe 你好 naïve", "Größe 你好 naïve", 0),
            ("one\r\ntwo\r\n", "one\ntwo\n", 0),
            ("10%\r20%\r100%\r\r\n", "10%\n20%\n100%\n", 0),
            ("one\u{2028}two\u{2029}", "one\ntwo\n", 0),
            ("a\u{200b}b\u{200d}c\u{feff}d\u{2060}e", "abcde", 4),
            ("safe\u{202e}txt.exe\u{202c}", "safetxt.exe", 2),
            ("\u{2066}a\u{2069}\u{200e}\u{200f}\u{61c}", "a", 5),
            ("hi\u{e0049}\u{e0067}\u{e007f}\u{e0001}", "hi", 4),
            ("so\u{ad}ft\u{34f}\u{115f}\u{3164}\u{ffa0}", "soft", 5),
            ("x\u{fe00}\u{fe0f}\u{e0100}\u{e01ef}", "x", 4),
            ("\u{26a0}\u{fe0f} careful", "\u{26a0}\u{fe0f} careful", 0),
            ("\u{26a0}\u{fe0f}\u{fe0f}\u{fe0e}", "\u{26a0}\u{fe0f}", 2),
            ("\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}", "\u{1f468}\u{1f469}\u{1f467}", 2),
            ("\u{2764}\u{fe0f}\u{200d}\u{1f525}", "\u{2764}\u{fe0f}\u{1f525}", 1),
            ("\u{1f3f4}\u{e0067}\u{e0062}\u{e007f}", "\u{1f3f4}", 3),
            ("1\u{fe0f}\u{20e3} \u{1f44d}\u{1f3fd}", "1\u{20e3} \u{1f44d}\u{1f3fd}", 1),
            ("می\u{200c}خواهم", "میخواهم", 1),
            ("a\u{13437}b\u{fdd0}c\u{1fffe}", "abc", 3),
            ("bell\x07 null\0 c1\u{85}\u{9b}", "bell null c1", 4),
            ("\x1b[1;31mred\x1b[0m", "red", 11),
            ("\u{9b}31mred", "red", 4),
            ("\x1b]0;title\x07text", "text", 10),
            ("\x1b]8;;https://x.example\x1b\\link\x1b]8;;\x1b\\", "link", 31),
            ("\x1b]unfinished\nnext", "unfinished\nnext", 2),
            ("\u{90}one\u{90}two\r\nnext", "onetwo\nnext", 2),
            ("\u{90}one\x1b]two\u{9d}three\x07four", "onefour", 13),
            ("\x1b]one\u{90}two\u{9c}three", "three", 10),
            ("\x1b(Bcharset \x1b7saved\x1b", "charset saved", 6),
            ("\u{fff9}base\u{fffa}note\u{fffb}", "basenote", 3),
            ("\x1b\u{200b}[31m", "[31m", 2),
        ];
        for (text, left, removed) in rows {
            assert_eq!(strip_invisible(text), Stripped { text: left.into(), removed }, "{text:?}");
        }
    }

    #[test]
    fn finds_the_first_special_byte() {
        let long = "x".repeat(200);
        for (text, position) in [
            (String::new(), None),
            ("a\r\nb\tc\r\n".to_owned(), None),
            (format!("{long}\r\n{long}"), None),
            (format!("{long}\r\n{long}\r"), Some(402)),
            (format!("{long}é"), Some(200)),
            ("a\x1b[0m".to_owned(), Some(1)),
        ] {
            assert_eq!(first_special_byte(text.as_bytes()), position, "{text:?}");
        }
    }

    /// Strips invisible characters with the reference implementation: one pattern for a string with
    /// its terminator. Correct, but slow for unterminated strings.
    fn reference_strip(text: &str) -> String {
        let pattern = crate::sanitize::invisible::INVISIBLE_PATTERN.replacen(")? |", ") |", 1);
        let unseen = regex::Regex::new(&pattern).unwrap();
        let with = |found: &Captures<'_>| match found.get_match().as_str() {
            all if all.starts_with('\r') || LINE_SEPARATORS.contains(&all) => "\n".to_owned(),
            _ => found.name("kept").map_or("", |kept| kept.as_str()).to_owned(),
        };
        unseen.replace_all(text, with).into_owned()
    }

    proptest! {
        #[test]
        fn terminal_strings_match_the_reference_implementation(
            text in "[a\\\\0;\\[\\]P^_ \u{90}\u{9d}\u{9f}\u{9b}\u{9c}\u{7}\u{1b}\u{1b}\u{1b}\n\r\u{2028}\u{200b}\u{2764}\u{fe0f}]{0,40}",
        ) {
            prop_assert_eq!(strip_invisible(&text).text, reference_strip(&text));
        }

        #[test]
        fn no_invisible_character_remains(text in any::<String>()) {
            let once = strip_invisible(&text).text.into_owned();
            prop_assert!(!once.contains(|c: char| c.is_control() && c != '\n' && c != '\t'));
            prop_assert_eq!(strip_invisible(&once), Stripped { text: once.as_str().into(), removed: 0 });
        }
    }
}
