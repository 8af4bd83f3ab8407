//! Validation of the policy rules.

use std::collections::BTreeSet;

use crate::config::{Config, Effect, LoadedConfig, RuleSettings};

/// Maximum number of characters of a name, a `type` and a message.
const MAX_TEXT_CHARS: [usize; 3] = [60, 100, 500];

/// Adds the mistakes in the rules that do not depend on the tool catalog.
pub(super) fn validate(loaded: &mut LoadedConfig, config: &Config) {
    const RULES: &str = "policy.rules";
    let mut names = BTreeSet::new();
    for (index, rule) in config.policy.rules.iter().enumerate() {
        let (name, number) = (rule.name.trim(), index + 1);
        if name.is_empty() {
            loaded.add_error(RULES, &format!("rule {number} has no name"));
        } else if !names.insert(name.to_lowercase()) {
            let message = format!("two rules are named '{}'", name.escape_debug());
            loaded.add_error(RULES, &message);
        }
        for wrong in rule_errors(rule, config) {
            let message = format!("rule {number} ('{}'): {wrong}", name.escape_debug());
            loaded.add_error(RULES, &message);
        }
    }
}

fn rule_errors(rule: &RuleSettings, config: &Config) -> Vec<String> {
    let lists = rule.name_lists().into_iter();
    let lists = lists.map(|(key, list)| (key, list.is_some_and(|list| list.0.is_empty())));
    let others = [
        ("tiers", rule.tiers.as_ref().is_some_and(Vec::is_empty)),
        ("risks", rule.risks.as_ref().is_some_and(Vec::is_empty)),
        ("times", rule.times.as_ref().is_some_and(Vec::is_empty)),
    ];
    let empty = lists.chain(others).filter(|(_, is_empty)| *is_empty);
    let mut errors: Vec<String> =
        empty.map(|(key, _)| format!("`{key}` is empty; remove it to match anything")).collect();
    if rule.confirmation_text.is_some() && rule.effect != Effect::Confirm {
        errors.push("`type` requires effect = \"confirm\"".to_owned());
    }
    let texts = [
        ("name", Some(rule.name.as_str())),
        ("type", rule.confirmation_text.as_deref()),
        ("message", rule.message.as_deref()),
    ];
    for ((key, text), max) in texts.into_iter().zip(MAX_TEXT_CHARS) {
        let Some(text) = text else { continue };
        if key != "name" && text.trim().is_empty() {
            errors.push(format!("`{key}` is empty; remove it"));
        }
        if text.chars().count() > max || text.chars().any(char::is_control) {
            errors.push(format!("`{key}` must be one line of at most {max} characters"));
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
    let instances = rule.instances.iter().flat_map(|instances| &instances.0);
    errors.extend(instances.filter(unknown).map(|name| {
        format!(
            "instance '{}' not found; configured instances: {}",
            name.escape_debug(),
            configured.join(", ")
        )
    }));
    errors
}
