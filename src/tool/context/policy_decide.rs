//! Evaluates the policy on the async worker, or in the compute pool if the evaluation is expensive.

use std::sync::Arc;

use crate::{
    compute::{ComputeError, ComputeScope},
    policy::{Decision, PolicyEngine, PolicyInput},
    tool::{Context, Error},
};

/// Maximum weight of a policy evaluation that runs on the async worker. The weight counts
/// comparisons of a rule with a target; each compares a few names with patterns.
const MAX_INLINE_WEIGHT: usize = 2_000;

impl Context {
    /// Evaluates the policy for a call. With `strict`, a rule about reads that may match, because
    /// something is unknown, applies as it does for changes.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Compute`] if the evaluation is expensive and the compute budget of the call
    /// is spent.
    pub(in crate::tool) async fn decide(
        &self,
        input: &PolicyInput,
        strict: bool,
    ) -> Result<Decision, Error> {
        Ok(evaluate(self.compute(), &self.policy, input, strict).await?)
    }
}

async fn evaluate(
    compute: &ComputeScope,
    policy: &Arc<PolicyEngine>,
    input: &PolicyInput,
    strict: bool,
) -> Result<Decision, ComputeError> {
    if policy.estimated_comparisons(input) <= MAX_INLINE_WEIGHT {
        return policy.decide_interruptible(input, strict, || Ok(()));
    }
    let (policy, input) = (Arc::clone(policy), input.clone());
    compute
        .run(move |budget| policy.decide_interruptible(&input, strict, || Ok(budget.check()?)))
        .await
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, time::Duration};

    use super::*;
    use crate::{
        compute::{CallerKey, ComputePool},
        config::{Effect, PolicySettings},
        policy::{Moment, PolicyAction, ResourceRef, ResourceSet, Tier},
        text::step_counter,
    };

    /// Returns `count` resources, named by their number.
    fn numbered(count: usize) -> ResourceSet {
        ResourceSet::known(
            (0..count).map(|number| ResourceRef::named(&number.to_string())).collect(),
        )
    }

    /// Returns a read of `each` resources of each kind.
    fn read_input(each: usize) -> PolicyInput {
        PolicyInput {
            tool: "execute".to_owned(),
            toolset: "core".to_owned(),
            tier: Tier::Read,
            action: PolicyAction::Read,
            instance: "default".to_owned(),
            callers: vec!["agent".to_owned()],
            groups: BTreeSet::new(),
            times: vec![Moment::Unknown],
            space: ResourceSet::known(vec![ResourceRef::named("Default")]),
            projects: numbered(each),
            environments: numbered(each),
            tenants: numbered(each),
        }
    }

    /// Returns three rules about reads. With `with_kinds`, each rule matches one kind of resources;
    /// otherwise none does.
    fn policy(with_kinds: bool) -> Arc<PolicyEngine> {
        let kinds = ["projects", "environments", "tenants"];
        let rules = kinds.map(|kind| {
            let kind = if with_kinds { kind } else { "spaces" };
            serde_json::json!({ "name": kind, "effect": "deny", "tiers": ["read"], kind: ["20"] })
        });
        let rules = serde_json::from_value(rules.into_iter().collect()).unwrap();
        Arc::new(
            PolicyEngine::from_settings(&PolicySettings { rules, ..PolicySettings::default() })
                .unwrap(),
        )
    }

    /// Returns the decision and the number of steps on this thread.
    fn evaluated(
        rules: &Arc<PolicyEngine>,
        input: &PolicyInput,
        call_time: Duration,
    ) -> (Result<Decision, ComputeError>, usize) {
        let compute = ComputePool::new(1, call_time).scope(CallerKey::UNVERIFIED);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        step_counter::count(|| runtime.block_on(evaluate(&compute, rules, input, true)))
    }

    #[test]
    fn expensive_evaluations_run_in_the_compute_pool() {
        let long = Duration::from_mins(1);
        for (each, with_kinds, effect, on_this_thread) in [
            (8, true, Effect::Allow, 8 * 8 * 8 * 3),
            (9, true, Effect::Allow, 0),
            (21, true, Effect::Deny, 0),
            // Kinds that no rule matches do not add weight.
            (1_000, false, Effect::Allow, 3),
        ] {
            let (decision, steps) = evaluated(&policy(with_kinds), &read_input(each), long);
            assert_eq!((decision.unwrap().effect, steps), (effect, on_this_thread), "{each}");
        }
        // The evaluation has the same compute budget as other work of the call.
        let (decision, _) = evaluated(&policy(true), &read_input(21), Duration::ZERO);
        assert_eq!(decision, Err(ComputeError::BudgetSpent(Duration::ZERO)));
    }
}
