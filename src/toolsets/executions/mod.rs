//! What deploying a release and running a runbook share: how it is done, what it asks for, and
//! what Octopus is told (executions, version 1: `octopus.com/docs/octopus-rest-api`).

mod automatic;
mod manner;
mod prompts;
mod targets;
mod times;

pub(super) use automatic::Automatic;
pub(super) use manner::Manner;
pub(super) use prompts::Prompts;
pub(super) use targets::{Mode, Targets, Tenancy};
pub(super) use times::Times;

use crate::{
    octopus::{Kind, OctopusVersion, Space, Touches, projects::Project},
    tool::Context,
};

/// The first version with executions.
pub(super) const SINCE: OctopusVersion = OctopusVersion(2022, 3, 5512);

/// What is touched by something that is done with a project, and goes there.
pub(super) fn touches(space: &Space, project: &Project, targets: Option<&Targets>) -> Touches {
    let mut touches = Touches::default().with(Kind::Project, [project.thing()]);
    space.touches(&mut touches);
    if let Some(targets) = targets {
        touches = touches
            .with(
                Kind::Environment,
                targets
                    .environments
                    .iter()
                    .map(super::super::octopus::environments::Environment::thing),
            )
            .with(
                Kind::Tenant,
                targets.tenancy.tenants().map(super::super::octopus::tenants::Tenant::thing),
            );
    }
    touches
}

/// What to do next, where that tool is on.
pub(super) fn help(cx: &Context) -> Option<&'static str> {
    let is_on = cx.policy.names("get_task_details");
    is_on.then_some("get_task_details says how a task goes")
}

/// What was begun, in words.
pub(super) fn message(noun: &str, count: usize, run_at: Option<&str>) -> String {
    let plural = if count == 1 { "" } else { "s" };
    match run_at {
        Some(moment) => format!("{count} {noun}{plural} will start at {moment}"),
        None => format!("{count} {noun}{plural} started"),
    }
}
