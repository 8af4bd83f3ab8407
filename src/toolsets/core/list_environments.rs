//! `list_environments`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    octopus::{Page, Resource, document, environments::Environment},
    tool::{Context, Error, List, NamePart, Skip, SpaceArg, Take, Tool},
};

/// List the environments of a space, such as Development or Production, in their sort order.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ListEnvironments {
    space: Option<SpaceArg>,
    partial_name: Option<NamePart>,
    skip: Option<Skip>,
    take: Option<Take>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct EnvironmentSummary {
    space_id: String,
    id: String,
    name: String,
    slug: Option<String>,
    description: String,
    sort_order: i64,
    /// Whether a failing deployment waits for a person by default (guided failure).
    use_guided_failure: bool,
    allow_dynamic_infrastructure: bool,
    extension_settings: Vec<Value>,
    url: String,
}

impl Tool for ListEnvironments {
    const NAME: &'static str = "list_environments";
    const TITLE: &'static str = "List environments";
    const KEEPS_TO_PROJECT: bool = true;

    type Output = List<EnvironmentSummary>;

    async fn run(self, cx: &Context) -> Result<Self::Output, Error> {
        let window = cx.window(self.skip, self.take)?;
        let space = cx.resolve_space(self.space.as_deref()).await?;
        let path = space
            .path([Environment::COLLECTION])
            .query_opt("partialName", self.partial_name.as_deref());
        let page: Page<Environment> = space.list(path, window).await?;
        let items = page.items.into_iter().map(|environment| EnvironmentSummary {
            space_id: space.id().to_string(),
            url: space.portal().environment(environment.id.as_str()),
            id: environment.id.into_string(),
            name: environment.name,
            slug: environment.slug,
            description: environment.description,
            sort_order: environment.sort_order,
            use_guided_failure: environment.use_guided_failure,
            allow_dynamic_infrastructure: environment.allow_dynamic_infrastructure,
            extension_settings: environment
                .extension_settings
                .into_iter()
                .map(document::to_answer_form)
                .collect(),
        });
        Ok(List::new(window, page.total_results, items.collect())
            .with_unreadable(&page.unreadable)
            .with_hint_if_empty(|| match &self.partial_name {
                Some(name) => format!(
                    "no environment's name in space '{}' contains '{name}'; leave partialName out, \
                     or try another space",
                    space.name()
                ),
                None => {
                    format!("space '{}' has no environment that this user can see", space.name())
                }
            }))
    }
}
