//! The resource `release`.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    octopus::{Id, document, releases::Release},
    tool::{Contents, Context, Error, Resource},
};

/// A release with all fields: packages, Git references, notes, and build information with commits
/// and work items.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ReleaseResource {
    space_name: String,
    release_id: String,
}

impl Resource for ReleaseResource {
    const NAME: &'static str = "release";
    const TITLE: &'static str = "Release";
    const TEMPLATE: &'static str = "octopus://spaces/{spaceName}/releases/{releaseId}";
    const KEEPS_TO_PROJECT: bool = true;

    async fn read(self, cx: &Context) -> Result<Contents, Error> {
        let id = Id::<Release>::parse(&self.release_id)?;
        let space = cx.resolve_space(Some(&self.space_name)).await?;
        if cx.pinned_project().is_some() {
            let release: Release = space.get(&id).await?;
            cx.ensure_project_in_scope(&space, Some(&release.project_id)).await?;
        }
        Ok(Contents::Json(document::read(&space, &id).await?))
    }
}
