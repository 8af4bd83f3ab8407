//! Removes the time and level in front of each message of a task log.

use std::sync::LazyLock;

use regex::bytes::Regex;

/// A time with or without date, fraction and zone, a level, `|` and at most one space.
const LOG_PREFIX_PATTERN: &str = r"(?-u)\A(?:\d{4}-\d\d-\d\dT)?\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?[ \t]+[A-Za-z]+[ \t]*\|[ ]?";

/// `None` only if the pattern is invalid; a test checks that it is valid.
static LOG_PREFIX: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(LOG_PREFIX_PATTERN).ok());

/// Returns the line without time and level. Lines without them stay unchanged.
pub(super) fn strip_log_prefix(line: &[u8]) -> &[u8] {
    let found = LOG_PREFIX.as_ref().and_then(|find| find.find(line));
    found.and_then(|found| line.get(found.end()..)).unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strips_time_and_level() {
        assert!(LOG_PREFIX.is_some());
        for (line, left) in [
            ("08:10:02   Info     |     Making a list", "    Making a list"),
            ("08:10:02 Error|Bad", "Bad"),
            ("2026-06-18T08:10:02 Fatal | Bad | worse", "Bad | worse"),
            ("2026-06-18T08:10:02.123+02:00\tInfo\t|x", "x"),
            ("08:10:02.123Z Error | x", "x"),
            ("                    | == Success ==", "                    | == Success =="),
            ("08:10:02 | no level", "08:10:02 | no level"),
            ("at 08:10:02 Info | x", "at 08:10:02 Info | x"),
            ("", ""),
        ] {
            assert_eq!(strip_log_prefix(line.as_bytes()), left.as_bytes(), "{line}");
        }
    }
}
