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

/// Result of a rule for a call at a target. `Unknown` and `No` contain the name of the condition.
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
    pub(super) fn matches(&self, input: &PolicyInput, target: &Target<'_>) -> RuleMatch {
        combine_conditions(self.call_conditions(input).chain(self.target_conditions(target)))
    }

    /// Like [`CompiledRule::matches`], for a call whose target-independent conditions match.
    pub(super) fn matches_at(&self, target: &Target<'_>) -> RuleMatch {
        step_counter::add(1);
        combine_conditions(self.target_conditions(target))
    }

    /// Returns whether the rule can match the call at some target, because all target-independent
    /// conditions match. These conditions are never unknown.
    pub(super) fn can_match(&self, input: &PolicyInput) -> bool {
        combine_conditions(self.call_conditions(input)) == RuleMatch::Yes
    }

    /// Returns whether the rule depends on the resource of this kind. The risk depends on the
    /// environment only for [`PolicyAction::Run`].
    pub(super) fn depends_on(&self, kind: ResourceKind, action: PolicyAction) -> bool {
        match kind {
            ResourceKind::Space => self.spaces.is_some(),
            ResourceKind::Project => self.projects.is_some() || self.project_groups.is_some(),
            ResourceKind::Environment => {
                let by_risk = action == PolicyAction::Run && self.risks.is_some();
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
        let by_resource = kinds.any(|kind| self.depends_on(kind, PolicyAction::Run));
        !by_resource && self.times.is_none()
    }

    /// Evaluates the target-independent conditions.
    fn call_conditions(
        &self,
        input: &PolicyInput,
    ) -> impl Iterator<Item = (&'static str, TriState)> {
        let matches = |patterns: &Option<Patterns>, name: &str| {
            patterns.as_ref().map(|patterns| patterns.matches(std::iter::once(name), true))
        };
        let groups = self.groups.as_ref().map(|groups| groups.matches_any(&input.groups));
        let tiers =
            self.tiers.as_ref().map(|tiers| TriState::from_bool(tiers.contains(&input.tier)));
        [
            ("tools", matches(&self.tools, &input.tool)),
            ("toolsets", matches(&self.toolsets, &input.toolset)),
            ("tiers", tiers),
            ("instances", matches(&self.instances, &input.instance)),
            ("callers", self.callers.as_ref().map(|callers| callers.matches_any(&input.callers))),
            ("groups", groups),
        ]
        .into_iter()
        .filter_map(|(condition, result)| Some((condition, result?)))
    }

    /// Evaluates the conditions that depend on the target.
    fn target_conditions(
        &self,
        target: &Target<'_>,
    ) -> impl Iterator<Item = (&'static str, TriState)> {
        let name = |patterns: &Option<Patterns>, resource: TargetResource<'_>| {
            patterns.as_ref().map(|patterns| match_name(patterns, resource))
        };
        let tags = |patterns: &Option<Patterns>, resource: TargetResource<'_>| {
            patterns.as_ref().map(|patterns| match_tags(patterns, resource))
        };
        let times = self.times.as_ref().map(|times| match_times(times, target.time));
        [
            ("times", times),
            ("spaces", name(&self.spaces, target.space)),
            ("projects", name(&self.projects, target.project)),
            (
                "project_groups",
                self.project_groups.as_ref().map(|p| match_group(p, target.project)),
            ),
            ("environments", name(&self.environments, target.environment)),
            ("environment_tags", tags(&self.environment_tags, target.environment)),
            ("tenants", name(&self.tenants, target.tenant)),
            ("tenant_tags", tags(&self.tenant_tags, target.tenant)),
            ("risks", self.risks.as_ref().map(|risks| match_risk(risks, target.risk))),
        ]
        .into_iter()
        .filter_map(|(condition, result)| Some((condition, result?)))
    }
}

fn combine_conditions(results: impl Iterator<Item = (&'static str, TriState)>) -> RuleMatch {
    let mut rule_match = RuleMatch::Yes;
    for (condition, result) in results {
        match result {
            TriState::No => return RuleMatch::No(condition),
            TriState::Unknown if rule_match == RuleMatch::Yes => {
                rule_match = RuleMatch::Unknown(condition);
            }
            TriState::Yes | TriState::Unknown => {}
        }
    }
    rule_match
}

fn match_times(windows: &[TimeWindow], moment: Moment) -> TriState {
    match moment {
        Moment::At(moment) => TriState::from_bool(
            windows.iter().any(|window| time_window::window_contains(window, moment)),
        ),
        Moment::Unknown => TriState::Unknown,
    }
}

fn match_name(patterns: &Patterns, target: TargetResource<'_>) -> TriState {
    match target {
        TargetResource::Unknown => TriState::Unknown,
        TargetResource::None => TriState::No,
        TargetResource::Known(resource) => {
            patterns.matches(resource.identifiers(), resource.name.is_some())
        }
    }
}

fn match_tags(patterns: &Patterns, target: TargetResource<'_>) -> TriState {
    match target {
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
