//! Feature toggles of a project.
#![expect(missing_docs, reason = "the fields are Octopus's own")]

use serde::Deserialize;
use serde_json::Number;

use super::{
    Id, Path, Resource, Space, environments::Environment, projects::Project,
    resource::null_as_default,
};

/// The fields of a feature toggle that the tools read. Whoever changes a toggle sends the whole
/// document back, so that what is not named here stays as it is.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct FeatureToggle {
    pub id: Id<FeatureToggle>,
    /// What stands for it in addresses.
    pub slug: String,
    #[serde(default, deserialize_with = "null_as_default")]
    pub name: String,
    pub project_id: Option<Id<Project>>,
    #[serde(default, deserialize_with = "null_as_default")]
    pub description: String,
    /// Where no environment says otherwise.
    #[serde(default, deserialize_with = "null_as_default")]
    pub default_is_enabled: bool,
    pub rollout_group_id: Option<String>,
    #[serde(default, deserialize_with = "null_as_default")]
    pub tags: Vec<String>,
    #[serde(default, deserialize_with = "null_as_default")]
    pub environments: Vec<InEnvironment>,
}

/// The state of a toggle in one environment.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct InEnvironment {
    pub deployment_environment_id: Id<Environment>,
    #[serde(default, deserialize_with = "null_as_default")]
    pub is_enabled: bool,
    pub rollout_percentage: Option<Number>,
    pub client_rollout_percentage: Option<Number>,
}

impl Resource for FeatureToggle {
    const NOUN: &'static str = "feature toggle";
    const ID_PREFIX: &'static str = "FeatureToggles-";
    /// Below a project: see [`path`].
    const COLLECTION: &'static str = "featuretoggles";

    fn id(&self) -> &Id<Self> {
        &self.id
    }
}

/// The toggles of a project; one of them with its slug behind.
pub fn path(space: &Space, project: &Id<Project>) -> Path {
    space.path([Project::COLLECTION, project.as_str(), FeatureToggle::COLLECTION])
}
