//! `get_release_by_id`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::summary::{ReleaseSummary, summaries};
use crate::{
    access::Alias,
    octopus::{Id, releases::Release},
    tool::{Context, Error, SpaceArg, Tool},
};

/// Get one release: version, notes, packages, Git reference, and builds with commits and work
/// items.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct GetReleaseById {
    space: Option<SpaceArg>,
    /// Release ID, e.g. "Releases-123".
    release_id: String,
}

impl Tool for GetReleaseById {
    const NAME: &'static str = "get_release_by_id";
    const TITLE: &'static str = "Get a release";
    const TAKES_MAX_BYTES: bool = true;
    const KEEPS_TO_PROJECT: bool = true;
    const ALIASES: &'static [Alias] = &[Alias::with_argument("find_releases", "releaseId")];

    type Output = ReleaseSummary;

    async fn run(self, cx: &Context) -> Result<Self::Output, Error> {
        let id = Id::<Release>::parse(&self.release_id)?;
        let space = cx.resolve_space(self.space.as_deref()).await?;
        let release: Release = space.get(&id).await?;
        cx.ensure_project_in_scope(&space, Some(&release.project_id)).await?;
        let summary = summaries(&space, vec![release], false).await?.pop();
        summary.ok_or_else(|| space.id_not_found(&id).into())
    }
}
