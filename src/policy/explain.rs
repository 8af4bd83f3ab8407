//! Explains decisions, for the tool `explain_access` and the command `policy test`.

use super::{
    engine::PolicyEngine,
    input::{PolicyInput, Tier},
    rule::RuleMatch,
    target::Target,
};
use crate::{config::Effect, text::step_counter};

/// The result of one rule in the explanation of a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleStep {
    /// The name of the rule.
    pub rule: String,
    /// The effect of the rule.
    pub effect: Effect,
    /// Reason why the rule matches or does not match.
    pub reason: String,
    /// Whether the rule applies to the call.
    pub matched: bool,
}

impl PolicyEngine {
    /// Explains a decision: returns the result of each rule at the deciding target, up to the rule
    /// that decided.
    pub fn explain(&self, input: &PolicyInput) -> Vec<RuleStep> {
        let target = self.deciding_target(input);
        target.map_or_else(Vec::new, |target| self.explain_at(input, &target))
    }

    fn explain_at(&self, input: &PolicyInput, target: &Target<'_>) -> Vec<RuleStep> {
        let is_read = input.tier == Tier::Read;
        let mut steps = Vec::new();
        for rule in &self.rules {
            step_counter::add(1);
            let (rule_match, reason) = if is_read && !rule.covers_reads {
                (RuleMatch::No("tiers"), "the rule does not cover reads".to_owned())
            } else {
                let rule_match = rule.matches(input, target);
                (rule_match, match_reason(rule_match, rule.effect, is_read))
            };
            let matched = rule_match.applies(rule.effect, !is_read);
            steps.push(RuleStep { rule: rule.name.clone(), effect: rule.effect, reason, matched });
            if rule_match == RuleMatch::Yes {
                break;
            }
        }
        steps
    }
}

/// Returns the reason why a rule matches a call or does not match.
pub(super) fn match_reason(rule_match: RuleMatch, effect: Effect, is_read: bool) -> String {
    match (rule_match, effect) {
        (RuleMatch::Yes, _) => "matches".to_owned(),
        (RuleMatch::No(condition), _) => format!("`{condition}` does not match"),
        (RuleMatch::Unknown(condition), Effect::Allow) => {
            format!("`{condition}` is unknown, so the rule does not allow the call")
        }
        (RuleMatch::Unknown(condition), _) if is_read => format!("`{condition}` is unknown"),
        (RuleMatch::Unknown(condition), _) => {
            format!("`{condition}` is unknown, so the rule applies")
        }
    }
}
