//! What a request can access: the instances, and the access rules at each of them.

use std::sync::Arc;

use super::{InstanceRateLimit, PinnedArguments, RequestScope, ToolAccess};
use crate::{
    auth::{Caller, Grants, TokenScope},
    octopus::{CredentialError, Instance, Instances, Session},
};

/// The instances and access rules of one request. The request is sent to one instance. Other
/// instances can be reached only if the request does not select one.
#[derive(Debug)]
pub struct EffectiveScope {
    /// All configured instances.
    pub instances: Arc<Instances>,
    /// The access that the settings allow to everybody.
    pub ceiling: ToolAccess,
    /// The caller of the request, with their credentials.
    pub caller: Caller,
    /// The scope that the request asks for with its path and headers.
    pub request: RequestScope,
    /// How much all callers together may ask of each instance.
    pub rate_limit: InstanceRateLimit,
}

impl EffectiveScope {
    /// Returns which arguments are pinned at this instance.
    pub fn pinned(&self, instance: &Instance) -> PinnedArguments {
        let RequestScope { instance: named, space, project, .. } = &self.request;
        PinnedArguments {
            instance: named.is_some() || !self.instances.has_several(),
            space: instance.space.is_some() || space.is_some() || project.is_some(),
            project: project.is_some(),
        }
    }

    /// Returns the effective access of the request at this instance.
    pub fn access(&self, instance: &Instance) -> ToolAccess {
        self.access_with_token_scope(self.caller.identity.grants.scope, instance)
    }

    /// Returns the effective access at this instance if the caller had this token scope.
    pub fn access_with_token_scope(&self, scope: TokenScope, instance: &Instance) -> ToolAccess {
        let grants = Grants { scope, ..self.caller.identity.grants.clone() };
        self.ceiling.restricted(&grants, instance, &self.request, self.pinned(instance))
    }

    /// Returns whether the caller may use this instance.
    pub fn allows_instance(&self, instance: &Instance) -> bool {
        self.caller.identity.grants.covers_instance(&instance.name)
    }

    /// Returns the instances that the caller may use.
    pub fn allowed_instances(&self) -> impl Iterator<Item = &Arc<Instance>> {
        self.instances.iter().filter(|instance| self.allows_instance(instance))
    }

    /// Opens a session at an instance. `client` is the name and version of the MCP client, for the
    /// `User-Agent` header.
    pub async fn session(
        &self,
        instance: &Instance,
        client: Option<&str>,
    ) -> Result<Session, CredentialError> {
        self.open_session(instance, &self.caller, client).await
    }

    /// A session at an instance that the request was not sent to. What the caller sent is for the
    /// request's own instance, and goes to no other.
    pub async fn session_without_own_credential(
        &self,
        instance: &Instance,
        client: Option<&str>,
    ) -> Result<Session, CredentialError> {
        let without = Caller { own_credentials: None, ..self.caller.clone() };
        self.open_session(instance, &without, client).await
    }

    async fn open_session(
        &self,
        instance: &Instance,
        caller: &Caller,
        client: Option<&str>,
    ) -> Result<Session, CredentialError> {
        // Large where a token is exchanged, and a part of whatever waits for it.
        let credentials = Box::pin(instance.credentials(&caller.credential_inputs())).await?;
        let who = caller.identity.fingerprint();
        Ok(Session::new(instance.client.clone(), credentials, who, client))
    }
}
