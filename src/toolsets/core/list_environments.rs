//! `list_environments`.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    octopus::{
        Id, Space, document,
        environments::{self, Environment},
    },
    tool::{Context, Error, List, NamePart, NamedId, NamesById, Skip, SpaceArg, Take, Tool},
};

/// List the environments of a space, such as Development or Production, in their sort order, with
/// parent and ephemeral environments where Octopus has them.
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
    /// Static, Parent or Ephemeral. Absent in versions with static environments only.
    #[serde(rename = "type")]
    kind: Option<String>,
    /// Parent of an ephemeral environment.
    parent: Option<NamedId>,
    description: String,
    /// Absent for ephemeral environments.
    sort_order: Option<i64>,
    /// Whether a failing deployment waits for a person by default (guided failure).
    use_guided_failure: Option<bool>,
    allow_dynamic_infrastructure: Option<bool>,
    extension_settings: Option<Vec<Value>>,
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
        let page = environments::list(&space, self.partial_name.as_deref(), window).await?;
        let parents = Parents::read(&space, &page.items).await?;
        let items = page.items.into_iter().map(|environment| EnvironmentSummary {
            space_id: space.id().to_string(),
            kind: environment.kind,
            parent: environment.parent_environment_id.map(|id| parents.named_id(id)),
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
                .map(|settings| settings.into_iter().map(document::to_answer_form).collect()),
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

/// Names of the parents of ephemeral environments.
struct Parents {
    /// Names of the environments on the page.
    listed: HashMap<String, String>,
    others: NamesById,
}

impl Parents {
    /// Reads the names of the parents that are not on the page, if any.
    async fn read(space: &Space, environments: &[Environment]) -> Result<Self, Error> {
        let listed: HashMap<String, String> =
            environments.iter().map(|one| (one.id.to_string(), one.name.clone())).collect();
        let ids = environments.iter().filter_map(|one| one.parent_environment_id.as_ref());
        let ids = ids.filter(|id| !listed.contains_key(id.as_str()));
        let others = NamesById::lookup::<Environment>(space, ids).await?;
        Ok(Self { listed, others })
    }

    fn named_id(&self, id: Id<Environment>) -> NamedId {
        let name = self.listed.get(id.as_str()).cloned().or_else(|| self.others.get(id.as_str()));
        NamedId { id: id.into_string(), name }
    }
}
