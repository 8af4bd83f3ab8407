//! Accounts: filters and usages.

use serde_json::json;

use super::super::call::Call;
use super::super::response::{ApiError, ApiResponse, ApiResult};
use super::filters::{Field, Filter};
use super::missing;

/// The filters of the list and of `/accounts/all`.
pub(super) const FILTERS: &[Filter] =
    &[Filter::Ids, Filter::Name, Filter::OneOf("accountType", Field::Key("AccountType"))];

/// Answers `/accounts/{id}/usages`. Only deployment targets use accounts in the sample.
pub(super) fn below(call: &Call<'_>, path: &[&str]) -> ApiResult {
    let [id, "usages"] = path else { return Err(ApiError::NoRoute) };
    let account = call.database.accounts.find_in(call.space_id(), id).ok_or_else(|| missing(id))?;
    let users = call.database.machines.of_space(call.space_id()).filter(|machine| {
        let used = machine.body.get("Endpoint").and_then(|found| found.get("AccountId"));
        used.is_some_and(|used| used == &account.id)
    });
    let targets = users
        .map(|machine| json!({ "Id": machine.id, "Name": machine.text("Name") }))
        .collect::<Vec<_>>();
    Ok(ApiResponse::value(&json!({
        "DeploymentProcesses": [], "LibraryVariableSets": [], "ProjectVariableSets": [],
        "Releases": [], "RunbookProcesses": [], "RunbookSnapshots": [], "Targets": targets,
        "Links": {},
    })))
}

#[cfg(test)]
mod tests {
    use super::super::test_client::{get, ids};

    #[tokio::test]
    async fn covers_account_types_and_hides_secrets() {
        let rows = [
            ("accountType=Token", "Accounts-10"),
            ("accountType=UsernamePassword", "Accounts-13 Accounts-9"),
            ("accountType=SshKeyPair,AzureOidc", "Accounts-1 Accounts-3"),
            ("partialName=oidc&accountType=GenericOidcAccount", "Accounts-8"),
            ("ids=Accounts-2,Accounts-21", "Accounts-2"),
        ];
        for (query, expected) in rows {
            let found = ids(&format!("/api/Spaces-1/accounts?{query}")).await;
            assert_eq!(found.join(" "), expected, "{query}");
        }
        let page = get("/api/Spaces-1/accounts").await;
        let items = page["Items"].as_array().unwrap();
        let types: std::collections::HashSet<_> =
            items.iter().map(|item| item["AccountType"].as_str()).collect();
        assert_eq!(types.len(), 12);
        for secret in items.iter().filter_map(|item| item["Password"].as_object()) {
            assert!(secret["NewValue"].is_null());
        }
    }
}
