//! Braces of patterns that begin no repetition.

/// The pattern with each `{` that begins no repetition standing for itself, as in JavaScript:
/// paths such as `/projects/{id}` and variables such as `#{Name}` are what people search for.
pub(super) fn with_plain_braces(pattern: &str) -> String {
    let mut plain = String::with_capacity(pattern.len() + 8);
    for (place, letter) in pattern.char_indices() {
        let (before, rest) = pattern.split_at(place);
        if letter == '{' && !is_escaped(before) && !begins_repetition(rest) {
            plain.push('\\');
        }
        plain.push(letter);
    }
    plain
}

/// Whether a brace after this is taken already: `\{`, or the beginning of `\p{`, `\x{` and such.
fn is_escaped(before: &str) -> bool {
    let odd = |text: &str| text.chars().rev().take_while(|c| *c == '\\').count() % 2 == 1;
    odd(before) || before.strip_suffix(['p', 'P', 'x', 'u', 'U', 'b']).is_some_and(odd)
}

fn begins_repetition(rest: &str) -> bool {
    let Some((inside, _)) = rest.trim_start_matches('{').split_once('}') else { return false };
    inside.starts_with(|c: char| c.is_ascii_digit())
        && inside.chars().all(|c| c.is_ascii_digit() || c == ',')
}
