//! Credentials of the sample instance. They are valid nowhere else.

/// API key of an administrator with access to both spaces.
pub const ADMIN: &str = "API-SAMPLE00000000000000000000ADMIN";

/// API key of a user with access to the default space, `Spaces-1`, only.
pub const DEFAULT_SPACE_ONLY: &str = "API-SAMPLE0000000000000000000FREIGHT";

/// API key of a user with access to the space Warehouse Systems, `Spaces-22`, only.
pub const WAREHOUSE_SPACE_ONLY: &str = "API-SAMPLE000000000000000000WAREHOUSE";

/// API key of a user of `Spaces-1` without the permission `TaskView`.
pub const WITHOUT_TASK_VIEW: &str = "API-SAMPLE000000000000000000NOTASKS";

/// API key of a user of `Spaces-1` without the permission `VariableView`.
pub const WITHOUT_VARIABLE_VIEW: &str = "API-SAMPLE00000000000000000NOVARIABLES";

/// API key of a read-only user of `Spaces-1` with access to projects, releases, deployments and
/// tasks. The user has no access to processes, variables, infrastructure, accounts, certificates,
/// interruptions and events.
pub const WITH_FEW_PERMISSIONS: &str = "API-SAMPLE0000000000000000000000FEW";

/// API key of a user of `Spaces-1` with all view permissions and no others.
pub const VIEW_ONLY: &str = "API-SAMPLE000000000000000000VIEWONLY";

/// API key of the AI agent `night-agent`, a service account of `Spaces-1`. Its prefix is not `API-`,
/// and its access level is Custom: it views projects, releases, deployments and tasks of `Projects-1`.
pub const AGENT: &str = "AGENT-SAMPLE0000000000000000000NIGHT";

/// Access token of the administrator, for `Authorization: Bearer`.
pub const ADMIN_ACCESS_TOKEN: &str = "sample-access-token-of-the-administrator";

/// Audience of the service account `build-server` in a token exchange. It has access to `Spaces-1`,
/// without variables, accounts, certificates and deletions.
pub const SERVICE_ACCOUNT: &str = "5be9ac10-2c4f-4a5e-9d56-1f3c7a2e8b04";

/// User IDs of the API keys.
pub(super) const OWNERS: [(&str, &str); 8] = [
    (ADMIN, "Users-1"),
    (DEFAULT_SPACE_ONLY, "Users-41"),
    (WAREHOUSE_SPACE_ONLY, "Users-42"),
    (WITHOUT_TASK_VIEW, "Users-43"),
    (WITHOUT_VARIABLE_VIEW, "Users-44"),
    (WITH_FEW_PERMISSIONS, "Users-45"),
    (VIEW_ONLY, "Users-51"),
    (AGENT, "Users-63"),
];
