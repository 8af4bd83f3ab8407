//! The targets of a call: combinations of moment, space, project, environment and tenant.

use std::collections::HashSet;

use super::{
    applicable::ApplicableRules,
    input::{Moment, PolicyInput, ResourceKind, ResourceSet, TargetResource},
    target::Target,
};
use crate::config::Risk;

/// Maximum number of targets of a call.
const MAX_TARGETS: usize = 10_000;

/// All targets of a call: the product of its moments, spaces, projects, environments and tenants.
/// If no rule depends on a kind of resource, its first resource represents all, because the
/// decision is the same for each.
#[derive(Debug)]
pub(super) struct Targets<'a> {
    times: &'a [Moment],
    spaces: Dimension<'a>,
    projects: Dimension<'a>,
    environments: Dimension<'a>,
    /// The risk for each environment.
    risks: Vec<(Risk, bool)>,
    tenants: Dimension<'a>,
}

/// The resources of one kind.
#[derive(Debug)]
struct Dimension<'a> {
    all: Vec<TargetResource<'a>>,
    /// The number of evaluated resources, from the first: one or all.
    evaluated: usize,
}

impl<'a> Dimension<'a> {
    fn new(set: &'a ResourceSet, is_matched: bool) -> Self {
        let all = set.each();
        Self { evaluated: if is_matched { all.len() } else { 1 }, all }
    }

    fn evaluated(&self) -> impl Iterator<Item = TargetResource<'a>> + '_ {
        self.all.iter().copied().take(self.evaluated)
    }

    /// Returns the names of the resources of some targets. If the first resource represents all,
    /// returns the names of all.
    fn names(&self, resources: impl Iterator<Item = TargetResource<'a>>) -> Vec<&'a str> {
        let mut names = Vec::new();
        let mut seen = HashSet::new();
        let mut add = |one: TargetResource<'a>| {
            if let TargetResource::Known(resource) = one
                && seen.insert(resource.display_name())
            {
                names.push(resource.display_name());
            }
        };
        if self.evaluated < self.all.len() {
            self.all.iter().copied().for_each(&mut add);
        } else {
            resources.for_each(&mut add);
        }
        names
    }
}

impl<'a> Targets<'a> {
    /// Returns the targets of a call; `None` if their number exceeds the maximum.
    pub(super) fn for_input(
        input: &'a PolicyInput,
        rules: &ApplicableRules<'_>,
        risk: impl Fn(TargetResource<'a>) -> (Risk, bool),
    ) -> Option<Self> {
        let each = |set: &'a ResourceSet, kind| Dimension::new(set, rules.depends_on(kind, input));
        let targets = Self {
            times: &input.times,
            spaces: each(&input.space, ResourceKind::Space),
            projects: each(&input.projects, ResourceKind::Project),
            environments: each(&input.environments, ResourceKind::Environment),
            risks: Vec::new(),
            tenants: each(&input.tenants, ResourceKind::Tenant),
        };
        targets.count()?;
        let risks = targets.environments.all.iter().map(|one| risk(*one)).collect();
        Some(Self { risks, ..targets })
    }

    /// Returns the number of evaluated targets of a call; `None` if it exceeds the maximum.
    pub(super) fn count_for(input: &PolicyInput, rules: &ApplicableRules<'_>) -> Option<usize> {
        Targets::for_input(input, rules, |_| (Risk::Read, true))?.count()
    }

    fn count(&self) -> Option<usize> {
        let each = [&self.spaces, &self.projects, &self.environments, &self.tenants];
        let all = each
            .into_iter()
            .try_fold(self.times.len(), |all, each| all.checked_mul(each.evaluated));
        all.filter(|all| *all <= MAX_TARGETS)
    }

    /// Generates the targets one by one, without storing them.
    pub(super) fn iter(&self) -> impl Iterator<Item = Target<'a>> + '_ {
        let times = self.times.iter();
        times.flat_map(move |&time| {
            self.spaces.evaluated().flat_map(move |space| {
                self.projects.evaluated().flat_map(move |project| {
                    let environments = self.environments.evaluated().zip(&self.risks);
                    environments.flat_map(move |(environment, &risk)| {
                        self.tenants.evaluated().map(move |tenant| Target {
                            time,
                            space,
                            project,
                            environment,
                            tenant,
                            risk,
                        })
                    })
                })
            })
        })
    }

    /// Returns the highest risk of all environments.
    pub(super) fn risk(&self) -> Risk {
        self.risks.iter().map(|(risk, _)| *risk).max().unwrap_or(Risk::High)
    }

    /// Returns the names of the environments of these targets, and `unknown_name` for those that are
    /// unknown.
    pub(super) fn described_word(&self, targets: &[Target<'a>], unknown_name: &str) -> String {
        let mut names = self.environments.names(targets.iter().map(|target| target.environment));
        names.push(unknown_name);
        names.join(", ")
    }

    /// Returns the confirmation word for these targets: the names of the environments, otherwise of
    /// the projects or spaces, otherwise of the rule.
    pub(super) fn confirmation_word(&self, targets: &[Target<'a>], rule: Option<&str>) -> String {
        let each = || targets.iter();
        let named = [
            self.environments.names(each().map(|target| target.environment)),
            self.projects.names(each().map(|target| target.project)),
            self.spaces.names(each().map(|target| target.space)),
        ];
        let names = named.into_iter().find(|names| !names.is_empty());
        names.map_or_else(|| rule.unwrap_or("yes").to_owned(), |names| names.join(", "))
    }
}

/// Returns the message for a call with too many targets.
pub(super) fn too_many_targets_message() -> String {
    format!(
        "the call reaches more than {MAX_TARGETS} combinations of project, environment and tenant, which \
         is the limit of the policy rules; split it into several calls"
    )
}
