//! `get_branches`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    octopus::{OctopusVersion, git, projects::Project},
    tool::{Context, Error, List, NamePart, ProjectArg, Skip, SpaceArg, Take, Tool},
};

/// List the Git branches of a version-controlled project.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct GetBranches {
    space: Option<SpaceArg>,
    project_id: ProjectArg,
    search_by_name: Option<NamePart>,
    skip: Option<Skip>,
    take: Option<Take>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct BranchSummary {
    name: String,
    /// Complete reference, e.g. refs/heads/main.
    canonical_name: String,
    is_protected: bool,
    /// True for the branch that calls without gitRef use; otherwise absent.
    is_default: Option<bool>,
}

impl Tool for GetBranches {
    const NAME: &'static str = "get_branches";
    const TITLE: &'static str = "List Git branches";
    const SINCE: OctopusVersion = OctopusVersion(2021, 2, 0);

    type Output = List<BranchSummary>;

    async fn run(self, cx: &Context) -> Result<Self::Output, Error> {
        let window = cx.window(self.skip, self.take)?;
        let space = cx.resolve_space(self.space.as_deref()).await?;
        let project = space.find::<Project>(&self.project_id).await?;
        if project.git().is_none() {
            return Err(Error::Invalid(format!(
                "'{}' is not version-controlled: it is stored in the database of Octopus, so it has \
                 no branches and needs no gitRef",
                project.name
            )));
        }
        let part = self.search_by_name.as_deref();
        let page = git::branches(&space, &project.id, part, window).await?;
        let default = project.default_branch();
        let items = page.items.into_iter().map(|branch| BranchSummary {
            is_default: default
                .is_some_and(|name| name == branch.name || name == branch.canonical_name)
                .then_some(true),
            name: branch.name,
            canonical_name: branch.canonical_name,
            is_protected: branch.is_protected,
        });
        Ok(List::new(window, page.total_results, items.collect())
            .with_unreadable(&page.unreadable)
            .with_hint_if_empty(|| match part {
                Some(part) => format!("no branch name of '{}' contains '{part}'", project.name),
                None => format!("Octopus found no branch of '{}'", project.name),
            }))
    }
}
