//! Verdicts of rules at single targets, and their combination.

use super::{decision::Decision, rule::CompiledRule, target::Target, targets::Targets};
use crate::config::{Effect, Risk, TYPE_ENVIRONMENT_NAME};

/// The verdict of a rule at a target, or the default if no rule matches.
#[derive(Debug, Clone, Copy)]
pub(super) struct Verdict<'r> {
    pub(super) rule: Option<&'r CompiledRule>,
    pub(super) effect: Effect,
    pub(super) unknown: Option<&'static str>,
}

impl<'r> Verdict<'r> {
    pub(super) fn rule_name(&self) -> Option<&'r str> {
        self.rule.map(|rule| rule.name.as_str())
    }

    fn confirmation_word(&self) -> Option<&'r str> {
        let confirms = self.effect == Effect::Confirm;
        self.rule.filter(|_| confirms).and_then(|rule| rule.confirmation_word.as_deref())
    }

    /// Returns the strictness for comparison. A confirmation with a word is stricter than one
    /// without.
    pub(super) fn strictness(&self) -> (Effect, bool) {
        (self.effect, self.confirmation_word().is_some())
    }

    pub(super) fn decision(&self) -> Decision {
        Decision {
            rule: self.rule_name().map(str::to_owned),
            effect: self.effect,
            confirmation_word: self.confirmation_word().map(str::to_owned),
            message: self.rule.and_then(|rule| rule.message.clone()),
            risk: Risk::Read,
            unknown_condition: self.unknown,
        }
    }
}

/// A verdict with the targets at which it applies.
#[derive(Debug)]
pub(super) struct VerdictGroup<'r, 's> {
    pub(super) found: Verdict<'r>,
    /// Recorded only if the names of the targets are the confirmation word.
    targets: Vec<Target<'s>>,
}

impl<'r, 's> VerdictGroup<'r, 's> {
    pub(super) fn new(found: Verdict<'r>, target: Target<'s>) -> Self {
        let mut group = Self { found, targets: Vec::new() };
        group.add(found, target);
        group
    }

    pub(super) fn add(&mut self, found: Verdict<'r>, target: Target<'s>) {
        self.found.unknown = self.found.unknown.or(found.unknown);
        if self.lists_target_names() {
            self.targets.push(target);
        }
    }

    fn lists_target_names(&self) -> bool {
        self.found.confirmation_word() == Some(TYPE_ENVIRONMENT_NAME)
    }

    /// Returns the decision of the group. `unknown_name` stands for the names of unknown
    /// environments in the confirmation word; without it, they are left out.
    pub(super) fn decision(&self, targets: &Targets<'s>, unknown_name: Option<&str>) -> Decision {
        let mut decision = self.found.decision();
        if self.lists_target_names() {
            let word = match unknown_name {
                Some(unknown_name) => targets.described_word(&self.targets, unknown_name),
                None => targets.confirmation_word(&self.targets, self.found.rule_name()),
            };
            decision.confirmation_word = Some(word);
        }
        decision
    }
}

/// Merges equally strict decisions. Returns the first decision. If other decisions require
/// different confirmation words, all words are required, in order.
pub(super) fn merge_decisions(decisions: impl Iterator<Item = Decision>) -> Option<Decision> {
    let mut distinct: Vec<Decision> = Vec::new();
    for decision in decisions {
        let is_new =
            distinct.iter().all(|known| known.confirmation_word != decision.confirmation_word);
        if distinct.is_empty() || decision.confirmation_word.is_some() && is_new {
            distinct.push(decision);
        }
    }
    let joined = |of: fn(&Decision) -> Option<&String>, between: &str| {
        let all: Vec<&str> = distinct.iter().filter_map(of).map(String::as_str).collect();
        (!all.is_empty()).then(|| all.join(between))
    };
    let rule = joined(|decision| decision.rule.as_ref(), ", ");
    let typed = joined(|decision| decision.confirmation_word.as_ref(), " ");
    let message = joined(|decision| decision.message.as_ref(), "; ");
    let unknown = distinct.iter().find_map(|decision| decision.unknown_condition);
    Some(Decision {
        rule,
        confirmation_word: typed,
        message,
        unknown_condition: unknown,
        ..distinct.into_iter().next()?
    })
}
