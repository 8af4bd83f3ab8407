//! Decides on calls.

use std::{convert::Infallible, fmt, sync::Arc};

use jiff::Timestamp;

use super::{
    applicable::ApplicableRules,
    decision::Decision,
    input::{PolicyInput, TargetResource, Tier},
    risk::HighRisk,
    rule::{CompiledRule, RuleMatch},
    target::Target,
    targets::{self, Targets},
    verdict::{Verdict, VerdictGroup, merge_decisions},
};
use crate::config::{Effect, PolicySettings, Risk};

/// The number of targets after which an evaluation checks whether it must stop.
const CHECK_INTERVAL: usize = 64;

/// The compiled policy rules of the settings.
#[derive(Debug, Clone)]
pub struct PolicyEngine {
    pub(super) rules: Vec<CompiledRule>,
    pub(super) default_effect: Effect,
    pub(super) high_risk: HighRisk,
    four_eyes: bool,
    clock: PolicyClock,
}

/// A source of the current time.
#[derive(Clone)]
pub struct PolicyClock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Default for PolicyClock {
    fn default() -> Self {
        Self::new(Timestamp::now)
    }
}

impl fmt::Debug for PolicyClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PolicyClock")
    }
}

impl PolicyClock {
    /// Creates a clock from a function.
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }
}

impl PolicyEngine {
    /// Compiles the rules of the settings.
    ///
    /// # Errors
    ///
    /// Returns an error if a pattern cannot be compiled.
    pub fn from_settings(settings: &PolicySettings) -> Result<Self, String> {
        Ok(Self {
            rules: settings.rules.iter().map(CompiledRule::compile).collect::<Result<_, _>>()?,
            default_effect: settings.otherwise,
            high_risk: HighRisk::from_settings(settings)?,
            four_eyes: settings.four_eyes,
            clock: PolicyClock::default(),
        })
    }

    /// Returns the engine with another clock.
    #[must_use]
    pub fn with_clock(self, clock: PolicyClock) -> Self {
        Self { clock, ..self }
    }

    /// Returns the time that time windows are compared with.
    pub fn now(&self) -> Timestamp {
        (self.clock.0)()
    }

    /// Returns whether there are no rules.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Returns whether any rule covers reads.
    pub fn has_read_rules(&self) -> bool {
        self.rules.iter().any(|rule| rule.covers_reads)
    }

    /// Returns whether any rule depends on the group of a project.
    pub fn uses_project_groups(&self) -> bool {
        self.rules.iter().any(|rule| rule.project_groups.is_some())
    }

    /// Returns whether interruptions must be answered by someone other than the person who started
    /// the task.
    pub fn requires_four_eyes(&self) -> bool {
        self.four_eyes
    }

    /// Decides on a call. Evaluates each target of the call separately and returns the strictest
    /// decision, so no combination of targets is allowed if one of them is denied.
    pub fn decide(&self, situation: &PolicyInput) -> Decision {
        self.evaluate_uninterrupted(situation, false).0
    }

    /// Decides on a read whose targets are all listed. A rule that may match, because something is
    /// unknown, applies as for a change.
    pub fn decide_strictly(&self, situation: &PolicyInput) -> Decision {
        self.evaluate_uninterrupted(situation, true).0
    }

    /// Decides as [`PolicyEngine::decide_strictly`] if `strict`, otherwise as
    /// [`PolicyEngine::decide`]. Calls `check` at intervals and stops with its error.
    pub fn decide_interruptible<E>(
        &self,
        situation: &PolicyInput,
        strict: bool,
        check: impl Fn() -> Result<(), E>,
    ) -> Result<Decision, E> {
        Ok(self.evaluate(situation, strict, check)?.0)
    }

    /// Returns the approximate number of comparisons between a rule and a target that a decision
    /// takes.
    pub fn estimated_comparisons(&self, situation: &PolicyInput) -> usize {
        let rules = ApplicableRules::select(&self.rules, situation);
        // Each environment is also inspected for its risk. Calls with too many targets are denied
        // without evaluation.
        let places = Targets::count_for(situation, &rules).unwrap_or(1);
        places * rules.count().max(1) + situation.environments.resources.len()
    }

    /// Returns the first target with the strictest decision.
    pub(super) fn deciding_target<'s>(&self, situation: &'s PolicyInput) -> Option<Target<'s>> {
        self.evaluate_uninterrupted(situation, false).1
    }

    fn evaluate_uninterrupted<'s>(
        &self,
        situation: &'s PolicyInput,
        strict: bool,
    ) -> (Decision, Option<Target<'s>>) {
        let Ok(judged) = self.evaluate(situation, strict, || Ok::<(), Infallible>(()));
        judged
    }

    /// Evaluates all targets. `strict`: a rule that may match a read applies too. For changes,
    /// rules that may match always apply.
    fn evaluate<'s, E>(
        &self,
        situation: &'s PolicyInput,
        strict: bool,
        check: impl Fn() -> Result<(), E>,
    ) -> Result<(Decision, Option<Target<'s>>), E> {
        let strict = strict || situation.tier != Tier::Read;
        let rules = ApplicableRules::select(&self.rules, situation);
        let risk =
            |environment: TargetResource<'_>| self.high_risk.risk_of(situation.action, environment);
        let Some(targets) = Targets::for_input(situation, &rules, risk) else {
            let too_many = Verdict { rule: None, effect: Effect::Deny, unknown: None }.decision();
            let message = Some(targets::too_many_targets_message());
            return Ok((Decision { message, risk: Risk::High, ..too_many }, None));
        };
        let mut worst: Vec<VerdictGroup<'_, 's>> = Vec::new();
        let mut place = None;
        let mut found_here = Vec::new();
        for (number, target) in targets.iter().enumerate() {
            if number.is_multiple_of(CHECK_INTERVAL) {
                check()?;
            }
            self.evaluate_at(situation, &rules, &target, strict, &mut found_here);
            for found in found_here.drain(..) {
                let known = worst.first().map(|group| group.found.strictness());
                if known.is_none_or(|known| found.strictness() > known) {
                    worst.clear();
                    place = Some(target);
                } else if known != Some(found.strictness()) {
                    continue;
                }
                match worst.iter_mut().find(|group| group.found.rule_name() == found.rule_name()) {
                    Some(group) => group.add(found, target),
                    None => worst.push(VerdictGroup::new(found, target)),
                }
            }
        }
        // Every call has at least one target, so this is not reached.
        let effect = self.default_effect.max(Effect::Confirm);
        let fallback = || Verdict { rule: None, effect, unknown: None }.decision();
        let decision = merge_decisions(worst.iter().map(|group| group.decision(&targets)));
        Ok((Decision { risk: targets.risk(), ..decision.unwrap_or_else(fallback) }, place))
    }

    /// Evaluates one target. A rule that may match is added to the rule that surely matches.
    fn evaluate_at<'r>(
        &self,
        situation: &PolicyInput,
        rules: &ApplicableRules<'r>,
        target: &Target<'_>,
        strict: bool,
        found: &mut Vec<Verdict<'r>>,
    ) {
        let reads = situation.tier == Tier::Read;
        for rule in rules.iter() {
            let fit = rule.matches_at(target);
            if fit.applies(rule.effect, strict) {
                let unknown =
                    if let RuleMatch::Unknown(condition) = fit { Some(condition) } else { None };
                // Reads never require confirmation.
                let is_confirmed_read = reads && rule.effect == Effect::Confirm;
                let effect = if is_confirmed_read { Effect::Allow } else { rule.effect };
                found.push(Verdict { rule: Some(rule), effect, unknown });
            }
            if fit == RuleMatch::Yes {
                return;
            }
        }
        let effect = if reads { Effect::Allow } else { self.default_effect };
        found.push(Verdict { rule: None, effect, unknown: None });
    }
}
