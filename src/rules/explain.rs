//! Explains decisions, for the tool `explain_access` and the command `policy test`.

use super::{Rules, Situation, Tier, rule::Fit, targets::Target};
use crate::{config::Effect, text::steps};

/// The result of one rule in the explanation of a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The name of the rule.
    pub rule: String,
    /// The effect of the rule.
    pub effect: Effect,
    /// Why the rule matches or does not match.
    pub said: String,
    /// Whether the rule applies to the call.
    pub matched: bool,
}

impl Rules {
    /// Explains a decision: returns the result of each rule at the deciding target, up to the rule
    /// that decided.
    pub fn steps(&self, situation: &Situation) -> Vec<Step> {
        let place = self.deciding_place(situation);
        place.map_or_else(Vec::new, |target| self.steps_at(situation, &target))
    }

    fn steps_at(&self, situation: &Situation, target: &Target<'_>) -> Vec<Step> {
        let reads = situation.tier == Tier::Read;
        let mut all = Vec::new();
        for rule in &self.rules {
            steps::add(1);
            let (fit, said) = if reads && !rule.reads {
                (Fit::No("tiers"), "the rule does not cover reads".to_owned())
            } else {
                let fit = rule.fits(situation, target);
                (fit, said(fit, rule.effect, reads))
            };
            let matched = fit.counts(rule.effect, !reads);
            all.push(Step { rule: rule.name.clone(), effect: rule.effect, said, matched });
            if fit == Fit::Yes {
                break;
            }
        }
        all
    }
}

/// Returns why a rule matches a call or does not.
pub(super) fn said(fit: Fit, effect: Effect, reads: bool) -> String {
    match (fit, effect) {
        (Fit::Yes, _) => "matches".to_owned(),
        (Fit::No(what), _) => format!("`{what}` does not match"),
        (Fit::Unknown(what), Effect::Allow) => {
            format!("`{what}` is unknown, so the rule does not allow the call")
        }
        (Fit::Unknown(what), _) if reads => format!("`{what}` is unknown"),
        (Fit::Unknown(what), _) => format!("`{what}` is unknown, so the rule applies"),
    }
}
