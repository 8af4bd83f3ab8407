//! `/releases/create/v1`.

use serde_json::{Value, json};

use super::super::super::answer::{Answer, Answered, Refusal};
use super::super::super::clock::{NOW, SECOND};
use super::super::super::history::{ReleaseFacts, Step, release_body};
use super::super::super::order::Order;
use super::super::super::world::repository::resolve;
use super::super::super::world::{Item, World};
use super::super::changes::Change;
use super::super::release_template::{next_version, steps_with_package};
use super::lookup::{named, project, wrong};

pub(super) fn create(change: &Change<'_>, draft: &mut World) -> Answered {
    let (call, order) = (change.call, change.order);
    call.need("ReleaseCreate")?;
    let project = project(call, order)?;
    let mut channels = call.world.channels.of_project(project);
    let channel = match order.text("ChannelName") {
        Some(name) => named(call.world, channels, "channel", name)?,
        None => match channels.find(|channel| channel.flag("IsDefault")) {
            Some(channel) => channel,
            None => return wrong("The project has no default channel.".to_owned()),
        },
    };
    let reference = reference(order, call.world, project)?;
    let newest = call.world.releases.of_project(project).next();
    let known = newest.map(|release| release.text("Version"));
    let version = match order.text("ReleaseVersion") {
        Some(version) => version.to_owned(),
        None => next_version(project, known.unwrap_or("0.0.0")),
    };
    let is_plain = |c: char| c.is_ascii_alphanumeric() || ".-+_".contains(c);
    if !version.chars().all(is_plain) || !version.starts_with(|c: char| c.is_ascii_digit()) {
        return wrong(format!("The version '{version}' is not a valid version."));
    }
    let mut existing = call.world.releases.of_project(project);
    if let Some(existing) =
        existing.find(|release| release.text("Version").eq_ignore_ascii_case(&version))
    {
        if order.flag("IgnoreIfAlreadyExists") {
            return Ok(Answer::value(&names(&existing.id, existing.text("Version"))));
        }
        let reason = "already exists for this project.";
        return wrong(format!("A release with the version {version} {reason}"));
    }
    let packages = packages(order, call.world, project, known)?;
    if !order.flag("IgnoreChannelRules") {
        check_rules(channel, &packages)?;
    }
    let facts = ReleaseFacts {
        id: draft.releases.next_id("Releases"),
        project_id: project.id.clone(),
        channel_id: channel.id.clone(),
        version,
        assembled: NOW - SECOND,
        notes: order.text("ReleaseNotes").map(str::to_owned),
        work_item: None,
    };
    let mut body = release_body(draft, &facts);
    if let Some(body) = body.as_object_mut() {
        let fields = order.value("CustomFields");
        let fields = if fields.is_object() { fields.clone() } else { json!({}) };
        let ignored = json!(order.flag("IgnoreChannelRules"));
        body.insert("IgnoreChannelRules".to_owned(), ignored);
        body.insert("SelectedPackages".to_owned(), json!(packages));
        body.insert("VersionControlReference".to_owned(), json!(reference));
        body.insert("CustomFields".to_owned(), fields);
    }
    draft.releases.put(body);
    Ok(Answer::created(&names(&facts.id, &facts.version)))
}

fn names(id: &str, version: &str) -> Value {
    json!({ "ReleaseId": id, "ReleaseVersion": version })
}

/// Where the process is read from; projects in the database have none.
fn reference(order: &Order, world: &World, project: &Item) -> Result<Option<Value>, Refusal> {
    if !project.flag("IsVersionControlled") {
        return Ok(None);
    }
    let (commit, reference) = (order.text("GitCommit"), order.text("GitRef"));
    let Some(wanted) = commit.or(reference) else {
        return wrong(format!(
            "The project '{}' is version controlled: a GitRef or a GitCommit is required.",
            project.text("Name")
        ));
    };
    let found = |wanted: &str| match resolve(world, project, wanted) {
        Some(found) => Ok(found),
        None => wrong(format!("The Git reference '{wanted}' was not found.")),
    };
    let at = found(wanted)?;
    let named = reference.map(found).transpose()?.and_then(|named| named.full_name());
    let name = named.or_else(|| at.full_name());
    Ok(Some(json!({ "GitRef": name, "GitCommit": at.commit(world, project) })))
}

/// The package of every step that has one: what the body says of the step, what it says of all,
/// or the newest there is.
fn packages(
    order: &Order,
    world: &World,
    project: &Item,
    known: Option<&str>,
) -> Result<Vec<Value>, Refusal> {
    let process = world.scripts.process(&project.id);
    let steps: Vec<&Step> = steps_with_package(process).collect();
    let mut own = Vec::new();
    for text in order.texts("Packages") {
        let parts: Vec<&str> = text.split(':').collect();
        let (step, version) = match parts.as_slice() {
            [step, version] | [step, _, version] => (*step, *version),
            _ => return wrong(format!("The package '{text}' is not of the form Step:Version.")),
        };
        let matches = |other: &&&Step| {
            let package = process.map_or("", |process| process.package_id.as_str());
            step == "*"
                || other.name.eq_ignore_ascii_case(step)
                || package.eq_ignore_ascii_case(step)
        };
        if !steps.iter().any(|other| matches(&other)) {
            return wrong(format!("The package reference '{text}' matches no step."));
        }
        own.extend(steps.iter().filter(matches).map(|step| (step.name.as_str(), version)));
    }
    let selected = steps.iter().map(|step| {
        let own =
            own.iter().rev().find(|(name, _)| *name == step.name).map(|(_, version)| *version);
        let version = own.or_else(|| order.text("PackageVersion")).or(known);
        let Some(version) = version else {
            return wrong(format!("No package version was found for the step '{}'.", step.name));
        };
        Ok(json!({
            "ActionName": step.name, "PackageReferenceName": "", "Version": version,
            "StepName": step.name,
        }))
    });
    selected.collect()
}

/// Holds the packages against the pre-release tags of the channel.
fn check_rules(channel: &Item, packages: &[Value]) -> Result<(), Refusal> {
    for rule in channel.list("Rules") {
        let tag = rule.get("Tag").and_then(Value::as_str).unwrap_or_default();
        let start = tag.trim_start_matches('^').trim_end_matches(".*");
        for package in rule.get("ActionPackages").and_then(Value::as_array).into_iter().flatten() {
            let action = package.get("DeploymentAction");
            let mut selected = packages.iter().filter(|other| other.get("ActionName") == action);
            let version =
                |package: &Value| package.get("Version").and_then(Value::as_str).map(str::to_owned);
            let breaks = |package: &&Value| {
                let version = version(package).unwrap_or_default();
                !version.split_once('-').map_or("", |(_, tag)| tag).starts_with(start)
            };
            if let Some(package) = selected.find(breaks) {
                return wrong(format!(
                    "The version '{}' of the package of step '{}' is not allowed by the rules of \
                     the channel '{}'.",
                    version(package).unwrap_or_default(),
                    action.and_then(Value::as_str).unwrap_or_default(),
                    channel.text("Name")
                ));
            }
        }
    }
    Ok(())
}
