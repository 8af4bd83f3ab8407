//! `find_feature_toggles`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Number;

use super::unavailable::toggles_unavailable;
use crate::{
    octopus::{
        self, Id, OctopusVersion, Page,
        environments::Environment,
        feature_toggles::{self, FeatureToggle},
        projects::Project,
    },
    tool::{
        Context, Error, List, NamePart, NamesById, ProjectArg, Skip, SpaceArg, StringList, Tags,
        Take, Tool, find_ids, present_arguments, resource_uri,
    },
};

/// Find the feature toggles of a project, with their state in each environment. resourceUri has
/// tenants, segments and the description.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct FindFeatureToggles {
    space: Option<SpaceArg>,
    project_id: ProjectArg,
    partial_name: Option<NamePart>,
    /// Toggle tags, e.g. "Team/Web"; one must match.
    tags: Option<Tags>,
    /// Environments with a state of their own; names, slugs or IDs.
    environment_ids: Option<StringList>,
    skip: Option<Skip>,
    take: Option<Take>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ToggleSummary {
    id: String,
    slug: String,
    name: String,
    project_id: String,
    /// State in environments without their own state.
    default_is_enabled: bool,
    rollout_group_id: Option<String>,
    tags: Vec<String>,
    environment_summaries: Vec<InEnvironment>,
    resource_uri: String,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct InEnvironment {
    deployment_environment_id: String,
    environment_name: Option<String>,
    is_enabled: bool,
    rollout_percentage: Option<Number>,
    client_rollout_percentage: Option<Number>,
}

impl Tool for FindFeatureToggles {
    const NAME: &'static str = "find_feature_toggles";
    const TITLE: &'static str = "Find feature toggles";
    const SINCE: OctopusVersion = OctopusVersion(2026, 1, 10655);

    type Output = List<ToggleSummary>;

    async fn run(self, cx: &Context) -> Result<Self::Output, Error> {
        let filters = present_arguments(&[
            ("partialName", self.partial_name.is_some()),
            ("tags", self.tags.is_some()),
            ("environmentIds", self.environment_ids.is_some()),
        ]);
        let window = cx.window(self.skip, self.take)?;
        let space = cx.resolve_space(self.space.as_deref()).await?;
        let (project, environments) = futures::try_join!(
            space.find::<Project>(&self.project_id),
            find_ids::<Environment>(&space, self.environment_ids),
        )?;
        let path = feature_toggles::collection_path(&space, &project.id)
            .query("Skip", window.skip)
            .query("Take", window.take)
            .query_opt("PartialName", self.partial_name)
            .query_list("Tags", &self.tags.unwrap_or_default().0)
            .query_list("Environments", &environments);
        let page: Page<FeatureToggle> = match space.session().page(&path, window).await {
            Err(octopus::Error::NotFound { .. }) => return Err(toggles_unavailable(&project)),
            read => read?,
        };
        let states = page.items.iter().flat_map(|toggle| &toggle.environments);
        let states = states.filter_map(|state| state.deployment_environment_id.as_ref());
        let names = NamesById::lookup::<Environment>(&space, states).await?;
        let project_id = project.id.as_str();
        let summary = |toggle: FeatureToggle| ToggleSummary {
            resource_uri: resource_uri([
                "spaces",
                space.name(),
                "projects",
                project_id,
                "featuretoggles",
                &toggle.slug,
            ]),
            id: toggle.id.into_string(),
            slug: toggle.slug,
            name: toggle.name,
            project_id: toggle.project_id.map_or_else(|| project_id.to_owned(), Id::into_string),
            default_is_enabled: toggle.default_is_enabled,
            rollout_group_id: toggle.rollout_group_id,
            tags: toggle.tags,
            environment_summaries: toggle
                .environments
                .into_iter()
                .filter_map(|state| {
                    // A state without an environment applies nowhere.
                    let environment = state.deployment_environment_id?;
                    Some(InEnvironment {
                        environment_name: names.get(environment.as_str()),
                        deployment_environment_id: environment.into_string(),
                        is_enabled: state.is_enabled,
                        rollout_percentage: state.rollout_percentage,
                        client_rollout_percentage: state.client_rollout_percentage,
                    })
                })
                .collect(),
        };
        let items = page.items.into_iter().map(summary).collect();
        Ok(List::new(window, page.total_results, items)
            .with_unreadable(&page.unreadable)
            .with_hint_if_empty(|| {
                if filters.is_empty() {
                    format!("project '{}' has no feature toggle", project.name)
                } else {
                    format!("no feature toggle matches {}; leave one out", filters.join(" and "))
                }
            }))
    }
}
