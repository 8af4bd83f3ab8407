//! `list_releases`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::summary::{ReleaseSummary, summaries};
use crate::{
    access::Alias,
    octopus::releases,
    tool::{Context, Error, List, Skip, SpaceArg, Take, Tool},
};

/// List the releases of all projects of a space, newest first. For one project use
/// list_releases_for_project.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ListReleases {
    space: Option<SpaceArg>,
    skip: Option<Skip>,
    take: Option<Take>,
}

impl Tool for ListReleases {
    const NAME: &'static str = "list_releases";
    const TITLE: &'static str = "List releases";
    const ALIASES: &'static [Alias] = &[Alias::new("find_releases")];

    type Output = List<ReleaseSummary>;

    async fn run(self, cx: &Context) -> Result<Self::Output, Error> {
        let window = cx.window(self.skip, self.take)?;
        let space = cx.resolve_space(self.space.as_deref()).await?;
        let page = releases::list(&space, window).await?;
        let items = summaries(&space, page.items, true).await?;
        Ok(List::new(window, page.total_results, items)
            .with_unreadable(&page.unreadable)
            .with_hint_if_empty(|| {
                format!("space '{}' has no release that this user can see", space.name())
            }))
    }
}
