//! Shared parts of `deploy_release` and `run_runbook`: targets, schedule, options and prompted
//! variables of an execution, and the request body for Octopus.
//!
//! Uses the executions API, version 1 (`octopus.com/docs/octopus-rest-api`).

mod automatic;
mod freezes;
mod options;
mod prompts;
mod schedule;
mod target_previews;
mod targets;

pub(super) use automatic::AutomaticDeployments;
pub(super) use freezes::DeploymentFreezes;
pub(super) use options::ExecutionOptions;
pub(super) use prompts::PromptedVariables;
pub(super) use schedule::Schedule;
pub(super) use target_previews::TargetPreviews;
pub(super) use targets::{Targets, Tenancy, TenantedMode};

use crate::{
    octopus::{
        AccessSet, Id, Named, OctopusVersion, ResourceKind, Space, projects::Project,
        releases::Release,
    },
    tool::{Context, Error},
};

/// The first Octopus version with the executions API.
pub(super) const SINCE: OctopusVersion = OctopusVersion(2022, 3, 5512);

/// Enters the space of a change.
///
/// # Errors
///
/// Rejects a space whose ID is the name or slug of another space. The body of an execution names
/// the space in a field that accepts both.
pub(super) async fn space(cx: &Context, given: Option<&str>) -> Result<Space, Error> {
    let space = cx.resolve_space(given).await?;
    space.ensure_unique_space_id().await?;
    Ok(space)
}

/// Rejects a name in the form of an ID, for fields that Octopus documents as names only.
pub(super) fn ensure_plain_name<R: Named>(document: &R) -> Result<(), Error> {
    if !document.has_id_like_name() {
        return Ok(());
    }
    Err(Error::Invalid(format!(
        "the {} {} has a name that looks like an ID, and this operation identifies it by name, so \
         nothing was sent; rename it in Octopus, then call again",
        R::NOUN,
        document.label()
    )))
}

/// Rejects a release whose version has the form of a release ID, because Octopus accepts only
/// versions.
pub(super) fn ensure_plain_version(release: &Release) -> Result<(), Error> {
    if Id::<Release>::parse(&release.version).is_err() {
        return Ok(());
    }
    Err(Error::Invalid(format!(
        "the release {} has the version '{}', which looks like a release ID, and this operation \
         identifies a release by version, so nothing was sent; create a release with another version",
        release.id, release.version
    )))
}

/// Rejects names of deployment freezes in the form of an ID. Octopus accepts only names, which are
/// sent unchanged.
pub(super) fn ensure_freeze_names(names: &[String]) -> Result<(), Error> {
    const PREFIX: &str = "deploymentfreezes-";
    match names.iter().find(|name| name.trim().to_lowercase().starts_with(PREFIX)) {
        None => Ok(()),
        Some(name) => Err(Error::Argument {
            field: "deploymentFreezeNames".to_owned(),
            reason: format!("'{name}' looks like an ID; expected the name of a freeze"),
        }),
    }
}

/// Returns the access set of an operation on a project and, if given, its targets.
pub(super) fn access_set(space: &Space, project: &Project, targets: Option<&Targets>) -> AccessSet {
    let mut accessed =
        AccessSet::default().with_resources(ResourceKind::Project, [project.access_entry()]);
    space.record_access(&mut accessed);
    if let Some(targets) = targets {
        accessed = accessed
            .with_resources(
                ResourceKind::Environment,
                targets
                    .environments
                    .iter()
                    .map(super::super::octopus::environments::Environment::access_entry),
            )
            .with_resources(
                ResourceKind::Tenant,
                targets.tenancy.tenants().map(super::super::octopus::tenants::Tenant::access_entry),
            );
    }
    accessed
}

/// Returns a hint for the next step, if that tool is enabled.
pub(super) fn help_text(cx: &Context) -> Option<&'static str> {
    let is_on = cx.access.is_visible_by_name("get_task_details");
    is_on.then_some("get_task_details shows the progress of a task")
}

/// Returns the message for started executions, e.g. `2 deployments started`.
pub(super) fn message(noun: &str, count: usize, run_at: Option<&str>) -> String {
    if count == 0 {
        return format!("Octopus accepted the request but started no {noun}");
    }
    let plural = if count == 1 { "" } else { "s" };
    match run_at {
        Some(moment) => format!("{count} {noun}{plural} will start at {moment}"),
        None => format!("{count} {noun}{plural} started"),
    }
}
