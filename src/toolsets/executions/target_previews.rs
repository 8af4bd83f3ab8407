//! Previews of Octopus for the targets of an execution, and the facts that a person has to know.

use std::collections::BTreeSet;

use futures::{StreamExt, TryStreamExt, stream};

use super::{ExecutionOptions, Targets};
use crate::{
    approval::ChangePreview,
    octopus::{
        Error as OctopusError, Named,
        environments::Environment,
        previews::{Preview, ReleaseChanges},
        tenants::Tenant,
    },
    tool::Error,
};

/// Maximum number of previews that are requested from Octopus for one call.
const MAX_PREVIEWS: usize = 10;
/// Maximum number of concurrent requests for previews.
const MAX_CONCURRENT: usize = 4;
/// Maximum number of characters of change summaries in the preview of a call.
const MAX_CHANGES_CHARS: usize = 2_000;

/// Previews of Octopus for the targets of an execution.
#[derive(Debug)]
pub(in crate::toolsets) enum TargetPreviews {
    /// The preview of each target, with the name of the target.
    Read(Vec<(String, Preview)>),
    /// The instance has no previews for this kind of execution.
    Unavailable,
    /// The call has more targets than previews are requested for. Octopus checks prompts and steps
    /// in that case.
    TooMany(usize),
}

impl TargetPreviews {
    /// Reads the preview of each environment and tenant with `read`.
    pub(in crate::toolsets) async fn read<'t, F>(
        targets: &'t Targets,
        read: impl Fn(&'t Environment, Option<&'t Tenant>) -> F,
    ) -> Result<Self, Error>
    where
        F: Future<Output = Result<Option<Preview>, OctopusError>>,
    {
        let pairs = targets.pairs();
        if pairs.len() > MAX_PREVIEWS {
            return Ok(Self::TooMany(pairs.len()));
        }
        let reads = pairs.iter().map(|(environment, tenant)| {
            let name = match tenant {
                None => environment.label().into_owned(),
                Some(tenant) => format!("{}, {}", environment.label(), tenant.label()),
            };
            let preview = read(environment, *tenant);
            async move { Ok::<_, OctopusError>(preview.await?.map(|preview| (name, preview))) }
        });
        let reads = stream::iter(reads.collect::<Vec<_>>()).buffered(MAX_CONCURRENT);
        let previews: Vec<Option<(String, Preview)>> = reads.try_collect().await?;
        let previews: Option<Vec<_>> = previews.into_iter().collect();
        Ok(previews.map_or(Self::Unavailable, Self::Read))
    }

    /// Returns the previews; `None` if they were not read.
    pub(super) fn all(&self) -> Option<impl Iterator<Item = &Preview> + Clone> {
        match self {
            Self::Read(previews) => Some(previews.iter().map(|(_, preview)| preview)),
            Self::Unavailable | Self::TooMany(_) => None,
        }
    }

    /// Adds to the preview what Octopus says about the targets: steps without deployment targets,
    /// named targets that take no part, and the changes since the last deployment.
    pub(in crate::toolsets) fn add_to_preview(
        &self,
        mut preview: ChangePreview,
        options: &ExecutionOptions,
    ) -> ChangePreview {
        let previews = match self {
            Self::Read(previews) => previews,
            Self::Unavailable => {
                return preview.line("Steps and prompts", "not checked: Octopus has no preview");
            }
            Self::TooMany(count) => {
                let text = format!(
                    "not checked: {count} targets, more than the maximum of {MAX_PREVIEWS}"
                );
                return preview.line("Steps and prompts", text);
            }
        };
        preview = preview
            .list_line("Steps without targets", &steps_without_targets(previews, options))
            .list_line("Targets that take no part", &idle_targets(previews, options));
        let mut rest = MAX_CHANGES_CHARS;
        for (names, text) in changes(previews) {
            if rest == 0 {
                return preview.line("Further changes", "not shown");
            }
            let label = format!("Changes in {names}");
            preview = preview.bounded_line(&label, &text, rest);
            rest = rest.saturating_sub(text.chars().count());
        }
        preview
    }
}

/// Returns the steps that would run on deployment targets, but find none in an environment.
fn steps_without_targets(
    previews: &[(String, Preview)],
    options: &ExecutionOptions,
) -> Vec<String> {
    let mut lines = Vec::new();
    for (target, preview) in previews {
        for step in &preview.steps_to_execute {
            if step.has_no_applicable_machines && !options.skipped_steps.contains(&step.action_name)
            {
                lines.push(format!("{} ({target})", step.action_name));
            }
        }
    }
    lines
}

/// Returns the named deployment targets on which no step runs.
fn idle_targets(previews: &[(String, Preview)], options: &ExecutionOptions) -> Vec<String> {
    let steps = || previews.iter().flat_map(|(_, preview)| &preview.steps_to_execute);
    let used: BTreeSet<&str> = steps()
        .filter(|step| !options.skipped_steps.contains(&step.action_name))
        .flat_map(|step| {
            let machines = step.machines.iter().map(|machine| machine.name.as_str());
            machines.chain(step.machine_names.iter().map(String::as_str))
        })
        .collect();
    let unavailable: BTreeSet<&str> =
        steps().flat_map(|step| &step.unavailable_machines).map(|m| m.name.as_str()).collect();
    let idle = options.included_targets.iter().filter(|name| !used.contains(name.as_str()));
    idle.map(|name| {
        if unavailable.contains(name.as_str()) {
            format!("{name} (unavailable)")
        } else {
            name.clone()
        }
    })
    .collect()
}

/// Returns each distinct text of changes, with the names of its targets.
fn changes(previews: &[(String, Preview)]) -> Vec<(String, String)> {
    let mut changes: Vec<(String, String)> = Vec::new();
    for (target, preview) in previews {
        let markdown = preview.changes_markdown.as_deref().unwrap_or_default().trim();
        let text = if markdown.is_empty() {
            let releases = preview.changes.iter().map(describe_release);
            releases.collect::<Vec<_>>().join("\n")
        } else {
            markdown.to_owned()
        };
        if text.is_empty() {
            continue;
        }
        match changes.iter_mut().find(|(_, known)| *known == text) {
            Some((names, _)) => {
                names.push_str("; ");
                names.push_str(target);
            }
            None => changes.push((target.clone(), text)),
        }
    }
    changes
}

fn describe_release(release: &ReleaseChanges) -> String {
    let mut parts = Vec::new();
    let notes = release.release_notes.as_deref().unwrap_or_default().trim();
    if !notes.is_empty() {
        parts.push(notes.to_owned());
    }
    for item in &release.work_items {
        let description = item.description.as_deref().unwrap_or_default();
        parts.push(format!("{} {description}", item.id).trim().to_owned());
    }
    match release.commits.len() {
        0 => {}
        1 => parts.push("1 commit".to_owned()),
        count => parts.push(format!("{count} commits")),
    }
    let version = release.version.as_deref().unwrap_or("a release");
    if parts.is_empty() { version.to_owned() } else { format!("{version}: {}", parts.join("; ")) }
}
