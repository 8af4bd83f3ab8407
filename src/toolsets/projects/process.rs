//! A deployment process in the form of the answer.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{
    octopus::{
        Error, Id, Space,
        channels::Channel,
        document,
        environments::Environment,
        processes::{Action, DeploymentProcess, Package, Step},
    },
    text,
    tool::{Names, Ref},
};

/// A step of a process.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct StepShown {
    id: Option<String>,
    name: String,
    slug: Option<String>,
    /// When the step runs, by the outcome of earlier steps: Success, Failure, Always or Variable.
    condition: Option<String>,
    start_trigger: Option<String>,
    package_requirement: Option<String>,
    /// Tags (roles) of the deployment targets that the step runs on.
    target_roles: Option<Vec<String>>,
    properties: Option<Map<String, Value>>,
    actions: Vec<ActionShown>,
}

/// An action of a step. Empty lists of environments, channels or tags mean all.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ActionShown {
    id: Option<String>,
    name: String,
    slug: Option<String>,
    action_type: Option<String>,
    notes: Option<String>,
    is_disabled: bool,
    is_required: bool,
    condition: Option<String>,
    can_be_used_for_project_versioning: bool,
    worker_pool_id: Option<String>,
    worker_pool_variable: Option<String>,
    /// The container image that the action runs in.
    container: Option<RunsIn>,
    environments: Vec<Ref>,
    excluded_environments: Vec<Ref>,
    channels: Vec<Ref>,
    tenant_tags: Vec<String>,
    packages: Vec<PackageShown>,
    git_dependencies: Option<Vec<Value>>,
    step_package_version: Option<String>,
    inputs: Option<Value>,
    properties: Option<Map<String, Value>>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct RunsIn {
    image: Option<String>,
    feed_id: Option<String>,
    git_url: Option<String>,
    dockerfile: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct PackageShown {
    /// Absent for the primary package.
    name: Option<String>,
    package_id: Option<String>,
    feed_id: Option<String>,
    acquisition_location: Option<String>,
    version: Option<String>,
    properties: Option<Map<String, Value>>,
}

/// Names of the environments and channels that actions are scoped to.
pub(super) struct Scopes {
    environments: Names,
    channels: Names,
}

impl Scopes {
    pub(super) async fn of(space: &Space, process: &DeploymentProcess) -> Result<Self, Error> {
        let actions: Vec<&Action> = process.steps.iter().flat_map(|step| &step.actions).collect();
        let environments: Vec<&Id<Environment>> = actions
            .iter()
            .flat_map(|action| action.environments.iter().chain(&action.excluded_environments))
            .collect();
        let channels: Vec<&Id<Channel>> =
            actions.iter().flat_map(|action| &action.channels).collect();
        let (environments, channels) =
            futures::try_join!(Names::of(space, environments), Names::of(space, channels))?;
        Ok(Self { environments, channels })
    }

    pub(super) fn step(&self, step: Step, in_detail: bool) -> StepShown {
        let roles = step.properties.get(ROLES).and_then(Value::as_str).unwrap_or_default();
        let roles: Vec<String> =
            roles.split(',').map(|role| role.trim().to_owned()).filter(|r| !r.is_empty()).collect();
        StepShown {
            id: step.id,
            name: step.name,
            slug: step.slug,
            condition: step.condition,
            start_trigger: step.start_trigger,
            package_requirement: step.package_requirement,
            target_roles: (!roles.is_empty()).then_some(roles),
            properties: in_detail.then(|| properties(step.properties)),
            actions: step.actions.into_iter().map(|a| self.action(a, in_detail)).collect(),
        }
    }

    fn action(&self, action: Action, in_detail: bool) -> ActionShown {
        let packages = action.packages.into_iter().map(|package| shown(package, in_detail));
        let container = action.container.map(|container| RunsIn {
            image: text_of(container.image),
            feed_id: text_of(container.feed_id),
            git_url: text_of(container.git_url),
            dockerfile: text_of(container.dockerfile),
        });
        let dependencies: Vec<Value> =
            action.git_dependencies.into_iter().map(document::plain).collect();
        ActionShown {
            id: action.id,
            name: action.name,
            slug: action.slug,
            action_type: action.action_type,
            notes: text_of(action.notes),
            is_disabled: action.is_disabled,
            is_required: action.is_required,
            condition: action.condition,
            can_be_used_for_project_versioning: action.can_be_used_for_project_versioning,
            worker_pool_id: text_of(action.worker_pool_id),
            worker_pool_variable: text_of(action.worker_pool_variable),
            container: container.filter(|image| image.image.is_some() || image.git_url.is_some()),
            environments: action.environments.iter().map(|id| self.environments.with(id)).collect(),
            excluded_environments: action
                .excluded_environments
                .iter()
                .map(|id| self.environments.with(id))
                .collect(),
            channels: action.channels.iter().map(|id| self.channels.with(id)).collect(),
            tenant_tags: action.tenant_tags,
            packages: packages.collect(),
            git_dependencies: (!dependencies.is_empty()).then_some(dependencies),
            step_package_version: text_of(action.step_package_version),
            inputs: action.inputs.filter(|_| in_detail).map(|inputs| document::plain(safe(inputs))),
            properties: in_detail.then(|| properties(action.properties)),
        }
    }
}

/// Property of a step that lists target tags.
const ROLES: &str = "Octopus.Action.TargetRoles";

fn shown(package: Package, in_detail: bool) -> PackageShown {
    PackageShown {
        name: text_of(package.name),
        package_id: package.package_id,
        feed_id: package.feed_id,
        acquisition_location: package.acquisition_location,
        version: text_of(package.version),
        properties: in_detail.then(|| properties(package.properties)),
    }
}

fn text_of(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

/// Returns properties with the names that Octopus uses. A sensitive property shows only whether it has a
/// value.
fn properties(properties: Map<String, Value>) -> Map<String, Value> {
    properties
        .into_iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| {
            let value = match safe(value) {
                Value::String(text) => Value::String(beside(&name, text)),
                value => value,
            };
            (name, value)
        })
        .collect()
}

/// Redacts a value by its property name, because a value alone may not look like a secret.
fn beside(name: &str, value: String) -> String {
    let last = name.rsplit('.').next().unwrap_or(name);
    let line = format!("{last}={value}");
    let passed = text::door(&line);
    match passed.text.strip_prefix(&format!("{last}=")) {
        Some(shown) if passed.redacted > 0 && !value.contains('\n') => shown.to_owned(),
        _ => value,
    }
}

/// Replaces values that Octopus marks as sensitive.
fn safe(value: Value) -> Value {
    match value {
        Value::Object(object) if object.contains_key("HasValue") => json!({
            "isSensitive": true,
            "hasValue": object.get("HasValue") == Some(&Value::Bool(true)),
        }),
        Value::Object(object) => {
            object.into_iter().map(|(key, value)| (key, safe(value))).collect::<Map<_, _>>().into()
        }
        Value::Array(items) => items.into_iter().map(safe).collect(),
        value => value,
    }
}
