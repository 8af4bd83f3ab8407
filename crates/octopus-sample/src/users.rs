//! Who may see what.

use super::keys;

/// Permissions the sample instance knows, as `/users/{id}/permissions` lists them.
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

/// The user that exchanged tokens act as.
pub(super) const SERVICE_ACCOUNT: &str = "Users-62";

/// What one user may do.
pub(super) struct User {
    pub(super) id: &'static str,
    /// The IDs of the spaces they see.
    pub(super) spaces: &'static [&'static str],
    /// The permissions they lack in those spaces.
    pub(super) lacks: &'static [&'static str],
    /// Whether they may look at everything and change nothing.
    pub(super) views_only: bool,
    /// Whether they administer the whole instance.
    pub(super) administrator: bool,
}

static USERS: [User; 8] = [
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
];

impl User {
    const fn of(id: &'static str, spaces: &'static [&'static str]) -> Self {
        Self { id, spaces, lacks: &[], views_only: false, administrator: false }
    }

    /// The user an API key stands for.
    pub(super) fn with_key(key: &str) -> Option<&'static Self> {
        let (_, id) = keys::OWNERS.iter().find(|(other, _)| *other == key)?;
        Self::with_id(id)
    }

    /// The user an access token stands for.
    pub(super) fn with_access_token(token: &str) -> Option<&'static Self> {
        if token == keys::ADMIN_ACCESS_TOKEN { Self::with_key(keys::ADMIN) } else { None }
    }

    /// The user with an ID; users without a credential of their own have none.
    pub(super) fn with_id(id: &str) -> Option<&'static Self> {
        USERS.iter().find(|user| user.id.eq_ignore_ascii_case(id))
    }

    /// Whether the user is in a space. The server level, an empty ID, is for administrators.
    pub(super) fn sees(&self, space_id: &str) -> bool {
        if space_id.is_empty() { self.administrator } else { self.spaces.contains(&space_id) }
    }

    /// Whether the user has a permission in the spaces they see.
    pub(super) fn may(&self, permission: &str) -> bool {
        let is_view = permission.contains("View");
        !self.lacks.contains(&permission) && (is_view || !self.views_only)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_an_owner_and_looks_like_one() {
        for (key, id) in keys::OWNERS {
            assert_eq!(User::with_key(key).map(|user| user.id), Some(id));
            let rest = key.strip_prefix("API-").expect(key);
            assert!(rest.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit()), "{key}");
        }
    }
}
