//! The settings of the policy: which calls are let through, asked about or refused.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Config, Effect, List, Loaded, Rule};

/// Which calls are let through, asked about or refused, beyond what the rest of the settings says.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// Rules, in order: the first one that matches decides. What a call touches is judged one by
    /// one, each environment with each tenant, and the strictest decision counts. Everything that
    /// a rule names must match; what it leaves out matches anything. A rule is about changes,
    /// unless its tiers or risks name `read`. Names are written as in Octopus, in any letter case,
    /// or as slugs or IDs; `*` stands for any letters, and `!` at the
    /// beginning takes out what the others of the list mean. Where it cannot be known whether a change
    /// matches, `deny` and `confirm` count and `allow` does not.
    pub rules: Vec<Rule>,
    /// What happens to a change that no rule is about: `allow`, `confirm` or `deny`.
    pub otherwise: Effect,
    /// Environments where a deployment, a runbook run or a feature toggle is of high risk.
    pub high_risk_environments: List,
    /// The same by tags of environments, as `Set/Tag`.
    pub high_risk_environment_tags: List,
    /// Whether nobody may answer the interruption of a deployment or runbook run that they started
    /// through this server themselves. Who started what is remembered in `limits.store`. Where that
    /// is memory, or the answer to the start was lost, it may not be known any more: then whoever
    /// Octopus itself says started it may not answer either, nor anybody for whom the same Octopus
    /// user acts; and where Octopus does not say, nobody may through this server.
    pub four_eyes: bool,
}

impl Default for Policy {
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
            high_risk_environments: List(likely),
            high_risk_environment_tags: List::default(),
            four_eyes: true,
        }
    }
}

/// How long a name, a word or a message may be.
const LONGEST: [usize; 3] = [60, 100, 500];

/// Adds the mistakes in the rules that can be seen without the catalog.
pub(super) fn validate(loaded: &mut Loaded, config: &Config) {
    const RULES: &str = "policy.rules";
    let (mut names, mut mistakes) = (BTreeSet::new(), Vec::new());
    for (place, rule) in config.policy.rules.iter().enumerate() {
        let (name, nth) = (rule.name.trim(), place + 1);
        if name.is_empty() {
            mistakes.push(format!("rule {nth} has no name; answers and records name it"));
        } else if !names.insert(name.to_lowercase()) {
            mistakes.push(format!("two rules are called '{}'", name.escape_debug()));
        }
        if let Some(wrong) = mistake(rule, config) {
            mistakes.push(format!("rule {nth} ('{}'): {wrong}", name.escape_debug()));
        }
    }
    if !mistakes.is_empty() {
        loaded.refuse(RULES, &mistakes.join("; "));
    }
}

fn mistake(rule: &Rule, config: &Config) -> Option<String> {
    if let Some((key, _)) = rule.lists().iter().find(|(_, l)| l.is_some_and(|l| l.0.is_empty())) {
        return Some(format!("`{key}` is empty; leave it out to match anything"));
    }
    let empty = [
        ("tiers", rule.tiers.as_ref().is_some_and(Vec::is_empty)),
        ("risks", rule.risks.as_ref().is_some_and(Vec::is_empty)),
        ("times", rule.times.as_ref().is_some_and(Vec::is_empty)),
    ];
    if let Some((key, _)) = empty.iter().find(|(_, empty)| *empty) {
        return Some(format!("`{key}` is empty; leave it out to match anything"));
    }
    if rule.typed.is_some() && rule.effect != Effect::Confirm {
        return Some("`type` goes with effect = \"confirm\"".to_owned());
    }
    let texts = [
        ("name", Some(rule.name.as_str())),
        ("type", rule.typed.as_deref()),
        ("message", rule.message.as_deref()),
    ];
    for ((key, text), longest) in texts.into_iter().zip(LONGEST) {
        let Some(text) = text else { continue };
        if key != "name" && text.trim().is_empty() {
            return Some(format!("`{key}` is empty; leave it out"));
        }
        if text.chars().count() > longest || text.chars().any(char::is_control) {
            return Some(format!("`{key}` is one line of at most {longest} characters"));
        }
    }
    // A name with a `*` is not looked up.
    let known: Vec<&str> = config.each_instance().into_iter().map(|(name, ..)| name).collect();
    let unknown = |name: &&String| {
        let name = name.trim_start_matches('!');
        !name.contains('*') && !known.iter().any(|known| known.eq_ignore_ascii_case(name))
    };
    let unknown = rule.instances.as_ref().and_then(|instances| instances.0.iter().find(unknown));
    unknown.map(|name| {
        format!("there is no instance '{}'; there are: {}", name.escape_debug(), known.join(", "))
    })
}
