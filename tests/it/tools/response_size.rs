//! The size of list answers, compared with the official server. The shared fields take no more
//! bytes; only names beside IDs and portal URLs add to the size.

use serde_json::{Value, json};

use super::checked_server::CheckedServer;

/// List tool, keys of an item of the official server, `true` if that item has a URL and a sentence
/// about it, and the permitted size in percent of the official size.
const LISTS: [(&str, &str, bool, usize); 6] = [
    ("list_spaces", "id name description isDefault taskQueueStopped", false, 150),
    (
        "list_projects",
        "spaceId id name description slug deploymentProcessId lifecycleId isDisabled repositoryUrl",
        false,
        175,
    ),
    (
        "list_environments",
        "spaceId id name description sortOrder useGuidedFailure allowDynamicInfrastructure \
         extensionSettings",
        false,
        155,
    ),
    (
        "list_deployments",
        "spaceId id name releaseId releaseVersion versionControlReference environmentId tenantId \
         projectId channelId created taskId deploymentProcessId comments formValues queueTime \
         queueTimeExpiry useGuidedFailure specificMachineIds excludedMachineIds skipActions \
         forcePackageDownload forcePackageRedeployment",
        true,
        110,
    ),
    (
        "list_releases",
        "id version channelId projectId releaseNotes assembled ignoreChannelRules \
         selectedPackages selectedGitResources buildInformation customFields",
        false,
        130,
    ),
    (
        "list_tenants",
        "id name slug description isDisabled tenantTags clonedFromTenantId spaceId",
        true,
        75,
    ),
];

/// Approximate size of the sentence that the official server adds to a URL, per item.
const SENTENCE_BYTES: usize = ",\"publicUrlInstruction\":\"\"".len() + 100;

#[tokio::test]
async fn lists_stay_near_the_official_response_size() {
    let server = CheckedServer::start().await;
    for (tool, keys, with_address, limit) in LISTS {
        let mut arguments = json!({ "take": 15 });
        if tool != "list_spaces" {
            arguments["space"] = json!("Default");
        }
        let answer = server.call_ok_once(tool, arguments).await;
        let (mut own, mut official, mut whole) = (0, 0, 0);
        for item in answer["items"].as_array().unwrap() {
            let (mut own_item, mut official_item) = (json!({}), json!({}));
            for key in keys.split_whitespace() {
                if let Some(value) = item.get(key) {
                    own_item[key] = value.clone();
                }
                official_item[key] = item.get(key).cloned().unwrap_or(Value::Null);
            }
            own += own_item.to_string().len();
            whole += item.to_string().len();
            official += official_item.to_string().len();
            if with_address {
                official +=
                    item["url"].to_string().len() + ",\"publicUrl\":".len() + SENTENCE_BYTES;
            }
        }
        assert!(own <= official, "{tool}: {own} of {official}");
        let hundredths = whole * 100 / official;
        println!("{tool}: {hundredths} hundredths of the official shape");
        assert!(hundredths <= limit, "{tool}: {hundredths} % of the official size");
    }
}
