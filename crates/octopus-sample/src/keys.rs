//! The credentials that open the sample instance. They open nothing else.

/// The API key of an administrator, who sees both spaces.
pub const ADMIN: &str = "API-SAMPLE00000000000000000000ADMIN";

/// The API key of a user who sees only the default space, `Spaces-1`.
pub const DEFAULT_SPACE_ONLY: &str = "API-SAMPLE0000000000000000000FREIGHT";

/// The API key of a user who sees only the space Warehouse Systems, `Spaces-22`.
pub const WAREHOUSE_SPACE_ONLY: &str = "API-SAMPLE000000000000000000WAREHOUSE";

/// The API key of a user of `Spaces-1` who lacks the permission `TaskView`.
pub const WITHOUT_TASK_VIEW: &str = "API-SAMPLE000000000000000000NOTASKS";

/// The API key of a user of `Spaces-1` who lacks the permission `VariableView`.
pub const WITHOUT_VARIABLE_VIEW: &str = "API-SAMPLE00000000000000000NOVARIABLES";

/// The API key of a user of `Spaces-1` who sees projects, releases, deployments and tasks, but no
/// processes, variables, infrastructure, accounts, certificates, interruptions or events, and changes
/// nothing.
pub const WITH_FEW_PERMISSIONS: &str = "API-SAMPLE0000000000000000000000FEW";

/// The API key of a user of `Spaces-1` who may look at everything and change nothing.
pub const VIEW_ONLY: &str = "API-SAMPLE000000000000000000VIEWONLY";

/// An access token of the administrator, for `Authorization: Bearer`.
pub const ADMIN_ACCESS_TOKEN: &str = "sample-access-token-of-the-administrator";

/// The audience of the service account `build-server`, which tokens are exchanged for. It sees
/// `Spaces-1`, but no variables, accounts and certificates, and removes nothing.
pub const SERVICE_ACCOUNT: &str = "5be9ac10-2c4f-4a5e-9d56-1f3c7a2e8b04";

/// Which user each API key stands for, by their ID.
pub(super) const OWNERS: [(&str, &str); 7] = [
    (ADMIN, "Users-1"),
    (DEFAULT_SPACE_ONLY, "Users-41"),
    (WAREHOUSE_SPACE_ONLY, "Users-42"),
    (WITHOUT_TASK_VIEW, "Users-43"),
    (WITHOUT_VARIABLE_VIEW, "Users-44"),
    (WITH_FEW_PERMISSIONS, "Users-45"),
    (VIEW_ONLY, "Users-51"),
];
