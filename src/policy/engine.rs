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

/// The result of an evaluation.
pub(super) struct Evaluation<'s> {
    pub(super) decision: Decision,
    /// The first target with the strictest decision. `None` if the call has too many targets.
    pub(super) deciding_target: Option<Target<'s>>,
    /// Confirmation word with [`UNKNOWN_ENVIRONMENT_NAME`] for environments that are unknown.
    pub(super) described_word: Option<String>,
}

/// Stands for the name of an unknown environment in a described confirmation word.
pub(super) const UNKNOWN_ENVIRONMENT_NAME: &str = "<name of the environment>";

/// Number of targets after which an evaluation checks whether it must stop.
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

    /// Returns whether only another person than the initiator of a task may answer its
    /// interruptions.
    pub fn requires_four_eyes(&self) -> bool {
        self.four_eyes
    }

    /// Decides on a call. Evaluates each target of the call separately and returns the strictest
    /// decision, so no combination of targets is allowed if one of them is denied.
    pub fn decide(&self, input: &PolicyInput) -> Decision {
        self.evaluate_uninterrupted(input, false).decision
    }

    /// Decides on a read whose targets are all listed. A rule that may match, because a resource is
    /// unknown, applies as for a change.
    pub fn decide_strictly(&self, input: &PolicyInput) -> Decision {
        self.evaluate_uninterrupted(input, true).decision
    }

    /// Decides as [`PolicyEngine::decide_strictly`] if `strict`, otherwise as
    /// [`PolicyEngine::decide`]. Calls `check` at intervals and stops with its error.
    pub fn decide_interruptible<E>(
        &self,
        input: &PolicyInput,
        strict: bool,
        check: impl Fn() -> Result<(), E>,
    ) -> Result<Decision, E> {
        Ok(self.evaluate(input, strict, check)?.decision)
    }

    /// Returns the approximate number of comparisons between a rule and a target that a decision
    /// takes.
    pub fn estimated_comparisons(&self, input: &PolicyInput) -> usize {
        let rules = ApplicableRules::select(&self.rules, input);
        // Each environment is also inspected for its risk. Calls with too many targets are denied
        // without evaluation.
        let targets = Targets::count_for(input, &rules).unwrap_or(1);
        targets * rules.count().max(1) + input.environments.resources.len()
    }

    /// Evaluates all targets without interruption, as [`PolicyEngine::decide`] does, or with
    /// `strict` as [`PolicyEngine::decide_strictly`] does.
    pub(super) fn evaluate_uninterrupted<'s>(
        &self,
        input: &'s PolicyInput,
        strict: bool,
    ) -> Evaluation<'s> {
        let Ok(evaluated) = self.evaluate(input, strict, || Ok::<(), Infallible>(()));
        evaluated
    }

    /// Evaluates all targets. `strict`: a rule that may match a read applies too. For changes,
    /// rules that may match always apply.
    fn evaluate<'s, E>(
        &self,
        input: &'s PolicyInput,
        strict: bool,
        check: impl Fn() -> Result<(), E>,
    ) -> Result<Evaluation<'s>, E> {
        let strict = strict || input.tier != Tier::Read;
        let rules = ApplicableRules::select(&self.rules, input);
        let risk =
            |environment: TargetResource<'_>| self.high_risk.risk_of(input.action, environment);
        let Some(targets) = Targets::for_input(input, &rules, risk) else {
            let denial = Verdict { rule: None, effect: Effect::Deny, unknown: None }.decision();
            let message = Some(targets::too_many_targets_message());
            let decision = Decision { message, risk: Risk::High, ..denial };
            return Ok(Evaluation { decision, deciding_target: None, described_word: None });
        };
        let mut strictest: Vec<VerdictGroup<'_, 's>> = Vec::new();
        let mut deciding_target = None;
        let mut verdicts = Vec::new();
        for (number, target) in targets.iter().enumerate() {
            if number.is_multiple_of(CHECK_INTERVAL) {
                check()?;
            }
            self.evaluate_at(input, &rules, &target, strict, &mut verdicts);
            for found in verdicts.drain(..) {
                let current = strictest.first().map(|group| group.found.strictness());
                if current.is_none_or(|current| found.strictness() > current) {
                    strictest.clear();
                    deciding_target = Some(target);
                } else if current != Some(found.strictness()) {
                    continue;
                }
                match strictest
                    .iter_mut()
                    .find(|group| group.found.rule_name() == found.rule_name())
                {
                    Some(group) => group.add(found, target),
                    None => strictest.push(VerdictGroup::new(found, target)),
                }
            }
        }
        // Every call has at least one target, so this is not reached.
        let effect = self.default_effect.max(Effect::Confirm);
        let fallback = || Verdict { rule: None, effect, unknown: None }.decision();
        let merged = |unknown_name: Option<&str>| {
            merge_decisions(strictest.iter().map(|group| group.decision(&targets, unknown_name)))
        };
        let described =
            input.environments.has_unknown.then(|| merged(Some(UNKNOWN_ENVIRONMENT_NAME)));
        Ok(Evaluation {
            decision: Decision { risk: targets.risk(), ..merged(None).unwrap_or_else(fallback) },
            deciding_target,
            described_word: described.flatten().and_then(|described| described.confirmation_word),
        })
    }

    /// Evaluates one target. Adds the verdict of the first matching rule, and of each earlier rule
    /// that may match.
    fn evaluate_at<'r>(
        &self,
        input: &PolicyInput,
        rules: &ApplicableRules<'r>,
        target: &Target<'_>,
        strict: bool,
        found: &mut Vec<Verdict<'r>>,
    ) {
        let is_read = input.tier == Tier::Read;
        for rule in rules.iter() {
            let rule_match = rule.matches_at(target);
            if rule_match.applies(rule.effect, strict) {
                let unknown = if let RuleMatch::Unknown(condition) = rule_match {
                    Some(condition)
                } else {
                    None
                };
                // Reads never require confirmation.
                let is_confirmed_read = is_read && rule.effect == Effect::Confirm;
                let effect = if is_confirmed_read { Effect::Allow } else { rule.effect };
                found.push(Verdict { rule: Some(rule), effect, unknown });
            }
            if rule_match == RuleMatch::Yes {
                return;
            }
        }
        let effect = if is_read { Effect::Allow } else { self.default_effect };
        found.push(Verdict { rule: None, effect, unknown: None });
    }
}
