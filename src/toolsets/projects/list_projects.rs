//! `list_projects`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    octopus::{
        Id, Page, Resource, Space, lifecycles::Lifecycle, project_groups::ProjectGroup,
        projects::Project,
    },
    tool::{Context, Error, List, NamePart, NamesById, Skip, SpaceArg, Take, Tool},
};

/// List the projects of a space, with lifecycle, project group and Git repository.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ListProjects {
    space: Option<SpaceArg>,
    partial_name: Option<NamePart>,
    skip: Option<Skip>,
    take: Option<Take>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProjectSummary {
    space_id: String,
    id: String,
    name: String,
    slug: Option<String>,
    description: String,
    is_disabled: bool,
    deployment_process_id: Option<String>,
    lifecycle_id: Option<String>,
    lifecycle_name: Option<String>,
    project_group_id: Option<String>,
    project_group_name: Option<String>,
    /// Untenanted, TenantedOrUntenanted or Tenanted.
    tenanted_deployment_mode: Option<String>,
    /// URL of the Git repository, if the project is version-controlled.
    repository_url: Option<String>,
    default_branch: Option<String>,
    url: String,
}

impl Tool for ListProjects {
    const NAME: &'static str = "list_projects";
    const TITLE: &'static str = "List projects";

    type Output = List<ProjectSummary>;

    async fn run(self, cx: &Context) -> Result<Self::Output, Error> {
        let window = cx.window(self.skip, self.take)?;
        let space = cx.resolve_space(self.space.as_deref()).await?;
        let path = space
            .path([Project::COLLECTION])
            .query_opt("partialName", self.partial_name.as_deref());
        let page: Page<Project> = space.list(path, window).await?;
        let (lifecycles, groups) = futures::try_join!(
            NamesById::lookup::<Lifecycle>(
                &space,
                page.items.iter().filter_map(|p| p.lifecycle_id.as_ref())
            ),
            NamesById::lookup::<ProjectGroup>(
                &space,
                page.items.iter().filter_map(|p| p.project_group_id.as_ref())
            ),
        )?;
        let items: Vec<_> = page
            .items
            .into_iter()
            .map(|project| summary(&space, project, &lifecycles, &groups))
            .collect();
        Ok(List::new(window, page.total_results, items).with_unreadable(&page.unreadable).with_hint_if_empty(|| match &self.partial_name {
            Some(name) => format!(
                "no project's name in space '{}' contains '{name}'; leave partialName out, or try \
                 another space",
                space.name()
            ),
            None => format!("space '{}' has no project that this user can see", space.name()),
        }))
    }
}

fn summary(
    space: &Space,
    project: Project,
    lifecycles: &NamesById,
    groups: &NamesById,
) -> ProjectSummary {
    let name = |names: &NamesById, id: Option<&str>| id.and_then(|id| names.get(id));
    let git = project.git().map(|git| (git.url.clone(), git.default_branch.clone()));
    let (repository_url, default_branch) = git.unwrap_or_default();
    let lifecycle_id = project.lifecycle_id.map(Id::into_string);
    let project_group_id = project.project_group_id.map(Id::into_string);
    ProjectSummary {
        space_id: space.id().to_string(),
        url: space.portal().project(project.slug.as_deref().unwrap_or(project.id.as_str())),
        lifecycle_name: name(lifecycles, lifecycle_id.as_deref()),
        project_group_name: name(groups, project_group_id.as_deref()),
        id: project.id.into_string(),
        name: project.name,
        slug: project.slug,
        description: project.description,
        is_disabled: project.is_disabled,
        deployment_process_id: project.deployment_process_id,
        lifecycle_id,
        project_group_id,
        tenanted_deployment_mode: project.tenanted_deployment_mode,
        repository_url,
        default_branch,
    }
}
