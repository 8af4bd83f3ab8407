//! The effective scope of a request: the instances, and the access rules at each of them.

use std::sync::Arc;

use super::{InstanceRateLimit, PinnedArguments, RequestScope, ToolAccess};
use crate::{
    auth::{Caller, Grants, TokenScope},
    octopus::{CredentialError, Instance, Instances, Session},
};

/// The instances and access rules of one request. A request has one target instance. It can reach
/// other instances only if it does not select an instance.
#[derive(Debug)]
pub struct EffectiveScope {
    /// All configured instances.
    pub instances: Arc<Instances>,
    /// Maximum access of every caller, from the settings.
    pub ceiling: ToolAccess,
    /// The caller of the request, with their credentials.
    pub caller: Caller,
    /// The scope in the path and headers of the request.
    pub request: RequestScope,
    /// Rate limit of each instance, shared by all callers.
    pub rate_limit: InstanceRateLimit,
}

impl EffectiveScope {
    /// Returns the pinned arguments at this instance.
    pub fn pinned(&self, instance: &Instance) -> PinnedArguments {
        let RequestScope { instance: named_instance, space, project, .. } = &self.request;
        PinnedArguments {
            instance: named_instance.is_some() || !self.instances.has_several(),
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

    /// Returns whether the grants of the caller include this instance.
    pub fn allows_instance(&self, instance: &Instance) -> bool {
        self.caller.identity.grants.covers_instance(&instance.name)
    }

    /// Returns the instances that the grants of the caller include.
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

    /// Opens a session at another instance than the target of the request. The credentials that the
    /// caller sent are for the target instance only, so they are not used.
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
        // Boxed because the future is large: it includes the token exchange.
        let credentials = Box::pin(instance.credentials(&caller.credential_inputs())).await?;
        let fingerprint = caller.identity.fingerprint();
        Ok(Session::new(instance.client.clone(), credentials, fingerprint, client))
    }
}
