//! `find_accounts`.

use octopus_mcp::octopus::accounts::SHOWN;
use serde_json::{Map, Value, json};

use super::held::{Held, column, page, snapshot};

const TOOL: &str = "find_accounts";

async fn find(server: &Held, mut arguments: Value) -> Value {
    arguments["space"] = json!("Default");
    server.answer(TOOL, arguments).await
}

#[tokio::test]
async fn one_account_is_found_by_name_slug_or_id() {
    let server = Held::start().await;
    let found = find(&server, json!({ "accountId": "Accounts-1" })).await;
    assert_eq!(found["environmentNames"], json!(["Staging", "Production"]));
    assert_eq!(found["deploymentSubjectKeys"], json!(["space", "environment", "project"]));
    assert_eq!(found["tenantId"], "c71179c2-3b75-4d3a-aecf-c1e15aee1a88");
    for name in ["azure OIDC", "azure-oidc"] {
        assert_eq!(find(&server, json!({ "account": name })).await, found, "{name}");
    }
    let arguments = json!({ "spaceName": "Default", "accountId": "Accounts-1" });
    assert_eq!(server.server.answer("get_account", arguments).await, found);
    snapshot(TOOL, &found);
}

#[tokio::test]
async fn filters_narrow() {
    let server = Held::start().await;
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
    assert!(none["hint"].as_str().unwrap().contains("fits accountType; leave one out"));
    let arguments = json!({ "spaceName": "Default" });
    let listed = server.server.answer("list_accounts", arguments).await;
    assert_eq!(listed["totalResults"], 13);
    server.says("/accounts", &page(&json!([])));
    let none = find(&server, json!({})).await;
    assert!(none["hint"].as_str().unwrap().contains("has no account that this key sees"));
}

/// Whatever an account of whatever type has, only what stands in the table comes out.
#[tokio::test]
async fn nothing_secret_comes_out_of_any_type() {
    let server = Held::start().await;
    let secret = json!({ "HasValue": true, "NewValue": "hunter2", "Hint": "hunter2" });
    let every = SHOWN.iter().flat_map(|(_, keys)| keys.iter());
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
    let types = SHOWN.iter().map(|(name, keys)| (*name, keys.len()));
    for (kind, count) in types.chain([("Token", 0), ("GoogleCloudAccount", 0), ("Newest", 0)]) {
        account.insert("AccountType".to_owned(), json!(kind));
        server.server.sample.faults().clear();
        server.says("/accounts/Accounts-1", &json!(account));
        let found = find(&server, json!({ "accountId": "Accounts-1" })).await;
        assert!(!found.to_string().contains("hunter2"), "{kind}: {found}");
        let shown = found.as_object().unwrap().values().filter(|value| *value == "shown");
        assert_eq!(shown.count(), count, "{kind}: {found}");
    }
    // Not even where Octopus keeps secret what it once did not.
    account.insert("AccountType".to_owned(), json!("SshKeyPair"));
    account.insert("Username".to_owned(), secret);
    server.server.sample.faults().clear();
    server.says("/accounts/Accounts-1", &json!(account));
    let found = find(&server, json!({ "accountId": "Accounts-1" })).await;
    assert_eq!(found.get("username"), None);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let server = Held::start().await;
    for (arguments, words) in [
        (
            json!({ "accountId": "Accounts-1", "accountType": "Token" }),
            &["`accountId` names one thing", "`accountType`"][..],
        ),
        (json!({ "accountId": "Accounts-1", "skip": 0 }), &["`skip`"]),
        (
            json!({ "accountType": "Purse" }),
            &["accountType", "unknown word `Purse`", "`SshKeyPair`"],
        ),
        (json!({ "accountId": "Azure OIDK" }), &["no account 'Azure OIDK'", "'Azure OIDC'", TOOL]),
        (json!({ "ids": "" }), &["ids", "leave the argument out"]),
        (json!({ "take": 0 }), &["take: at least 1"]),
    ] {
        let mut arguments = arguments;
        arguments["space"] = json!("Default");
        server.refuses(TOOL, arguments, words).await;
    }
}
