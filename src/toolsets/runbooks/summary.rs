//! A runbook in the form of the answer.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    octopus::{
        Error, Named, Space, environments::Environment, git::GitRef, projects::Project,
        runbooks::Runbook,
    },
    tool::{NamedId, NamesById, resource_uri},
};

/// A runbook in an answer.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RunbookSummary {
    id: String,
    name: String,
    slug: Option<String>,
    description: Option<String>,
    project_id: String,
    project_name: Option<String>,
    runbook_process_id: Option<String>,
    /// Snapshot that a run uses. Absent if none is published, and for runbooks in Git.
    published_runbook_snapshot_id: Option<String>,
    /// Git reference at which the runbook was read.
    git_ref: Option<String>,
    /// Whether runs have tenants: Untenanted, TenantedOrUntenanted or Tenanted.
    multi_tenancy_mode: Option<String>,
    /// All, Specified (listed in environments) or FromProjectLifecycles.
    environment_scope: Option<String>,
    environments: Vec<NamedId>,
    resource_uri: Option<String>,
    url: String,
}

/// Creates the answer form of runbooks, with the names of projects and environments.
///
/// `project` is the project of all runbooks and their Git reference, if known.
pub(super) async fn summaries(
    space: &Space,
    runbooks: Vec<Runbook>,
    project: Option<(&Project, Option<&GitRef>)>,
) -> Result<Vec<RunbookSummary>, Error> {
    let known = project.map(|(project, _)| project);
    let other_projects = runbooks.iter().filter(|_| known.is_none()).map(|r| &r.project_id);
    let environments = runbooks.iter().flat_map(|runbook| &runbook.environments);
    let (projects, environments) = futures::try_join!(
        space.by_ids::<Project>(other_projects),
        NamesById::lookup::<Environment>(space, environments),
    )?;
    let reference = project.and_then(|(_, reference)| reference);
    Ok(runbooks
        .into_iter()
        .map(|runbook| {
            let project = known.or_else(|| projects.get(runbook.project_id.as_str()));
            let slug = project.and_then(Named::slug);
            let portal = space.portal();
            let place = slug.unwrap_or(runbook.project_id.as_str());
            RunbookSummary {
                url: match reference {
                    Some(_) => portal.runbooks(place),
                    None => portal.runbook(place, &runbook.id),
                },
                resource_uri: runbook_uri(space, &runbook, slug, reference),
                id: runbook.id.into_string(),
                name: runbook.name,
                slug: runbook.slug,
                description: runbook.description,
                project_name: project.map(|project| project.name.clone()),
                project_id: runbook.project_id.into_string(),
                runbook_process_id: runbook.runbook_process_id,
                published_runbook_snapshot_id: runbook.published_runbook_snapshot_id,
                git_ref: reference.map(|reference| reference.as_str().to_owned()),
                multi_tenancy_mode: runbook.multi_tenancy_mode,
                environment_scope: runbook.environment_scope,
                environments: runbook
                    .environments
                    .iter()
                    .map(|id| environments.named_id(id))
                    .collect(),
            }
        })
        .collect())
}

fn runbook_uri(
    space: &Space,
    runbook: &Runbook,
    project_slug: Option<&str>,
    reference: Option<&GitRef>,
) -> Option<String> {
    let Some(reference) = reference else {
        return Some(resource_uri(["spaces", space.name(), "runbooks", runbook.id.as_str()]));
    };
    let (project, slug) = (project_slug?, runbook.slug.as_deref()?);
    let git_ref = reference.as_str();
    Some(resource_uri(["spaces", space.name(), "projects", project, git_ref, "runbooks", slug]))
}
