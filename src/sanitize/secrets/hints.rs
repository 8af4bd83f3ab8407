//! Hints: short texts; every secret contains at least one.

use std::{collections::BTreeSet, sync::LazyLock};

use super::rules;

/// Returns the position of the first hint of a secret; `None` if no rule has a hint in the text.
///
/// Encoded secrets have no specific hint, so every percent escape is a hint. Unicode spaces are
/// no hint: callers that search bytes must treat all lines that are not plain ASCII as suspect.
pub(crate) fn first_hint(text: &[u8]) -> Option<usize> {
    match ANY_HINT.as_ref() {
        Some(hint) => hint.find(text).map(|found| found.start()),
        None => (!text.is_empty()).then_some(0),
    }
}

/// The hints of all rules as one pattern. `None` makes every text a hint.
static ANY_HINT: LazyLock<Option<regex::bytes::Regex>> = LazyLock::new(|| {
    let hints: BTreeSet<&str> = rules::all().flat_map(|rule| rule.hints).copied().collect();
    let pattern = format!("{}|(?-u:%[0-9A-Fa-f]{{2}})", hint_pattern(&hints));
    regex::bytes::Regex::new(&pattern).ok()
});

/// Returns a pattern that matches any of the hints, ignoring case.
pub(super) fn hint_pattern<'h>(hints: impl IntoIterator<Item = &'h &'h str>) -> String {
    let hints = hints.into_iter().map(|hint| {
        let flags = if hint.is_ascii() { "i-u" } else { "i" };
        format!("(?{flags}:{})", regex::escape(hint))
    });
    hints.collect::<Vec<_>>().join("|")
}

/// Compiles the pattern of all hints.
pub(super) fn precompile() {
    LazyLock::force(&ANY_HINT);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hint_pattern_compiles() {
        assert!(ANY_HINT.is_some());
    }
}
