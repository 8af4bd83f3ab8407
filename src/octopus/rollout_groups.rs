//! Rollout groups: feature toggles of a project that are rolled out as one.
#![expect(missing_docs, reason = "the fields are Octopus's own")]

use serde::Deserialize;

use super::{Id, OctopusVersion, Resource};

/// The first version that has feature toggles and their groups.
pub const SINCE: OctopusVersion = OctopusVersion(2026, 1, 10655);

/// The fields of a rollout group that the tools read.
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
