//! The targets of a call: combinations of moment, space, project, environment and tenant.

use std::collections::HashSet;

use super::{
    Moment, Of, Situation,
    applicable::{Applicable, Kind},
    situation::One,
};
use crate::config::Risk;

/// The maximum number of targets of a call.
const MOST: usize = 10_000;

/// One combination of resources that a call accesses, at one moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target<'a> {
    pub(super) time: Moment,
    pub(super) space: One<'a>,
    pub(super) project: One<'a>,
    pub(super) environment: One<'a>,
    pub(super) tenant: One<'a>,
    /// The risk of the call at this target, and whether it is certain.
    pub(super) risk: (Risk, bool),
}

/// All targets of a call: the product of its moments, spaces, projects, environments and tenants.
/// If no rule depends on a kind of resource, its first resource represents all, because the
/// decision is the same for each.
#[derive(Debug)]
pub(super) struct Targets<'a> {
    times: &'a [Moment],
    spaces: Each<'a>,
    projects: Each<'a>,
    environments: Each<'a>,
    /// The risk for each environment.
    risks: Vec<(Risk, bool)>,
    tenants: Each<'a>,
}

/// The resources of one kind.
#[derive(Debug)]
struct Each<'a> {
    all: Vec<One<'a>>,
    /// The number of evaluated resources, from the first: one or all.
    judged: usize,
}

impl<'a> Each<'a> {
    fn of(of: &'a Of, is_matched: bool) -> Self {
        let all = of.each();
        Self { judged: if is_matched { all.len() } else { 1 }, all }
    }

    fn judged(&self) -> impl Iterator<Item = One<'a>> + '_ {
        self.all.iter().copied().take(self.judged)
    }

    /// Returns the names of the resources of some targets. If the first resource represents all,
    /// returns the names of all.
    fn names(&self, places: impl Iterator<Item = One<'a>>) -> Vec<&'a str> {
        let mut names = Vec::new();
        let mut known = HashSet::new();
        let mut add = |one: One<'a>| {
            if let One::Thing(thing) = one
                && known.insert(thing.shown())
            {
                names.push(thing.shown());
            }
        };
        if self.judged < self.all.len() {
            self.all.iter().copied().for_each(&mut add);
        } else {
            places.for_each(&mut add);
        }
        names
    }
}

impl<'a> Targets<'a> {
    /// Returns the targets of a call, or `None` if there are too many.
    pub(super) fn of(
        situation: &'a Situation,
        rules: &Applicable<'_>,
        risk: impl Fn(One<'a>) -> (Risk, bool),
    ) -> Option<Self> {
        let each = |of: &'a Of, kind| Each::of(of, rules.match_by(kind, situation));
        let targets = Self {
            times: &situation.times,
            spaces: each(&situation.space, Kind::Space),
            projects: each(&situation.projects, Kind::Project),
            environments: each(&situation.environments, Kind::Environment),
            risks: Vec::new(),
            tenants: each(&situation.tenants, Kind::Tenant),
        };
        targets.count()?;
        let risks = targets.environments.all.iter().map(|one| risk(*one)).collect();
        Some(Self { risks, ..targets })
    }

    /// Returns the number of evaluated targets of a call, or `None` if there are too many.
    pub(super) fn count_of(situation: &Situation, rules: &Applicable<'_>) -> Option<usize> {
        Targets::of(situation, rules, |_| (Risk::Read, true))?.count()
    }

    fn count(&self) -> Option<usize> {
        let each = [&self.spaces, &self.projects, &self.environments, &self.tenants];
        let all =
            each.into_iter().try_fold(self.times.len(), |all, each| all.checked_mul(each.judged));
        all.filter(|all| *all <= MOST)
    }

    /// Generates the targets one by one, without storing them.
    pub(super) fn iter(&self) -> impl Iterator<Item = Target<'a>> + '_ {
        let times = self.times.iter();
        times.flat_map(move |&time| {
            self.spaces.judged().flat_map(move |space| {
                self.projects.judged().flat_map(move |project| {
                    let environments = self.environments.judged().zip(&self.risks);
                    environments.flat_map(move |(environment, &risk)| {
                        self.tenants.judged().map(move |tenant| Target {
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

    /// Returns the confirmation word for these targets: the names of the environments, otherwise of
    /// the projects or spaces, otherwise of the rule.
    pub(super) fn word(&self, places: &[Target<'a>], rule: Option<&str>) -> String {
        let places = || places.iter();
        let named = [
            self.environments.names(places().map(|target| target.environment)),
            self.projects.names(places().map(|target| target.project)),
            self.spaces.names(places().map(|target| target.space)),
        ];
        let names = named.into_iter().find(|names| !names.is_empty());
        names.map_or_else(|| rule.unwrap_or("yes").to_owned(), |names| names.join(", "))
    }
}

/// The message for a call with too many targets.
pub(super) fn too_many() -> String {
    format!(
        "the call reaches more than {MOST} combinations of project, environment and tenant, which \
         is the limit of the policy rules; split it into several calls"
    )
}
