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
    sanitize::sanitize,
    tool::{NamedId, NamesById},
};

/// A step of a process.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct StepSummary {
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
    actions: Vec<ActionSummary>,
}

/// An action of a step. Empty lists of environments, channels or tags mean all.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ActionSummary {
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
    container: Option<ContainerSummary>,
    environments: Vec<NamedId>,
    excluded_environments: Vec<NamedId>,
    channels: Vec<NamedId>,
    tenant_tags: Vec<String>,
    packages: Vec<PackageSummary>,
    git_dependencies: Option<Vec<Value>>,
    step_package_version: Option<String>,
    inputs: Option<Value>,
    properties: Option<Map<String, Value>>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ContainerSummary {
    image: Option<String>,
    feed_id: Option<String>,
    git_url: Option<String>,
    dockerfile: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct PackageSummary {
    /// Absent for the primary package.
    name: Option<String>,
    package_id: Option<String>,
    feed_id: Option<String>,
    acquisition_location: Option<String>,
    version: Option<String>,
    properties: Option<Map<String, Value>>,
}

/// Names of the environments and channels that actions are scoped to.
pub(super) struct ActionScopeNames {
    environments: NamesById,
    channels: NamesById,
}

impl ActionScopeNames {
    pub(super) async fn of(space: &Space, process: &DeploymentProcess) -> Result<Self, Error> {
        let actions: Vec<&Action> = process.steps.iter().flat_map(|step| &step.actions).collect();
        let environments: Vec<&Id<Environment>> = actions
            .iter()
            .flat_map(|action| action.environments.iter().chain(&action.excluded_environments))
            .collect();
        let channels: Vec<&Id<Channel>> =
            actions.iter().flat_map(|action| &action.channels).collect();
        let (environments, channels) = futures::try_join!(
            NamesById::lookup(space, environments),
            NamesById::lookup(space, channels)
        )?;
        Ok(Self { environments, channels })
    }

    pub(super) fn step(&self, step: Step, in_detail: bool) -> StepSummary {
        let roles =
            step.properties.get(TARGET_ROLES_PROPERTY).and_then(Value::as_str).unwrap_or_default();
        let roles: Vec<String> =
            roles.split(',').map(|role| role.trim().to_owned()).filter(|r| !r.is_empty()).collect();
        StepSummary {
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

    fn action(&self, action: Action, in_detail: bool) -> ActionSummary {
        let packages =
            action.packages.into_iter().map(|package| package_summary(package, in_detail));
        let container = action.container.map(|container| ContainerSummary {
            image: non_empty(container.image),
            feed_id: non_empty(container.feed_id),
            git_url: non_empty(container.git_url),
            dockerfile: non_empty(container.dockerfile),
        });
        let dependencies: Vec<Value> =
            action.git_dependencies.into_iter().map(document::to_answer_form).collect();
        ActionSummary {
            id: action.id,
            name: action.name,
            slug: action.slug,
            action_type: action.action_type,
            notes: non_empty(action.notes),
            is_disabled: action.is_disabled,
            is_required: action.is_required,
            condition: action.condition,
            can_be_used_for_project_versioning: action.can_be_used_for_project_versioning,
            worker_pool_id: non_empty(action.worker_pool_id),
            worker_pool_variable: non_empty(action.worker_pool_variable),
            container: container.filter(|image| image.image.is_some() || image.git_url.is_some()),
            environments: action
                .environments
                .iter()
                .map(|id| self.environments.named_id(id))
                .collect(),
            excluded_environments: action
                .excluded_environments
                .iter()
                .map(|id| self.environments.named_id(id))
                .collect(),
            channels: action.channels.iter().map(|id| self.channels.named_id(id)).collect(),
            tenant_tags: action.tenant_tags,
            packages: packages.collect(),
            git_dependencies: (!dependencies.is_empty()).then_some(dependencies),
            step_package_version: non_empty(action.step_package_version),
            inputs: action
                .inputs
                .filter(|_| in_detail)
                .map(|inputs| document::to_answer_form(without_sensitive(inputs))),
            properties: in_detail.then(|| properties(action.properties)),
        }
    }
}

/// Property of a step that lists target tags.
const TARGET_ROLES_PROPERTY: &str = "Octopus.Action.TargetRoles";

fn package_summary(package: Package, in_detail: bool) -> PackageSummary {
    PackageSummary {
        name: non_empty(package.name),
        package_id: package.package_id,
        feed_id: package.feed_id,
        acquisition_location: package.acquisition_location,
        version: non_empty(package.version),
        properties: in_detail.then(|| properties(package.properties)),
    }
}

fn non_empty(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

/// Sanitizes step properties and keeps their Octopus names. Drops nulls, replaces sensitive values
/// by `isSensitive` and `hasValue`, and redacts secrets by property name.
fn properties(properties: Map<String, Value>) -> Map<String, Value> {
    properties
        .into_iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| {
            let value = match without_sensitive(value) {
                Value::String(text) => Value::String(redact_by_name(&name, text)),
                value => value,
            };
            (name, value)
        })
        .collect()
}

/// Redacts a value by its property name, because a value alone is not always detected as a secret.
fn redact_by_name(name: &str, value: String) -> String {
    let last = name.rsplit('.').next().unwrap_or(name);
    let line = format!("{last}={value}");
    let sanitized = sanitize(&line);
    match sanitized.text.strip_prefix(&format!("{last}=")) {
        Some(shown) if sanitized.redactions > 0 && !value.contains('\n') => shown.to_owned(),
        _ => value,
    }
}

/// Replaces values that Octopus marks as sensitive.
fn without_sensitive(value: Value) -> Value {
    match value {
        Value::Object(object) if object.contains_key("HasValue") => json!({
            "isSensitive": true,
            "hasValue": object.get("HasValue") == Some(&Value::Bool(true)),
        }),
        Value::Object(object) => object
            .into_iter()
            .map(|(key, value)| (key, without_sensitive(value)))
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(items) => items.into_iter().map(without_sensitive).collect(),
        value => value,
    }
}
