//! Continues a call at another instance.

use std::sync::Arc;

use crate::{
    octopus::Instance,
    tool::{Context, Error},
};

impl Context {
    /// Returns the context of the same call for another instance, with the credential and access of
    /// that instance. The call counts against the rate limit of that instance.
    pub async fn for_instance(&self, instance: &Arc<Instance>) -> Result<Self, Error> {
        self.scope.rate_limit.take(&instance.name, true).await.map_err(|decision| {
            Error::InstanceRateLimited {
                instance: instance.name.clone(),
                wait: decision.retry_after,
            }
        })?;
        let session =
            self.scope.session_without_own_credential(instance, self.client.as_deref()).await?;
        let session = session.sharing_budgets_with(&self.session);
        self.visited_instances.add(instance, &session);
        // The audit record names the instance that the call reads, not the instance of the request.
        self.audit.record_instance(instance, &session, &self.acting_users);
        Ok(Self {
            session,
            access: self.scope.access(instance),
            pinned_space: instance.space.clone().or_else(|| self.scope.request.space.clone()),
            instance: Arc::clone(instance),
            ..self.clone()
        })
    }
}
