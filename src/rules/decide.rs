//! The decision on a call.

use std::{fmt, sync::Arc};

use jiff::Timestamp;

use super::{
    Situation, Tier,
    risk::HighRisk,
    rule::{Fit, Rule, Target},
    situation::One,
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
    /// The rule that decided; none where no rule is about the call.
    pub rule: Option<String>,
    /// What happens.
    pub effect: Effect,
    /// The word that the person must type, where somebody must agree.
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

/// What is decided at one place, and how.
struct Judged {
    decision: Decision,
    steps: Vec<Step>,
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
        self.judge(situation).decision
    }

    /// How the decision came about: what each rule said, up to the one that decided.
    pub fn steps(&self, situation: &Situation) -> Vec<Step> {
        self.judge(situation).steps
    }

    fn judge(&self, situation: &Situation) -> Judged {
        let risk = |environment: One<'_>| self.high_risk.of_deed(situation.deed, environment);
        let targets = Target::all(situation, risk);
        let mut worst: Option<(Judged, Vec<Target<'_>>)> = None;
        for target in &targets {
            let judged = self.at(situation, target);
            match &mut worst {
                Some((known, targets))
                    if known.decision.rule == judged.decision.rule
                        && strictness(&known.decision) == strictness(&judged.decision) =>
                {
                    targets.push(*target);
                    known.decision.unknown = known.decision.unknown.or(judged.decision.unknown);
                }
                Some((known, _)) if strictness(&judged.decision) <= strictness(&known.decision) => {
                }
                _ => worst = Some((judged, vec![*target])),
            }
        }
        let risk = targets.iter().map(|target| target.risk.0).max().unwrap_or(Risk::High);
        let (mut judged, decided) = worst.unwrap_or_else(|| (self.nothing(), Vec::new()));
        judged.decision.risk = risk;
        if judged.decision.typed.as_deref() == Some(ENVIRONMENT_WORD) {
            judged.decision.typed = Some(word(&decided, judged.decision.rule.as_deref()));
        }
        judged
    }

    /// A call always reaches some place, so this is never asked.
    fn nothing(&self) -> Judged {
        Judged { decision: outcome(None, self.otherwise.max(Effect::Confirm), None), steps: vec![] }
    }

    /// What is decided at one place. A rule that may be about it, where that is not known, counts
    /// beside the one that surely is, where it is stricter.
    fn at(&self, situation: &Situation, target: &Target<'_>) -> Judged {
        let reads = situation.tier == Tier::Read;
        let mut best: Option<Decision> = None;
        let (mut steps, mut settled) = (Vec::new(), false);
        let mut take = |decision: Decision| {
            let stricter = |known: &Decision| strictness(&decision) > strictness(known);
            if best.as_ref().is_none_or(stricter) {
                best = Some(decision);
            }
        };
        for rule in &self.rules {
            let (fit, said) = if reads && !rule.reads {
                (Fit::No("tiers"), "it is not about calls that only read".to_owned())
            } else {
                let fit = rule.fits(situation, target);
                (fit, said(fit, rule.effect, reads))
            };
            let counts = match fit {
                Fit::Yes => true,
                Fit::Unknown(_) => !reads && rule.effect != Effect::Allow,
                Fit::No(_) => false,
            };
            let (name, effect) = (rule.name.clone(), rule.effect);
            steps.push(Step { rule: name, effect, said, matched: counts });
            if counts {
                let unknown = if let Fit::Unknown(what) = fit { Some(what) } else { None };
                // Nobody is asked about what only reads.
                let asks = reads && rule.effect == Effect::Confirm;
                let effect = if asks { Effect::Allow } else { rule.effect };
                take(outcome(Some(rule), effect, unknown));
            }
            if fit == Fit::Yes {
                settled = true;
                break;
            }
        }
        if !settled {
            let otherwise = if reads { Effect::Allow } else { self.otherwise };
            take(outcome(None, otherwise, None));
        }
        let decision = best.unwrap_or_else(|| outcome(None, self.otherwise, None));
        Judged { decision, steps }
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

/// How strict a decision is: one with a word to type is stricter than one without.
fn strictness(decision: &Decision) -> (Effect, bool) {
    (decision.effect, decision.typed.is_some())
}

/// The word that stands for where it goes: the names of the environments, or else of the project or
/// the space, or of the rule.
fn word<'a>(targets: &[Target<'a>], rule: Option<&str>) -> String {
    let picks: [fn(&Target<'a>) -> One<'a>; 3] =
        [|target| target.environment, |target| target.project, |target| target.space];
    for pick in picks {
        let mut names: Vec<&str> = Vec::new();
        for one in targets.iter().map(pick) {
            if let One::Thing(thing) = one
                && !names.contains(&thing.shown())
            {
                names.push(thing.shown());
            }
        }
        if !names.is_empty() {
            return names.join(", ");
        }
    }
    rule.unwrap_or("yes").to_owned()
}
