//! The decision on a call.

use std::{fmt, sync::Arc};

use jiff::Timestamp;

use super::{
    Situation, Tier,
    risk::HighRisk,
    rule::{Fit, Rule},
    situation::One,
    targets::{self, Target, Targets},
};
use crate::config::{ENVIRONMENT_WORD, Effect, Policy, Risk};

/// The rules of the settings, ready to be asked.
#[derive(Debug, Clone)]
#[expect(clippy::struct_field_names, reason = "the rules are what the rest is about")]
pub struct Rules {
    rules: Vec<Rule>,
    otherwise: Effect,
    high_risk: HighRisk,
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

/// What one rule said of a call, for whoever asks why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The rule.
    pub rule: String,
    /// What it would do.
    pub effect: Effect,
    /// Why it is about the call, or is not.
    pub said: String,
    /// Whether it is about the call.
    pub matched: bool,
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
        self.judge(situation).0
    }

    /// Decides on a read whose places are all listed: a rule about reads that may match, because
    /// something is unknown, counts as for a change.
    pub fn decide_strictly(&self, situation: &Situation) -> Decision {
        self.judged(situation, true).0
    }

    /// How the decision came about: what each rule said, up to the one that decided.
    pub fn steps(&self, situation: &Situation) -> Vec<Step> {
        self.judge(situation).1
    }

    /// Whether a call that reads is refused, or may be, where not everything is known of it.
    pub fn may_deny(&self, situation: &Situation) -> bool {
        self.judged(situation, true).0.effect == Effect::Deny
    }

    fn judge(&self, situation: &Situation) -> (Decision, Vec<Step>) {
        self.judged(situation, situation.tier != Tier::Read)
    }

    /// `strict`: a rule that may be about the call, where that is not known, counts too.
    fn judged(&self, situation: &Situation, strict: bool) -> (Decision, Vec<Step>) {
        let risk = |environment: One<'_>| self.high_risk.of_deed(situation.deed, environment);
        let Some(targets) = Targets::of(situation, risk) else {
            let too_many = outcome(None, Effect::Deny, None);
            let message = Some(targets::too_many());
            return (Decision { message, risk: Risk::High, ..too_many }, Vec::new());
        };
        // Those of the strictest decisions, each with the places where it counts.
        let mut worst: Vec<(Decision, Vec<Target<'_>>)> = Vec::new();
        let mut steps = Vec::new();
        for target in targets.iter() {
            let (decisions, said) = self.at(situation, &target, strict);
            for decision in decisions {
                let known = worst.first().map(|(known, _)| strictness(known));
                if known.is_none_or(|known| strictness(&decision) > known) {
                    worst = vec![(decision, vec![target])];
                    steps.clone_from(&said);
                } else if known == Some(strictness(&decision)) {
                    match worst.iter_mut().find(|(known, _)| known.rule == decision.rule) {
                        Some((known, targets)) => {
                            targets.push(target);
                            known.unknown = known.unknown.or(decision.unknown);
                        }
                        None => worst.push((decision, vec![target])),
                    }
                }
            }
        }
        let risk = targets.risk();
        for (decision, targets) in &mut worst {
            if decision.typed.as_deref() == Some(ENVIRONMENT_WORD) {
                decision.typed = Some(targets::word(targets, decision.rule.as_deref()));
            }
        }
        // A call always reaches some place.
        let nothing = || outcome(None, self.otherwise.max(Effect::Confirm), None);
        let decision = together(worst.into_iter().map(|(decision, _)| decision));
        (Decision { risk, ..decision.unwrap_or_else(nothing) }, steps)
    }

    /// What is decided at one place. A rule that may be about it, where that is not known, counts
    /// beside the one that surely is.
    fn at(
        &self,
        situation: &Situation,
        target: &Target<'_>,
        strict: bool,
    ) -> (Vec<Decision>, Vec<Step>) {
        let reads = situation.tier == Tier::Read;
        let mut decisions = Vec::new();
        let (mut steps, mut settled) = (Vec::new(), false);
        for rule in &self.rules {
            let (fit, said) = if reads && !rule.reads {
                (Fit::No("tiers"), "it is not about calls that only read".to_owned())
            } else {
                let fit = rule.fits(situation, target);
                (fit, said(fit, rule.effect, reads))
            };
            let counts = match fit {
                Fit::Yes => true,
                Fit::Unknown(_) => strict && rule.effect != Effect::Allow,
                Fit::No(_) => false,
            };
            let (name, effect) = (rule.name.clone(), rule.effect);
            steps.push(Step { rule: name, effect, said, matched: counts });
            if counts {
                let unknown = if let Fit::Unknown(what) = fit { Some(what) } else { None };
                // Nobody is asked about what only reads.
                let asks = reads && rule.effect == Effect::Confirm;
                let effect = if asks { Effect::Allow } else { rule.effect };
                decisions.push(outcome(Some(rule), effect, unknown));
            }
            if fit == Fit::Yes {
                settled = true;
                break;
            }
        }
        if !settled {
            let otherwise = if reads { Effect::Allow } else { self.otherwise };
            decisions.push(outcome(None, otherwise, None));
        }
        (decisions, steps)
    }
}

fn said(fit: Fit, effect: Effect, reads: bool) -> String {
    match (fit, effect) {
        (Fit::Yes, _) => "it matches".to_owned(),
        (Fit::No(what), _) => format!("`{what}` does not match"),
        (Fit::Unknown(what), Effect::Allow) => {
            format!("`{what}` is not known, and then nothing is let through by it")
        }
        (Fit::Unknown(what), _) if reads => format!("`{what}` is not known"),
        (Fit::Unknown(what), _) => format!("`{what}` is not known, so it counts"),
    }
}

fn outcome(rule: Option<&Rule>, effect: Effect, unknown: Option<&'static str>) -> Decision {
    let typed = rule.and_then(|rule| rule.typed.clone()).filter(|_| effect == Effect::Confirm);
    Decision {
        rule: rule.map(|rule| rule.name.clone()),
        effect,
        typed,
        message: rule.and_then(|rule| rule.message.clone()),
        risk: Risk::Read,
        unknown,
    }
}

/// Decisions that are as strict as each other. The first counts; where others want other words
/// typed, all words are typed, one behind the other.
fn together(decisions: impl Iterator<Item = Decision>) -> Option<Decision> {
    let mut apart: Vec<Decision> = Vec::new();
    for decision in decisions {
        let is_new = apart.iter().all(|known| known.typed != decision.typed);
        if apart.is_empty() || decision.typed.is_some() && is_new {
            apart.push(decision);
        }
    }
    let joined = |of: fn(&Decision) -> Option<&String>, between: &str| {
        let all: Vec<&str> = apart.iter().filter_map(of).map(String::as_str).collect();
        (!all.is_empty()).then(|| all.join(between))
    };
    let rule = joined(|decision| decision.rule.as_ref(), ", ");
    let typed = joined(|decision| decision.typed.as_ref(), " ");
    let message = joined(|decision| decision.message.as_ref(), "; ");
    let unknown = apart.iter().find_map(|decision| decision.unknown);
    Some(Decision { rule, typed, message, unknown, ..apart.into_iter().next()? })
}

/// How strict a decision is: one with a word to type is stricter than one without.
fn strictness(decision: &Decision) -> (Effect, bool) {
    (decision.effect, decision.typed.is_some())
}
