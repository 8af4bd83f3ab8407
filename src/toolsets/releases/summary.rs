//! A release in the form of the answer.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    octopus::{
        Error, Id, Space, channels::Channel, document, projects::Project, releases::Release,
    },
    text::truncate,
    tool::{NamesById, resource_uri},
};

/// A release.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReleaseSummary {
    id: String,
    version: String,
    project_id: String,
    project_name: Option<String>,
    channel_id: Option<String>,
    channel_name: Option<String>,
    /// Creation time.
    assembled: Option<String>,
    release_notes: Option<String>,
    ignore_channel_rules: bool,
    version_control_reference: Option<GitReference>,
    selected_packages: Vec<SelectedPackage>,
    selected_git_resources: Vec<Value>,
    /// Builds of the packages, with commits and work items. Lists of releases show the first 3 of a
    /// build and the total count.
    build_information: Vec<Value>,
    custom_fields: Map<String, Value>,
    resource_uri: String,
    url: String,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct GitReference {
    git_ref: Option<String>,
    git_commit: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct SelectedPackage {
    step_name: Option<String>,
    action_name: Option<String>,
    package_reference_name: Option<String>,
    version: Option<String>,
}

/// Maximum bytes of release notes in a list.
const LIST_NOTES_BYTES: usize = 400;
/// Maximum number of commits and of work items of a build in a list.
const LIST_BUILD_ITEMS: usize = 3;

/// Creates the answer form of releases, with the names of projects and channels. `in_list` shortens
/// them.
pub(super) async fn summaries(
    space: &Space,
    releases: Vec<Release>,
    in_list: bool,
) -> Result<Vec<ReleaseSummary>, Error> {
    let (projects, channels) = futures::try_join!(
        NamesById::lookup::<Project>(space, releases.iter().map(|release| &release.project_id)),
        NamesById::lookup::<Channel>(space, releases.iter().filter_map(|r| r.channel_id.as_ref())),
    )?;
    Ok(releases
        .into_iter()
        .map(|mut release| {
            if in_list {
                shorten(&mut release);
            }
            summary(space, release, &projects, &channels)
        })
        .collect())
}

fn shorten(release: &mut Release) {
    if let Some(notes) = release.release_notes.as_mut()
        && notes.len() > LIST_NOTES_BYTES
    {
        *notes = format!("{} ...", truncate::head(notes, LIST_NOTES_BYTES));
    }
    for build in release.build_information.iter_mut().filter_map(Value::as_object_mut) {
        build.retain(|key, _| !["VcsType", "VcsRoot", "VcsCommitUrl"].contains(&key.as_str()));
        for (parts, count) in [("Commits", "CommitCount"), ("WorkItems", "WorkItemCount")] {
            let Some(Value::Array(items)) = build.get_mut(parts) else { continue };
            let all = items.len();
            items.truncate(LIST_BUILD_ITEMS);
            for item in items.iter_mut().filter_map(Value::as_object_mut) {
                item.shift_remove("LinkUrl");
            }
            if all > LIST_BUILD_ITEMS {
                build.insert(count.to_owned(), all.into());
            }
        }
    }
}

fn summary(
    space: &Space,
    release: Release,
    projects: &NamesById,
    channels: &NamesById,
) -> ReleaseSummary {
    let channel_id = release.channel_id.map(Id::into_string);
    ReleaseSummary {
        url: space.portal().release(&release.id),
        resource_uri: resource_uri(["spaces", space.name(), "releases", release.id.as_str()]),
        id: release.id.into_string(),
        version: release.version,
        project_name: projects.get(release.project_id.as_str()),
        project_id: release.project_id.into_string(),
        channel_name: channel_id.as_deref().and_then(|id| channels.get(id)),
        channel_id,
        assembled: release.assembled,
        release_notes: release.release_notes,
        ignore_channel_rules: release.ignore_channel_rules,
        version_control_reference: release
            .version_control_reference
            .map(|git| GitReference { git_ref: git.git_ref, git_commit: git.git_commit }),
        selected_packages: release
            .selected_packages
            .into_iter()
            .map(|package| SelectedPackage {
                step_name: package.step_name,
                action_name: package.action_name,
                package_reference_name: package.package_reference_name,
                version: package.version,
            })
            .collect(),
        selected_git_resources: release
            .selected_git_resources
            .into_iter()
            .map(document::to_answer_form)
            .collect(),
        build_information: release
            .build_information
            .into_iter()
            .map(document::to_answer_form)
            .collect(),
        custom_fields: release.custom_fields,
    }
}
