//! How a decision came about, for `explain_access` and the command `policy test`.

use super::{Rules, Situation, Tier, rule::Fit, targets::Target};
use crate::{config::Effect, text::steps};

/// What one rule said of a call, to explain a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The rule.
    pub rule: String,
    /// What it would do.
    pub effect: Effect,
    /// Why it is about the call, or is not.
    pub said: String,
    /// Whether it is about the call.
    pub matched: bool,
}

impl Rules {
    /// How the decision came about: what each rule said at the place that decided, up to the rule
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
                (Fit::No("tiers"), "it is not about calls that only read".to_owned())
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

/// Returns why a rule is about a call or is not.
pub(super) fn said(fit: Fit, effect: Effect, reads: bool) -> String {
    match (fit, effect) {
        (Fit::Yes, _) => "it matches".to_owned(),
        (Fit::No(what), _) => format!("`{what}` does not match"),
        (Fit::Unknown(what), Effect::Allow) => {
            format!("`{what}` is not known, and then nothing is let through by it")
        }
        (Fit::Unknown(what), _) if reads => format!("`{what}` is not known"),
        (Fit::Unknown(what), _) => format!("`{what}` is not known, so it counts"),
    }
}
