//! Finding the secrets in a text: in its own spelling and in what other spellings stand for.

use std::{
    ops::Range,
    sync::{LazyLock, OnceLock},
};

use regex::{Regex, RegexSet};

use super::{
    candidate::Candidate,
    hint,
    rules::{self, Rule},
    value,
    view::{self, View},
    wrap,
};

/// Part of a text that is a secret.
#[derive(Debug, Clone)]
pub(super) struct Secret {
    pub(super) at: Range<usize>,
    /// The place of the rule in the table: the earlier of two that overlap gives its name.
    pub(super) rule: usize,
    pub(super) kind: &'static str,
}

struct Table {
    /// Which rules have a hint in the text. `None` would mean that all have to look.
    hints: Option<RegexSet>,
    rules: Vec<(&'static Rule, OnceLock<Option<Regex>>)>,
}

/// A rule whose pattern were bad would be left out; a test rules that out.
static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let rules: Vec<_> = rules::all().map(|rule| (rule, OnceLock::new())).collect();
    let hints = rules.iter().map(|(rule, _)| hint_pattern(rule.hints));
    Table { hints: RegexSet::new(hints).ok(), rules }
});

/// The pattern of a rule, compiled at its first use.
fn compiled<'c>(rule: &Rule, cell: &'c OnceLock<Option<Regex>>) -> Option<&'c Regex> {
    cell.get_or_init(|| Regex::new(rule.pattern).ok()).as_ref()
}

/// Compiles the patterns of all rules now.
pub(super) fn prepare() {
    for (rule, cell) in &TABLE.rules {
        compiled(rule, cell);
    }
}

/// A pattern that finds any of these hints, in any case.
pub(super) fn hint_pattern<'h>(hints: impl IntoIterator<Item = &'h &'h str>) -> String {
    let hints = hints.into_iter().map(|hint| {
        let flags = if hint.is_ascii() { "i-u" } else { "i" };
        format!("(?{flags}:{})", regex::escape(hint))
    });
    hints.collect::<Vec<_>>().join("|")
}

/// The secrets in `text`, as each rule finds them, in order and without overlap.
pub(super) fn find(text: &str) -> Vec<Secret> {
    let view = View::with_plain_spaces(text);
    let mut found = search(&view.text);
    for (start, line) in view::escaped_lines(&view.text) {
        for plus in [false, true] {
            if plus && !line.contains('+') {
                continue;
            }
            let Some(decoded) = View::decoded(line, plus) else { continue };
            if hint(decoded.text.as_bytes()).is_none() {
                continue;
            }
            found.extend(search(&decoded.text).into_iter().map(|mut secret| {
                let at = decoded.original(&secret.at);
                secret.at = start + at.start..start + at.end;
                secret
            }));
        }
    }
    let mut found = wrap::continued(&view.text, merged(found));
    for secret in &mut found {
        secret.at = view.original(&secret.at);
    }
    found
}

/// The secrets in `text` that stand there in the spelling of the rules.
fn search(text: &str) -> Vec<Secret> {
    let Table { hints, rules } = &*TABLE;
    let hinted = hints.as_ref().map(|hints| hints.matches(text));
    let mut found = Vec::new();
    for (place, (rule, regex)) in rules.iter().enumerate() {
        if hinted.as_ref().is_some_and(|hinted| !hinted.matched(place)) {
            continue;
        }
        let Some(regex) = compiled(rule, regex) else { continue };
        for captures in regex.captures_iter(text) {
            let whole = captures.get_match().range();
            // The groups of a pattern are its secrets; without a group all of it is the secret.
            let groups = usize::from(captures.len() > 1)..captures.len();
            for secret in groups.filter_map(|group| captures.get(group)) {
                let at = value::trimmed(text, secret.range());
                if let Some(candidate) = Candidate::read(text, &whole, &at)
                    && !value::is_stand_in(candidate.value)
                    && (rule.accept)(&candidate)
                {
                    found.push(Secret { at, rule: place, kind: rule.kind });
                }
            }
        }
    }
    found
}

/// Secrets in order and without overlap.
pub(super) fn merged(mut found: Vec<Secret>) -> Vec<Secret> {
    found.sort_by_key(|secret| (secret.at.start, secret.rule));
    let mut apart: Vec<Secret> = Vec::with_capacity(found.len());
    for secret in found {
        match apart.last_mut() {
            Some(last) if secret.at.start < last.at.end => {
                last.at.end = last.at.end.max(secret.at.end);
                if secret.rule < last.rule {
                    (last.rule, last.kind) = (secret.rule, secret.kind);
                }
            }
            _ => apart.push(secret),
        }
    }
    apart
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_rules_are_compiled_before_they_are_needed() {
        prepare();
        assert!(TABLE.rules.iter().all(|(_, cell)| cell.get().is_some()));
    }

    #[test]
    fn no_pattern_is_bad_and_every_rule_has_a_hint() {
        for rule in rules::all() {
            assert!(Regex::new(rule.pattern).is_ok(), "{}: {:?}", rule.kind, rule.pattern);
            assert!(!rule.hints.is_empty(), "{}", rule.kind);
        }
        assert_eq!(TABLE.rules.len(), rules::all().count());
        assert!(TABLE.hints.is_some());
    }
}
