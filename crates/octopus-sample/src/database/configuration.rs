//! Collections of the configuration. Fixtures hold the fields that differ; this file adds the
//! fields that all resources of a type share.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::collection::Collection;
use super::fixtures::{self, resources};
use crate::version::Version;

/// Returns the response to `/api`.
pub(super) fn root(version: &Version) -> Bytes {
    let links: Map<String, Value> = fixtures::parsed(fixtures::ROOT_LINKS);
    let body = json!({
        "Application": "Octopus Deploy",
        "Version": version.text(),
        "ApiVersion": "3.0.0",
        "InstallationId": "5f0c9a4e-2c1b-4b7e-9a51-7d0e3c2b8f16",
        "IsEarlyAccessProgram": false,
        "HasLongTermSupport": true,
        "Links": links,
    });
    Bytes::from(body.to_string())
}

pub(super) fn spaces(version: &Version) -> Collection {
    collection(fixtures::SPACES, |id, _, _| {
        let managers = format!("teams-spacemanagers-{id}");
        json!({
            "IsPrivate": false, "TaskQueueStopped": false,
            "SpaceManagersTeams": ["teams-administrators", "teams-managers", managers],
            "SpaceManagersTeamMembers": [], "Icon": null, "ExtensionSettings": [],
            "LastModifiedOn": "2026-01-14T02:00:00.000+00:00",
            "Links": {
                "Self": format!("/api/spaces/{id}"),
                "SpaceHome": format!("/api/{id}"),
                "Web": format!("/app#/{id}"),
                "Logo": format!("/api/spaces/{id}/logo?cb={}", version.text()),
                "Search": format!("/api/spaces/{id}/search{{?keyword}}"),
            },
        })
    })
}

pub(super) fn users() -> Collection {
    collection(fixtures::USERS, |id, _, _| {
        json!({
            "IsActive": true, "CanPasswordBeEdited": false, "IsRequestor": true, "Identities": [],
            "Created": "2026-01-14T02:10:44.901+00:00",
            "Links": {
                "Self": format!("/api/users/{id}"),
                "Permissions": format!("/api/users/{id}/permissions"),
                "PermissionsConfiguration": format!("/api/users/{id}/permissions/configuration"),
                "Avatar": "https://www.gravatar.com/avatar/0b7ca3b0f3f0d3a7?d=blank",
                "ApiKeys": format!("/api/users/{id}/apikeys{{/id}}{{?skip,take}}"),
                "Spaces": format!("/api/users/{id}/spaces"),
                "Teams": format!("/api/users/{id}/teams"),
            },
        })
    })
}

pub(super) fn environments() -> Collection {
    collection(fixtures::ENVIRONMENTS, |id, space, _| {
        let path = format!("/api/{space}/environments/{id}");
        json!({
            "ExtensionSettings": [], "EnvironmentTags": [],
            "Links": {
                "Self": path,
                "Machines": format!("{path}/machines{{?skip,take,partialName,roles,isDisabled,healthStatuses,commStyles,tenantIds,tenantTags,shellNames,deploymentTargetTypes}}"),
                "SinglyScopedVariableDetails": format!("{path}/singlyScopedVariableDetails"),
                "Metadata": format!("{path}/metadata"),
            },
        })
    })
}

/// Returns the parent and ephemeral environments, in list order.
pub(super) fn ephemeral_environments() -> Collection {
    Collection::new(resources(fixtures::EPHEMERAL_ENVIRONMENTS).into_iter().map(Value::Object))
}

pub(super) fn lifecycles() -> Collection {
    let forever = json!({ "Strategy": "Forever", "Unit": "Items", "QuantityToKeep": 0, "ShouldKeepForever": true });
    let bodies = resources(fixtures::LIFECYCLES).into_iter().map(|mut lifecycle| {
        let keep = lifecycle.remove("Keep");
        lifecycle.insert(
            "ReleaseRetentionPolicy".to_owned(),
            json!({ "Strategy": "Count", "Unit": "Items", "QuantityToKeep": keep, "ShouldKeepForever": false }),
        );
        lifecycle.insert("TentacleRetentionPolicy".to_owned(), forever.clone());
        for phase in lifecycle.get_mut("Phases").and_then(Value::as_array_mut).into_iter().flatten() {
            let rest = json!({
                "IsPriorityPhase": false, "ReleaseRetentionPolicy": null, "TentacleRetentionPolicy": null,
            });
            if let Some(phase) = phase.as_object_mut() {
                complete(phase, rest);
            }
        }
        linked(lifecycle, |id, space, _| {
            let path = format!("/api/{space}/lifecycles/{id}");
            json!({ "Links": {
                "Self": path, "Preview": format!("{path}/preview"),
                "Projects": format!("{path}/projects"),
            } })
        })
    });
    by_name(&Collection::new(bodies))
}

pub(super) fn channels() -> Collection {
    let projects = Collection::new(resources(fixtures::PROJECTS).into_iter().map(Value::Object));
    let channels = collection(fixtures::CHANNELS, |id, space, fixture| {
        let text = |key: &str| fixture.get(key).and_then(Value::as_str);
        let project = text("ProjectId").unwrap_or_default();
        let inherited = || projects.find(project).map(|project| project.text("LifecycleId"));
        let lifecycle = text("LifecycleId").or_else(inherited).unwrap_or_default();
        let path = format!("/api/{space}/channels/{id}");
        json!({
            "Rules": [], "GitReferenceRules": [], "GitResourceRules": [], "TenantTags": [],
            "Type": "Lifecycle", "CustomFieldDefinitions": [],
            "Links": {
                "Self": path,
                "Project": format!("/api/{space}/projects/{project}"),
                "Releases": format!("{path}/releases{{?skip,take,searchByVersion}}"),
                "Lifecycle": format!("/api/{space}/lifecycles/{lifecycle}"),
            },
        })
    });
    by_name(&channels)
}

pub(super) fn tag_sets() -> Collection {
    collection(
        fixtures::TAG_SETS,
        |id, space, _| json!({ "Links": { "Self": format!("/api/{space}/tagsets/{id}") } }),
    )
}

pub(super) fn library_variable_sets() -> Collection {
    let written = resources(fixtures::LIBRARY_VARIABLE_SETS);
    let sets = written.into_iter().chain(carriers()).map(|set| {
        linked(set, |id, space, _| {
            let path = format!("/api/{space}/libraryvariablesets/{id}");
            json!({
                "VariableSetId": format!("variableset-{id}"),
                "Links": {
                    "Self": path,
                    "Variables": format!("/api/{space}/variables/variableset-{id}"),
                    "Usages": format!("{path}/usages"),
                },
            })
        })
    });
    by_name(&Collection::new(sets))
}

/// Returns one set for each carrier. A project includes more sets than a page holds.
fn carriers() -> impl Iterator<Item = Map<String, Value>> {
    let set = |number: u32| {
        let set = json!({
            "Id": format!("LibraryVariableSets-{number}"), "SpaceId": "Spaces-1",
            "Name": format!("Carrier {:02}", number - 100),
            "Description": "How to reach this carrier", "ContentType": "Variables",
            "Templates": [], "Version": 1,
        });
        set.as_object().cloned().unwrap_or_default()
    };
    (101..136).map(set)
}

pub(super) fn tenants(version: &Version) -> Collection {
    let tenants = collection(fixtures::TENANTS, |id, space, _| {
        let path = format!("/api/{space}/tenants/{id}");
        json!({
            "Icon": null, "CustomFields": [],
            "Links": {
                "Self": path,
                "Variables": format!("{path}/variables"),
                "Logo": format!("{path}/logo?cb={}", version.text()),
                "Web": format!("/app#/{space}/tenants/{id}"),
            },
        })
    });
    by_name(&tenants)
}

/// Returns a collection from a fixture. `rest` adds fields, given ID, space and fixture of each
/// resource.
pub(super) fn collection(
    text: &str,
    rest: impl Fn(&str, &str, &Map<String, Value>) -> Value,
) -> Collection {
    Collection::new(resources(text).into_iter().map(|fixture| linked(fixture, &rest)))
}

/// Returns one resource of a fixture, with the fields that `rest` adds.
pub(super) fn linked(
    mut fixture: Map<String, Value>,
    rest: impl Fn(&str, &str, &Map<String, Value>) -> Value,
) -> Value {
    let text = |key| fixture.get(key).and_then(Value::as_str).unwrap_or_default();
    let rest = rest(text("Id"), text("SpaceId"), &fixture);
    complete(&mut fixture, rest);
    Value::Object(fixture)
}

/// Adds missing keys.
pub(crate) fn complete(body: &mut Map<String, Value>, rest: Value) {
    if let Value::Object(rest) = rest {
        for (key, value) in rest {
            body.entry(key).or_insert(value);
        }
    }
}

/// Returns the collection sorted by name.
pub(super) fn by_name(collection: &Collection) -> Collection {
    collection.sorted_by(|item| item.text("Name").to_lowercase())
}
