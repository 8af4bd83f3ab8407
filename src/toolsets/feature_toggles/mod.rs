//! Toolset `featureToggles`: feature toggles of projects and their state in each environment.

mod find_feature_toggles;
mod resource_feature_toggle;
mod resource_rollout_group;
mod unavailable;
mod update_feature_toggle;

use crate::tool::{Definition, ResourceDefinition, Toolset};

pub(super) const TOOLSET: Toolset = Toolset {
    name: "featureToggles",
    summary: "Feature toggles",
    paths: &["projects/*/featuretoggles"],
    tools: &[
        Definition::of::<find_feature_toggles::FindFeatureToggles>(),
        Definition::of_write_tool::<update_feature_toggle::UpdateFeatureToggle>(),
    ],
    resources: &[
        ResourceDefinition::of::<resource_feature_toggle::FeatureToggleResource>(),
        ResourceDefinition::of::<resource_rollout_group::RolloutGroupResource>(),
    ],
};
