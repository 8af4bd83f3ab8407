//! Validation of the policy rules.

use std::collections::BTreeSet;

use crate::config::{Config, Effect, LoadedConfig, RuleSettings};

/// Maximum number of characters of a name, a `type` and a message.
const MAX_TEXT_CHARS: [usize; 3] = [60, 100, 500];

/// Adds the mistakes in the rules that do not depend on the tool catalog.
pub(super) fn validate(loaded: &mut LoadedConfig, config: &Config) {
    const RULES: &str = "policy.rules";
    let (mut names, mut mistakes) = (BTreeSet::new(), Vec::new());
    for (index, rule) in config.policy.rules.iter().enumerate() {
        let (name, number) = (rule.name.trim(), index + 1);
        if name.is_empty() {
            mistakes.push(format!("rule {number} has no name"));
        } else if !names.insert(name.to_lowercase()) {
            mistakes.push(format!("two rules are named '{}'", name.escape_debug()));
        }
        if let Some(wrong) = rule_error(rule, config) {
            mistakes.push(format!("rule {number} ('{}'): {wrong}", name.escape_debug()));
        }
    }
    if !mistakes.is_empty() {
        loaded.add_error(RULES, &mistakes.join("; "));
    }
}

fn rule_error(rule: &RuleSettings, config: &Config) -> Option<String> {
    if let Some((key, _)) =
        rule.name_lists().iter().find(|(_, l)| l.is_some_and(|l| l.0.is_empty()))
    {
        return Some(format!("`{key}` is empty; remove it to match anything"));
    }
    let empty = [
        ("tiers", rule.tiers.as_ref().is_some_and(Vec::is_empty)),
        ("risks", rule.risks.as_ref().is_some_and(Vec::is_empty)),
        ("times", rule.times.as_ref().is_some_and(Vec::is_empty)),
    ];
    if let Some((key, _)) = empty.iter().find(|(_, empty)| *empty) {
        return Some(format!("`{key}` is empty; remove it to match anything"));
    }
    if rule.confirmation_text.is_some() && rule.effect != Effect::Confirm {
        return Some("`type` requires effect = \"confirm\"".to_owned());
    }
    let texts = [
        ("name", Some(rule.name.as_str())),
        ("type", rule.confirmation_text.as_deref()),
        ("message", rule.message.as_deref()),
    ];
    for ((key, text), max) in texts.into_iter().zip(MAX_TEXT_CHARS) {
        let Some(text) = text else { continue };
        if key != "name" && text.trim().is_empty() {
            return Some(format!("`{key}` is empty; remove it"));
        }
        if text.chars().count() > max || text.chars().any(char::is_control) {
            return Some(format!("`{key}` must be one line of at most {max} characters"));
        }
    }
    // A name with a `*` is a pattern, so it is not looked up.
    let configured: Vec<&str> =
        config.instances_with_keys().into_iter().map(|(name, ..)| name).collect();
    let unknown = |name: &&String| {
        let name = name.trim_start_matches('!');
        !name.contains('*')
            && !configured.iter().any(|configured| configured.eq_ignore_ascii_case(name))
    };
    let unknown = rule.instances.as_ref().and_then(|instances| instances.0.iter().find(unknown));
    unknown.map(|name| {
        format!(
            "instance '{}' not found; configured instances: {}",
            name.escape_debug(),
            configured.join(", ")
        )
    })
}
