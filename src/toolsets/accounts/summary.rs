//! An account, as answers show it.

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

/// What only accounts of its type have.
#[derive(Debug, Serialize)]
#[serde(transparent)]
struct Details(Map<String, Value>);

/// The keys of all types, as the table of what may be shown has them.
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
    // Keys within are people's own: names of claims.
    Details(account.shown().into_iter().map(|(key, value)| (camel(&key), value)).collect())
}

/// Accounts with the names of their environments and tenants.
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
