//! Feature toggles of projects, and their state in each environment.

mod absent;
mod find_feature_toggles;
mod update_feature_toggle;

use crate::tool::{Definition, Toolset};

pub(super) const TOOLSET: Toolset = Toolset {
    name: "featureToggles",
    summary: "Feature toggles",
    paths: &["projects/*/featuretoggles"],
    tools: &[
        Definition::of::<find_feature_toggles::FindFeatureToggles>(),
        Definition::changing::<update_feature_toggle::UpdateFeatureToggle>(),
    ],
    resources: &[],
};
