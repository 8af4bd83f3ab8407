//! The places that a call reaches, and the moments at which it does.

use super::{Moment, Of, Situation, situation::One};
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

/// Every place that a call reaches: each project with each environment and each tenant.
#[derive(Debug)]
pub(super) struct Targets<'a> {
    times: &'a [Moment],
    spaces: Vec<One<'a>>,
    projects: Vec<One<'a>>,
    environments: Vec<(One<'a>, (Risk, bool))>,
    tenants: Vec<One<'a>>,
}

impl<'a> Targets<'a> {
    /// The places of a call; none where they are more than can be judged one by one.
    pub(super) fn of(
        situation: &'a Situation,
        risk: impl Fn(One<'a>) -> (Risk, bool),
    ) -> Option<Self> {
        let each = |of: &'a Of| of.each();
        let environments = each(&situation.environments).into_iter();
        let targets = Self {
            times: &situation.times,
            spaces: each(&situation.space),
            projects: each(&situation.projects),
            environments: environments.map(|one| (one, risk(one))).collect(),
            tenants: each(&situation.tenants),
        };
        let counts = [
            targets.times.len(),
            targets.spaces.len(),
            targets.projects.len(),
            targets.environments.len(),
            targets.tenants.len(),
        ];
        let all = counts.into_iter().try_fold(1, usize::checked_mul);
        all.is_some_and(|all| all <= MOST).then_some(targets)
    }

    /// One after the other; none of them is kept.
    pub(super) fn iter(&self) -> impl Iterator<Item = Target<'a>> + '_ {
        let times = self.times.iter();
        times.flat_map(move |&time| {
            self.spaces.iter().flat_map(move |&space| {
                self.projects.iter().flat_map(move |&project| {
                    self.environments.iter().flat_map(move |&(environment, risk)| {
                        self.tenants.iter().map(move |&tenant| Target {
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
        self.environments.iter().map(|(_, (risk, _))| *risk).max().unwrap_or(Risk::High)
    }
}

/// What a caller is told whose call reaches more places.
pub(super) fn too_many() -> String {
    format!(
        "it reaches more than {MOST} combinations of project, environment and tenant, which are \
         more than are judged at once; make several calls of it, each for some of them"
    )
}

/// The word that stands for where it goes: the names of the environments, or else of the project or
/// the space, or of the rule.
pub(super) fn word<'a>(targets: &[Target<'a>], rule: Option<&str>) -> String {
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
