//! Classifies values by their own form, without the surrounding text.

use std::{ops::Range, sync::LazyLock};

use regex::Regex;

use super::redaction::REDACTION_PREFIX;

/// Trims a matched value: removes the next query parameter and the punctuation of the surrounding
/// text, unless quotes or a semicolon mark the end of the value.
pub(super) fn trim_value(text: &str, at: Range<usize>) -> Range<usize> {
    let quotes = ['"', '\''];
    let before = text.get(..at.start).and_then(|before| before.chars().next_back());
    let after = text.get(at.end..).and_then(|after| after.chars().next());
    let value = text.get(at.clone()).unwrap_or_default();
    if after == Some(';') || (before.is_some_and(|c| quotes.contains(&c)) && before == after) {
        return at.start..at.start + value.trim_end().len();
    }
    let last_name = value.rfind(['=', ':']).unwrap_or_default();
    let value = match value.find(['&', ',']) {
        Some(end) if end < last_name => value.split_at(end).0,
        _ => value,
    };
    at.start..at.start + value.trim_end_matches([',', ')', '}', ']', '\\', ' ']).len()
}

/// Returns whether a value is only a placeholder: a mask, a redaction, or a reference to a
/// variable.
pub(super) fn is_placeholder(value: &str) -> bool {
    let is_remark = |text: &str| text.chars().all(|c| c.is_alphabetic() || " -)]".contains(c));
    value.starts_with(REDACTION_PREFIX)
        || !value.contains(|c: char| c.is_alphanumeric())
        || ["#{", "${", "$(", "{{", "%(", "@{", "$env:"].iter().any(|it| value.starts_with(it))
        || value
            .strip_prefix('$')
            .is_some_and(|name| is_identifier(name.split(['[', '(']).next().unwrap_or(name)))
        || value
            .strip_prefix('@')
            .is_some_and(|name| is_identifier(name) && !name.contains(|c: char| c.is_ascii_digit()))
        || value.strip_prefix(['(', '[']).is_some_and(is_remark)
        || (value.len() > 2 && value.starts_with('%') && value.ends_with('%'))
}

/// Returns whether a value describes the secret instead of containing it, such as `expired`.
pub(super) fn is_description(value: &str) -> bool {
    let word = value.trim_matches(['.', ':', '(', ')', '[', ']']);
    ORDINARY_WORDS.iter().any(|ordinary| word.eq_ignore_ascii_case(ordinary))
        || value.starts_with(':')
        || is_dotted_name(value)
}

/// Returns whether a value is the name of a variable, such as `Project.Database.Password`.
pub(super) fn is_dotted_name(value: &str) -> bool {
    let is_part =
        |part: &str| !part.is_empty() && part.chars().all(|c| c.is_alphabetic() || c == '_');
    value.contains('.') && value.split('.').all(is_part)
}

/// Returns whether a value is a small number, as in `TESTS_PASS=214`.
pub(super) fn is_count(value: &str) -> bool {
    value.len() < 4 && value.bytes().all(|byte| byte.is_ascii_digit())
}

pub(super) fn is_identifier(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "_:.".contains(c))
}

/// Returns whether a value is a path or a URL, which locates a secret but is none. Base64 can begin
/// like a path, but does not consist of words.
pub(super) fn is_location(value: &str) -> bool {
    value.contains("://") || (is_path(value) && is_word_like(value) && !value.contains(['+', '=']))
}

pub(super) fn is_path(value: &str) -> bool {
    ["/", "~/", "./"].iter().any(|beginning| value.starts_with(beginning))
        || value.get(1..3).is_some_and(|drive| drive == ":\\" || drive == ":/")
}

/// Returns whether every part of a value looks like a word, a number or a version. Generated values
/// have a long part in which letters and digits, or upper and lower case, alternate.
pub(super) fn is_word_like(value: &str) -> bool {
    let is_apart = |c: char| !c.is_alphanumeric();
    let is_hex = value.len() >= 32 && value.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hex && value.contains(char::is_alphabetic) && value.contains(|c: char| c.is_ascii_digit())
    {
        return false;
    }
    // Signs can split base64 into parts that are all short.
    let all: String = value.chars().filter(|c| !is_apart(*c)).collect();
    (all.len() < 20 || count_class_changes(&all) * 5 < all.len() * 2)
        && value
            .split(is_apart)
            .all(|part| part.len() < 12 || count_class_changes(part) * 6 < part.len())
}

/// Counts the changes between letters and digits and between upper and lower case.
fn count_class_changes(part: &str) -> usize {
    let class = |c: char| (c.is_alphabetic(), c.is_uppercase());
    let pairs = part.chars().zip(part.chars().skip(1));
    pairs.filter(|(one, next)| class(*one) != class(*next)).count()
}

/// Returns whether a value mixes letters with a digit or sign, as passwords do and words do not.
/// Versions and time spans mix them too and are excluded.
pub(super) fn is_mixed(value: &str) -> bool {
    let value = value.trim_end_matches(['.', '!', '?', ',']);
    let has = |is: fn(char) -> bool| value.contains(is);
    let is_version = value.trim_start_matches(['v', 'V']).chars().all(|c| !c.is_alphabetic());
    let is_span = value.starts_with(|c: char| c.is_ascii_digit()) && value.contains('-');
    value.chars().count() >= 4
        && has(char::is_alphabetic)
        && (has(|c| c.is_ascii_digit()) || has(|c| "@#$%^&*+!".contains(c)))
        && !is_version
        && !is_span
}

/// Returns whether letters and digits are mixed or upper and lower case alternate, as in a password
/// or a part of a token.
pub(super) fn looks_random(value: &str) -> bool {
    let has = |is: fn(&u8) -> bool| value.bytes().any(|byte| is(&byte));
    value.len() >= 6
        && ((has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic))
            || count_class_changes(value) >= 4)
}

/// Returns whether a value is a GUID other than zero, with or without braces.
pub(super) fn is_guid(value: &str) -> bool {
    let value = value.trim_matches(['{', '}', '(', ')']);
    let mut parts = value.split('-');
    let is_part = |part: &str, length| {
        part.len() == length && part.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    [8, 4, 4, 4, 12]
        .into_iter()
        .all(|length| parts.next().is_some_and(|part| is_part(part, length)))
        && parts.next().is_none()
        && value.bytes().any(|byte| !b"0-".contains(&byte))
}

/// Returns whether a word has a common form at the start of log lines: an Octopus ID, a version, a
/// file name, a GUID, a date or a time. After a complete secret, this word is not its
/// continuation.
pub(super) fn is_ordinary_form(word: &str) -> bool {
    is_guid(word) || ORDINARY_FORMS.as_ref().is_some_and(|forms| forms.is_match(word))
}

/// Compiles the pattern.
pub(super) fn precompile() {
    LazyLock::force(&ORDINARY_FORMS);
}

/// `None` only if the pattern is invalid; a test checks that it is valid.
static ORDINARY_FORMS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        // `ServerTasks-12345`, `win-x64`, `utf-8`, `step-2`
        r"\A(?:[A-Za-z]+(?:-[A-Za-z]+)*-[0-9]{1,9}",
        // `1.12.0`, `v2.0.1-rc.1`, `Acme.Web.1.12.0.nupkg`, `web01.example`
        r"|(?:[A-Za-z][A-Za-z0-9_-]{0,40}\.)*v?[0-9]{1,9}(?:\.[0-9]{1,9}){1,3}(?:[-+.][A-Za-z0-9.-]{1,20})?",
        r"|[a-z][a-z0-9_-]{0,40}(?:\.[a-z][a-z0-9_-]{0,40})+",
        // `2026-06-18T08`, `2026-06-18`
        r"|[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9]{2})?",
        r")[.-]?\z",
    ))
    .ok()
});

/// Returns whether a word describes a state, such as `expired` or `readable`.
pub(super) fn is_state_word(word: &str) -> bool {
    let word = word.to_lowercase();
    ["ed", "ing", "able", "ible", "ect", "ent", "ory", "ure", "own", "ong", "eak", "ood", "ank"]
        .iter()
        .any(|ending| word.ends_with(ending))
}

/// Words that often replace a secret and describe it.
#[rustfmt::skip] // a list to read, not a column
const ORDINARY_WORDS: &[&str] = &[
    "a", "absent", "accepted", "added", "an", "and", "are", "argument", "basic", "bearer",
    "changed", "configured", "created", "default", "deleted", "denied", "disabled", "does",
    "empty", "enabled", "error", "expired", "failed", "false", "flag", "for", "found", "from",
    "generated", "has", "hidden", "in", "incorrect", "invalid", "is", "loaded", "masked",
    "missing", "must", "n/a", "negotiate", "never", "new", "nil", "no", "none", "not", "null",
    "of", "off", "ok", "on", "option", "optional", "or", "parameter", "password", "present",
    "provided", "read", "read-only", "readonly", "redacted", "refreshed", "rejected", "removed",
    "renewed", "required", "revoked", "rotated", "secret", "sensitive", "set", "skipped",
    "string", "system", "text", "the", "to", "token", "true", "unchanged", "undefined",
    "unexpected", "unknown", "unset", "updated", "valid", "value", "verified", "was", "with",
    "write", "wrong", "yes",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trims_values() {
        let rows = [
            ("«hunter2»", ""),
            ("«hunter2», user: x", ""),
            ("«hunter2»&user=x", "hunter2&user=x"),
            ("«hunter2»,user=x)", "hunter2,user=x)"),
            ("«hun,ter&2»)}", "hun,ter&2)}"),
            ("\"«a,b=c)»\"", "a,b=c)"),
            ("«a&b=c»;", "a&b=c"),
        ];
        for (marked, found) in rows {
            let text = marked.replace(['«', '»'], "");
            let found = if found.is_empty() { "hunter2" } else { found };
            let start = text.find(found).unwrap();
            let at = trim_value(&text, start..start + found.len());
            let shown = format!("{}«{}»{}", &text[..at.start], &text[at.clone()], &text[at.end..]);
            assert_eq!(shown, marked);
        }
    }

    #[test]
    fn recognises_ordinary_forms() {
        assert!(ORDINARY_FORMS.is_some());
        for ordinary in ["ServerTasks-12345", "1.12.0", "web.api-1.example", "2026-06-18T08"] {
            assert!(is_ordinary_form(ordinary), "{ordinary}");
        }
        for other in
            ["fa4e0fa4e1fa4e2f", "FLRUZBS0U.RkFLRS1zaWdu", "FAKEfakeFaKe0123", "fa4e-fa4e", ""]
        {
            assert!(!is_ordinary_form(other), "{other}");
        }
    }

    #[test]
    fn distinguishes_words_from_generated_values() {
        for wordy in ["", "expired", "db-credentials-v2", "Larkspur.Tracking.Api", "20260618081002"]
        {
            assert!(is_word_like(wordy), "{wordy}");
        }
        for generated in ["fa4e0fa4e1fa4e2f", "FAKEfakeFaKeFAKEfAkE", "prod-fa4e0fa4e1fa4e2f"] {
            assert!(!is_word_like(generated), "{generated}");
        }
    }
}
