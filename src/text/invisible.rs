//! Patterns that find invisible characters and terminal sequences.

use std::sync::LazyLock;

use regex::Regex;

/// The characters that are invisible by themselves, as part of a class of characters.
macro_rules! invisible {
    () => {
        r"[\p{Cc}--[\n\t]] \p{Default_Ignorable_Code_Point} \x{FFF9}-\x{FFFB}
            \x{13430}-\x{1343F} \p{Noncharacter_Code_Point}"
    };
}

/// In order: an emoji with its selector, line ends, terminal control sequences, other escapes, and
/// single invisible characters. No part of one can begin another, so none is read twice.
macro_rules! single {
    () => {
        concat!(
            r"(?P<kept> \p{Extended_Pictographic} \x{FE0F} )
            | \r+ \n? | [\x{2028}\x{2029}]
            | (?: \x1B\[ | \x{9B} ) [0-?]* [\x20-/]* [@-~]
            | \x1B [\x20-/]* [0-~]
            | [",
            invisible!(),
            "]"
        )
    };
}

/// Every single character that [`sanitize`](super::sanitize::sanitize) removes or replaces.
const CHARACTER_PATTERN: &str = concat!(r"(?x) [ \x{2028}\x{2029}", invisible!(), "]");

const SINGLE_PATTERN: &str = concat!("(?x)", single!());

/// First terminal strings up to their terminator on the same line, and those without one as far as
/// it could stand.
pub(super) const UNSEEN_PATTERN: &str = concat!(
    r"(?x) (?: \x1B [\]PX^_] | [\x{90}\x{98}\x{9D}\x{9E}\x{9F}] )
        (?P<body> [^\x07\x1B\x{9C}\n]* ) (?P<end> \x07 | \x1B\\ | \x{9C} )? |",
    single!(),
);

/// Terminal strings, and what [`SINGLE`] finds. `None` only if the pattern were bad, which a test
/// rules out.
pub(super) static UNSEEN: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(UNSEEN_PATTERN).ok());

/// The same, without strings.
pub(super) static SINGLE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(SINGLE_PATTERN).ok());

/// One invisible character.
pub(super) static CHARACTER: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(CHARACTER_PATTERN).ok());

/// Compiles the patterns now.
pub(super) fn prepare() {
    for pattern in [&UNSEEN, &SINGLE, &CHARACTER] {
        LazyLock::force(pattern);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_compile() {
        assert!([&UNSEEN, &SINGLE, &CHARACTER].iter().all(|pattern| pattern.is_some()));
    }
}
