//! The rules that can match a call, and the kinds of things that they match by.

use super::{Situation, Tier, rule::Rule};

/// A kind of thing of which a call can reach several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Space,
    Project,
    Environment,
    Tenant,
}

/// The rules that can match a call at some place, in their order.
///
/// A rule that cannot match at any place never decides, and neither does a rule behind one that
/// matches at all places. Their matchers do not multiply the places that are judged.
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

    /// How many rules they are.
    pub(super) fn count(&self) -> usize {
        self.rules.len()
    }

    /// Returns whether the decision can depend on which thing of this kind the call reaches.
    pub(super) fn match_by(&self, kind: Kind, situation: &Situation) -> bool {
        self.rules.iter().any(|rule| rule.matches_by(kind, situation.deed))
    }
}
