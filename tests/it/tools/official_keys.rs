//! The keys that clients of the official server read have the same names in the answers of this
//! server.
//!
//! These differences are deliberate:
//!
//! - `url` replaces `publicUrl` and its instruction.
//! - `projectEnvironments` of one tenant is a list with names.
//! - Task failures are in `failures`, before `activityLogs`.
//! - A project outside Git has no `repositoryUrl`.
//! - A Kubernetes object without children has no `children`, and it has no `machineId` because its
//!   target has it.
//! - A deployment target has no `links`.
//! - Events are in camel case and have no `messageHtml` and `messageReferences`, which repeat
//!   `message`.
//! - A JSON resource is in `json`, not encoded as text; other text is in `text`.
//! - Branches and variables are in camel case, and scopes have names.
//! - `get_deployment_process` returns only the JSON, without the sentence before it.

use serde_json::{Value, json};

use super::{arguments::sample_calls, checked_server::CheckedServer};

const LIST_KEYS: &str = "items totalResults itemsPerPage numberOfPages lastPageNumber skip take";
const DEPLOYMENT_KEYS: &str = "spaceId id name releaseId releaseVersion environmentId projectId \
    channelId created taskId deploymentProcessId comments formValues useGuidedFailure \
    specificMachineIds excludedMachineIds skipActions forcePackageDownload \
    forcePackageRedeployment url";
const RELEASE_KEYS: &str = "id version channelId projectId releaseNotes assembled ignoreChannelRules \
    selectedPackages selectedGitResources buildInformation customFields \
    resourceUri url";
const TASK_KEYS: &str = "id spaceId name description arguments state queueTime startTime \
    lastUpdatedTime completedTime duration errorMessage isCompleted finishedSuccessfully \
    hasPendingInterruptions pendingInterruptionTypes hasPendingPreconditions \
    pendingPreconditionTypes canRerun hasWarningsOrErrors projectId serverNode \
    resourceUri url";
const TASK_DETAILS_KEYS: &str = "task failures activityLogs physicalLogSize";
const GREP_KEYS: &str = "pattern totalLines totalMatches returnedMatches truncated matches";
const VARIABLE_SET_KEYS: &str = "id ownerId version spaceId variables";
const TENANT_KEYS: &str =
    "id name slug description isDisabled tenantTags clonedFromTenantId spaceId url";

/// Tool, JSON pointer into its answer, and the keys of the object there.
const EXPECTED_KEYS: &[(&str, &str, &str)] = &[
    // Tools that only this server has.
    ("explain_access", "", "caller octopus ceilings tool"),
    ("list_spaces", "", LIST_KEYS),
    ("list_spaces", "/items/0", "id name description isDefault taskQueueStopped url"),
    ("read_resource", "", "uri mimeType json"),
    ("read_resource", "/json", "id name state"),
    ("list_projects", "", LIST_KEYS),
    (
        "list_projects",
        "/items/10",
        "spaceId id name description slug deploymentProcessId lifecycleId isDisabled repositoryUrl url",
    ),
    ("get_deployment_process", "", "spaceId id projectId project version gitRef steps url"),
    (
        "get_deployment_process",
        "/steps/0",
        "id name condition startTrigger packageRequirement properties actions",
    ),
    (
        "get_deployment_process",
        "/steps/0/actions/0",
        "id name slug actionType isDisabled isRequired condition environments \
         excludedEnvironments channels tenantTags packages properties",
    ),
    ("get_variables", "", "projectId projectName gitRef variables url"),
    ("get_variables", "/variables", "projectVariableSet libraryVariableSets"),
    ("get_variables", "/variables/projectVariableSet", VARIABLE_SET_KEYS),
    (
        "get_variables",
        "/variables/projectVariableSet/variables/0",
        "id name value scope isEditable type isSensitive",
    ),
    ("get_variables", "/variables/libraryVariableSets/0/variableSet", VARIABLE_SET_KEYS),
    (
        "get_variables",
        "/variables/libraryVariableSets/1/libraryVariableSet",
        "id name variableSetId contentType templates",
    ),
    ("find_runbooks", "", LIST_KEYS),
    (
        "find_runbooks",
        "/items/0",
        "id name description projectId runbookProcessId gitRef multiTenancyMode environmentScope \
         environments resourceUri url",
    ),
    ("get_task_from_url", "", "task resolvedSpaceName resolvedTaskId urlInfo resourceUri"),
    ("get_task_from_url", "/task", TASK_DETAILS_KEYS),
    ("get_task_from_url", "/urlInfo", "originalUrl extractedSpaceId extractedTaskId resourceType"),
    (
        "get_deployment_from_url",
        "",
        "deployment resolvedSpaceName resolvedDeploymentId taskIdForLogs urlInfo nextSteps",
    ),
    ("get_deployment_from_url", "/deployment", DEPLOYMENT_KEYS),
    (
        "get_deployment_from_url",
        "/urlInfo",
        "originalUrl extractedSpaceId extractedDeploymentId resourceType",
    ),
    (
        "get_deployment_from_url",
        "/nextSteps",
        "description useTaskId taskResourceUri grepTaskLogHint",
    ),
    ("get_deployment_from_url", "/nextSteps/grepTaskLogHint", "tool spaceName taskId"),
    (
        "get_current_user",
        "",
        "id username displayName isActive isService emailAddress canPasswordBeEdited isRequestor",
    ),
    ("get_branches", "", LIST_KEYS),
    ("get_branches", "/items/0", "name isProtected canonicalName"),
    ("list_environments", "", LIST_KEYS),
    (
        "list_environments",
        "/items/0",
        "spaceId id name description sortOrder useGuidedFailure allowDynamicInfrastructure \
         extensionSettings url",
    ),
    ("grep_llms_txt", "", GREP_KEYS),
    ("grep_llms_txt", "", "catalogResourceUri"),
    ("grep_llms_txt", "/matches/0", "lineNumber line"),
    ("execute", "", "success method path tier response"),
    ("execute", "/response", "ItemType TotalResults Items"),
    ("execute", "/response/Items/0", "Id Name SpaceId SortOrder"),
    ("list_deployments", "", LIST_KEYS),
    ("list_deployments", "/items/0", DEPLOYMENT_KEYS),
    ("list_deployments", "/items/0", "tenantId"),
    ("list_deployments", "/items/2/versionControlReference", "gitRef gitCommit"),
    ("get_latest_deployment", "", "deployment taskDetails"),
    ("get_latest_deployment", "/deployment", DEPLOYMENT_KEYS),
    ("get_latest_deployment", "/taskDetails", TASK_DETAILS_KEYS),
    ("get_release_by_id", "", RELEASE_KEYS),
    ("get_release_by_id", "/versionControlReference", "gitRef gitCommit"),
    ("list_releases", "", LIST_KEYS),
    ("list_releases", "/items/0", RELEASE_KEYS),
    ("list_releases_for_project", "", LIST_KEYS),
    ("list_releases_for_project", "/items/0", RELEASE_KEYS),
    ("list_releases_for_project", "/items/0", "versionControlReference"),
    ("get_task_by_id", "", TASK_KEYS),
    ("get_task_details", "", TASK_DETAILS_KEYS),
    ("get_task_details", "/task", TASK_KEYS),
    ("get_task_raw", "", "taskId text totalLines totalBytes url"),
    ("grep_task_log", "", GREP_KEYS),
    ("grep_task_log", "", "spaceName taskId taskDetailsResourceUri url"),
    ("grep_task_log", "/matches/0", "lineNumber line before after"),
    ("grep_task_log", "/matches/0/before/0", "lineNumber line"),
    ("list_tenants", "", LIST_KEYS),
    ("list_tenants", "/items/4", TENANT_KEYS),
    ("get_tenant_by_id", "", TENANT_KEYS),
    ("get_tenant_by_id", "", "projectEnvironments"),
    ("get_tenant_by_id", "/projectEnvironments/0", "projectId projectName environments"),
    ("get_tenant_variables", "", "tenantId variableType includeMissingVariables variables"),
    (
        "get_tenant_variables",
        "/variables/0",
        "name value templateId libraryVariableSetId libraryVariableSetName environments",
    ),
    ("get_tenant_variables", "/variables/9", "projectId projectName"),
    ("get_tenant_variables", "/missingVariables/0", "name templateId environments"),
    ("get_tenant_variables", "/missingVariables/1", "name templateId projectId environments"),
    ("get_missing_tenant_variables", "", "filters includeDetails missingVariables"),
    ("get_missing_tenant_variables", "/missingVariables/0", "tenantId missingVariables"),
    (
        "get_missing_tenant_variables",
        "/missingVariables/0/missingVariables/0",
        "projectId environmentId variableTemplateName variableTemplateId",
    ),
    (
        "get_missing_tenant_variables",
        "/missingVariables/2/missingVariables/0",
        "libraryVariableSetId",
    ),
    ("get_kubernetes_live_status", "", "projectId environmentId tenantId summaryOnly liveStatus"),
    ("get_kubernetes_live_status", "/liveStatus/summary", "status lastUpdated"),
    ("get_kubernetes_live_status", "/liveStatus/machineStatuses/0", "machineId status resources"),
    (
        "get_kubernetes_live_status",
        "/liveStatus/machineStatuses/0/resources/0",
        "name namespace kind healthStatus syncStatus resourceId desiredResourceId children",
    ),
    ("find_deployment_targets", "", LIST_KEYS),
    (
        "find_deployment_targets",
        "/items/0",
        "spaceId id name slug isDisabled healthStatus statusSummary environmentIds roles \
         tenantedDeploymentParticipation tenantIds tenantTags endpoint shellName machinePolicyId \
         hasLatestCalamari isInProcess url",
    ),
    ("find_deployment_targets", "/items/0/endpoint", "communicationStyle"),
    ("find_certificates", "", LIST_KEYS),
    (
        "find_certificates",
        "/items/0",
        "spaceId id name notes thumbprint subjectDistinguishedName issuerDistinguishedName \
         subjectCommonName subjectOrganization issuerCommonName issuerOrganization notAfter \
         notBefore isExpired version serialNumber signatureAlgorithmName environmentIds tenantIds \
         tenantTags certificateDataFormat selfSigned hasPrivateKey \
         tenantedDeploymentParticipation subjectAlternativeNames url",
    ),
    ("find_accounts", "", LIST_KEYS),
    (
        "find_accounts",
        "/items/0",
        "spaceId id name description slug accountType environmentIds tenantIds tenantTags \
         tenantedDeploymentParticipation url",
    ),
    ("find_interruptions", "", LIST_KEYS),
    (
        "find_interruptions",
        "/items/1",
        "id title type taskId correlationId isPending isLinkedToOtherInterruption created \
         relatedDocumentIds responsible formElementNames resourceUri taskResourceUri url",
    ),
    (
        "find_interruptions",
        "/items/1/responsible",
        "teamIds canTakeResponsibility hasResponsibility",
    ),
    ("find_feature_toggles", "", LIST_KEYS),
    (
        "find_feature_toggles",
        "/items/0",
        "id slug name projectId defaultIsEnabled tags environmentSummaries resourceUri",
    ),
    ("find_events", "", LIST_KEYS),
    (
        "find_events",
        "/items/0",
        "id relatedDocumentIds category userId username isService occurred message spaceId",
    ),
];

#[tokio::test]
async fn answers_have_the_keys_of_the_official_server() {
    let server = CheckedServer::start().await;
    let mut missing = Vec::new();
    for (tool, arguments) in sample_calls() {
        let answer = server.call_ok_once(tool, arguments).await;
        let mut rows = 0;
        for (_, pointer, keys) in EXPECTED_KEYS.iter().filter(|(named, ..)| *named == tool) {
            rows += 1;
            let object =
                answer.pointer(pointer).unwrap_or_else(|| panic!("{tool}: no value at {pointer}"));
            let is_missing = |key: &&str| object.get(*key).is_none_or(Value::is_null);
            missing.extend(
                keys.split_whitespace()
                    .filter(is_missing)
                    .map(|key| format!("{tool}{pointer}: {key}")),
            );
        }
        assert!(rows > 0, "{tool} has no row in `EXPECTED_KEYS`");
    }
    assert_eq!(missing, Vec::<String>::new());
}

#[tokio::test]
async fn missing_variables_answer_repeats_its_filters() {
    let server = CheckedServer::start().await;
    let arguments = json!({
        "space": "Default", "tenantId": "Tenants-6", "projectId": "Projects-2", "environmentId": "Environments-3",
    });
    let answer = server.call_ok("get_missing_tenant_variables", arguments).await;
    for (key, value) in [
        ("tenantId", "Tenants-6"),
        ("projectId", "Projects-2"),
        ("environmentId", "Environments-3"),
    ] {
        assert_eq!(answer["filters"][key], value);
    }
}
