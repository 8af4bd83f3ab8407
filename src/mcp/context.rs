//! Builds the context of a tool call from a request: effective scope, access, session and limits.

use std::sync::Arc;

use rmcp::model::CallToolRequestParams;

use super::{NotServed, Request, Tools};
use crate::{
    callers::{Caller, Scope},
    octopus::Instance,
    tool::{
        Asked, Consent, Context, Decisions, Error, Narrowing, Policy, Progress, Reach, TakenOut,
        Trail, Visits,
    },
};

impl Tools {
    /// Resolves the effective scope of a request and its instance.
    ///
    /// # Errors
    ///
    /// [`AdmissionError::NotFound`] if the instance does not exist or the caller has no access to
    /// it.
    pub(super) fn reach(
        &self,
        caller: &Caller,
        narrowing: &Narrowing,
        client: Option<&str>,
    ) -> Result<(Reach, Arc<Instance>), NotServed> {
        let reach = Reach {
            instances: Arc::clone(&self.instances),
            ceiling: self.policy.clone(),
            caller: caller.clone(),
            narrowing: narrowing.clone(),
            client: client.map(str::to_owned),
            rate: self.instance_rate.clone(),
        };
        let instance = match &narrowing.instance {
            Some(name) => self.instances.get(name),
            None => self.instances.default(),
        };
        match instance.filter(|instance| reach.sees(instance)).map(Arc::clone) {
            Some(instance) => Ok((reach, instance)),
            None => Err(missing(&reach)),
        }
    }

    /// Resolves the effective scope of a request that was parsed before.
    pub(super) fn reach_of(&self, request: &Request) -> Result<(Reach, Arc<Instance>), NotServed> {
        self.reach(&request.caller, &request.narrowing, request.client.as_deref())
    }

    /// Returns the access of a request, or `None` if its scope cannot be resolved.
    pub(super) fn policy(&self, request: &Request) -> Option<Policy> {
        self.reach_of(request).ok().map(|(reach, instance)| reach.policy(&instance))
    }

    /// Returns the token scope that the caller lacks, if the call would be allowed with it.
    pub(super) fn lacking(
        &self,
        params: &CallToolRequestParams,
        caller: &Caller,
        narrowing: &Narrowing,
    ) -> Option<Scope> {
        let arguments = params.arguments.clone().unwrap_or_default();
        let entry = self.catalog.serving(&params.name, &arguments)?;
        let tier = entry.does(&arguments);
        let needs = Some(Scope::for_tier(tier)).filter(|needs| *needs > caller.who.grants.scope)?;
        let (reach, instance) = self.reach(caller, narrowing, None).ok()?;
        let policy = reach.policy_with(needs, &instance);
        let would_go_on =
            policy.shows(entry.toolset, entry.definition) && policy.forbids(tier).is_none();
        would_go_on.then_some(needs)
    }

    /// Builds the context of a list request, which gets no audit record.
    pub(super) async fn to_list(&self, request: Request) -> Result<Context, Error> {
        self.context(request, Consent::default(), &Trail::default()).await
    }

    /// Builds the context of a call, and adds the instance and acting user to the audit record.
    pub(super) async fn context(
        &self,
        request: Request,
        consent: Consent,
        trail: &Trail,
    ) -> Result<Context, Error> {
        let reached = self.reach_of(&request);
        let (reach, instance) = reached.map_err(|error| Error::Invalid(error.to_string()))?;
        trail.note(|record| record.place.instance = Some(instance.name.clone()));
        let session = reach.session(&instance).await?;
        trail.at(&instance, &session, &self.acting);
        Ok(Context {
            session,
            caller: Arc::clone(&request.caller.who),
            policy: reach.policy(&instance),
            limits: self.limits,
            fixed_space: instance.space.clone().or(request.narrowing.space),
            instance,
            reach: Arc::new(reach),
            progress: request.progress.map(Progress::new).unwrap_or_default(),
            gate: Arc::clone(&self.gate),
            consent,
            rules: Arc::clone(&self.rules),
            starters: Arc::clone(&self.starters),
            asked: Asked::default(),
            decisions: Decisions::default(),
            visits: Visits::default(),
            trail: trail.clone(),
            acting: self.acting.clone(),
            taken_out: TakenOut::default(),
        })
    }
}

/// Returns the error for an inaccessible instance, which lists the instances of the caller.
fn missing(reach: &Reach) -> NotServed {
    let names: Vec<&str> = reach.seen().map(|instance| instance.name.as_str()).collect();
    let wanted = reach.narrowing.instance.as_deref().map_or_else(
        || {
            "the request names no instance, and you have no access to the default instance"
                .to_owned()
        },
        |name| format!("instance '{}' not found, or you have no access to it", name.escape_debug()),
    );
    if names.is_empty() {
        return NotServed::Missing(format!("{wanted}; you have no access to any instance"));
    }
    let names = names.join(", ");
    NotServed::Missing(format!(
        "{wanted}; available: {names}. Select one with the path /mcp/i/NAME"
    ))
}
