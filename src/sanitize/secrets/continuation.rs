//! Finds the end of a text inside which a secret may continue on the next line.

use std::sync::LazyLock;

use regex::Regex;

use super::{
    find::find_secrets, hints::first_hint, normalized_text::NormalizedText, rules,
    wrap::LineContent,
};

/// Returns the start of the first line to carry, because a secret may continue after `text`. `None`
/// if no secret can continue. Example: a name with its value on the next line.
pub(in crate::sanitize) fn continuation_start(text: &str) -> Option<usize> {
    let view = NormalizedText::with_plain_spaces(text);
    first_hint(view.text.as_bytes())?;
    // A flag begins after a space, which may be the end of the previous line.
    let begins = |found: regex::Match<'_>| found.end() - found.as_str().trim_start().len();
    let names = CONTINUATIONS.iter().filter_map(|names| names.find(&view.text).map(begins));
    let start = names.chain(wrap_start(&view.text)).min()?;
    let before = text.get(..view.to_original(&(start..start)).start)?;
    Some(before.rfind('\n').map_or(0, |end| end + 1))
}

/// All patterns are anchored at the end, so most of them fail at once. A test checks
/// that all patterns are valid.
static CONTINUATIONS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    rules::CONTINUATIONS.iter().filter_map(|names| Regex::new(names).ok()).collect()
});

/// Returns the offset of the lines that are needed to recognise that the last line of a text is
/// wrapped inside a secret; `None` if it is not.
///
/// These lines begin with the first of the lines that are one word of the same width, or with the
/// line before them. If a name further up is needed, the offset is 0.
fn wrap_start(text: &str) -> Option<usize> {
    let line_before = |end: usize| {
        let start = text.get(..end)?.rfind('\n').map_or(0, |end| end + 1);
        LineContent::read(text, start..end).map(|content| (start, content))
    };
    let (mut start, mut content) = line_before(text.len())?;
    let ends_inside = |text: &str, end: usize| {
        find_secrets(text).last().is_some_and(|secret| secret.at.end == end)
    };
    let end = content.end();
    if !content.has_usual_width() || !ends_inside(text, end) {
        return None;
    }
    while content.first_word().len() == content.text.len()
        && let Some(before) = start.checked_sub(1).and_then(line_before)
        && before.1.text.len() == content.text.len()
    {
        (start, content) = before;
    }
    let is_enough = ends_inside(text.get(start..)?, end - start);
    Some(if is_enough { start } else { 0 })
}

/// Compiles the patterns.
pub(super) fn precompile() {
    LazyLock::force(&CONTINUATIONS);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn continuation_patterns_compile() {
        assert_eq!(CONTINUATIONS.len(), rules::CONTINUATIONS.len());
    }
}
