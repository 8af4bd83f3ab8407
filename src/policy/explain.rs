//! Explains decisions, for the tool `explain_access` and the command `policy test`.

use super::{
    decision::Decision,
    engine::{Evaluation, PolicyEngine},
    input::{PolicyInput, Tier},
    rule::RuleMatch,
    target::Target,
};
use crate::{config::Effect, text::step_counter};

/// A decision with its reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The decision, equal to the result of [`PolicyEngine::decide`].
    pub decision: Decision,
    /// The result of each rule at the deciding target, up to the rule that decided.
    pub steps: Vec<RuleStep>,
    /// Text that a person must type to confirm. If it is the name of an environment that the input
    /// does not contain, `<name of the environment>` stands for the name.
    pub word_to_type: Option<String>,
}

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
    /// Decides on a call and explains the decision.
    pub fn explain(&self, input: &PolicyInput) -> Explanation {
        let Evaluation { decision, deciding_target, described_word } =
            self.evaluate_uninterrupted(input, false);
        let steps = deciding_target.map_or_else(Vec::new, |target| self.explain_at(input, &target));
        let word_to_type = described_word.or_else(|| decision.confirmation_word.clone());
        Explanation { decision, steps, word_to_type }
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
