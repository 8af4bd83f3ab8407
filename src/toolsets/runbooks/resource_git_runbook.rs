//! The resource `runbook-git`.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    octopus::{Resource as _, document, projects::Project, runbooks::Runbook},
    tool::{Contents, Context, Error, Resource, checked_path_part},
};

/// A runbook in Git with all fields, at a branch, tag or commit.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct GitRunbookResource {
    space_name: String,
    project_slug: String,
    git_ref: String,
    runbook_slug: String,
}

impl Resource for GitRunbookResource {
    const NAME: &'static str = "runbook-git";
    const TITLE: &'static str = "Runbook in Git";
    const TEMPLATE: &'static str =
        "octopus://spaces/{spaceName}/projects/{projectSlug}/{gitRef}/runbooks/{runbookSlug}";

    async fn read(self, cx: &Context) -> Result<Contents, Error> {
        let git_ref = checked_path_part("gitRef", &self.git_ref)?;
        let slug = checked_path_part("runbookSlug", &self.runbook_slug)?;
        let space = cx.resolve_space(Some(&self.space_name)).await?;
        let project: Project = space.find(&self.project_slug).await?;
        let path = [Project::COLLECTION, project.id.as_str(), git_ref, Runbook::COLLECTION, slug];
        Ok(Contents::Json(
            document::read_named(&space, Runbook::NOUN, slug, &space.path(path)).await?,
        ))
    }
}
