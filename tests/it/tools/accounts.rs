//! `find_accounts`.

use octopus_mcp::octopus::accounts::DISPLAYABLE_FIELDS;
use serde_json::{Map, Value, json};

use super::checked_server::{CheckedServer, assert_snapshot, column, list_response};

const TOOL: &str = "find_accounts";

async fn find(server: &CheckedServer, mut arguments: Value) -> Value {
    arguments["space"] = json!("Default");
    server.call_ok(TOOL, arguments).await
}

#[tokio::test]
async fn finds_one_account_by_name_slug_or_id() {
    let server = CheckedServer::start().await;
    let found = find(&server, json!({ "accountId": "Accounts-1" })).await;
    assert_eq!(found["environmentNames"], json!(["Staging", "Production"]));
    assert_eq!(found["deploymentSubjectKeys"], json!(["space", "environment", "project"]));
    assert_eq!(found["tenantId"], "c71179c2-3b75-4d3a-aecf-c1e15aee1a88");
    for name in ["azure OIDC", "azure-oidc"] {
        assert_eq!(find(&server, json!({ "account": name })).await, found, "{name}");
    }
    let arguments = json!({ "spaceName": "Default", "accountId": "Accounts-1" });
    assert_eq!(server.server.call_ok("get_account", arguments).await, found);
    assert_snapshot(TOOL, &found);
}

#[tokio::test]
async fn filters_limit_the_results() {
    let server = CheckedServer::start().await;
    for (filter, expected) in [
        (json!({ "accountType": "UsernamePassword" }), &["Accounts-13", "Accounts-9"][..]),
        (json!({ "accountType": "GoogleCloudOidcAccount" }), &["Accounts-7"]),
        (json!({ "ids": ["aws-deploy", "Accounts-1"] }), &["Accounts-2", "Accounts-1"]),
        (json!({ "partialName": "ROLE" }), &["Accounts-12"]),
        (json!({ "accountType": "None" }), &[]),
    ] {
        let found = find(&server, filter.clone()).await;
        assert_eq!(column(&found, "id"), expected, "{filter}");
    }
    let none = find(&server, json!({ "accountType": "None" })).await;
    assert!(none["hint"].as_str().unwrap().contains("matches accountType; leave one out"));
    let arguments = json!({ "spaceName": "Default" });
    let listed = server.server.call_ok("list_accounts", arguments).await;
    assert_eq!(listed["totalResults"], 13);
    server.mock_response("/accounts", &list_response(&json!([])));
    let none = find(&server, json!({})).await;
    assert!(none["hint"].as_str().unwrap().contains("has no account that this user can see"));
}

/// An answer contains only the allow-listed fields, whatever the account type and its fields.
#[tokio::test]
async fn no_account_type_exposes_secrets() {
    let server = CheckedServer::start().await;
    let secret = json!({ "HasValue": true, "NewValue": "hunter2", "Hint": "hunter2" });
    let every = DISPLAYABLE_FIELDS.iter().flat_map(|(_, keys)| keys.iter());
    let mut account: Map<String, Value> =
        every.map(|key| ((*key).to_owned(), json!("shown"))).collect();
    for key in [
        "Password",
        "Token",
        "SecretKey",
        "PrivateKeyFile",
        "PrivateKeyPassphrase",
        "JsonKey",
        "CertificateBytes",
        "SomethingNew",
    ] {
        account.insert(key.to_owned(), secret.clone());
        account.insert(format!("{key}Text"), json!("hunter2"));
    }
    account.extend([
        ("Id".to_owned(), json!("Accounts-1")),
        ("Name".to_owned(), json!("Every key")),
        ("TenantIds".to_owned(), Value::Null),
    ]);
    let types = DISPLAYABLE_FIELDS.iter().map(|(name, keys)| (*name, keys.len()));
    for (kind, count) in types.chain([("Token", 0), ("GoogleCloudAccount", 0), ("Newest", 0)]) {
        account.insert("AccountType".to_owned(), json!(kind));
        server.server.sample.faults().clear();
        server.mock_response("/accounts/Accounts-1", &json!(account));
        let found = find(&server, json!({ "accountId": "Accounts-1" })).await;
        assert!(!found.to_string().contains("hunter2"), "{kind}: {found}");
        let shown = found.as_object().unwrap().values().filter(|value| *value == "shown");
        assert_eq!(shown.count(), count, "{kind}: {found}");
    }
    // The same holds if Octopus turns a formerly public field into a secret.
    account.insert("AccountType".to_owned(), json!("SshKeyPair"));
    account.insert("Username".to_owned(), secret);
    server.server.sample.faults().clear();
    server.mock_response("/accounts/Accounts-1", &json!(account));
    let found = find(&server, json!({ "accountId": "Accounts-1" })).await;
    assert_eq!(found.get("username"), None);
}

#[tokio::test]
async fn rejects_contradictory_arguments() {
    let server = CheckedServer::start().await;
    for (arguments, parts) in [
        (
            json!({ "accountId": "Accounts-1", "accountType": "Token" }),
            &["`accountId` selects one item", "`accountType`"][..],
        ),
        (json!({ "accountId": "Accounts-1", "skip": 0 }), &["`skip`"]),
        (
            json!({ "accountType": "Purse" }),
            &["accountType", "unknown word `Purse`", "`SshKeyPair`"],
        ),
        (
            json!({ "accountId": "Azure OIDK" }),
            &["account 'Azure OIDK' not found", "'Azure OIDC'", TOOL],
        ),
        (json!({ "ids": "" }), &["ids", "leave the argument out"]),
        (json!({ "take": 0 }), &["take: must be at least 1"]),
    ] {
        let mut arguments = arguments;
        arguments["space"] = json!("Default");
        server.assert_error_contains(TOOL, arguments, parts).await;
    }
}
