//! Selects the rules that can match a call, and the kinds of resources that they depend on.

use super::{Situation, Tier, rule::Rule};

/// A kind of resource. A call can access several resources of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Space,
    Project,
    Environment,
    Tenant,
}

/// The rules that can match a call at some target, in their order.
///
/// A rule that matches at no target never decides. Neither does a rule after one that matches at
/// all targets. Their conditions do not multiply the number of evaluated targets.
#[derive(Debug)]
pub(super) struct Applicable<'r> {
    rules: Vec<&'r Rule>,
}

impl<'r> Applicable<'r> {
    pub(super) fn of(all: &'r [Rule], situation: &Situation) -> Self {
        let reads = situation.tier == Tier::Read;
        let mut rules = Vec::new();
        for rule in all {
            if reads && !rule.reads || !rule.can_match(situation) {
                continue;
            }
            rules.push(rule);
            if rule.is_same_everywhere() {
                break;
            }
        }
        Self { rules }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &'r Rule> {
        self.rules.iter().copied()
    }

    /// Returns the number of rules.
    pub(super) fn count(&self) -> usize {
        self.rules.len()
    }

    /// Returns whether the decision can depend on the resource of this kind.
    pub(super) fn match_by(&self, kind: Kind, situation: &Situation) -> bool {
        self.rules.iter().any(|rule| rule.matches_by(kind, situation.deed))
    }
}
