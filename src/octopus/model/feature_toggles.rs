//! Feature toggles of a project.
#![expect(missing_docs, reason = "fields mirror the Octopus REST API")]

use serde::Deserialize;
use serde_json::Number;
use serde_with::{As, DefaultOnNull};

use super::{
    environments::Environment,
    projects::Project,
    resource::{Id, Resource},
    space::Space,
};
use crate::octopus::client::path::ApiPath;

/// Fields of a feature toggle that the tools read. To change a toggle, send the complete document
/// back, so that fields missing here stay unchanged.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct FeatureToggle {
    pub id: Id<FeatureToggle>,
    /// Identifies the toggle in paths.
    pub slug: String,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub name: String,
    pub project_id: Option<Id<Project>>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub description: String,
    /// Default for environments without a separate state.
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub default_is_enabled: bool,
    pub rollout_group_id: Option<String>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub tags: Vec<String>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub environments: Vec<EnvironmentState>,
}

/// State of a toggle in one environment.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct EnvironmentState {
    pub deployment_environment_id: Option<Id<Environment>>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub is_enabled: bool,
    pub rollout_percentage: Option<Number>,
    pub client_rollout_percentage: Option<Number>,
}

impl Resource for FeatureToggle {
    const NOUN: &'static str = "feature toggle";
    const ID_PREFIX: &'static str = "FeatureToggles-";
    /// Below a project: see [`collection_path`].
    const COLLECTION: &'static str = "featuretoggles";

    fn id(&self) -> &Id<Self> {
        &self.id
    }
}

/// Returns the path of the toggles of a project. Append a slug for a single toggle.
pub fn collection_path(space: &Space, project: &Id<Project>) -> ApiPath {
    space.path([Project::COLLECTION, project.as_str(), FeatureToggle::COLLECTION])
}
