//! A compiled policy rule and its conditions.

use super::{
    input::{Moment, PolicyAction, PolicyInput, ResourceKind, ResourceRef, TargetResource},
    pattern::{Patterns, TriState},
    target::Target,
    time_window,
};
use crate::{
    config::{self, Effect, Risk, Tier, TimeWindow},
    text::step_counter,
};

/// A compiled policy rule.
#[derive(Debug, Clone)]
pub(super) struct CompiledRule {
    pub(super) name: String,
    pub(super) effect: Effect,
    pub(super) confirmation_word: Option<String>,
    pub(super) message: Option<String>,
    /// Whether the rule covers reads.
    pub(super) covers_reads: bool,
    tools: Option<Patterns>,
    toolsets: Option<Patterns>,
    tiers: Option<Vec<Tier>>,
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
    times: Option<Vec<TimeWindow>>,
}

/// Whether a rule matches a call at a target. `Unknown` and `No` contain the name of the condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RuleMatch {
    Yes,
    Unknown(&'static str),
    No(&'static str),
}

impl RuleMatch {
    /// Returns whether the rule applies. With `strict`, a rule that may match applies too, unless
    /// its effect is `allow`.
    pub(super) fn applies(self, effect: Effect, strict: bool) -> bool {
        match self {
            Self::Yes => true,
            Self::Unknown(_) => strict && effect != Effect::Allow,
            Self::No(_) => false,
        }
    }
}

impl CompiledRule {
    pub(super) fn compile(settings: &config::RuleSettings) -> Result<Self, String> {
        let compiled =
            |list: &Option<config::ListSetting>| list.as_ref().map(Patterns::compile).transpose();
        Ok(Self {
            name: settings.name.trim().to_owned(),
            effect: settings.effect,
            confirmation_word: settings.confirmation_text.clone(),
            message: settings.message.clone(),
            covers_reads: settings.applies_to_reads(),
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
    pub(super) fn matches(&self, situation: &PolicyInput, target: &Target<'_>) -> RuleMatch {
        combine_conditions(self.call_conditions(situation).chain(self.target_conditions(target)))
    }

    /// Like [`CompiledRule::matches`], for a call whose target-independent conditions match.
    pub(super) fn matches_at(&self, target: &Target<'_>) -> RuleMatch {
        step_counter::add(1);
        combine_conditions(self.target_conditions(target))
    }

    /// Returns whether the rule can match the call at some target, because all target-independent
    /// conditions match. These conditions are never unknown.
    pub(super) fn can_match(&self, situation: &PolicyInput) -> bool {
        combine_conditions(self.call_conditions(situation)) == RuleMatch::Yes
    }

    /// Returns whether the rule depends on the resource of this kind. The risk depends on the
    /// environment only for [`PolicyAction::Run`].
    pub(super) fn depends_on(&self, kind: ResourceKind, deed: PolicyAction) -> bool {
        match kind {
            ResourceKind::Space => self.spaces.is_some(),
            ResourceKind::Project => self.projects.is_some() || self.project_groups.is_some(),
            ResourceKind::Environment => {
                let by_risk = deed == PolicyAction::Run && self.risks.is_some();
                self.environments.is_some() || self.environment_tags.is_some() || by_risk
            }
            ResourceKind::Tenant => self.tenants.is_some() || self.tenant_tags.is_some(),
        }
    }

    /// Returns whether the rule, if it can match a call, matches at all targets and at any time.
    pub(super) fn is_target_independent(&self) -> bool {
        let mut kinds = [
            ResourceKind::Space,
            ResourceKind::Project,
            ResourceKind::Environment,
            ResourceKind::Tenant,
        ]
        .into_iter();
        let by_place = kinds.any(|kind| self.depends_on(kind, PolicyAction::Run));
        !by_place && self.times.is_none()
    }

    /// Evaluates the target-independent conditions.
    fn call_conditions(
        &self,
        situation: &PolicyInput,
    ) -> impl Iterator<Item = (&'static str, TriState)> {
        let word = |patterns: &Option<Patterns>, word: &str| {
            patterns.as_ref().map(|patterns| patterns.matches(std::iter::once(word), true))
        };
        let groups = self.groups.as_ref().map(|groups| groups.matches_any(&situation.groups));
        let tiers =
            self.tiers.as_ref().map(|tiers| TriState::from_bool(tiers.contains(&situation.tier)));
        [
            ("tools", word(&self.tools, &situation.tool)),
            ("toolsets", word(&self.toolsets, &situation.toolset)),
            ("tiers", tiers),
            ("instances", word(&self.instances, &situation.instance)),
            (
                "callers",
                self.callers.as_ref().map(|callers| callers.matches_any(&situation.callers)),
            ),
            ("groups", groups),
        ]
        .into_iter()
        .filter_map(|(what, answer)| Some((what, answer?)))
    }

    /// Evaluates the conditions that depend on the target.
    fn target_conditions(
        &self,
        target: &Target<'_>,
    ) -> impl Iterator<Item = (&'static str, TriState)> {
        let thing = |patterns: &Option<Patterns>, one: TargetResource<'_>| {
            patterns.as_ref().map(|patterns| match_name(patterns, one))
        };
        let tags = |patterns: &Option<Patterns>, one: TargetResource<'_>| {
            patterns.as_ref().map(|patterns| match_tags(patterns, one))
        };
        let times = self.times.as_ref().map(|times| match_times(times, target.time));
        [
            ("times", times),
            ("spaces", thing(&self.spaces, target.space)),
            ("projects", thing(&self.projects, target.project)),
            (
                "project_groups",
                self.project_groups.as_ref().map(|p| match_group(p, target.project)),
            ),
            ("environments", thing(&self.environments, target.environment)),
            ("environment_tags", tags(&self.environment_tags, target.environment)),
            ("tenants", thing(&self.tenants, target.tenant)),
            ("tenant_tags", tags(&self.tenant_tags, target.tenant)),
            ("risks", self.risks.as_ref().map(|risks| match_risk(risks, target.risk))),
        ]
        .into_iter()
        .filter_map(|(what, answer)| Some((what, answer?)))
    }
}

fn combine_conditions(answers: impl Iterator<Item = (&'static str, TriState)>) -> RuleMatch {
    let mut fit = RuleMatch::Yes;
    for (what, answer) in answers {
        match answer {
            TriState::No => return RuleMatch::No(what),
            TriState::Unknown if fit == RuleMatch::Yes => fit = RuleMatch::Unknown(what),
            TriState::Yes | TriState::Unknown => {}
        }
    }
    fit
}

fn match_times(windows: &[TimeWindow], moment: Moment) -> TriState {
    match moment {
        Moment::At(moment) => TriState::from_bool(
            windows.iter().any(|window| time_window::window_contains(window, moment)),
        ),
        Moment::Unknown => TriState::Unknown,
    }
}

fn match_name(patterns: &Patterns, one: TargetResource<'_>) -> TriState {
    match one {
        TargetResource::Unknown => TriState::Unknown,
        TargetResource::None => TriState::No,
        TargetResource::Known(thing) => patterns.matches(thing.identifiers(), thing.name.is_some()),
    }
}

fn match_tags(patterns: &Patterns, one: TargetResource<'_>) -> TriState {
    match one {
        TargetResource::None => TriState::No,
        TargetResource::Known(ResourceRef { tags: Some(tags), .. }) => patterns.matches_any(tags),
        TargetResource::Unknown | TargetResource::Known(_) => TriState::Unknown,
    }
}

fn match_group(patterns: &Patterns, project: TargetResource<'_>) -> TriState {
    match project {
        TargetResource::None => TriState::No,
        TargetResource::Known(ResourceRef { group: Some(group), .. }) => {
            patterns.matches(group.identifiers(), group.name.is_some())
        }
        TargetResource::Unknown | TargetResource::Known(_) => TriState::Unknown,
    }
}

/// An uncertain risk is high or medium.
fn match_risk(risks: &[Risk], (risk, certain): (Risk, bool)) -> TriState {
    if certain {
        return TriState::from_bool(risks.contains(&risk));
    }
    match (risks.contains(&Risk::Medium), risks.contains(&Risk::High)) {
        (true, true) => TriState::Yes,
        (false, false) => TriState::No,
        _ => TriState::Unknown,
    }
}
