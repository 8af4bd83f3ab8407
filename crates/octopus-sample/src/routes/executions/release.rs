//! `/releases/create/v1`.

use serde_json::{Value, json};

use super::super::super::clock::{NOW, SECOND};
use super::super::super::database::repository::resolve;
use super::super::super::database::{Database, Item, ReleaseFacts, Step};
use super::super::super::history::release_body;
use super::super::super::request_body::RequestBody;
use super::super::super::response::{ApiError, ApiResponse, ApiResult};
use super::super::super::version::Feature;
use super::super::release_template::{next_version, steps_with_package};
use super::super::write_request::WriteRequest;
use super::lookup::{named, project, wrong};

pub(super) fn create(change: &WriteRequest<'_>, draft: &mut Database) -> ApiResult {
    let (call, input) = (change.call, change.input);
    call.require("ReleaseCreate")?;
    let project = project(call, input)?;
    let mut channels = call.database.channels.of_project(project);
    let channel = match input.text("ChannelName") {
        Some(name) => named(call.database, channels, "channel", name)?,
        None => match channels.find(|channel| channel.flag("IsDefault")) {
            Some(channel) => channel,
            None => return wrong("The project has no default channel.".to_owned()),
        },
    };
    let reference = reference(input, call.database, project)?;
    let newest = call.database.releases.of_project(project).next();
    let known = newest.map(|release| release.text("Version"));
    let version = match input.text("ReleaseVersion") {
        Some(version) => version.to_owned(),
        None => next_version(project, known.unwrap_or("0.0.0")),
    };
    let is_plain = |c: char| c.is_ascii_alphanumeric() || ".-+_".contains(c);
    if !version.chars().all(is_plain) || !version.starts_with(|c: char| c.is_ascii_digit()) {
        return wrong(format!("The version '{version}' is not a valid version."));
    }
    let mut existing = call.database.releases.of_project(project);
    if let Some(existing) =
        existing.find(|release| release.text("Version").eq_ignore_ascii_case(&version))
    {
        if input.flag("IgnoreIfAlreadyExists") {
            return Ok(ApiResponse::value(&names(&existing.id, existing.text("Version"))));
        }
        let reason = "already exists for this project.";
        return wrong(format!("A release with the version {version} {reason}"));
    }
    let packages = packages(input, call.database, project, known)?;
    if !input.flag("IgnoreChannelRules") {
        check_rules(channel, &packages)?;
    }
    let facts = ReleaseFacts {
        id: draft.releases.next_id("Releases"),
        project_id: project.id.clone(),
        channel_id: channel.id.clone(),
        version,
        assembled: NOW - SECOND,
        notes: input.text("ReleaseNotes").map(str::to_owned),
        work_item: None,
    };
    let mut body = release_body(draft, &facts);
    if let Some(body) = body.as_object_mut() {
        let fields = input.value("CustomFields");
        let fields = if fields.is_object() { fields.clone() } else { json!({}) };
        let ignored = json!(input.flag("IgnoreChannelRules"));
        body.insert("IgnoreChannelRules".to_owned(), ignored);
        body.insert("SelectedPackages".to_owned(), json!(packages));
        body.insert("VersionControlReference".to_owned(), json!(reference));
        body.insert("CustomFields".to_owned(), fields);
    }
    draft.releases.put(body);
    let names = names(&facts.id, &facts.version);
    let is_created = change.call.version.has(Feature::CreatedReleases);
    Ok(if is_created { ApiResponse::created(&names) } else { ApiResponse::value(&names) })
}

fn names(id: &str, version: &str) -> Value {
    json!({ "ReleaseId": id, "ReleaseVersion": version })
}

/// Returns the Git reference of the process; `None` for projects in the database.
fn reference(
    input: &RequestBody,
    database: &Database,
    project: &Item,
) -> Result<Option<Value>, ApiError> {
    if !project.flag("IsVersionControlled") {
        return Ok(None);
    }
    let (commit, reference) = (input.text("GitCommit"), input.text("GitRef"));
    let Some(wanted) = commit.or(reference) else {
        return wrong(format!(
            "The project '{}' is version controlled: a GitRef or a GitCommit is required.",
            project.text("Name")
        ));
    };
    let found = |wanted: &str| match resolve(database, project, wanted) {
        Some(found) => Ok(found),
        None => wrong(format!("The Git reference '{wanted}' was not found.")),
    };
    let at = found(wanted)?;
    let named = reference.map(found).transpose()?.and_then(|named| named.full_name());
    let name = named.or_else(|| at.full_name());
    Ok(Some(json!({ "GitRef": name, "GitCommit": at.commit(database, project) })))
}

/// Selects a package version for every step with a package: that of the step in the body, else the
/// default in the body, else the newest.
fn packages(
    input: &RequestBody,
    database: &Database,
    project: &Item,
    known: Option<&str>,
) -> Result<Vec<Value>, ApiError> {
    let process = database.scripts.process(&project.id);
    let steps: Vec<&Step> = steps_with_package(process).collect();
    let mut own = Vec::new();
    for text in input.texts("Packages") {
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
        let version = own.or_else(|| input.text("PackageVersion")).or(known);
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

/// Checks package versions against the pre-release tags of the channel.
fn check_rules(channel: &Item, packages: &[Value]) -> Result<(), ApiError> {
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
