//! Patterns that find invisible characters and terminal sequences.

use std::sync::LazyLock;

use regex::Regex;

/// Members of a regex character class: all single characters that are invisible.
macro_rules! invisible_class {
    () => {
        r"[\p{Cc}--[\n\t]] \p{Default_Ignorable_Code_Point} \x{FFF9}-\x{FFFB}
            \x{13430}-\x{1343F} \p{Noncharacter_Code_Point}"
    };
}

/// Alternatives in this order: an emoji with its selector, line ends, terminal control sequences,
/// other escapes, single invisible characters. No alternative begins inside another one, so each
/// byte is matched once.
macro_rules! invisible_no_strings {
    () => {
        concat!(
            r"(?P<kept> \p{Extended_Pictographic} \x{FE0F} )
            | \r+ \n? | [\x{2028}\x{2029}]
            | (?: \x1B\[ | \x{9B} ) [0-?]* [\x20-/]* [@-~]
            | \x1B [\x20-/]* [0-~]
            | [",
            invisible_class!(),
            "]"
        )
    };
}

/// Matches every single character that [`strip_invisible`](super::strip::strip_invisible) removes
/// or replaces.
const INVISIBLE_CHARACTER_PATTERN: &str =
    concat!(r"(?x) [ \x{2028}\x{2029}", invisible_class!(), "]");

const INVISIBLE_NO_STRINGS_PATTERN: &str = concat!("(?x)", invisible_no_strings!());

/// Matches terminal strings up to their terminator on the same line. An unterminated string matches
/// up to the last possible position of the terminator.
pub(super) const INVISIBLE_PATTERN: &str = concat!(
    r"(?x) (?: \x1B [\]PX^_] | [\x{90}\x{98}\x{9D}\x{9E}\x{9F}] )
        (?P<body> [^\x07\x1B\x{9C}\n]* ) (?P<end> \x07 | \x1B\\ | \x{9C} )? |",
    invisible_no_strings!(),
);

/// Matches terminal strings and everything that [`INVISIBLE_NO_STRINGS`] matches. `None` only if
/// the pattern is invalid; a test checks that it is valid.
pub(super) static INVISIBLE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(INVISIBLE_PATTERN).ok());

/// Matches everything that [`INVISIBLE`] matches, except terminal strings.
pub(super) static INVISIBLE_NO_STRINGS: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(INVISIBLE_NO_STRINGS_PATTERN).ok());

/// Matches one invisible character.
pub(super) static INVISIBLE_CHARACTER: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(INVISIBLE_CHARACTER_PATTERN).ok());

/// Compiles the patterns.
pub(super) fn precompile() {
    for pattern in [&INVISIBLE, &INVISIBLE_NO_STRINGS, &INVISIBLE_CHARACTER] {
        LazyLock::force(pattern);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_compile() {
        assert!(
            [&INVISIBLE, &INVISIBLE_NO_STRINGS, &INVISIBLE_CHARACTER]
                .iter()
                .all(|pattern| pattern.is_some())
        );
    }
}
