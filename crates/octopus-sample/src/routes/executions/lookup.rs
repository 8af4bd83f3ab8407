//! What the body of an execution names: found by name, slug or ID, or refused.

use serde_json::{Map, Value, json};

use super::super::super::answer::Refusal;
use super::super::super::call::Call;
use super::super::super::clock::{self, NOW};
use super::super::super::order::Order;
use super::super::super::world::{Item, Prompt, World};
use super::super::promotion;

/// A refusal with one reason.
pub(super) fn wrong<T>(reason: String) -> Result<T, Refusal> {
    Err(Refusal::BadRequest(reason))
}

/// The one with this name, slug or ID, whichever the server looks at first.
pub(super) fn named<'a>(
    world: &World,
    items: impl Iterator<Item = &'a Item>,
    kind: &str,
    wanted: &str,
) -> Result<&'a Item, Refusal> {
    let items: Vec<&Item> = items.collect();
    let has = |key: &str| items.iter().find(|item| item.text(key).eq_ignore_ascii_case(wanted));
    let found = world.precedence.keys().into_iter().find_map(has).copied();
    let reason = || {
        format!(
            "The {kind} '{wanted}' was not found. Please check that it exists and that you have \
             permission to view it."
        )
    };
    found.ok_or_else(|| Refusal::BadRequest(reason()))
}

/// The project the body names.
pub(super) fn project<'a>(call: &Call<'a>, order: &Order) -> Result<&'a Item, Refusal> {
    order.object()?;
    let Some(wanted) = order.text("ProjectName") else {
        return wrong("'Project Name' must not be empty.".to_owned());
    };
    let project =
        named(call.world, call.world.projects.of_space(call.space_id()), "project", wanted)?;
    if project.flag("IsDisabled") {
        return wrong(format!("The project '{}' is disabled.", project.text("Name")));
    }
    Ok(project)
}

/// The environments with these names.
pub(super) fn environments<'a>(call: &Call<'a>, names: &[&str]) -> Result<Vec<&'a Item>, Refusal> {
    if names.is_empty() {
        return wrong("At least one environment must be specified.".to_owned());
    }
    let all = || call.world.environments.of_space(call.space_id());
    names.iter().map(|name| named(call.world, all(), "environment", name)).collect()
}

/// The tenants that the body names, and those its tags stand for, which are connected to an
/// environment of a project.
pub(super) fn tenants<'a>(
    call: &Call<'a>,
    order: &Order,
    project: &Item,
    environment: &Item,
) -> Result<Vec<&'a Item>, Refusal> {
    let all = || call.world.tenants.of_space(call.space_id());
    let mut tenants: Vec<&Item> = Vec::new();
    for name in order.texts("Tenants") {
        if name == "*" {
            let connected = |tenant: &&Item| {
                !tenant.flag("IsDisabled")
                    && promotion::is_connected(tenant, &project.id, &environment.id)
            };
            tenants.extend(all().filter(connected));
            continue;
        }
        let tenant = named(call.world, all(), "tenant", name)?;
        let shown = tenant.text("Name");
        if tenant.flag("IsDisabled") {
            return wrong(format!("The tenant '{shown}' is disabled."));
        }
        if !promotion::is_connected(tenant, &project.id, &environment.id) {
            return wrong(format!(
                "The tenant '{shown}' is not connected to the environment '{}' of the project '{}'.",
                environment.text("Name"),
                project.text("Name")
            ));
        }
        tenants.push(tenant);
    }
    let tags = order.texts("TenantTags");
    let known = |tag: &str| {
        let sets = call.world.tag_sets.of_space(call.space_id());
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
            && promotion::is_connected(tenant, &project.id, &environment.id)
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

/// What the body says about how to deploy or run.
pub(super) struct Manner {
    /// When to start, if not at once.
    pub(super) run_at: Option<i64>,
    /// The keys of the deployment or run that the body decides.
    keys: Map<String, Value>,
}

impl Manner {
    /// Reads it. `steps` are the names of the steps there are.
    pub(super) fn read(call: &Call<'_>, order: &Order, steps: &[&str]) -> Result<Self, Refusal> {
        let moment = |key: &str| match order.text(key) {
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
            let all = || call.world.machines.of_space(call.space_id());
            let names = order.texts(key).into_iter();
            let found = names.map(|name| named(call.world, all(), "deployment target", name));
            found.map(|machine| Ok(json!(machine?.id))).collect::<Result<Vec<Value>, Refusal>>()
        };
        let skipped = order.texts("SkipStepNames");
        let unknown = |name: &&&str| !steps.iter().any(|step| step.eq_ignore_ascii_case(name));
        if let Some(name) = skipped.iter().find(unknown) {
            return wrong(format!("The step '{name}' was not found."));
        }
        let pairs = [
            ("QueueTime", json!(run_at.map(clock::stamp))),
            ("QueueTimeExpiry", json!(expiry.map(clock::stamp))),
            ("SkipActions", json!(skipped)),
            ("SpecificMachineIds", json!(machines("SpecificMachineNames")?)),
            ("ExcludedMachineIds", json!(machines("ExcludedMachineNames")?)),
            ("ForcePackageDownload", json!(order.flag("ForcePackageDownload"))),
            ("UseGuidedFailure", json!(order.flag("UseGuidedFailure"))),
        ];
        let keys = pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        Ok(Self { run_at, keys })
    }

    /// Writes it into a deployment or a run, with the values of its prompted variables.
    pub(super) fn write(&self, body: &mut Value, form_values: Value) {
        if let Some(body) = body.as_object_mut() {
            body.extend(self.keys.clone());
            body.insert("FormValues".to_owned(), form_values);
        }
    }
}

/// The values for what is asked for; refused where a required one is missing.
pub(super) fn form_values<'a>(
    order: &Order,
    prompts: impl Iterator<Item = &'a Prompt>,
) -> Result<Value, Refusal> {
    let given = |name: &str| {
        let map = order.value("Variables").as_object()?;
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
        let shown = if prompt.is_sensitive {
            json!({ "HasValue": true, "NewValue": null })
        } else {
            json!(value)
        };
        values.insert(prompt.id.clone(), shown);
    }
    if lacking.is_empty() { Ok(Value::Object(values)) } else { Err(Refusal::Invalid(lacking)) }
}
