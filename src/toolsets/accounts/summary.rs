//! An account in the form of the answer.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{
    octopus::{
        Space,
        accounts::{Account, DISPLAYABLE_FIELDS},
        document::to_camel_case,
    },
    tool::Error,
    toolsets::scope::{NamedScope, ScopeNames},
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
    scope: NamedScope,
    #[serde(flatten)]
    details: Details,
    url: String,
}

/// The fields that depend on the type of the account.
#[derive(Debug, Serialize)]
#[serde(transparent)]
struct Details(Map<String, Value>);

/// Describes the keys of all account types, from the table of fields that can be shown.
impl JsonSchema for Details {
    fn schema_name() -> Cow<'static, str> {
        "Details".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let keys = DISPLAYABLE_FIELDS.iter().flat_map(|(_, keys)| keys.iter());
        let properties: Map<_, _> = keys.map(|key| (to_camel_case(key), json!({}))).collect();
        json_schema!({ "type": "object", "properties": properties })
    }
}

fn details(account: &Account) -> Details {
    // Nested keys are names of claims, so only the top level is converted to camel case.
    Details(
        account
            .displayable_fields()
            .into_iter()
            .map(|(key, value)| (to_camel_case(&key), value))
            .collect(),
    )
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
        scope: names.with_names(account.scope),
    };
    Ok(accounts.into_iter().map(summary).collect())
}
