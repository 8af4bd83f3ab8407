//! Describes how a change differs from the preview that was approved.

use std::collections::{HashMap, HashSet};

use super::proposal::{Fact, Proposal};
use crate::text::steps;

/// Returns one line for each preview line that differs from the approved preview. `approved` holds
/// the digests of all approved lines. `shown` holds the lines themselves, or nothing if they were
/// evicted.
pub(super) fn difference(approved: &[[u8; 4]], shown: &[Fact], proposal: &Proposal) -> Vec<String> {
    if proposal.is_too_large() {
        return vec![format!("the {} is now too large to be shown", proposal.action)];
    }
    let mut before: HashMap<&str, &str> = HashMap::new();
    for Fact { about, says } in shown {
        steps::add(1);
        before.entry(about).or_insert(says);
    }
    let approved: HashSet<&[u8; 4]> = approved.iter().collect();
    let mut now: HashSet<&str> = HashSet::new();
    let mut lines = Vec::new();
    for fact in &proposal.facts {
        steps::add(1);
        let Fact { about, says } = fact;
        now.insert(about);
        if !approved.contains(&fact.digest()) {
            let was = before.get(about.as_str()).map_or_else(
                || "was shown as something else".to_owned(),
                |was| format!("was shown as '{was}'"),
            );
            lines.push(format!("{about}: {was}, is now '{says}'"));
        }
    }
    for Fact { about, says } in shown {
        steps::add(1);
        if !now.contains(about.as_str()) {
            lines.push(format!("{about}: was '{says}', is no longer present"));
        }
    }
    if lines.is_empty() {
        lines.push(format!("the state that the {} depends on has changed", proposal.action));
    }
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::octopus::{Order, Path};

    fn proposal(facts: usize, says: &str) -> Proposal {
        let order = Order::post(Path::new(["x"]), json!({}));
        let empty = Proposal::new("test", "Do it?", order);
        (0..facts).fold(empty, |proposal, n| proposal.fact(&format!("F{n}"), says))
    }

    fn compare(before: &Proposal, now: &Proposal) -> Vec<String> {
        let approved: Vec<_> = before.facts.iter().map(Fact::digest).collect();
        difference(&approved, &before.facts, now)
    }

    #[test]
    fn each_fact_is_compared_once() {
        let (before, now) = (proposal(600, "a"), proposal(600, "b"));
        let (lines, steps) = steps::of(|| compare(&before, &now));
        assert!(steps <= 3 * 600, "{steps}");
        assert_eq!(lines.len(), 600);
        assert_eq!(lines[7], "F7: was shown as 'a', is now 'b'");
    }

    #[test]
    fn what_is_new_what_is_gone_and_what_is_neither_is_described() {
        let (two, three) = (proposal(2, "a"), proposal(3, "a"));
        assert_eq!(compare(&two, &three), ["F2: was shown as something else, is now 'a'"]);
        assert_eq!(compare(&three, &two), ["F2: was 'a', is no longer present"]);
        assert_eq!(compare(&two, &two), ["the state that the test depends on has changed"]);
        let lines = compare(&two, &proposal(40_000, "a"));
        assert_eq!(lines, ["the test is now too large to be shown"]);
    }
}
