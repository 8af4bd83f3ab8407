//! Selects the rules that can match a call.

use super::{
    input::{PolicyInput, ResourceKind, Tier},
    rule::CompiledRule,
};

/// The rules that can match a call at some target, in their order.
///
/// A rule that matches at no target never decides. Neither does a rule after one that matches at
/// all targets. Their conditions do not multiply the number of evaluated targets.
#[derive(Debug)]
pub(super) struct ApplicableRules<'r> {
    rules: Vec<&'r CompiledRule>,
}

impl<'r> ApplicableRules<'r> {
    pub(super) fn select(all: &'r [CompiledRule], situation: &PolicyInput) -> Self {
        let reads = situation.tier == Tier::Read;
        let mut rules = Vec::new();
        for rule in all {
            if reads && !rule.covers_reads || !rule.can_match(situation) {
                continue;
            }
            rules.push(rule);
            if rule.is_target_independent() {
                break;
            }
        }
        Self { rules }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &'r CompiledRule> {
        self.rules.iter().copied()
    }

    /// Returns the number of rules.
    pub(super) fn count(&self) -> usize {
        self.rules.len()
    }

    /// Returns whether the decision can depend on the resource of this kind.
    pub(super) fn depends_on(&self, kind: ResourceKind, situation: &PolicyInput) -> bool {
        self.rules.iter().any(|rule| rule.depends_on(kind, situation.action))
    }
}
