//! `list_releases_for_project`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::summary::{ReleaseSummary, summaries};
use crate::{
    access::Alias,
    octopus::{projects::Project, releases},
    tool::{Context, Error, List, ProjectArg, Skip, SpaceArg, Take, Tool},
};

/// List the releases of one project, newest first, optionally filtered by version.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ListReleasesForProject {
    space: Option<SpaceArg>,
    project_id: ProjectArg,
    /// Text that the version contains, e.g. "1.2".
    search_by_version: Option<String>,
    skip: Option<Skip>,
    take: Option<Take>,
}

impl Tool for ListReleasesForProject {
    const NAME: &'static str = "list_releases_for_project";
    const TITLE: &'static str = "List the releases of a project";
    const ALIASES: &'static [Alias] = &[
        Alias::with_argument("find_releases", "projectId"),
        Alias::with_argument("find_releases", "projectName"),
        Alias::with_argument("find_releases", "searchByVersion"),
    ];

    type Output = List<ReleaseSummary>;

    async fn run(self, cx: &Context) -> Result<Self::Output, Error> {
        let window = cx.window(self.skip, self.take)?;
        let space = cx.resolve_space(self.space.as_deref()).await?;
        let project = space.find::<Project>(&self.project_id).await?;
        let version = self.search_by_version.as_deref();
        let page = releases::list_for_project(&space, &project.id, version, window).await?;
        let items = summaries(&space, page.items, true).await?;
        Ok(List::new(window, page.total_results, items)
            .with_unreadable(&page.unreadable)
            .with_hint_if_empty(|| match version {
                Some(version) => {
                    format!("no release version of '{}' contains '{version}'", project.name)
                }
                None => format!("'{}' has no release that this user can see", project.name),
            }))
    }
}
