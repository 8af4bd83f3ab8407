//! `get_current_user`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::credential::CredentialFacts;
use crate::{
    octopus::users,
    tool::{Context, Error, Tool},
};

/// Get the Octopus user or service account that these calls act as.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct GetCurrentUser {}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CurrentUser {
    id: String,
    username: String,
    display_name: String,
    is_active: bool,
    /// Whether the user is a service account.
    is_service: bool,
    /// Standard or Agent, for service accounts.
    service_account_type: Option<String>,
    email_address: Option<String>,
    can_password_be_edited: bool,
    is_requestor: bool,
    /// Kind of the credential that is sent to Octopus.
    credential: &'static str,
    #[serde(flatten)]
    credential_facts: CredentialFacts,
}

impl Tool for GetCurrentUser {
    const NAME: &'static str = "get_current_user";
    const TITLE: &'static str = "Get the current user";
    const KEEPS_TO_PROJECT: bool = true;

    type Output = CurrentUser;

    async fn run(self, cx: &Context) -> Result<Self::Output, Error> {
        let user = users::me(&cx.session).await?;
        let credential_facts = CredentialFacts::read(cx, &user).await;
        Ok(CurrentUser {
            credential: cx.session.credentials().type_name(),
            credential_facts,
            service_account_type: user.service_account_type,
            id: user.id.into_string(),
            username: user.username,
            display_name: user.display_name,
            is_active: user.is_active,
            is_service: user.is_service,
            email_address: user.email_address,
            can_password_be_edited: user.can_password_be_edited,
            is_requestor: user.is_requestor,
        })
    }
}
