//! What a request could reach: the instances, and what it asked to be narrowed to.

use std::sync::Arc;

use super::{Context, Error, Fixed, InstanceRate, Narrowing, Policy};
use crate::{
    callers::{Caller, Grants, Scope},
    octopus::{Instance, Instances, Session},
};

/// What a request could reach. One instance is the request's own; the others are reached only
/// where the request did not fix one.
#[derive(Debug)]
pub struct Reach {
    /// The instances that there are.
    pub instances: Arc<Instances>,
    /// What anybody may see and do.
    pub ceiling: Policy,
    /// Whoever's request it is, with what they sent.
    pub caller: Caller,
    /// What it asks to be narrowed to.
    pub narrowing: Narrowing,
    /// How much all callers together may ask of each instance.
    pub rate: InstanceRate,
}

impl Reach {
    /// What is settled before a call comes, at this instance.
    pub fn fixed(&self, instance: &Instance) -> Fixed {
        let Narrowing { instance: named, space, project, .. } = &self.narrowing;
        Fixed {
            instance: named.is_some() || !self.instances.are_several(),
            space: instance.space.is_some() || space.is_some() || project.is_some(),
            project: project.is_some(),
        }
    }

    /// What the request may see and do at this instance.
    pub fn policy(&self, instance: &Instance) -> Policy {
        self.policy_with(self.caller.who.grants.scope, instance)
    }

    /// What it could see and do there if the caller had this scope.
    pub fn policy_with(&self, scope: Scope, instance: &Instance) -> Policy {
        let grants = Grants { scope, ..self.caller.who.grants.clone() };
        self.ceiling.narrowed(&grants, instance, &self.narrowing, self.fixed(instance))
    }

    /// Whether the caller may use this instance.
    pub fn sees(&self, instance: &Instance) -> bool {
        self.caller.who.grants.sees(&instance.name)
    }

    /// The instances that the caller may use.
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
    /// The same call at another instance, with that one's credential and policy. It counts there
    /// as a request that was sent to that one does.
    pub async fn elsewhere(&self, instance: &Arc<Instance>) -> Result<Self, Error> {
        self.reach.rate.take_for_call(&instance.name).await?;
        let session = self.reach.session_elsewhere(instance, self.client.as_deref()).await?;
        let session = session.sharing_compute(&self.session);
        self.visits.note(instance, &session);
        // What is read is read there, whatever the request was sent to.
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
