//! Escapes literal braces in patterns.

/// Escapes each `{` that begins no repetition, so that it matches itself as in JavaScript. Users
/// often search for paths such as `/projects/{id}` and variables such as `#{Name}`.
pub(super) fn escape_literal_braces(pattern: &str) -> String {
    let mut plain = String::with_capacity(pattern.len() + 8);
    for (position, letter) in pattern.char_indices() {
        let (before, rest) = pattern.split_at(position);
        if letter == '{' && !is_escaped(before) && !begins_repetition(rest) {
            plain.push('\\');
        }
        plain.push(letter);
    }
    plain
}

/// Returns whether a brace after `before` is already escaped, or belongs to `\p{`, `\x{` and the
/// like.
fn is_escaped(before: &str) -> bool {
    let odd = |text: &str| text.chars().rev().take_while(|c| *c == '\\').count() % 2 == 1;
    odd(before) || before.strip_suffix(['p', 'P', 'x', 'u', 'U', 'b']).is_some_and(odd)
}

fn begins_repetition(rest: &str) -> bool {
    let Some((inside, _)) = rest.trim_start_matches('{').split_once('}') else { return false };
    inside.starts_with(|c: char| c.is_ascii_digit())
        && inside.chars().all(|c| c.is_ascii_digit() || c == ',')
}
