//! The places that a call reaches, and the moments at which it does.

use std::collections::HashSet;

use super::{
    Moment, Of, Situation,
    applicable::{Applicable, Kind},
    situation::One,
};
use crate::config::Risk;

/// How many places one call is judged at.
const MOST: usize = 10_000;

/// One of the places that a call reaches, at one of the moments.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target<'a> {
    pub(super) time: Moment,
    pub(super) space: One<'a>,
    pub(super) project: One<'a>,
    pub(super) environment: One<'a>,
    pub(super) tenant: One<'a>,
    /// What could come of it there, and whether that is certain.
    pub(super) risk: (Risk, bool),
}

/// Every place that a call reaches: each project with each environment and each tenant. Of a kind
/// that no rule matches by, the first thing stands for all, because the decision is the same at each.
#[derive(Debug)]
pub(super) struct Targets<'a> {
    times: &'a [Moment],
    spaces: Each<'a>,
    projects: Each<'a>,
    environments: Each<'a>,
    /// The risk at each environment.
    risks: Vec<(Risk, bool)>,
    tenants: Each<'a>,
}

/// The things of a kind that a call reaches.
#[derive(Debug)]
struct Each<'a> {
    all: Vec<One<'a>>,
    /// How many of them, from the first on, are judged: one or all.
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

    /// The names of those that are in some of the places, or of all where the first stands for all.
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
    /// The places of a call; none where they are more than can be judged one by one.
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

    /// Returns how many places are judged for a call; none where they are too many.
    pub(super) fn count_of(situation: &Situation, rules: &Applicable<'_>) -> Option<usize> {
        Targets::of(situation, rules, |_| (Risk::Read, true))?.count()
    }

    fn count(&self) -> Option<usize> {
        let each = [&self.spaces, &self.projects, &self.environments, &self.tenants];
        let all =
            each.into_iter().try_fold(self.times.len(), |all, each| all.checked_mul(each.judged));
        all.filter(|all| *all <= MOST)
    }

    /// One after the other; none of them is kept.
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

    /// The worst that could come of it anywhere.
    pub(super) fn risk(&self) -> Risk {
        self.risks.iter().map(|(risk, _)| *risk).max().unwrap_or(Risk::High)
    }

    /// The word that stands for these places: the names of the environments, or else of the projects
    /// or the spaces, or of the rule.
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

/// What a caller is told whose call reaches more places.
pub(super) fn too_many() -> String {
    format!(
        "it reaches more than {MOST} combinations of project, environment and tenant, which are \
         more than are judged at once; make several calls of it, each for some of them"
    )
}
