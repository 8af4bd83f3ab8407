//! Categories, groups, agents and document types of events.

/// Event categories with their names.
pub(crate) const CATEGORIES: [(&str, &str); 29] = [
    ("Created", "Created"),
    ("Modified", "Modified"),
    ("Deleted", "Deleted"),
    ("DeploymentQueued", "Deployment queued"),
    ("DeploymentStarted", "Deployment started"),
    ("DeploymentSucceeded", "Deployment succeeded"),
    ("DeploymentFailed", "Deployment failed"),
    ("DeploymentResumed", "Deployment resumed"),
    ("ManualInterventionInterruptionRaised", "Manual intervention interruption raised"),
    ("GuidedFailureInterruptionRaised", "Guided failure interruption raised"),
    ("TaskCanceled", "Task canceled"),
    ("TaskQueued", "Task queued"),
    ("RunbookRunQueued", "Runbook run queued"),
    ("RunbookRunStarted", "Runbook run started"),
    ("RunbookRunSucceeded", "Runbook run succeeded"),
    ("RunbookRunFailed", "Runbook run failed"),
    ("MachineAdded", "Machine added"),
    ("MachineHealthy", "Machine healthy"),
    ("MachineHasWarnings", "Machine has warnings"),
    ("MachineUnhealthy", "Machine unhealthy"),
    ("MachineUnavailable", "Machine unavailable"),
    ("MachineEnabled", "Machine enabled"),
    ("MachineDisabled", "Machine disabled"),
    ("MachineCleanupFailed", "Machine cleanup failed"),
    (
        "MachineDeploymentRelatedPropertyWasUpdated",
        "Machine deployment related property was updated",
    ),
    ("MachineDeleted", "Machine deleted"),
    ("CertificateExpired", "Certificate expired"),
    ("LoginSucceeded", "Login succeeded"),
    ("LoginFailed", "Login failed"),
];

/// Event groups with their names and categories.
pub(crate) const GROUPS: [(&str, &str, &[&str]); 7] = [
    (
        "Deployment",
        "Deployment",
        &[
            "DeploymentQueued",
            "DeploymentStarted",
            "DeploymentSucceeded",
            "DeploymentFailed",
            "DeploymentResumed",
            "ManualInterventionInterruptionRaised",
            "GuidedFailureInterruptionRaised",
        ],
    ),
    (
        "RunbookRun",
        "Runbook run",
        &["RunbookRunQueued", "RunbookRunStarted", "RunbookRunSucceeded", "RunbookRunFailed"],
    ),
    (
        "Machine",
        "Machine",
        &[
            "MachineAdded",
            "MachineHealthy",
            "MachineUnhealthy",
            "MachineUnavailable",
            "MachineHasWarnings",
            "MachineEnabled",
            "MachineDisabled",
            "MachineDeleted",
            "MachineCleanupFailed",
        ],
    ),
    ("MachineCritical", "Machine critical", &["MachineCleanupFailed", "MachineUnavailable"]),
    (
        "MachineAvailableForDeployment",
        "Machine becomes available for deployment",
        &["MachineAdded", "MachineHealthy", "MachineHasWarnings", "MachineEnabled"],
    ),
    (
        "MachineUnavailableForDeployment",
        "Machine becomes unavailable for deployment",
        &["MachineUnhealthy", "MachineUnavailable", "MachineDisabled"],
    ),
    (
        "MachineHealthChanged",
        "Machine health changed",
        &["MachineHealthy", "MachineHasWarnings", "MachineUnhealthy", "MachineUnavailable"],
    ),
];

/// Event agents with their names and the prefix of the user agent of their events.
pub(crate) const AGENTS: [(&str, &str, &str); 3] = [
    ("Browser", "Web browser", "Mozilla"),
    ("OctopusClient", "Octopus client", "OctopusClient"),
    ("Server", "Octopus server", "Server"),
];

/// Document types with their names and ID prefixes.
pub(crate) const DOCUMENT_TYPES: [(&str, &str, &str); 17] = [
    ("Accounts", "Account", "Accounts"),
    ("Certificates", "Certificate", "Certificates"),
    ("Channels", "Channel", "Channels"),
    ("DeploymentEnvironments", "Environment", "Environments"),
    ("DeploymentProcesses", "Deployment process", "deploymentprocess"),
    ("Deployments", "Deployment", "Deployments"),
    ("Interruptions", "Interruption", "Interruptions"),
    ("LibraryVariableSets", "Library variable set", "LibraryVariableSets"),
    ("Machines", "Deployment target", "Machines"),
    ("ProjectGroups", "Project group", "ProjectGroups"),
    ("Projects", "Project", "Projects"),
    ("Releases", "Release", "Releases"),
    ("RunbookRuns", "Runbook run", "RunbookRuns"),
    ("ServerTasks", "Task", "ServerTasks"),
    ("Tenants", "Tenant", "Tenants"),
    ("Users", "User", "Users"),
    ("VariableSets", "Variable set", "variableset"),
];
