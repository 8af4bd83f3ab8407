//! `list_spaces`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    access::ScopeLevel,
    octopus::{Page, PageRange, PortalLinks, spaces},
    tool::{Context, Error, List, NamePart, Skip, Take, Tool},
};

/// List the spaces of the instance. Each space has its own projects, environments and tenants.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ListSpaces {
    partial_name: Option<NamePart>,
    skip: Option<Skip>,
    take: Option<Take>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct SpaceSummary {
    id: String,
    name: String,
    slug: Option<String>,
    description: String,
    is_default: bool,
    /// Whether the space has stopped starting new tasks.
    task_queue_stopped: bool,
    url: String,
}

impl Tool for ListSpaces {
    const NAME: &'static str = "list_spaces";
    const TITLE: &'static str = "List spaces";
    const CHOOSES: Option<ScopeLevel> = Some(ScopeLevel::Space);

    type Output = List<SpaceSummary>;

    async fn run(self, cx: &Context) -> Result<Self::Output, Error> {
        let window = cx.window(self.skip, self.take)?;
        let page = visible_spaces(cx, self.partial_name.as_deref(), window).await?;
        let base = cx.session.client().url();
        let items = page.items.into_iter().map(|space| SpaceSummary {
            url: PortalLinks::new(base, &space.id).space(),
            id: space.id.into_string(),
            name: space.name,
            slug: space.slug,
            description: space.description,
            is_default: space.is_default,
            task_queue_stopped: space.task_queue_stopped,
        });
        Ok(List::new(window, page.total_results, items.collect())
            .with_unreadable(&page.unreadable)
            .with_hint_if_empty(|| match &self.partial_name {
                Some(name) => format!("no space's name contains '{name}'; leave partialName out"),
                None => {
                    "no space is visible to this Octopus user; an administrator can add the user \
                         to a team of a space"
                        .to_owned()
                }
            }))
    }
}

/// Maximum number of spaces that are filtered by the grants of a caller.
const MAX_FILTERED_SPACES: u32 = 1000;

/// Returns a page of the spaces that the caller can see and is granted.
async fn visible_spaces(
    cx: &Context,
    partial_name: Option<&str>,
    window: PageRange,
) -> Result<Page<spaces::SpaceResource>, Error> {
    if cx.caller.grants.spaces.is_none() {
        return Ok(spaces::list(&cx.session, partial_name, window).await?);
    }
    let all = PageRange { skip: 0, take: MAX_FILTERED_SPACES };
    let mut page = spaces::list(&cx.session, partial_name, all).await?;
    page.items.retain(|space| {
        let (id, name) = (Some(space.id.as_str()), Some(space.name.as_str()));
        cx.grants_space(&[id, name, space.slug.as_deref()])
    });
    page.total_results = u32::try_from(page.items.len()).unwrap_or(u32::MAX);
    // The caller may not be granted the unreadable spaces, so their IDs are not shown.
    page.unreadable.clear();
    let part = page.items.into_iter().skip(window.skip as usize).take(window.take as usize);
    page.items = part.collect();
    Ok(page)
}
