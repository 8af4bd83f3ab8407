//! The decision on a call.

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

/// After how many places a decision looks whether it must stop.
const CHECKED: usize = 64;

/// The rules of the settings, ready to be asked.
#[derive(Debug, Clone)]
#[expect(clippy::struct_field_names, reason = "the rules are what the rest is about")]
pub struct Rules {
    pub(super) rules: Vec<Rule>,
    pub(super) otherwise: Effect,
    pub(super) high_risk: HighRisk,
    four_eyes: bool,
    clock: Clock,
}

/// Says what time it is.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Default for Clock {
    fn default() -> Self {
        Self::of(Timestamp::now)
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

impl Clock {
    /// A clock that says this.
    pub fn of(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }
}

/// The decision on a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The rule that decided; none where no rule is about the call. Where several want different
    /// words typed, these.
    pub rule: Option<String>,
    /// What happens.
    pub effect: Effect,
    /// The word that the person must type, where somebody must agree: of several rules, one behind
    /// the other.
    pub typed: Option<String>,
    /// What the caller is told.
    pub message: Option<String>,
    /// What could come of the call.
    pub risk: Risk,
    /// What the rule asks for and nobody knows, where that decided.
    pub unknown: Option<&'static str>,
}

impl Rules {
    /// The rules of the settings.
    pub fn of(settings: &Policy) -> Result<Self, String> {
        Ok(Self {
            rules: settings.rules.iter().map(Rule::of).collect::<Result<_, _>>()?,
            otherwise: settings.otherwise,
            high_risk: HighRisk::of(settings)?,
            four_eyes: settings.four_eyes,
            clock: Clock::default(),
        })
    }

    /// The same by another clock.
    #[must_use]
    pub fn by(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// The moment that windows of time are asked about.
    pub fn now(&self) -> Timestamp {
        (self.clock.0)()
    }

    /// Whether there are no rules.
    pub fn are_none(&self) -> bool {
        self.rules.is_empty()
    }

    /// Whether any rule is about calls that only read.
    pub fn are_about_reads(&self) -> bool {
        self.rules.iter().any(|rule| rule.reads)
    }

    /// Whether any rule asks for the group of a project.
    pub fn ask_groups(&self) -> bool {
        self.rules.iter().any(|rule| rule.project_groups.is_some())
    }

    /// Whether nobody may answer the interruption of what they started themselves.
    pub fn four_eyes(&self) -> bool {
        self.four_eyes
    }

    /// Decides. What a call reaches is judged place by place, and the strictest decision counts; so
    /// nothing is let through together that is refused alone.
    pub fn decide(&self, situation: &Situation) -> Decision {
        self.judged_now(situation, false).0
    }

    /// Decides on a read whose places are all listed: a rule about reads that may match, because
    /// something is unknown, counts as for a change.
    pub fn decide_strictly(&self, situation: &Situation) -> Decision {
        self.judged_now(situation, true).0
    }

    /// Decides as [`Rules::decide_strictly`] where `strict`, and as [`Rules::decide`] otherwise.
    /// Calls `check` now and then, and stops with its error.
    pub fn decide_checked<E>(
        &self,
        situation: &Situation,
        strict: bool,
        check: impl Fn() -> Result<(), E>,
    ) -> Result<Decision, E> {
        Ok(self.judged(situation, strict, check)?.0)
    }

    /// Returns about how many comparisons of a rule with a place a decision takes.
    pub fn weight(&self, situation: &Situation) -> usize {
        let rules = Applicable::of(&self.rules, situation);
        // Each environment is looked at for its risk, and those that are too many are refused.
        let places = Targets::count_of(situation, &rules).unwrap_or(1);
        places * rules.count().max(1) + situation.environments.things.len()
    }

    /// The first of the places whose decision is the strictest.
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

    /// `strict`: a rule that may be about a read, where that is not known, counts too, as it always
    /// does for a change.
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
        // A call always reaches some place.
        let nothing = self.otherwise.max(Effect::Confirm);
        let nothing = || Found { rule: None, effect: nothing, unknown: None }.decision();
        let decision = together(worst.iter().map(|group| group.decision(&targets)));
        Ok((Decision { risk: targets.risk(), ..decision.unwrap_or_else(nothing) }, place))
    }

    /// Finds what is decided at one place. A rule that may be about it, where that is not known,
    /// counts beside the one that surely is.
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
                let unknown = if let Fit::Unknown(what) = fit { Some(what) } else { None };
                // Nobody is asked about what only reads.
                let asks = reads && rule.effect == Effect::Confirm;
                let effect = if asks { Effect::Allow } else { rule.effect };
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
