//! `POST`, `PUT` and `DELETE` on environments, projects, tenants, project groups and lifecycles.

use serde_json::{Map, Value, json};

use super::super::answer::{Answer, Answered, Refusal};
use super::super::world::{Collection, Item, World, project_rest};
use super::changes::Change;
use super::missing;

/// A kind of resource that can be edited.
pub(super) struct Kind {
    /// The word of the path.
    word: &'static str,
    prefix: &'static str,
    noun: &'static str,
    create: &'static str,
    edit: &'static str,
    delete: &'static str,
    shelf: fn(&mut World) -> &mut Collection,
}

static KINDS: [Kind; 5] = [
    Kind {
        word: "environments",
        prefix: "Environments",
        noun: "environment",
        create: "EnvironmentCreate",
        edit: "EnvironmentEdit",
        delete: "EnvironmentDelete",
        shelf: |world| &mut world.environments,
    },
    Kind {
        word: "projects",
        prefix: "Projects",
        noun: "project",
        create: "ProjectCreate",
        edit: "ProjectEdit",
        delete: "ProjectDelete",
        shelf: |world| &mut world.projects,
    },
    Kind {
        word: "tenants",
        prefix: "Tenants",
        noun: "tenant",
        create: "TenantCreate",
        edit: "TenantEdit",
        delete: "TenantDelete",
        shelf: |world| &mut world.tenants,
    },
    Kind {
        word: "projectgroups",
        prefix: "ProjectGroups",
        noun: "project group",
        create: "ProjectGroupCreate",
        edit: "ProjectGroupEdit",
        delete: "ProjectGroupDelete",
        shelf: |world| &mut world.project_groups,
    },
    Kind {
        word: "lifecycles",
        prefix: "Lifecycles",
        noun: "lifecycle",
        create: "LifecycleCreate",
        edit: "LifecycleEdit",
        delete: "LifecycleDelete",
        shelf: |world| &mut world.lifecycles,
    },
];

impl Kind {
    /// The kind with this word in its path.
    pub(super) fn of(word: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.word == word)
    }

    /// `POST`: a new one.
    pub(super) fn create(&self, change: &Change<'_>, draft: &mut World) -> Answered {
        change.call.need(self.create)?;
        let mut body = change.order.object()?.clone();
        let space = change.call.space_id();
        let id = (self.shelf)(draft).next_id(self.prefix);
        self.check(change, draft, &body, None)?;
        body.insert("Id".to_owned(), json!(id));
        body.insert("SpaceId".to_owned(), json!(space));
        let name = body.get("Name").and_then(Value::as_str).unwrap_or_default();
        let slug = name.to_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "-");
        let mut defaults = self.defaults(change, draft, &id);
        add(
            &mut defaults,
            json!({
                "Slug": slug, "Description": null,
                "Links": { "Self": format!("/api/{space}/{}/{id}", self.word) },
            }),
        );
        add(&mut body, Value::Object(defaults));
        if self.word == "projects" {
            draft.channels.put(default_channel(&draft.channels, space, &id));
        }
        let body = Value::Object(body);
        let answer = Answer::created(&body);
        self.put(draft, body);
        Ok(answer)
    }

    /// `PUT`: the whole resource anew.
    pub(super) fn replace(&self, change: &Change<'_>, draft: &mut World, id: &str) -> Answered {
        change.call.need(self.edit)?;
        let mut body = change.order.object()?.clone();
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
        let answer = Answer::value(&body);
        self.put(draft, body);
        Ok(answer)
    }

    /// `DELETE`: it, and what cannot be without it, is gone. The answer has no body.
    pub(super) fn delete(&self, change: &Change<'_>, draft: &mut World, id: &str) -> Answered {
        change.call.need(self.delete)?;
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
            return Err(Refusal::BadRequest(reason));
        }
        (self.shelf)(draft).keep(|item| item.id != id);
        if self.word == "projects" {
            for shelf in [
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
                shelf.keep(|item| !is_named(item, "ProjectId"));
            }
        }
        Ok(Answer::json(""))
    }

    fn find<'d>(
        &self,
        change: &Change<'_>,
        draft: &'d mut World,
        id: &str,
    ) -> Result<&'d Item, Refusal> {
        let all: &Collection = (self.shelf)(draft);
        all.find_in(change.call.space_id(), id).ok_or_else(|| missing(id))
    }

    /// Puts it where its list has it.
    fn put(&self, draft: &mut World, body: Value) {
        let all = (self.shelf)(draft);
        all.put(body);
        *all = if self.word == "environments" {
            let order = |item: &Item| item.body.get("SortOrder").and_then(Value::as_i64);
            all.sorted_by(|item| (item.space_id.len(), item.space_id.clone(), order(item)))
        } else {
            all.sorted_by(|item| item.text("Name").to_lowercase())
        };
    }

    /// Refuses a body without a name, with one that is taken, or that names what is not there.
    fn check(
        &self,
        change: &Change<'_>,
        draft: &mut World,
        body: &Map<String, Value>,
        own: Option<&str>,
    ) -> Result<(), Refusal> {
        let noun = self.noun;
        let mut errors = Vec::new();
        let text = |key: &str| body.get(key).and_then(Value::as_str).unwrap_or_default();
        let name = text("Name").trim();
        if name.is_empty() {
            errors.push(format!("Please provide a name for the {noun}."));
        }
        let is_taken = (self.shelf)(draft)
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
        for (shelf, id) in named {
            if shelf.find(id).is_none_or(|item| item.space_id != space) {
                errors.push(format!("The resource '{id}' was not found."));
            }
        }
        if errors.is_empty() { Ok(()) } else { Err(Refusal::Invalid(errors)) }
    }

    /// What a new one has where its body does not say.
    fn defaults(&self, change: &Change<'_>, draft: &World, id: &str) -> Map<String, Value> {
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
                add(&mut defaults, rest);
                project_rest(id, call.space_id(), false, call.version)
            }
            "tenants" => json!({
                "TenantTags": [], "ProjectEnvironments": {}, "ClonedFromTenantId": null,
                "IsDisabled": false, "CustomFields": {}, "Icon": null,
            }),
            "lifecycles" => json!({ "Phases": [] }),
            _ => json!({ "EnvironmentIds": [], "RetentionPolicyId": null }),
        };
        add(&mut defaults, rest);
        defaults
    }
}

fn is_name(item: &Item, name: &str) -> bool {
    item.text("Name").to_lowercase() == name.to_lowercase()
}

/// Adds the keys that are not there yet.
fn add(body: &mut Map<String, Value>, rest: Value) {
    if let Value::Object(rest) = rest {
        for (key, value) in rest {
            body.entry(key).or_insert(value);
        }
    }
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
