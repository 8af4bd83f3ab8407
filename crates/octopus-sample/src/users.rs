//! Users and permissions.

use super::keys;

/// Permissions of the sample instance, in the order of `/users/{id}/permissions`.
pub(super) const PERMISSIONS: [&str; 49] = [
    "ProjectView",
    "ProjectGroupView",
    "ProcessView",
    "ReleaseView",
    "DeploymentView",
    "EnvironmentView",
    "LifecycleView",
    "TaskView",
    "TaskViewLog",
    "TenantView",
    "VariableView",
    "LibraryVariableSetView",
    "MachineView",
    "RunbookView",
    "RunbookRunView",
    "InterruptionView",
    "WorkerView",
    "MachinePolicyView",
    "ProxyView",
    "AccountView",
    "CertificateView",
    "CertificateExportPrivateKey",
    "EventView",
    "TeamView",
    "UserRoleView",
    "InterruptionSubmit",
    "DeploymentCreate",
    "DeploymentFreezeAdminister",
    "EnvironmentCreate",
    "EnvironmentDelete",
    "EnvironmentEdit",
    "FeatureToggleEdit",
    "LifecycleCreate",
    "LifecycleDelete",
    "LifecycleEdit",
    "ProjectCreate",
    "ProjectDelete",
    "ProjectEdit",
    "ProjectGroupCreate",
    "ProjectGroupDelete",
    "ProjectGroupEdit",
    "ReleaseCreate",
    "RunbookRunCreate",
    "TaskCancel",
    "TaskCreate",
    "TaskEdit",
    "TenantCreate",
    "TenantDelete",
    "TenantEdit",
];

/// Permissions of the API keys of AI agents.
const KEY_SCOPE: [&str; 7] = [
    "ProjectView",
    "ReleaseView",
    "DeploymentView",
    "EnvironmentView",
    "LifecycleView",
    "TaskView",
    "TaskViewLog",
];

/// User of exchanged tokens.
pub(super) const SERVICE_ACCOUNT: &str = "Users-62";

/// Access of one user.
pub(super) struct User {
    pub(super) id: &'static str,
    /// IDs of the spaces of the user.
    pub(super) spaces: &'static [&'static str],
    /// Permissions that the user lacks in these spaces.
    pub(super) lacks: &'static [&'static str],
    /// Whether the user has view permissions only.
    pub(super) views_only: bool,
    /// Whether the user's API keys belong to an AI agent, with the access level Custom.
    pub(super) agent: bool,
    /// Whether the user is an administrator.
    pub(super) administrator: bool,
}

static USERS: [User; 9] = [
    User { administrator: true, ..User::of("Users-1", &["Spaces-1", "Spaces-22"]) },
    User::of("Users-41", &["Spaces-1"]),
    User::of("Users-42", &["Spaces-22"]),
    User { lacks: &["TaskView"], ..User::of("Users-43", &["Spaces-1"]) },
    User { lacks: &["VariableView"], ..User::of("Users-44", &["Spaces-1"]) },
    User {
        lacks: &[
            "ProcessView",
            "VariableView",
            "LibraryVariableSetView",
            "MachineView",
            "InterruptionView",
            "WorkerView",
            "MachinePolicyView",
            "ProxyView",
            "AccountView",
            "CertificateView",
            "CertificateExportPrivateKey",
            "EventView",
            "TeamView",
            "UserRoleView",
        ],
        views_only: true,
        ..User::of("Users-45", &["Spaces-1"])
    },
    User { views_only: true, ..User::of("Users-51", &["Spaces-1"]) },
    User {
        lacks: &[
            "VariableView",
            "AccountView",
            "CertificateView",
            "CertificateExportPrivateKey",
            "EnvironmentDelete",
            "LifecycleDelete",
            "ProjectDelete",
            "ProjectGroupDelete",
            "TenantDelete",
        ],
        ..User::of(SERVICE_ACCOUNT, &["Spaces-1"])
    },
    User { agent: true, views_only: true, ..User::of("Users-63", &["Spaces-1"]) },
];

impl User {
    const fn of(id: &'static str, spaces: &'static [&'static str]) -> Self {
        Self { id, spaces, lacks: &[], views_only: false, agent: false, administrator: false }
    }

    /// Returns the user of an API key.
    pub(super) fn with_key(key: &str) -> Option<&'static Self> {
        let (_, id) = keys::OWNERS.iter().find(|(other, _)| *other == key)?;
        Self::with_id(id)
    }

    /// Returns the user of an access token.
    pub(super) fn with_access_token(token: &str) -> Option<&'static Self> {
        if token == keys::ADMIN_ACCESS_TOKEN { Self::with_key(keys::ADMIN) } else { None }
    }

    /// Returns the user with an ID; `None` for users without a credential.
    pub(super) fn with_id(id: &str) -> Option<&'static Self> {
        USERS.iter().find(|user| user.id.eq_ignore_ascii_case(id))
    }

    /// Returns whether the user has access to a space. The empty ID is the server level, for
    /// administrators.
    pub(super) fn sees_space(&self, space_id: &str) -> bool {
        if space_id.is_empty() { self.administrator } else { self.spaces.contains(&space_id) }
    }

    /// Returns whether the user has a permission in their spaces.
    pub(super) fn has_permission(&self, permission: &str) -> bool {
        let is_view = permission.contains("View");
        !self.lacks.contains(&permission)
            && (is_view || !self.views_only)
            && (!self.agent || KEY_SCOPE.contains(&permission))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_well_formed_and_have_owners() {
        for (key, id) in keys::OWNERS {
            assert_eq!(User::with_key(key).map(|user| user.id), Some(id));
            let (_, rest) = key.split_once('-').expect(key);
            assert!(rest.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit()), "{key}");
        }
    }
}
