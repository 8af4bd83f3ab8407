//! Phases of a release: those of the lifecycle of its channel, or else of its project.

use serde_json::Value;

use super::{Database, Item};

/// A phase of a lifecycle.
pub(crate) struct Phase<'a> {
    pub(crate) body: &'a Value,
    /// IDs of its environments, automatic targets first.
    pub(crate) environments: Vec<&'a str>,
}

impl Database {
    /// Returns the lifecycle of a channel of a project.
    pub(crate) fn lifecycle_of(&self, project: &Item, channel_id: &str) -> Option<&Item> {
        let own = self.channels.find(channel_id).map(|channel| channel.text("LifecycleId"));
        let id = own.filter(|id| !id.is_empty()).unwrap_or_else(|| project.text("LifecycleId"));
        self.lifecycles.find(id)
    }

    /// Returns the phases of a channel of a project, in order.
    pub(crate) fn phases(&self, project: &Item, channel_id: &str) -> Vec<Phase<'_>> {
        let lifecycle = self.lifecycle_of(project, channel_id);
        let phases = lifecycle.into_iter().flat_map(|lifecycle| lifecycle.list("Phases"));
        phases.map(Phase::of).collect()
    }
}

impl<'a> Phase<'a> {
    fn of(body: &'a Value) -> Self {
        let environments = ["AutomaticDeploymentTargets", "OptionalDeploymentTargets"]
            .into_iter()
            .filter_map(|key| body.get(key)?.as_array())
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        Self { body, environments }
    }

    /// Returns whether releases can skip the phase.
    pub(crate) fn is_optional(&self) -> bool {
        self.body.get("IsOptionalPhase").and_then(Value::as_bool).unwrap_or_default()
    }
}
