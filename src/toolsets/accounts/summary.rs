//! An account in the form of the answer.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{
    octopus::{
        Space,
        accounts::{Account, SHOWN},
        document::camel,
    },
    tool::Error,
    toolsets::scope::{Scope, ScopeNames},
};

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct AccountSummary {
    space_id: String,
    id: String,
    name: String,
    slug: Option<String>,
    description: String,
    account_type: Option<String>,
    #[serde(flatten)]
    scope: Scope,
    #[serde(flatten)]
    details: Details,
    url: String,
}

/// The fields that depend on the type of the account.
#[derive(Debug, Serialize)]
#[serde(transparent)]
struct Details(Map<String, Value>);

/// Lists the keys of all account types, from the table of fields that may be shown.
impl JsonSchema for Details {
    fn schema_name() -> Cow<'static, str> {
        "Details".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let keys = SHOWN.iter().flat_map(|(_, keys)| keys.iter());
        let properties: Map<_, _> = keys.map(|key| (camel(key), json!({}))).collect();
        json_schema!({ "type": "object", "properties": properties })
    }
}

fn details(account: &Account) -> Details {
    // Nested keys are names of claims, so only the top level is converted to camel case.
    Details(account.shown().into_iter().map(|(key, value)| (camel(&key), value)).collect())
}

/// Creates the answer form of accounts, with the names of environments and tenants.
pub(super) async fn summaries(
    space: &Space,
    accounts: Vec<Account>,
) -> Result<Vec<AccountSummary>, Error> {
    let names = ScopeNames::of(space, accounts.iter().map(|account| &account.scope)).await?;
    let summary = |account: Account| AccountSummary {
        space_id: space.id().to_string(),
        url: space.portal().account(&account.id),
        details: details(&account),
        id: account.id.into_string(),
        name: account.name,
        slug: account.slug,
        description: account.description,
        account_type: account.account_type,
        scope: names.scope(account.scope),
    };
    Ok(accounts.into_iter().map(summary).collect())
}
