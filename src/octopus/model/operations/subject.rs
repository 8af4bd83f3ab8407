//! Resource types of operation parameters.

use crate::octopus::client::{access_set::ResourceKind, id_form};

/// Resource type of a parameter; only types that policy rules can match, directly or by owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A space.
    Space,
    /// A project.
    Project,
    /// An environment.
    Environment,
    /// A tenant.
    Tenant,
    /// A channel of a project.
    Channel,
    /// A release of a project.
    Release,
    /// A deployment.
    Deployment,
    /// A server task.
    Task,
    /// A runbook of a project.
    Runbook,
    /// A run of a runbook.
    RunbookRun,
    /// A snapshot of a runbook.
    RunbookSnapshot,
    /// An interruption of a task.
    Interruption,
    /// A deployment target.
    Machine,
    /// A file collected by a task.
    Artifact,
    /// A document with a single owner; its ID contains the owner's ID: `variableset-Projects-1`.
    Owned,
    /// Documents of any type.
    Any,
}

impl Subject {
    /// All subjects with their word in the table and the ID prefix of their resources.
    const ALL: [(Self, &'static str, &'static str); 16] = [
        (Self::Space, "space", "Spaces"),
        (Self::Project, "project", "Projects"),
        (Self::Environment, "environment", "Environments"),
        (Self::Tenant, "tenant", "Tenants"),
        (Self::Channel, "channel", "Channels"),
        (Self::Release, "release", "Releases"),
        (Self::Deployment, "deployment", "Deployments"),
        (Self::Task, "task", "ServerTasks"),
        (Self::Runbook, "runbook", "Runbooks"),
        (Self::RunbookRun, "run", "RunbookRuns"),
        (Self::RunbookSnapshot, "snapshot", "RunbookSnapshots"),
        (Self::Interruption, "interruption", "Interruptions"),
        (Self::Machine, "machine", "Machines"),
        (Self::Artifact, "artifact", "Artifacts"),
        (Self::Owned, "owned", ""),
        (Self::Any, "any", ""),
    ];

    /// Returns the subject for a word in the table.
    pub(super) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find_map(|(subject, name, _)| (name == word).then_some(subject))
    }

    /// Returns whether `text` is an ID of this resource type.
    pub fn is_id(self, text: &str) -> bool {
        let prefix = Self::ALL.into_iter().find(|(subject, ..)| *subject == self);
        let prefix = prefix.map_or("", |(_, _, prefix)| prefix);
        id_form::has_prefix(text, prefix)
    }

    /// Returns whether resources of this type have an owner, as opposed to being a space, project,
    /// environment or tenant.
    pub fn is_owned(self) -> bool {
        !matches!(self, Self::Space | Self::Project | Self::Environment | Self::Tenant)
    }

    /// Returns the kinds that a resource of this type determines.
    pub fn determines(self) -> &'static [ResourceKind] {
        match self {
            Self::Space => &[ResourceKind::Space],
            Self::Project
            | Self::Channel
            | Self::Release
            | Self::Runbook
            | Self::RunbookSnapshot
            | Self::Owned => &[ResourceKind::Project],
            Self::Environment => &[ResourceKind::Environment],
            Self::Tenant => &[ResourceKind::Tenant],
            Self::Machine => &[ResourceKind::Environment, ResourceKind::Tenant],
            Self::Deployment
            | Self::Task
            | Self::RunbookRun
            | Self::Interruption
            | Self::Artifact => {
                &[ResourceKind::Project, ResourceKind::Environment, ResourceKind::Tenant]
            }
            Self::Any => &[],
        }
    }
}
