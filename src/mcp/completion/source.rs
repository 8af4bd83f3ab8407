//! The Octopus lists that provide completion values.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::octopus::{
    ApiPath, Id, Resource, Space, interruptions::Interruption, projects::Project,
    releases::Release, runbooks::Runbook, tasks::Task, tenants::Tenant,
};

/// The field and Octopus list that provide the values of an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CompletionSource {
    Space,
    ProjectName,
    ProjectSlug,
    ProjectId,
    Environment,
    Tenant,
    ReleaseVersion,
    ReleaseId,
    TaskId,
    RunbookId,
    GitReference,
    GitRunbookSlug,
    InterruptionId,
    FeatureToggleSlug,
}

/// The fields of an Octopus document that identify it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct CompletionItem {
    id: Option<String>,
    name: Option<String>,
    slug: Option<String>,
    version: Option<String>,
    title: Option<String>,
    description: Option<String>,
}

impl CompletionItem {
    /// Parses the fields of a document.
    pub(super) fn parse(document: Map<String, Value>) -> Option<Self> {
        serde_json::from_value(Value::Object(document)).ok()
    }

    /// Returns the value and the other names of the document.
    pub(super) fn texts(self, source: CompletionSource) -> Option<Vec<String>> {
        let Self { id, name, slug, version, title, description } = self;
        let others = |others: [Option<String>; 3]| others.into_iter().flatten();
        let (value, others) = match source {
            CompletionSource::ProjectSlug
            | CompletionSource::GitRunbookSlug
            | CompletionSource::FeatureToggleSlug => (slug, others([name, id, None])),
            CompletionSource::ReleaseVersion => (version, others([None, None, None])),
            CompletionSource::ReleaseId => (id, others([version, None, None])),
            CompletionSource::TaskId => (id, others([description, None, None])),
            CompletionSource::InterruptionId => (id, others([title, None, None])),
            CompletionSource::ProjectId | CompletionSource::RunbookId => {
                (id, others([name, slug, None]))
            }
            _ => (name, others([slug, id, None])),
        };
        let mut texts = vec![value?];
        texts.extend(others);
        Some(texts)
    }
}

impl CompletionSource {
    /// Returns the source for an argument or template variable. Octopus cannot list rollout groups.
    pub(super) fn for_argument(argument: &str) -> Option<Self> {
        Some(match argument {
            "space" | "spaceName" => Self::Space,
            "project" => Self::ProjectName,
            "projectSlug" => Self::ProjectSlug,
            "projectId" => Self::ProjectId,
            "environment" => Self::Environment,
            "tenant" => Self::Tenant,
            "release" | "from" | "to" => Self::ReleaseVersion,
            "releaseId" => Self::ReleaseId,
            "taskId" => Self::TaskId,
            "runbookId" => Self::RunbookId,
            "gitRef" => Self::GitReference,
            "runbookSlug" => Self::GitRunbookSlug,
            "interruptionId" => Self::InterruptionId,
            "slug" => Self::FeatureToggleSlug,
            _ => return None,
        })
    }

    /// Returns the prefix of the IDs, if the values are IDs.
    fn prefix(self) -> Option<&'static str> {
        Some(match self {
            Self::ProjectId => Project::ID_PREFIX,
            Self::ReleaseId => Release::ID_PREFIX,
            Self::TaskId => Task::ID_PREFIX,
            Self::RunbookId => Runbook::ID_PREFIX,
            Self::InterruptionId => Interruption::ID_PREFIX,
            _ => return None,
        })
    }

    /// Returns the search text for Octopus, which can search names but not parts of IDs.
    pub(super) fn search_text(self, typed: &str) -> Option<&str> {
        let is_id = self.prefix().is_some_and(|prefix| {
            let (prefix, typed) = (prefix.to_lowercase(), typed.to_lowercase());
            let is_number = typed.bytes().all(|byte| byte.is_ascii_digit());
            prefix.starts_with(&typed) || typed.starts_with(&prefix) || is_number
        });
        (!typed.is_empty() && !is_id).then_some(typed)
    }

    /// Returns whether the list belongs to one project.
    pub(super) fn is_project_list(self) -> bool {
        matches!(
            self,
            Self::ReleaseVersion
                | Self::ReleaseId
                | Self::GitReference
                | Self::GitRunbookSlug
                | Self::FeatureToggleSlug
        )
    }

    /// Returns whether the list belongs to a space and contains items of several projects.
    pub(super) fn spans_projects(self) -> bool {
        !self.is_project_list() && !matches!(self, Self::Space | Self::Environment | Self::Tenant)
    }

    /// Returns the name of the query parameter for the number of items.
    pub(super) fn take_parameter(self) -> &'static str {
        if self == Self::FeatureToggleSlug { "Take" } else { "take" }
    }

    /// Returns the path of the list, or `None` if an argument that it needs was not filled in. Spaces
    /// and environments have other paths.
    pub(super) fn path(
        self,
        space: &Space,
        project: Option<&Id<Project>>,
        git_ref: Option<&str>,
        search: Option<&str>,
    ) -> Option<ApiPath> {
        let below = |project: &Id<Project>, segments: &[&str]| {
            space.path([Project::COLLECTION, project.as_str()]).join(segments)
        };
        let named = |collection: &str| space.path([collection]).query_opt("partialName", search);
        Some(match self {
            Self::Space | Self::Environment => return None,
            Self::ProjectName | Self::ProjectSlug | Self::ProjectId => named(Project::COLLECTION),
            Self::Tenant => named(Tenant::COLLECTION),
            Self::TaskId => named(Task::COLLECTION),
            Self::RunbookId => named(Runbook::COLLECTION),
            Self::InterruptionId => space.path([Interruption::COLLECTION]),
            Self::ReleaseVersion => {
                below(project?, &[Release::COLLECTION]).query_opt("searchByVersion", search)
            }
            Self::ReleaseId => match project {
                Some(project) => {
                    below(project, &[Release::COLLECTION]).query_opt("searchByVersion", search)
                }
                None => space.path([Release::COLLECTION]),
            },
            Self::GitReference => {
                below(project?, &["git", "branches"]).query_opt("searchByName", search)
            }
            Self::GitRunbookSlug => {
                below(project?, &[git_ref?, Runbook::COLLECTION]).query_opt("partialName", search)
            }
            Self::FeatureToggleSlug => {
                below(project?, &["featuretoggles"]).query_opt("PartialName", search)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn does_not_search_octopus_for_id_prefixes() {
        for (typed, searched) in
            [("", false), ("Ser", false), ("servertasks-9", false), ("900", false), ("web", true)]
        {
            assert_eq!(CompletionSource::TaskId.search_text(typed).is_some(), searched, "{typed}");
        }
        assert_eq!(CompletionSource::Tenant.search_text("Ten"), Some("Ten"));
    }
}
