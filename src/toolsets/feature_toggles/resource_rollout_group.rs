//! The resource `rolloutGroup`.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    octopus::{
        Id, OctopusVersion, Resource as _, document,
        projects::Project,
        rollout_groups::{self, RolloutGroup},
    },
    tool::{Contents, Context, Error, Resource},
};

/// A rollout group of a project, with its feature toggles.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RolloutGroupResource {
    space_name: String,
    project_id: String,
    rollout_group_id: String,
}

impl Resource for RolloutGroupResource {
    const NAME: &'static str = "rolloutGroup";
    const TITLE: &'static str = "Rollout group";
    const TEMPLATE: &'static str =
        "octopus://spaces/{spaceName}/projects/{projectId}/rolloutgroups/{rolloutGroupId}";
    const SINCE: OctopusVersion = rollout_groups::SINCE;

    async fn read(self, cx: &Context) -> Result<Contents, Error> {
        let id = Id::<RolloutGroup>::parse(&self.rollout_group_id)?;
        let space = cx.resolve_space(Some(&self.space_name)).await?;
        let project: Project = space.find(&self.project_id).await?;
        let path = space.path([
            Project::COLLECTION,
            project.id.as_str(),
            "featuretoggles",
            RolloutGroup::COLLECTION,
            id.as_str(),
        ]);
        Ok(Contents::Json(document::read_at(&space, &id, &path).await?))
    }
}
