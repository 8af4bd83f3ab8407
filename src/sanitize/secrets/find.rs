//! Applies the redaction rules to a text and to its decoded forms.

use std::sync::{LazyLock, OnceLock};

use regex::{Regex, RegexSet};

use super::{
    candidate::Candidate,
    hints::{first_hint, hint_pattern},
    normalized_text::{self, NormalizedText},
    rules::{self, Rule},
    secret_match::{SecretMatch, merge_overlapping},
    value, wrap,
};

struct RuleTable {
    /// Determines which rules have a hint in the text. `None` runs all rules.
    hints: Option<RegexSet>,
    rules: Vec<(&'static Rule, OnceLock<Option<Regex>>)>,
}

/// All rules with their patterns. A test checks that all patterns are valid.
static RULE_TABLE: LazyLock<RuleTable> = LazyLock::new(|| {
    let rules: Vec<_> = rules::all().map(|rule| (rule, OnceLock::new())).collect();
    let hints = rules.iter().map(|(rule, _)| hint_pattern(rule.hints));
    RuleTable { hints: RegexSet::new(hints).ok(), rules }
});

/// Returns the pattern of a rule and compiles it at its first use.
fn compiled<'c>(rule: &Rule, cell: &'c OnceLock<Option<Regex>>) -> Option<&'c Regex> {
    cell.get_or_init(|| Regex::new(rule.pattern).ok()).as_ref()
}

/// Compiles the patterns of all rules.
pub(super) fn precompile() {
    for (rule, cell) in &RULE_TABLE.rules {
        compiled(rule, cell);
    }
}

/// Returns the secrets in `text`, sorted and without overlap.
pub(super) fn find_secrets(text: &str) -> Vec<SecretMatch> {
    let view = NormalizedText::with_plain_spaces(text);
    let mut found = apply_rules(&view.text);
    for (start, line) in normalized_text::lines_with_escapes(&view.text) {
        for plus in [false, true] {
            if plus && !line.contains('+') {
                continue;
            }
            let Some(decoded) = NormalizedText::percent_decoded(line, plus) else { continue };
            if first_hint(decoded.text.as_bytes()).is_none() {
                continue;
            }
            found.extend(apply_rules(&decoded.text).into_iter().map(|mut secret| {
                let at = decoded.to_original(&secret.at);
                secret.at = start + at.start..start + at.end;
                secret
            }));
        }
    }
    let mut found = wrap::add_continuations(&view.text, merge_overlapping(found));
    for secret in &mut found {
        secret.at = view.to_original(&secret.at);
    }
    found
}

/// Returns the secrets in a text that has the spelling that the rules expect.
fn apply_rules(text: &str) -> Vec<SecretMatch> {
    let RuleTable { hints, rules } = &*RULE_TABLE;
    let hinted = hints.as_ref().map(|hints| hints.matches(text));
    let mut found = Vec::new();
    for (index, (rule, regex)) in rules.iter().enumerate() {
        if hinted.as_ref().is_some_and(|hinted| !hinted.matched(index)) {
            continue;
        }
        let Some(regex) = compiled(rule, regex) else { continue };
        for captures in regex.captures_iter(text) {
            let whole = captures.get_match().range();
            // The groups of a pattern are the secrets; without a group the whole match is the
            // secret.
            let groups = usize::from(captures.len() > 1)..captures.len();
            for secret in groups.filter_map(|group| captures.get(group)) {
                let at = value::trim_value(text, secret.range());
                if let Some(candidate) = Candidate::from_match(text, &whole, &at)
                    && !value::is_placeholder(candidate.value)
                    && (rule.accept)(&candidate)
                {
                    found.push(SecretMatch { at, rule: index, kind: rule.kind });
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn precompile_compiles_all_rules() {
        precompile();
        assert!(RULE_TABLE.rules.iter().all(|(_, cell)| cell.get().is_some()));
    }

    #[test]
    fn every_rule_has_a_valid_pattern_and_a_hint() {
        for rule in rules::all() {
            assert!(Regex::new(rule.pattern).is_ok(), "{}: {:?}", rule.kind, rule.pattern);
            assert!(!rule.hints.is_empty(), "{}", rule.kind);
        }
        assert_eq!(RULE_TABLE.rules.len(), rules::all().count());
        assert!(RULE_TABLE.hints.is_some());
    }
}
