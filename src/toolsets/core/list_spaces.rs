//! `list_spaces`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    octopus::{Portal, spaces},
    tool::{Context, Error, List, Tool},
};

/// List the spaces of the Octopus instance. Each has its own projects, environments and tenants;
/// call this first.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ListSpaces {
    /// Part of the name.
    partial_name: Option<String>,
    /// How many to skip.
    skip: Option<u32>,
    /// How many at most.
    take: Option<u32>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct SpaceSummary {
    id: String,
    name: String,
    slug: Option<String>,
    description: String,
    is_default: bool,
    /// Whether the space starts no new tasks.
    task_queue_stopped: bool,
    url: String,
}

impl Tool for ListSpaces {
    const NAME: &'static str = "list_spaces";
    const TITLE: &'static str = "List spaces";

    type Output = List<SpaceSummary>;

    async fn run(self, cx: &Context) -> Result<Self::Output, Error> {
        let window = cx.window(self.skip, self.take)?;
        let page = spaces::list(&cx.session, self.partial_name.as_deref(), window).await?;
        let base = cx.session.client().url();
        let items = page.items.into_iter().map(|space| SpaceSummary {
            url: Portal::new(base, &space.id).space(),
            id: space.id.into_string(),
            name: space.name,
            slug: space.slug,
            description: space.description,
            is_default: space.is_default,
            task_queue_stopped: space.task_queue_stopped,
        });
        Ok(List::new(window, page.total_results, items.collect()).or_hint(|| {
            match &self.partial_name {
                Some(name) => format!("no space's name contains '{name}'; leave partialName out"),
                None => "this key sees no space; an Octopus administrator can add its user to a \
                         team of one"
                    .to_owned(),
            }
        }))
    }
}
