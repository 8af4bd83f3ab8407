//! What a request can access: the instances, and the access rules at each of them.

use std::sync::Arc;

use super::{Context, Error, Fixed, InstanceRate, Narrowing, Policy};
use crate::{
    callers::{Caller, Grants, Scope},
    octopus::{Instance, Instances, Session},
};

/// The instances and access rules of one request. The request is sent to one instance. Other
/// instances can be reached only if the request does not select one.
#[derive(Debug)]
pub struct Reach {
    /// All configured instances.
    pub instances: Arc<Instances>,
    /// The access that the settings allow to everybody.
    pub ceiling: Policy,
    /// The caller of the request, with their credentials.
    pub caller: Caller,
    /// The scope that the request asks for with its path and headers.
    pub narrowing: Narrowing,
    /// How much all callers together may ask of each instance.
    pub rate: InstanceRate,
}

impl Reach {
    /// Returns which arguments are pinned at this instance.
    pub fn fixed(&self, instance: &Instance) -> Fixed {
        let Narrowing { instance: named, space, project, .. } = &self.narrowing;
        Fixed {
            instance: named.is_some() || !self.instances.are_several(),
            space: instance.space.is_some() || space.is_some() || project.is_some(),
            project: project.is_some(),
        }
    }

    /// Returns the effective access of the request at this instance.
    pub fn policy(&self, instance: &Instance) -> Policy {
        self.policy_with(self.caller.who.grants.scope, instance)
    }

    /// Returns the effective access at this instance if the caller had this token scope.
    pub fn policy_with(&self, scope: Scope, instance: &Instance) -> Policy {
        let grants = Grants { scope, ..self.caller.who.grants.clone() };
        self.ceiling.narrowed(&grants, instance, &self.narrowing, self.fixed(instance))
    }

    /// Returns whether the caller may use this instance.
    pub fn sees(&self, instance: &Instance) -> bool {
        self.caller.who.grants.sees(&instance.name)
    }

    /// Returns the instances that the caller may use.
    pub fn seen(&self) -> impl Iterator<Item = &Arc<Instance>> {
        self.instances.iter().filter(|instance| self.sees(instance))
    }

    /// Opens a session at an instance. `client` is the name and version of the MCP client, for the
    /// `User-Agent` header.
    pub async fn session(
        &self,
        instance: &Instance,
        client: Option<&str>,
    ) -> Result<Session, Error> {
        self.open(instance, &self.caller, client).await
    }

    /// A session at an instance that the request was not sent to. What the caller sent is for the
    /// request's own instance, and goes to no other.
    pub async fn session_elsewhere(
        &self,
        instance: &Instance,
        client: Option<&str>,
    ) -> Result<Session, Error> {
        let without = Caller { own: None, ..self.caller.clone() };
        self.open(instance, &without, client).await
    }

    async fn open(
        &self,
        instance: &Instance,
        caller: &Caller,
        client: Option<&str>,
    ) -> Result<Session, Error> {
        // Large where a token is exchanged, and a part of whatever waits for it.
        let credentials = Box::pin(instance.credentials(&caller.brings())).await?;
        let who = caller.who.fingerprint();
        Ok(Session::new(instance.client.clone(), credentials, who, client))
    }
}

impl Context {
    /// Returns the context of the same call for another instance, with the credential and access of
    /// that instance. The call counts against the rate limit of that instance.
    pub async fn elsewhere(&self, instance: &Arc<Instance>) -> Result<Self, Error> {
        self.reach.rate.take_for_call(&instance.name).await?;
        let session = self.reach.session_elsewhere(instance, self.client.as_deref()).await?;
        let session = session.sharing_compute(&self.session);
        self.visits.note(instance, &session);
        // The audit record names the instance that is read, not the one that received the request.
        self.trail.at(instance, &session, &self.acting);
        Ok(Self {
            session,
            policy: self.reach.policy(instance),
            fixed_space: instance.space.clone().or_else(|| self.reach.narrowing.space.clone()),
            instance: Arc::clone(instance),
            ..self.clone()
        })
    }
}
