//! Verdicts of rules at single targets, and their combination.

use super::{
    Decision,
    rule::Rule,
    targets::{Target, Targets},
};
use crate::config::{ENVIRONMENT_WORD, Effect, Risk};

/// The verdict of a rule at a target, or the default if no rule matches.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found<'r> {
    pub(super) rule: Option<&'r Rule>,
    pub(super) effect: Effect,
    pub(super) unknown: Option<&'static str>,
}

impl<'r> Found<'r> {
    pub(super) fn name(&self) -> Option<&'r str> {
        self.rule.map(|rule| rule.name.as_str())
    }

    fn typed(&self) -> Option<&'r str> {
        let confirms = self.effect == Effect::Confirm;
        self.rule.filter(|_| confirms).and_then(|rule| rule.typed.as_deref())
    }

    /// Returns the strictness for comparison. A confirmation with a word is stricter than one
    /// without.
    pub(super) fn strictness(&self) -> (Effect, bool) {
        (self.effect, self.typed().is_some())
    }

    pub(super) fn decision(&self) -> Decision {
        Decision {
            rule: self.name().map(str::to_owned),
            effect: self.effect,
            typed: self.typed().map(str::to_owned),
            message: self.rule.and_then(|rule| rule.message.clone()),
            risk: Risk::Read,
            unknown: self.unknown,
        }
    }
}

/// A verdict with the targets where it applies.
#[derive(Debug)]
pub(super) struct Group<'r, 's> {
    pub(super) found: Found<'r>,
    /// Recorded only if the names of the targets are the confirmation word.
    places: Vec<Target<'s>>,
}

impl<'r, 's> Group<'r, 's> {
    pub(super) fn of(found: Found<'r>, place: Target<'s>) -> Self {
        let mut group = Self { found, places: Vec::new() };
        group.add(found, place);
        group
    }

    pub(super) fn add(&mut self, found: Found<'r>, place: Target<'s>) {
        self.found.unknown = self.found.unknown.or(found.unknown);
        if self.is_named() {
            self.places.push(place);
        }
    }

    fn is_named(&self) -> bool {
        self.found.typed() == Some(ENVIRONMENT_WORD)
    }

    pub(super) fn decision(&self, targets: &Targets<'s>) -> Decision {
        let mut decision = self.found.decision();
        if self.is_named() {
            decision.typed = Some(targets.word(&self.places, self.found.name()));
        }
        decision
    }
}

/// Merges equally strict decisions. The first one counts. If others require different confirmation
/// words, all words are required, in order.
pub(super) fn together(decisions: impl Iterator<Item = Decision>) -> Option<Decision> {
    let mut distinct: Vec<Decision> = Vec::new();
    for decision in decisions {
        let is_new = distinct.iter().all(|known| known.typed != decision.typed);
        if distinct.is_empty() || decision.typed.is_some() && is_new {
            distinct.push(decision);
        }
    }
    let joined = |of: fn(&Decision) -> Option<&String>, between: &str| {
        let all: Vec<&str> = distinct.iter().filter_map(of).map(String::as_str).collect();
        (!all.is_empty()).then(|| all.join(between))
    };
    let rule = joined(|decision| decision.rule.as_ref(), ", ");
    let typed = joined(|decision| decision.typed.as_ref(), " ");
    let message = joined(|decision| decision.message.as_ref(), "; ");
    let unknown = distinct.iter().find_map(|decision| decision.unknown);
    Some(Decision { rule, typed, message, unknown, ..distinct.into_iter().next()? })
}
