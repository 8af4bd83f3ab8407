//! The identity of the Octopus credential in the form of the answer.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    octopus::{
        api_keys::{self, CredentialIdentity, KeyScope},
        users::User,
    },
    tool::Context,
};

/// Identity of the credential that calls send to Octopus. Absent fields are unknown.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CredentialFacts {
    api_key_id: Option<String>,
    /// Access level of the API key: FullAccess, ReadOnly or Custom.
    access_level: Option<String>,
    /// Whether the API key belongs to a User or an AiAgent.
    actor_type: Option<String>,
    /// Expiry of the API key or access token.
    expires: Option<String>,
    /// Permissions of an API key with the access level Custom.
    scopes: Option<Vec<Scope>>,
    /// Reason why facts of the API key are unknown.
    unknown: Option<String>,
}

/// Permissions with the same restriction. Absent lists do not restrict.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Scope {
    /// Absent for permissions of the server.
    space_id: Option<String>,
    permissions: Vec<String>,
    project_ids: Option<Vec<String>>,
    project_group_ids: Option<Vec<String>>,
    environment_ids: Option<Vec<String>>,
    tenant_ids: Option<Vec<String>>,
}

impl CredentialFacts {
    /// Reads what Octopus reports about the credential of the call.
    pub(super) async fn read(cx: &Context, user: &User) -> Self {
        let CredentialIdentity {
            key_id,
            access_level,
            actor_type,
            expires,
            scopes,
            omitted_scopes,
            unknown,
        } = api_keys::credential_identity(&cx.session, &user.id).await;
        let omitted = (omitted_scopes > 0).then(|| format!("{omitted_scopes} further scopes"));
        Self {
            api_key_id: key_id,
            access_level,
            actor_type,
            expires,
            scopes: (!scopes.is_empty()).then(|| scopes.into_iter().map(scope).collect()),
            unknown: unknown.or(omitted),
        }
    }
}

fn scope(scope: KeyScope) -> Scope {
    let KeyScope { restriction, permissions } = scope;
    let present = |ids: Vec<String>| (!ids.is_empty()).then_some(ids);
    Scope {
        space_id: restriction.space_id,
        permissions,
        project_ids: present(restriction.projects),
        project_group_ids: present(restriction.project_groups),
        environment_ids: present(restriction.environments),
        tenant_ids: present(restriction.tenants),
    }
}
