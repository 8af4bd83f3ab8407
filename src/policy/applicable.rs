//! Selects the rules that can match a call.

use super::{
    input::{PolicyInput, ResourceKind, Tier},
    rule::CompiledRule,
};

/// The rules that can match a call at some target, in their order.
///
/// Rules that match at no target never decide. The same applies to rules after a rule that matches
/// at all targets. Their conditions do not multiply the number of evaluated targets.
#[derive(Debug)]
pub(super) struct ApplicableRules<'r> {
    rules: Vec<&'r CompiledRule>,
}

impl<'r> ApplicableRules<'r> {
    pub(super) fn select(all: &'r [CompiledRule], input: &PolicyInput) -> Self {
        let is_read = input.tier == Tier::Read;
        let mut rules = Vec::new();
        for rule in all {
            if is_read && !rule.covers_reads || !rule.can_match(input) {
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
    pub(super) fn depends_on(&self, kind: ResourceKind, input: &PolicyInput) -> bool {
        self.rules.iter().any(|rule| rule.depends_on(kind, input.action))
    }
}
