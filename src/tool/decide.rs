//! Evaluates the policy on the async worker, or in the compute pool if the evaluation is expensive.

use std::sync::Arc;

use super::{Context, Error};
use crate::{
    compute::{ComputeError, ComputeScope},
    rules::{Decision, Rules, Situation},
};

/// Maximum weight of a policy evaluation that runs on the async worker. The weight counts
/// comparisons of a rule with a target; each compares a few names with patterns.
const INLINE: usize = 2_000;

impl Context {
    /// Evaluates the policy for a call. With `strict`, a rule about reads that may match, because
    /// something is unknown, applies as it does for changes.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Compute`] if the evaluation is expensive and the compute budget of the call
    /// is spent.
    pub(super) async fn decide(
        &self,
        situation: &Situation,
        strict: bool,
    ) -> Result<Decision, Error> {
        Ok(decide(self.compute(), &self.rules, situation, strict).await?)
    }
}

async fn decide(
    compute: &ComputeScope,
    rules: &Arc<Rules>,
    situation: &Situation,
    strict: bool,
) -> Result<Decision, ComputeError> {
    if rules.weight(situation) <= INLINE {
        return rules.decide_checked(situation, strict, || Ok(()));
    }
    let (rules, situation) = (Arc::clone(rules), situation.clone());
    compute
        .run(move |budget| rules.decide_checked(&situation, strict, || Ok(budget.check()?)))
        .await
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, time::Duration};

    use super::*;
    use crate::{
        compute::{CallerKey, ComputePool},
        config::{Effect, Policy},
        rules::{Deed, Moment, Of, Thing, Tier},
        text::steps,
    };

    /// `count` things, named by their number.
    fn many(count: usize) -> Of {
        Of::known((0..count).map(|number| Thing::called(&number.to_string())).collect())
    }

    /// A read of `each` things of each kind.
    fn reading(each: usize) -> Situation {
        Situation {
            tool: "execute".to_owned(),
            toolset: "core".to_owned(),
            tier: Tier::Read,
            deed: Deed::Read,
            instance: "default".to_owned(),
            callers: vec!["agent".to_owned()],
            groups: BTreeSet::new(),
            times: vec![Moment::Unknown],
            space: Of::known(vec![Thing::called("Default")]),
            projects: many(each),
            environments: many(each),
            tenants: many(each),
        }
    }

    /// Three rules about reads. With `with_kinds`, each rule matches one kind of things; otherwise
    /// none does.
    fn rules(with_kinds: bool) -> Arc<Rules> {
        let kinds = ["projects", "environments", "tenants"];
        let rules = kinds.map(|kind| {
            let kind = if with_kinds { kind } else { "spaces" };
            serde_json::json!({ "name": kind, "effect": "deny", "tiers": ["read"], kind: ["20"] })
        });
        let rules = serde_json::from_value(rules.into_iter().collect()).unwrap();
        Arc::new(Rules::of(&Policy { rules, ..Policy::default() }).unwrap())
    }

    /// Returns the decision and the number of steps on this thread.
    fn decided(
        rules: &Arc<Rules>,
        situation: &Situation,
        call_time: Duration,
    ) -> (Result<Decision, ComputeError>, usize) {
        let compute = ComputePool::new(1, call_time).scope(CallerKey::UNPROVEN);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        steps::of(|| runtime.block_on(decide(&compute, rules, situation, true)))
    }

    #[test]
    fn decisions_on_many_places_run_outside_the_async_worker() {
        let long = Duration::from_mins(1);
        for (each, with_kinds, effect, on_this_thread) in [
            (8, true, Effect::Allow, 8 * 8 * 8 * 3),
            (9, true, Effect::Allow, 0),
            (21, true, Effect::Deny, 0),
            // Kinds that no rule matches do not add weight.
            (1_000, false, Effect::Allow, 3),
        ] {
            let (decision, steps) = decided(&rules(with_kinds), &reading(each), long);
            assert_eq!((decision.unwrap().effect, steps), (effect, on_this_thread), "{each}");
        }
        // The evaluation has the same compute budget as other work of the call.
        let (decision, _) = decided(&rules(true), &reading(21), Duration::ZERO);
        assert_eq!(decision, Err(ComputeError::BudgetSpent(Duration::ZERO)));
    }
}
