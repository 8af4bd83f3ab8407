//! Rollout groups: feature toggles of a project that are rolled out together.
#![expect(missing_docs, reason = "fields mirror the Octopus REST API")]

use serde::Deserialize;

use super::resource::{Id, Resource};
use crate::octopus::client::version::OctopusVersion;

/// First version with feature toggles and rollout groups.
pub const SINCE: OctopusVersion = OctopusVersion(2026, 1, 10655);

/// Fields of a rollout group that the tools read.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RolloutGroup {
    pub id: Id<RolloutGroup>,
}

impl Resource for RolloutGroup {
    const NOUN: &'static str = "rollout group";
    const ID_PREFIX: &'static str = "RolloutGroups-";
    /// Below the feature toggles of a project.
    const COLLECTION: &'static str = "rollout-groups";

    fn id(&self) -> &Id<Self> {
        &self.id
    }
}
