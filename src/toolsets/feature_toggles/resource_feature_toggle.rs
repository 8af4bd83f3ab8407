//! The resource `featureToggle`.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    octopus::{OctopusVersion, Resource as _, document, projects::Project, rollout_groups},
    tool::{Contents, Context, Error, Resource, checked_path_part},
};

/// A feature toggle with all fields: state, percentages, tenants, segments and minimum version in
/// each environment.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct FeatureToggleResource {
    space_name: String,
    project_id: String,
    slug: String,
}

impl Resource for FeatureToggleResource {
    const NAME: &'static str = "featureToggle";
    const TITLE: &'static str = "Feature toggle";
    const TEMPLATE: &'static str =
        "octopus://spaces/{spaceName}/projects/{projectId}/featuretoggles/{slug}";
    const SINCE: OctopusVersion = rollout_groups::SINCE;

    async fn read(self, cx: &Context) -> Result<Contents, Error> {
        let slug = checked_path_part("slug", &self.slug)?;
        let space = cx.resolve_space(Some(&self.space_name)).await?;
        let project: Project = space.find(&self.project_id).await?;
        let path = space.path([Project::COLLECTION, project.id.as_str(), "featuretoggles", slug]);
        Ok(Contents::Json(document::read_named(&space, "feature toggle", slug, &path).await?))
    }
}
