//! Owner keys: document keys that identify the space, project, environment or tenant of a document.
//! Some contain the ID of an intermediate resource (a deployment, a task, a release) instead.

use serde_json::{Map, Value};

use super::kind::ResourceKind;
use crate::octopus::client::id_form::split_id;

/// Keys (singular; the plural matches too) that hold the ID of an intermediate resource.
/// [`ResourceKind::of_key`] recognizes the keys of spaces, projects, environments and tenants.
const DEFINITE_OWNER_KEYS: &[&str] =
    &["DeploymentId", "ReleaseId", "RunbookRunId", "TaskId", "ServerTaskId", "MachineId"];

/// Keys that identify an owner only if their ID has a known form. The ID of a runbook in Git is its
/// slug, and some owners belong to no project, environment or tenant.
const POSSIBLE_OWNER_KEYS: &[&str] = &["RunbookId", "OwnerId"];

/// ID prefixes of the intermediate resources, and the collections that contain them.
const INTERMEDIATE_RESOURCES: &[(&str, &str)] = &[
    ("Deployments", "deployments"),
    ("Releases", "releases"),
    ("ServerTasks", "tasks"),
    ("RunbookRuns", "runbookRuns"),
    ("RunbookSnapshots", "runbookSnapshots"),
    ("Runbooks", "runbooks"),
    ("Interruptions", "interruptions"),
    ("Channels", "channels"),
    ("Machines", "machines"),
    ("Artifacts", "artifacts"),
];

/// Returns the collection of the intermediate resource with this ID.
pub(in crate::octopus) fn collection_of(id: &str) -> Option<&'static str> {
    let (prefix, _) = split_id(id)?;
    let mut resources = INTERMEDIATE_RESOURCES.iter();
    let (_, collection) = resources.find(|(name, _)| name.eq_ignore_ascii_case(prefix))?;
    Some(collection)
}

/// Returns whether the value of this key always identifies an owner. If its ID has an unknown form,
/// the owner counts as unknown.
pub(in crate::octopus) fn is_definite_owner_key(key: &str) -> bool {
    DEFINITE_OWNER_KEYS.contains(&key.strip_suffix('s').unwrap_or(key))
}

/// Returns whether the value of this key identifies an owner of the document or an intermediate
/// resource.
pub(in crate::octopus) fn is_owner_key(key: &str) -> bool {
    let is_possible = POSSIBLE_OWNER_KEYS.contains(&key.strip_suffix('s').unwrap_or(key));
    is_definite_owner_key(key) || is_possible || ResourceKind::of_key(key).is_some()
}

/// Returns the IDs in a value: a single string or a list of strings.
pub(in crate::octopus) fn ids_in(value: &Value) -> impl Iterator<Item = &str> {
    let one = std::iter::once(value);
    let all = one.chain(value.as_array().into_iter().flatten()).filter_map(Value::as_str);
    all.filter(|id| !id.trim().is_empty())
}

/// Names of tasks that affect deployment targets and never a project.
const TARGET_TASKS: &[&str] = &["Health", "AdHocScript", "Upgrade", "UpdateCalamari"];

/// Returns the kinds in which a task may affect every resource: a task without a deployment, run,
/// project, environment or machine affects all of them.
pub(in crate::octopus) fn unrestricted_kinds(task: &Map<String, Value>) -> Vec<ResourceKind> {
    let arguments = task.get("Arguments").and_then(Value::as_object);
    let fields = || task.iter().chain(arguments.into_iter().flatten());
    let has_any = |keys: &[&str]| {
        fields().any(|(key, value)| {
            let key = key.strip_suffix('s').unwrap_or(key);
            keys.contains(&key) && ids_in(value).next().is_some()
        })
    };
    let is_one_run = has_any(&["DeploymentId", "RunbookRunId", "MachineId"]);
    let missing = |kind, key| (!is_one_run && !has_any(&[key])).then_some(kind);
    let name = task.get("Name").and_then(Value::as_str);
    let project = missing(ResourceKind::Project, "ProjectId");
    let project = project.filter(|_| name.is_none_or(|name| !TARGET_TASKS.contains(&name)));
    let environment = missing(ResourceKind::Environment, "EnvironmentId");
    [project, environment, missing(ResourceKind::Tenant, "TenantId")]
        .into_iter()
        .flatten()
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::AccessSet;
    use super::*;

    fn access_set(document: &Value) -> AccessSet {
        let mut access_set = AccessSet::default();
        access_set.add_document(document.as_object().unwrap());
        access_set
    }

    #[test]
    fn task_without_targets_may_access_all() {
        for (arguments, unnamed) in [
            (json!({ "EnvironmentId": null, "MachineIds": [] }), true),
            (json!({ "TargetRoles": ["web"], "EnvironmentIds": [] }), true),
            (json!({}), true),
            (json!({ "MachineIds": ["Machines-3"] }), false),
            (json!({ "DeploymentId": "Deployments-1" }), false),
            (json!({ "MachineIds": ["word"] }), true),
        ] {
            let access_set = access_set(&json!({ "Id": "ServerTasks-7", "Arguments": arguments }));
            assert_eq!(access_set.has_unidentified(), unnamed, "{arguments}");
            assert_eq!(access_set.is_incomplete(ResourceKind::Environment), unnamed, "{arguments}");
        }
        for (name, unnamed) in [("Retention", true), ("Health", false)] {
            let access_set =
                access_set(&json!({ "Id": "ServerTasks-7", "Name": name, "Arguments": {} }));
            assert_eq!(access_set.is_incomplete(ResourceKind::Project), unnamed, "{name}");
        }
        let task = access_set(
            &json!({ "Id": "ServerTasks-7", "Arguments": { "MachineIds": ["Machines-3"] } }),
        );
        assert!(task.has_unresolved(), "the environment is read from the machine");
    }

    #[test]
    fn key_determines_the_kind_of_word_ids() {
        for (key, kind) in [
            ("ProjectId", ResourceKind::Project),
            ("ParentEnvironmentIds", ResourceKind::Environment),
            ("tenantid", ResourceKind::Tenant),
            ("SpaceId", ResourceKind::Space),
        ] {
            let access_set = access_set(&json!({ (key): ["my-word"] }));
            assert_eq!(access_set.resources(kind).len(), 1, "{key}");
        }
        for key in ["ClonedFromProjectId", "NamespaceId", "ProjectGroupId", "Id"] {
            assert_eq!(ResourceKind::of_key(key), None, "{key}");
        }
    }
}
