//! Feature toggles and rollout groups.

use serde_json::{Map, Value, json};

use super::collection::Collection;
use super::configuration::{by_name, collection, complete};
use super::fixtures::{self, resources};

pub(super) fn toggles() -> Collection {
    by_name(&Collection::new(resources(fixtures::FEATURE_TOGGLES).into_iter().map(completed)))
}

pub(super) fn rollout_groups() -> Collection {
    collection(fixtures::ROLLOUT_GROUPS, |_, _, _| Value::Null)
}

/// Returns a toggle with defaults for missing fields.
pub(crate) fn completed(mut toggle: Map<String, Value>) -> Value {
    let id = toggle.get("Id").cloned();
    let environments = toggle.get_mut("Environments").and_then(Value::as_array_mut);
    for environment in environments.into_iter().flatten().filter_map(Value::as_object_mut) {
        let rest = json!({
            "FeatureToggleId": id, "IsEnabled": false, "RolloutPercentage": 100,
            "ClientRolloutPercentage": 100, "TenantIds": [], "ExcludedTenantIds": [],
            "TenantTags": [], "ExcludedTenantTags": [], "Segments": [], "MinimumVersion": null,
        });
        complete(environment, rest);
    }
    let rest = json!({
        "DefaultIsEnabled": false, "Description": null, "Environments": [], "Tags": [],
        "RolloutGroupId": null,
    });
    complete(&mut toggle, rest);
    Value::Object(toggle)
}
