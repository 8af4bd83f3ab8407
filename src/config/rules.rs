//! Settings of the policy.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Config, Effect, ListSetting, LoadedConfig, RuleSettings};

/// Policy rules that allow calls, require approval or deny them, in addition to the other settings.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PolicySettings {
    /// Rules in order; the first rule that matches decides. A call is checked for each combination
    /// of the resources that it accesses, e.g. each environment with each tenant, and the strictest
    /// decision applies. All criteria of a rule must match; omitted criteria match anything. A rule
    /// applies to changes only, unless its `tiers` or `risks` contain `read`. Names match as in
    /// Octopus, ignoring case, or as slugs or IDs. `*` matches any characters, and a leading `!`
    /// excludes matches of the other entries. If a criterion of a change cannot be determined,
    /// `deny` and `confirm` rules match and `allow` rules do not.
    pub rules: Vec<RuleSettings>,
    /// Effect on changes that no rule matches: `allow` (default), `confirm` or `deny`.
    pub otherwise: Effect,
    /// Environments in which deployments, runbook runs and feature toggles have the risk `high`.
    /// `*` and `!` as in rules. The default matches common names of production environments.
    pub high_risk_environments: ListSetting,
    /// Tags of high-risk environments, written `Set/Tag` (default none).
    pub high_risk_environment_tags: ListSetting,
    /// Forbids callers to answer interruptions of deployments and runbook runs that they started
    /// through this server (default true). Task initiators are kept in `limits.store`. With a
    /// memory store, or if the response to the start was lost, the initiator can be unknown. Then
    /// the user whom Octopus names as initiator, and all callers that share this Octopus user, may
    /// not answer. If Octopus names none, nobody can answer through this server.
    pub four_eyes: bool,
}

impl Default for PolicySettings {
    fn default() -> Self {
        let likely = [
            "prod",
            "production",
            "live",
            "prod-*",
            "prod *",
            "*-prod",
            "* prod",
            "production-*",
            "production *",
            "*-production",
            "* production",
            "!*pre-prod*",
            "!*pre prod*",
            "!*non-prod*",
            "!*non prod*",
        ];
        let likely = likely.into_iter().map(str::to_owned).collect();
        Self {
            rules: Vec::new(),
            otherwise: Effect::Allow,
            high_risk_environments: ListSetting(likely),
            high_risk_environment_tags: ListSetting::default(),
            four_eyes: true,
        }
    }
}

/// Maximum number of characters of a name, a `type` and a message.
const MAX_TEXT_CHARS: [usize; 3] = [60, 100, 500];

/// Adds the mistakes in the rules that do not depend on the tool catalog.
pub(super) fn validate(loaded: &mut LoadedConfig, config: &Config) {
    const RULES: &str = "policy.rules";
    let (mut names, mut mistakes) = (BTreeSet::new(), Vec::new());
    for (place, rule) in config.policy.rules.iter().enumerate() {
        let (name, nth) = (rule.name.trim(), place + 1);
        if name.is_empty() {
            mistakes.push(format!("rule {nth} has no name"));
        } else if !names.insert(name.to_lowercase()) {
            mistakes.push(format!("two rules are named '{}'", name.escape_debug()));
        }
        if let Some(wrong) = rule_error(rule, config) {
            mistakes.push(format!("rule {nth} ('{}'): {wrong}", name.escape_debug()));
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
    for ((key, text), longest) in texts.into_iter().zip(MAX_TEXT_CHARS) {
        let Some(text) = text else { continue };
        if key != "name" && text.trim().is_empty() {
            return Some(format!("`{key}` is empty; remove it"));
        }
        if text.chars().count() > longest || text.chars().any(char::is_control) {
            return Some(format!("`{key}` must be one line of at most {longest} characters"));
        }
    }
    // A name with a `*` is a pattern, so it is not looked up.
    let known: Vec<&str> =
        config.instances_with_keys().into_iter().map(|(name, ..)| name).collect();
    let unknown = |name: &&String| {
        let name = name.trim_start_matches('!');
        !name.contains('*') && !known.iter().any(|known| known.eq_ignore_ascii_case(name))
    };
    let unknown = rule.instances.as_ref().and_then(|instances| instances.0.iter().find(unknown));
    unknown.map(|name| {
        format!(
            "instance '{}' not found; configured instances: {}",
            name.escape_debug(),
            known.join(", ")
        )
    })
}
