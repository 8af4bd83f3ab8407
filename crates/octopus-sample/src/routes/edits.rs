//! `POST`, `PUT` and `DELETE` of environments, projects, tenants, project groups and lifecycles.

use serde_json::{Map, Value, json};

use super::super::database::{Collection, Database, Item, complete, project_rest};
use super::super::response::{ApiError, ApiResponse, ApiResult};
use super::missing;
use super::write_request::WriteRequest;

/// A resource type that can be edited.
pub(super) struct EditableType {
    /// First segment of the path.
    word: &'static str,
    prefix: &'static str,
    noun: &'static str,
    create: &'static str,
    edit: &'static str,
    delete: &'static str,
    resources: fn(&mut Database) -> &mut Collection,
}

static EDITABLE_TYPES: [EditableType; 5] = [
    EditableType {
        word: "environments",
        prefix: "Environments",
        noun: "environment",
        create: "EnvironmentCreate",
        edit: "EnvironmentEdit",
        delete: "EnvironmentDelete",
        resources: |database| &mut database.environments,
    },
    EditableType {
        word: "projects",
        prefix: "Projects",
        noun: "project",
        create: "ProjectCreate",
        edit: "ProjectEdit",
        delete: "ProjectDelete",
        resources: |database| &mut database.projects,
    },
    EditableType {
        word: "tenants",
        prefix: "Tenants",
        noun: "tenant",
        create: "TenantCreate",
        edit: "TenantEdit",
        delete: "TenantDelete",
        resources: |database| &mut database.tenants,
    },
    EditableType {
        word: "projectgroups",
        prefix: "ProjectGroups",
        noun: "project group",
        create: "ProjectGroupCreate",
        edit: "ProjectGroupEdit",
        delete: "ProjectGroupDelete",
        resources: |database| &mut database.project_groups,
    },
    EditableType {
        word: "lifecycles",
        prefix: "Lifecycles",
        noun: "lifecycle",
        create: "LifecycleCreate",
        edit: "LifecycleEdit",
        delete: "LifecycleDelete",
        resources: |database| &mut database.lifecycles,
    },
];

impl EditableType {
    /// Returns the resource type with this path segment.
    pub(super) fn of(word: &str) -> Option<&'static Self> {
        EDITABLE_TYPES.iter().find(|kind| kind.word == word)
    }

    /// Answers `POST`: creates a resource.
    pub(super) fn create(&self, change: &WriteRequest<'_>, draft: &mut Database) -> ApiResult {
        change.call.require(self.create)?;
        let mut body = change.input.object()?.clone();
        let space = change.call.space_id();
        let id = (self.resources)(draft).next_id(self.prefix);
        self.check(change, draft, &body, None)?;
        body.insert("Id".to_owned(), json!(id));
        body.insert("SpaceId".to_owned(), json!(space));
        let name = body.get("Name").and_then(Value::as_str).unwrap_or_default();
        let slug = name.to_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "-");
        let mut defaults = self.defaults(change, draft, &id);
        complete(
            &mut defaults,
            json!({
                "Slug": slug, "Description": null,
                "Links": { "Self": format!("/api/{space}/{}/{id}", self.word) },
            }),
        );
        complete(&mut body, Value::Object(defaults));
        if self.word == "projects" {
            draft.channels.put(default_channel(&draft.channels, space, &id));
        }
        let body = Value::Object(body);
        let answer = ApiResponse::created(&body);
        self.put(draft, body);
        Ok(answer)
    }

    /// Answers `PUT`: replaces the whole resource.
    pub(super) fn replace(
        &self,
        change: &WriteRequest<'_>,
        draft: &mut Database,
        id: &str,
    ) -> ApiResult {
        change.call.require(self.edit)?;
        let mut body = change.input.object()?.clone();
        let before = self.find(change, draft, id)?;
        let (id, old) = (before.id.clone(), before.body.clone());
        self.check(change, draft, &body, Some(&id))?;
        for key in ["Id", "SpaceId"] {
            body.insert(key.to_owned(), old.get(key).cloned().unwrap_or_default());
        }
        for key in ["Slug", "Links"] {
            if body.get(key).is_none_or(Value::is_null) {
                body.insert(key.to_owned(), old.get(key).cloned().unwrap_or_default());
            }
        }
        let body = Value::Object(body);
        let answer = ApiResponse::value(&body);
        self.put(draft, body);
        Ok(answer)
    }

    /// Answers `DELETE`: removes the resource and its dependents. The response has no body.
    pub(super) fn delete(
        &self,
        change: &WriteRequest<'_>,
        draft: &mut Database,
        id: &str,
    ) -> ApiResult {
        change.call.require(self.delete)?;
        let id = self.find(change, draft, id)?.id.clone();
        let is_named = |item: &Item, key: &str| item.text(key) == id;
        let is_used = match self.word {
            "projectgroups" => draft.projects.iter().any(|p| is_named(p, "ProjectGroupId")),
            "lifecycles" => draft
                .projects
                .iter()
                .chain(draft.channels.iter())
                .any(|i| is_named(i, "LifecycleId")),
            _ => false,
        };
        if is_used {
            let reason = format!("This {} is in use and cannot be deleted.", self.noun);
            return Err(ApiError::BadRequest(reason));
        }
        (self.resources)(draft).keep(|item| item.id != id);
        if self.word == "projects" {
            for resources in [
                &mut draft.channels,
                &mut draft.releases,
                &mut draft.deployments,
                &mut draft.runbooks,
                &mut draft.runbook_processes,
                &mut draft.runbook_snapshots,
                &mut draft.runbook_runs,
                &mut draft.feature_toggles,
                &mut draft.rollout_groups,
            ] {
                resources.keep(|item| !is_named(item, "ProjectId"));
            }
        }
        Ok(ApiResponse::json(""))
    }

    fn find<'d>(
        &self,
        change: &WriteRequest<'_>,
        draft: &'d mut Database,
        id: &str,
    ) -> Result<&'d Item, ApiError> {
        let all: &Collection = (self.resources)(draft);
        all.find_in(change.call.space_id(), id).ok_or_else(|| missing(id))
    }

    /// Inserts the resource at its position in the list.
    fn put(&self, draft: &mut Database, body: Value) {
        let all = (self.resources)(draft);
        all.put(body);
        *all = if self.word == "environments" {
            let sort_order = |item: &Item| item.body.get("SortOrder").and_then(Value::as_i64);
            all.sorted_by(|item| (item.space_id.len(), item.space_id.clone(), sort_order(item)))
        } else {
            all.sorted_by(|item| item.text("Name").to_lowercase())
        };
    }

    /// Rejects a body without a name, with a name that is in use, or with unknown references.
    fn check(
        &self,
        change: &WriteRequest<'_>,
        draft: &mut Database,
        body: &Map<String, Value>,
        own: Option<&str>,
    ) -> Result<(), ApiError> {
        let noun = self.noun;
        let mut errors = Vec::new();
        let text = |key: &str| body.get(key).and_then(Value::as_str).unwrap_or_default();
        let name = text("Name").trim();
        if name.is_empty() {
            errors.push(format!("Please provide a name for the {noun}."));
        }
        let is_taken = (self.resources)(draft)
            .of_space(change.call.space_id())
            .any(|other| Some(other.id.as_str()) != own && is_name(other, name));
        if is_taken {
            errors.push(format!(
                "The name '{name}' is already in use by another {noun}. Please choose another name."
            ));
        }
        let mut named: Vec<(&Collection, &str)> = Vec::new();
        match self.word {
            "projects" => named.extend([
                (&draft.project_groups, text("ProjectGroupId")),
                (&draft.lifecycles, text("LifecycleId")),
            ]),
            "lifecycles" => {
                let phases = body.get("Phases").and_then(Value::as_array).into_iter().flatten();
                let lists = phases.flat_map(|phase| {
                    ["AutomaticDeploymentTargets", "OptionalDeploymentTargets"]
                        .map(|key| phase.get(key).and_then(Value::as_array))
                });
                let ids = lists.flatten().flatten().filter_map(Value::as_str);
                named.extend(ids.map(|id| (&draft.environments, id)));
            }
            "tenants" => {
                let map = body.get("ProjectEnvironments").and_then(Value::as_object);
                for (project, ids) in map.into_iter().flatten() {
                    named.push((&draft.projects, project));
                    let ids = ids.as_array().into_iter().flatten().filter_map(Value::as_str);
                    named.extend(ids.map(|id| (&draft.environments, id)));
                }
            }
            _ => {}
        }
        let space = change.call.space_id();
        for (resources, id) in named {
            if resources.find(id).is_none_or(|item| item.space_id != space) {
                errors.push(format!("The resource '{id}' was not found."));
            }
        }
        if errors.is_empty() { Ok(()) } else { Err(ApiError::Invalid(errors)) }
    }

    /// Returns the defaults of a new resource.
    fn defaults(
        &self,
        change: &WriteRequest<'_>,
        draft: &Database,
        id: &str,
    ) -> Map<String, Value> {
        let (call, mut defaults) = (change.call, Map::new());
        let rest = match self.word {
            "environments" => json!({
                "SortOrder": draft.environments.of_space(call.space_id()).count(),
                "UseGuidedFailure": false, "AllowDynamicInfrastructure": false,
                "ExtensionSettings": [], "EnvironmentTags": [],
            }),
            "projects" => {
                let rest = json!({
                    "TenantedDeploymentMode": "Untenanted", "IncludedLibraryVariableSetIds": [],
                    "Templates": [], "IsDisabled": false, "ProjectTags": [],
                    "IsVersionControlled": false, "PersistenceSettings": { "Type": "Database" },
                });
                complete(&mut defaults, rest);
                project_rest(id, call.space_id(), false, call.version)
            }
            "tenants" => json!({
                "TenantTags": [], "ProjectEnvironments": {}, "ClonedFromTenantId": null,
                "IsDisabled": false, "CustomFields": [], "Icon": null,
            }),
            "lifecycles" => json!({ "Phases": [] }),
            _ => json!({ "EnvironmentIds": [], "RetentionPolicyId": null }),
        };
        complete(&mut defaults, rest);
        defaults
    }
}

fn is_name(item: &Item, name: &str) -> bool {
    item.text("Name").to_lowercase() == name.to_lowercase()
}

fn default_channel(channels: &Collection, space: &str, project: &str) -> Value {
    let id = channels.next_id("Channels");
    json!({
        "Id": id, "SpaceId": space, "ProjectId": project, "Name": "Default", "Slug": "default",
        "Description": "", "LifecycleId": null, "IsDefault": true, "Rules": [],
        "GitReferenceRules": [], "GitResourceRules": [], "TenantTags": [], "Type": "Lifecycle",
        "CustomFieldDefinitions": [], "Links": { "Self": format!("/api/{space}/channels/{id}") },
    })
}
