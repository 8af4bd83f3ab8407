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
    /// Why the rule matches or does not match.
    pub reason: String,
    /// Whether the rule applies to the call.
    pub matched: bool,
}

impl PolicyEngine {
    /// Explains a decision: returns the result of each rule at the deciding target, up to the rule
    /// that decided.
    pub fn explain(&self, situation: &PolicyInput) -> Vec<RuleStep> {
        let place = self.deciding_target(situation);
        place.map_or_else(Vec::new, |target| self.explain_at(situation, &target))
    }

    fn explain_at(&self, situation: &PolicyInput, target: &Target<'_>) -> Vec<RuleStep> {
        let reads = situation.tier == Tier::Read;
        let mut all = Vec::new();
        for rule in &self.rules {
            step_counter::add(1);
            let (fit, said) = if reads && !rule.covers_reads {
                (RuleMatch::No("tiers"), "the rule does not cover reads".to_owned())
            } else {
                let fit = rule.matches(situation, target);
                (fit, match_reason(fit, rule.effect, reads))
            };
            let matched = fit.applies(rule.effect, !reads);
            all.push(RuleStep {
                rule: rule.name.clone(),
                effect: rule.effect,
                reason: said,
                matched,
            });
            if fit == RuleMatch::Yes {
                break;
            }
        }
        all
    }
}

/// Returns why a rule matches a call or does not.
pub(super) fn match_reason(fit: RuleMatch, effect: Effect, reads: bool) -> String {
    match (fit, effect) {
        (RuleMatch::Yes, _) => "matches".to_owned(),
        (RuleMatch::No(what), _) => format!("`{what}` does not match"),
        (RuleMatch::Unknown(what), Effect::Allow) => {
            format!("`{what}` is unknown, so the rule does not allow the call")
        }
        (RuleMatch::Unknown(what), _) if reads => format!("`{what}` is unknown"),
        (RuleMatch::Unknown(what), _) => format!("`{what}` is unknown, so the rule applies"),
    }
}
