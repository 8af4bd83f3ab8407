//! A compiled policy rule and its conditions.

use super::{
    Deed, Moment, Situation, Thing,
    applicable::Kind,
    pattern::{Answer, Patterns},
    situation::One,
    targets::Target,
    when,
};
use crate::{
    config::{self, Effect, Risk, TierWord, Window},
    text::steps,
};

/// A compiled policy rule.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) name: String,
    pub(super) effect: Effect,
    pub(super) typed: Option<String>,
    pub(super) message: Option<String>,
    /// Whether the rule covers reads.
    pub(super) reads: bool,
    tools: Option<Patterns>,
    toolsets: Option<Patterns>,
    tiers: Option<Vec<TierWord>>,
    risks: Option<Vec<Risk>>,
    instances: Option<Patterns>,
    spaces: Option<Patterns>,
    projects: Option<Patterns>,
    pub(super) project_groups: Option<Patterns>,
    environments: Option<Patterns>,
    environment_tags: Option<Patterns>,
    tenants: Option<Patterns>,
    tenant_tags: Option<Patterns>,
    callers: Option<Patterns>,
    groups: Option<Patterns>,
    times: Option<Vec<Window>>,
}

/// Whether a rule matches a call at a target. `Unknown` and `No` contain the name of the condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    Yes,
    Unknown(&'static str),
    No(&'static str),
}

impl Fit {
    /// Returns whether the rule applies. With `strict`, a rule that may match applies too, unless
    /// its effect is `allow`.
    pub(super) fn counts(self, effect: Effect, strict: bool) -> bool {
        match self {
            Self::Yes => true,
            Self::Unknown(_) => strict && effect != Effect::Allow,
            Self::No(_) => false,
        }
    }
}

impl Rule {
    pub(super) fn of(settings: &config::Rule) -> Result<Self, String> {
        let compiled = |list: &Option<config::List>| list.as_ref().map(Patterns::of).transpose();
        Ok(Self {
            name: settings.name.trim().to_owned(),
            effect: settings.effect,
            typed: settings.typed.clone(),
            message: settings.message.clone(),
            reads: settings.is_about_reads(),
            tools: compiled(&settings.tools)?,
            toolsets: compiled(&settings.toolsets)?,
            tiers: settings.tiers.clone(),
            risks: settings.risks.clone(),
            instances: compiled(&settings.instances)?,
            spaces: compiled(&settings.spaces)?,
            projects: compiled(&settings.projects)?,
            project_groups: compiled(&settings.project_groups)?,
            environments: compiled(&settings.environments)?,
            environment_tags: compiled(&settings.environment_tags)?,
            tenants: compiled(&settings.tenants)?,
            tenant_tags: compiled(&settings.tenant_tags)?,
            callers: compiled(&settings.callers)?,
            groups: compiled(&settings.groups)?,
            times: settings.times.clone(),
        })
    }

    /// Returns whether the rule matches the call at this target.
    pub(super) fn fits(&self, situation: &Situation, target: &Target<'_>) -> Fit {
        fit(self.answers_on_call(situation).chain(self.answers_at(target)))
    }

    /// Like [`CompiledRule::matches`], for a call whose target-independent conditions match.
    pub(super) fn fits_at(&self, target: &Target<'_>) -> Fit {
        steps::add(1);
        fit(self.answers_at(target))
    }

    /// Returns whether the rule can match the call at some target, because all target-independent
    /// conditions match. These conditions are never unknown.
    pub(super) fn can_match(&self, situation: &Situation) -> bool {
        fit(self.answers_on_call(situation)) == Fit::Yes
    }

    /// Returns whether the rule depends on the resource of this kind. The risk depends on the
    /// environment only for [`PolicyAction::Run`].
    pub(super) fn matches_by(&self, kind: Kind, deed: Deed) -> bool {
        match kind {
            Kind::Space => self.spaces.is_some(),
            Kind::Project => self.projects.is_some() || self.project_groups.is_some(),
            Kind::Environment => {
                let by_risk = deed == Deed::Run && self.risks.is_some();
                self.environments.is_some() || self.environment_tags.is_some() || by_risk
            }
            Kind::Tenant => self.tenants.is_some() || self.tenant_tags.is_some(),
        }
    }

    /// Returns whether the rule, if it can match a call, matches at all targets and at any time.
    pub(super) fn is_same_everywhere(&self) -> bool {
        let mut kinds = [Kind::Space, Kind::Project, Kind::Environment, Kind::Tenant].into_iter();
        let by_place = kinds.any(|kind| self.matches_by(kind, Deed::Run));
        !by_place && self.times.is_none()
    }

    /// Evaluates the target-independent conditions.
    fn answers_on_call(
        &self,
        situation: &Situation,
    ) -> impl Iterator<Item = (&'static str, Answer)> {
        let word = |patterns: &Option<Patterns>, word: &str| {
            patterns.as_ref().map(|patterns| patterns.mean(std::iter::once(word), true))
        };
        let groups = self.groups.as_ref().map(|groups| groups.mean_any(&situation.groups));
        let tiers = self.tiers.as_ref().map(|tiers| Answer::of(tiers.contains(&situation.tier)));
        [
            ("tools", word(&self.tools, &situation.tool)),
            ("toolsets", word(&self.toolsets, &situation.toolset)),
            ("tiers", tiers),
            ("instances", word(&self.instances, &situation.instance)),
            ("callers", self.callers.as_ref().map(|callers| callers.mean_any(&situation.callers))),
            ("groups", groups),
        ]
        .into_iter()
        .filter_map(|(what, answer)| Some((what, answer?)))
    }

    /// Evaluates the conditions that depend on the target.
    fn answers_at(&self, target: &Target<'_>) -> impl Iterator<Item = (&'static str, Answer)> {
        let thing = |patterns: &Option<Patterns>, one: One<'_>| {
            patterns.as_ref().map(|patterns| named(patterns, one))
        };
        let tags = |patterns: &Option<Patterns>, one: One<'_>| {
            patterns.as_ref().map(|patterns| tagged(patterns, one))
        };
        let times = self.times.as_ref().map(|times| within(times, target.time));
        [
            ("times", times),
            ("spaces", thing(&self.spaces, target.space)),
            ("projects", thing(&self.projects, target.project)),
            ("project_groups", self.project_groups.as_ref().map(|p| grouped(p, target.project))),
            ("environments", thing(&self.environments, target.environment)),
            ("environment_tags", tags(&self.environment_tags, target.environment)),
            ("tenants", thing(&self.tenants, target.tenant)),
            ("tenant_tags", tags(&self.tenant_tags, target.tenant)),
            ("risks", self.risks.as_ref().map(|risks| risky(risks, target.risk))),
        ]
        .into_iter()
        .filter_map(|(what, answer)| Some((what, answer?)))
    }
}

fn fit(answers: impl Iterator<Item = (&'static str, Answer)>) -> Fit {
    let mut fit = Fit::Yes;
    for (what, answer) in answers {
        match answer {
            Answer::No => return Fit::No(what),
            Answer::Unknown if fit == Fit::Yes => fit = Fit::Unknown(what),
            Answer::Yes | Answer::Unknown => {}
        }
    }
    fit
}

fn within(windows: &[Window], moment: Moment) -> Answer {
    match moment {
        Moment::At(moment) => Answer::of(windows.iter().any(|window| when::is_in(window, moment))),
        Moment::Unknown => Answer::Unknown,
    }
}

fn named(patterns: &Patterns, one: One<'_>) -> Answer {
    match one {
        One::Unknown => Answer::Unknown,
        One::None => Answer::No,
        One::Thing(thing) => patterns.mean(thing.words(), thing.name.is_some()),
    }
}

fn tagged(patterns: &Patterns, one: One<'_>) -> Answer {
    match one {
        One::None => Answer::No,
        One::Thing(Thing { tags: Some(tags), .. }) => patterns.mean_any(tags),
        One::Unknown | One::Thing(_) => Answer::Unknown,
    }
}

fn grouped(patterns: &Patterns, project: One<'_>) -> Answer {
    match project {
        One::None => Answer::No,
        One::Thing(Thing { group: Some(group), .. }) => {
            patterns.mean(group.words(), group.name.is_some())
        }
        One::Unknown | One::Thing(_) => Answer::Unknown,
    }
}

/// An uncertain risk is high or medium.
fn risky(risks: &[Risk], (risk, certain): (Risk, bool)) -> Answer {
    if certain {
        return Answer::of(risks.contains(&risk));
    }
    match (risks.contains(&Risk::Medium), risks.contains(&Risk::High)) {
        (true, true) => Answer::Yes,
        (false, false) => Answer::No,
        _ => Answer::Unknown,
    }
}
