//! `find_runbooks`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::summary::{RunbookSummary, summaries};
use crate::{
    octopus::{
        PageRange, Space,
        git::GitRef,
        projects::Project,
        runbooks::{self, RunbookLocation},
    },
    tool::{
        Context, Error, GitRefArg, List, NamePart, OneOrList, ProjectArg, Skip, SpaceArg, Take,
        Tool,
    },
    toolsets::git_ref::resolve_git_ref,
};

/// Find runbooks with their environments and tenanted mode. Returns one runbook (runbookId), the
/// runbooks of a project (projectId), or all runbooks of the space that are not in Git.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct FindRunbooks {
    space: Option<SpaceArg>,
    project_id: Option<ProjectArg>,
    /// Name, slug or ID of one runbook; not with partialName or paging.
    runbook_id: Option<String>,
    git_ref: Option<GitRefArg>,
    partial_name: Option<NamePart>,
    skip: Option<Skip>,
    take: Option<Take>,
}

impl Tool for FindRunbooks {
    const NAME: &'static str = "find_runbooks";
    const TITLE: &'static str = "Find runbooks";

    type Output = OneOrList<RunbookSummary>;

    async fn run(self, cx: &Context) -> Result<Self::Output, Error> {
        let window = cx.window(self.skip, self.take)?;
        self.check()?;
        let space = cx.resolve_space(self.space.as_deref()).await?;
        let project = space.find_optional::<Project>(self.project_id.as_deref()).await?;
        let reference = match &project {
            Some(project) => {
                let stored = ("set of runbooks", project.has_runbooks_in_git());
                resolve_git_ref(&space, project, stored, self.git_ref.as_deref()).await?
            }
            None => None,
        };
        let location = match (&project, &reference) {
            (None, _) => RunbookLocation::Space,
            (Some(project), None) => RunbookLocation::Project(&project.id),
            (Some(project), Some(reference)) => RunbookLocation::Git(&project.id, reference),
        };
        let of = project.as_ref().map(|project| (project, reference.as_ref()));
        if let Some(name_or_id) = &self.runbook_id {
            let runbook = runbooks::find(&space, location, name_or_id).await?;
            let id = runbook.id.clone();
            let found = summaries(&space, vec![runbook], of).await?.pop();
            return found.map(OneOrList::one).ok_or_else(|| space.id_not_found(&id).into());
        }
        Ok(OneOrList::List(list(&space, location, of, self.partial_name.as_deref(), window).await?))
    }
}

impl FindRunbooks {
    fn check(&self) -> Result<(), Error> {
        let has_filters = self.partial_name.is_some() || self.skip.is_some() || self.take.is_some();
        if self.runbook_id.is_some() && has_filters {
            return Err(Error::Invalid(
                "`runbookId` selects one runbook; leave out `partialName`, `skip` and `take`, or \
                 leave out `runbookId` for a list"
                    .to_owned(),
            ));
        }
        if self.git_ref.is_some() && self.project_id.is_none() {
            return Err(Error::Invalid(
                "`gitRef` requires `projectId`, because it is a branch, tag or commit of a project"
                    .to_owned(),
            ));
        }
        Ok(())
    }
}

async fn list(
    space: &Space,
    location: RunbookLocation<'_>,
    of: Option<(&Project, Option<&GitRef>)>,
    partial_name: Option<&str>,
    window: PageRange,
) -> Result<List<RunbookSummary>, Error> {
    let page = runbooks::list(space, location, partial_name, window).await?;
    let items = summaries(space, page.items, of).await?;
    Ok(List::new(window, page.total_results, items).with_unreadable(&page.unreadable).with_hint_if_empty(|| {
        let with_name = partial_name.map_or_else(String::new, |part| format!(" whose name contains '{part}'"));
        match of {
            Some((project, Some(reference))) => {
                format!("'{}' has no runbook{with_name} at {}", project.name, reference.as_str())
            }
            Some((project, None)) => format!("'{}' has no runbook{with_name}", project.name),
            None => format!(
                "space '{}' has no runbook{with_name} in the database; give `projectId` for runbooks in \
                 Git",
                space.name()
            ),
        }
    }))
}
