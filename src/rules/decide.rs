//! Decides on calls.

use std::{convert::Infallible, fmt, sync::Arc};

use jiff::Timestamp;

use super::{
    Situation, Tier,
    applicable::Applicable,
    found::{Found, Group, together},
    risk::HighRisk,
    rule::{Fit, Rule},
    situation::One,
    targets::{self, Target, Targets},
};
use crate::config::{Effect, Policy, Risk};

/// The number of targets after which an evaluation checks whether it must stop.
const CHECKED: usize = 64;

/// The compiled policy rules of the settings.
#[derive(Debug, Clone)]
#[expect(clippy::struct_field_names, reason = "the field contains the rules")]
pub struct Rules {
    pub(super) rules: Vec<Rule>,
    pub(super) otherwise: Effect,
    pub(super) high_risk: HighRisk,
    four_eyes: bool,
    clock: Clock,
}

/// A source of the current time.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Default for Clock {
    fn default() -> Self {
        Self::of(Timestamp::now)
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PolicyClock")
    }
}

impl Clock {
    /// Creates a clock from a function.
    pub fn of(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }
}

/// The decision on a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The rule that decided, or `None` if no rule matched. If several rules require different
    /// confirmation words, all of their names.
    pub rule: Option<String>,
    /// The effect.
    pub effect: Effect,
    /// The word that a person must type to confirm. If several rules require different words, all
    /// of them, separated by spaces.
    pub typed: Option<String>,
    /// The message for the caller.
    pub message: Option<String>,
    /// The risk of the call.
    pub risk: Risk,
    /// The condition of the rule that could not be evaluated, if the rule applies because of that.
    pub unknown: Option<&'static str>,
}

impl Rules {
    /// Compiles the rules of the settings.
    ///
    /// # Errors
    ///
    /// Returns an error if a pattern cannot be compiled.
    pub fn of(settings: &Policy) -> Result<Self, String> {
        Ok(Self {
            rules: settings.rules.iter().map(Rule::of).collect::<Result<_, _>>()?,
            otherwise: settings.otherwise,
            high_risk: HighRisk::of(settings)?,
            four_eyes: settings.four_eyes,
            clock: Clock::default(),
        })
    }

    /// Returns the engine with another clock.
    #[must_use]
    pub fn by(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// Returns the time that time windows are compared with.
    pub fn now(&self) -> Timestamp {
        (self.clock.0)()
    }

    /// Returns whether there are no rules.
    pub fn are_none(&self) -> bool {
        self.rules.is_empty()
    }

    /// Returns whether any rule covers reads.
    pub fn are_about_reads(&self) -> bool {
        self.rules.iter().any(|rule| rule.reads)
    }

    /// Returns whether any rule depends on the group of a project.
    pub fn ask_groups(&self) -> bool {
        self.rules.iter().any(|rule| rule.project_groups.is_some())
    }

    /// Returns whether interruptions must be answered by someone other than the person who started
    /// the task.
    pub fn four_eyes(&self) -> bool {
        self.four_eyes
    }

    /// Decides on a call. Evaluates each target of the call separately and returns the strictest
    /// decision, so no combination of targets is allowed if one of them is denied.
    pub fn decide(&self, situation: &Situation) -> Decision {
        self.judged_now(situation, false).0
    }

    /// Decides on a read whose targets are all listed. A rule that may match, because something is
    /// unknown, applies as for a change.
    pub fn decide_strictly(&self, situation: &Situation) -> Decision {
        self.judged_now(situation, true).0
    }

    /// Decides as [`PolicyEngine::decide_strictly`] if `strict`, otherwise as
    /// [`PolicyEngine::decide`]. Calls `check` at intervals and stops with its error.
    pub fn decide_checked<E>(
        &self,
        situation: &Situation,
        strict: bool,
        check: impl Fn() -> Result<(), E>,
    ) -> Result<Decision, E> {
        Ok(self.judged(situation, strict, check)?.0)
    }

    /// Returns the approximate number of comparisons between a rule and a target that a decision
    /// takes.
    pub fn weight(&self, situation: &Situation) -> usize {
        let rules = Applicable::of(&self.rules, situation);
        // Each environment is also inspected for its risk. Calls with too many targets are denied
        // without evaluation.
        let places = Targets::count_of(situation, &rules).unwrap_or(1);
        places * rules.count().max(1) + situation.environments.things.len()
    }

    /// Returns the first target with the strictest decision.
    pub(super) fn deciding_place<'s>(&self, situation: &'s Situation) -> Option<Target<'s>> {
        self.judged_now(situation, false).1
    }

    fn judged_now<'s>(
        &self,
        situation: &'s Situation,
        strict: bool,
    ) -> (Decision, Option<Target<'s>>) {
        let Ok(judged) = self.judged(situation, strict, || Ok::<(), Infallible>(()));
        judged
    }

    /// Evaluates all targets. `strict`: a rule that may match a read applies too. For changes,
    /// rules that may match always apply.
    fn judged<'s, E>(
        &self,
        situation: &'s Situation,
        strict: bool,
        check: impl Fn() -> Result<(), E>,
    ) -> Result<(Decision, Option<Target<'s>>), E> {
        let strict = strict || situation.tier != Tier::Read;
        let rules = Applicable::of(&self.rules, situation);
        let risk = |environment: One<'_>| self.high_risk.of_deed(situation.deed, environment);
        let Some(targets) = Targets::of(situation, &rules, risk) else {
            let too_many = Found { rule: None, effect: Effect::Deny, unknown: None }.decision();
            let message = Some(targets::too_many());
            return Ok((Decision { message, risk: Risk::High, ..too_many }, None));
        };
        let mut worst: Vec<Group<'_, 's>> = Vec::new();
        let mut place = None;
        let mut found_here = Vec::new();
        for (number, target) in targets.iter().enumerate() {
            if number.is_multiple_of(CHECKED) {
                check()?;
            }
            self.at(situation, &rules, &target, strict, &mut found_here);
            for found in found_here.drain(..) {
                let known = worst.first().map(|group| group.found.strictness());
                if known.is_none_or(|known| found.strictness() > known) {
                    worst.clear();
                    place = Some(target);
                } else if known != Some(found.strictness()) {
                    continue;
                }
                match worst.iter_mut().find(|group| group.found.name() == found.name()) {
                    Some(group) => group.add(found, target),
                    None => worst.push(Group::of(found, target)),
                }
            }
        }
        // Every call has at least one target, so this is not reached.
        let effect = self.otherwise.max(Effect::Confirm);
        let fallback = || Found { rule: None, effect, unknown: None }.decision();
        let decision = together(worst.iter().map(|group| group.decision(&targets)));
        Ok((Decision { risk: targets.risk(), ..decision.unwrap_or_else(fallback) }, place))
    }

    /// Evaluates one target. A rule that may match is added to the rule that surely matches.
    fn at<'r>(
        &self,
        situation: &Situation,
        rules: &Applicable<'r>,
        target: &Target<'_>,
        strict: bool,
        found: &mut Vec<Found<'r>>,
    ) {
        let reads = situation.tier == Tier::Read;
        for rule in rules.iter() {
            let fit = rule.fits_at(target);
            if fit.counts(rule.effect, strict) {
                let unknown =
                    if let Fit::Unknown(condition) = fit { Some(condition) } else { None };
                // Reads never require confirmation.
                let is_confirmed_read = reads && rule.effect == Effect::Confirm;
                let effect = if is_confirmed_read { Effect::Allow } else { rule.effect };
                found.push(Found { rule: Some(rule), effect, unknown });
            }
            if fit == Fit::Yes {
                return;
            }
        }
        let effect = if reads { Effect::Allow } else { self.otherwise };
        found.push(Found { rule: None, effect, unknown: None });
    }
}
