//! Resolves names, slugs and IDs in the body of an execution request.

use serde_json::{Map, Value, json};

use super::super::super::call::Call;
use super::super::super::clock::{self, NOW};
use super::super::super::database::{Database, Item, Prompt};
use super::super::super::request_body::RequestBody;
use super::super::super::response::ApiError;
use super::super::promotions;

/// Returns an error with one reason.
pub(super) fn wrong<T>(reason: String) -> Result<T, ApiError> {
    Err(ApiError::BadRequest(reason))
}

/// Finds a resource by name, slug or ID, in the order of [`Precedence`](crate::Precedence).
pub(super) fn named<'a>(
    database: &Database,
    items: impl Iterator<Item = &'a Item>,
    kind: &str,
    wanted: &str,
) -> Result<&'a Item, ApiError> {
    let items: Vec<&Item> = items.collect();
    let has = |key: &str| items.iter().find(|item| item.text(key).eq_ignore_ascii_case(wanted));
    let found = database.precedence.keys().into_iter().find_map(has).copied();
    let reason = || {
        format!(
            "The {kind} '{wanted}' was not found. Please check that it exists and that you have \
             permission to view it."
        )
    };
    found.ok_or_else(|| ApiError::BadRequest(reason()))
}

/// Returns the project of the body.
pub(super) fn project<'a>(call: &Call<'a>, input: &RequestBody) -> Result<&'a Item, ApiError> {
    input.object()?;
    let Some(wanted) = input.text("ProjectName") else {
        return wrong("'Project Name' must not be empty.".to_owned());
    };
    let project =
        named(call.database, call.database.projects.of_space(call.space_id()), "project", wanted)?;
    if project.flag("IsDisabled") {
        return wrong(format!("The project '{}' is disabled.", project.text("Name")));
    }
    Ok(project)
}

/// Returns the environments with these names. An empty list selects none, without an error.
pub(super) fn environments<'a>(call: &Call<'a>, names: &[&str]) -> Result<Vec<&'a Item>, ApiError> {
    let all = || call.database.environments.of_space(call.space_id());
    names.iter().map(|name| named(call.database, all(), "environment", name)).collect()
}

/// Returns the tenants of the body, by name or tag, that are connected to an environment of a
/// project.
pub(super) fn tenants<'a>(
    call: &Call<'a>,
    input: &RequestBody,
    project: &Item,
    environment: &Item,
) -> Result<Vec<&'a Item>, ApiError> {
    let all = || call.database.tenants.of_space(call.space_id());
    let mut tenants: Vec<&Item> = Vec::new();
    for name in input.texts("Tenants") {
        if name == "*" {
            let connected = |tenant: &&Item| {
                !tenant.flag("IsDisabled")
                    && promotions::is_connected(tenant, &project.id, &environment.id)
            };
            tenants.extend(all().filter(connected));
            continue;
        }
        let tenant = named(call.database, all(), "tenant", name)?;
        let shown = tenant.text("Name");
        if tenant.flag("IsDisabled") {
            return wrong(format!("The tenant '{shown}' is disabled."));
        }
        if !promotions::is_connected(tenant, &project.id, &environment.id) {
            return wrong(format!(
                "The tenant '{shown}' is not connected to the environment '{}' of the project '{}'.",
                environment.text("Name"),
                project.text("Name")
            ));
        }
        tenants.push(tenant);
    }
    let tags = input.texts("TenantTags");
    let known = |tag: &str| {
        let sets = call.database.tag_sets.of_space(call.space_id());
        let names =
            sets.flat_map(|set| set.list("Tags")).filter_map(|tag| tag.get("CanonicalTagName"));
        names.filter_map(Value::as_str).any(|other| other.eq_ignore_ascii_case(tag))
    };
    if let Some(tag) = tags.iter().find(|tag| !known(tag)) {
        return wrong(format!("The tenant tag '{tag}' was not found."));
    }
    let has_tags = |tenant: &&Item| super::super::tenants::has_tags(tenant, &tags);
    let tagged = all().filter(|tenant| {
        !tags.is_empty()
            && !tenant.flag("IsDisabled")
            && promotions::is_connected(tenant, &project.id, &environment.id)
    });
    for tenant in tagged.filter(has_tags) {
        if tenants.iter().all(|other| other.id != tenant.id) {
            tenants.push(tenant);
        }
    }
    if tenants.is_empty() && !tags.is_empty() {
        return wrong(format!("No tenant matches the tags {}.", tags.join(", ")));
    }
    Ok(tenants)
}

/// Options of a deployment or run.
pub(super) struct ExecutionOptions {
    /// Scheduled start in milliseconds since the Unix epoch; `None` starts immediately.
    pub(super) run_at: Option<i64>,
    /// Fields of the request body that are copied to the deployment or run.
    keys: Map<String, Value>,
}

impl ExecutionOptions {
    /// Reads the options. `steps` are the names of all steps, and whether they are required.
    pub(super) fn read(
        call: &Call<'_>,
        input: &RequestBody,
        steps: &[(&str, bool)],
    ) -> Result<Self, ApiError> {
        let moment = |key: &str| match input.text(key) {
            None => Ok(None),
            Some(text) => match clock::parse(text) {
                Some(moment) => Ok(Some(moment)),
                None => wrong(format!("The value '{text}' is not valid for {key}.")),
            },
        };
        let (run_at, expiry) = (moment("RunAt")?, moment("NoRunAfter")?);
        if expiry.is_some_and(|expiry| expiry <= run_at.unwrap_or(NOW)) {
            return wrong("The time of NoRunAfter must be later than that of RunAt.".to_owned());
        }
        let machines = |key: &str| {
            let all = || call.database.machines.of_space(call.space_id());
            let names = input.texts(key).into_iter();
            let found = names.map(|name| named(call.database, all(), "deployment target", name));
            found.map(|machine| Ok(json!(machine?.id))).collect::<Result<Vec<Value>, ApiError>>()
        };
        let skipped = input.texts("SkipStepNames");
        for name in &skipped {
            match steps.iter().find(|(step, _)| step.eq_ignore_ascii_case(name)) {
                None => return wrong(format!("The step '{name}' was not found.")),
                Some((step, true)) => {
                    return wrong(format!("The step '{step}' is required and cannot be skipped."));
                }
                Some(_) => {}
            }
        }
        let pairs = [
            ("QueueTime", json!(run_at.map(clock::timestamp))),
            ("QueueTimeExpiry", json!(expiry.map(clock::timestamp))),
            ("SkipActions", json!(skipped)),
            ("SpecificMachineIds", json!(machines("SpecificMachineNames")?)),
            ("ExcludedMachineIds", json!(machines("ExcludedMachineNames")?)),
            ("ForcePackageDownload", json!(input.flag("ForcePackageDownload"))),
            ("UseGuidedFailure", json!(input.flag("UseGuidedFailure"))),
        ];
        let keys = pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        Ok(Self { run_at, keys })
    }

    /// Adds the options and the values of prompted variables to a deployment or run.
    pub(super) fn write(&self, body: &mut Value, form_values: Value) {
        if let Some(body) = body.as_object_mut() {
            body.extend(self.keys.clone());
            body.insert("FormValues".to_owned(), form_values);
        }
    }
}

/// Returns the values of prompted variables. A missing required value is an error.
pub(super) fn form_values<'a>(
    input: &RequestBody,
    prompts: impl Iterator<Item = &'a Prompt>,
) -> Result<Value, ApiError> {
    let given = |name: &str| {
        let map = input.value("Variables").as_object()?;
        let (_, value) = map.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?;
        value.as_str().filter(|value| !value.is_empty())
    };
    let (mut values, mut lacking) = (Map::new(), Vec::new());
    for prompt in prompts {
        let value = given(&prompt.name).or(prompt.default_value.as_deref());
        if value.is_none() && prompt.is_required {
            lacking.push(format!("A value is required for the variable '{}'.", prompt.name));
        }
        let Some(value) = value else { continue };
        if !prompt.accepts(value) {
            let reason = format!("The value is not valid for the variable '{}'.", prompt.name);
            lacking.push(reason);
        }
        let shown = if prompt.is_sensitive {
            json!({ "HasValue": true, "NewValue": null })
        } else {
            json!(value)
        };
        values.insert(prompt.id.clone(), shown);
    }
    if lacking.is_empty() { Ok(Value::Object(values)) } else { Err(ApiError::Invalid(lacking)) }
}
