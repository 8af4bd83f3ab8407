//! Builds the context of a tool call from a request: effective scope, access, session and limits.

use std::sync::Arc;

use rmcp::model::{CallToolRequestParams, JsonObject};

use super::{NotServed, Request, RequestContext, ResolvedScope, Tools};
use crate::{
    callers::{Caller, Scope},
    tool::{
        Asked, Consent, Context, Decisions, Error, Narrowing, Progress, Reach, TakenOut, Trail,
        Visits,
    },
};

impl Tools {
    /// Resolves the instance and the access of a request.
    ///
    /// # Errors
    ///
    /// [`NotServed::Missing`] where the caller cannot use the instance that the request names, or the
    /// default instance.
    pub(super) fn resolve_scope(
        &self,
        caller: &Caller,
        scope: &Narrowing,
    ) -> Result<ResolvedScope, NotServed> {
        tracing::debug!(caller = caller.who.name, "request scope resolved");
        let reach = Reach {
            instances: Arc::clone(&self.instances),
            ceiling: self.policy.clone(),
            caller: caller.clone(),
            narrowing: scope.clone(),
            rate: self.instance_rate.clone(),
        };
        let instance = match &scope.instance {
            Some(name) => self.instances.get(name),
            None => self.instances.default(),
        };
        match instance.filter(|instance| reach.sees(instance)).map(Arc::clone) {
            Some(instance) => {
                let policy = reach.policy(&instance);
                Ok(ResolvedScope { reach: Arc::new(reach), instance, policy })
            }
            None => Err(missing(&reach)),
        }
    }

    /// Returns the resolved scope of a request. It is resolved again only where it was resolved
    /// before the settings were reloaded.
    ///
    /// # Errors
    ///
    /// As [`Tools::resolve_scope`].
    pub(super) fn scope_of(
        &self,
        context: &RequestContext,
    ) -> Result<Arc<ResolvedScope>, NotServed> {
        let resolved = context.resolved.as_ref();
        // Each reload makes its own instances, together with the policy and the limits.
        match resolved.filter(|scope| Arc::ptr_eq(&scope.reach.instances, &self.instances)) {
            Some(scope) => Ok(Arc::clone(scope)),
            None => self.resolve_scope(&context.caller, &context.scope).map(Arc::new),
        }
    }

    /// Returns the token scope that a call needs and the caller lacks. `None` where the caller has
    /// it, or where the call would be refused with it as well.
    pub(super) fn lacking(
        &self,
        params: &CallToolRequestParams,
        context: &RequestContext,
    ) -> Option<Scope> {
        let nothing = JsonObject::new();
        let arguments = params.arguments.as_ref().unwrap_or(&nothing);
        let entry = self.catalog.serving(&params.name, arguments)?;
        let tier = entry.does(arguments);
        let has = context.caller.who.grants.scope;
        let needs = Some(Scope::for_tier(tier)).filter(|needs| *needs > has)?;
        let scope = self.scope_of(context).ok()?;
        let policy = scope.reach.policy_with(needs, &scope.instance);
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
        let scope = self.scope_of(&request.context);
        let scope = scope.map_err(|error| Error::Invalid(error.to_string()))?;
        let instance = Arc::clone(&scope.instance);
        trail.note(|record| record.place.instance = Some(instance.name.clone()));
        let session = scope.reach.session(&instance, request.client.as_deref()).await?;
        trail.at(&instance, &session, &self.acting);
        Ok(Context {
            session,
            caller: Arc::clone(&request.context.caller.who),
            policy: scope.policy.clone(),
            limits: self.limits,
            fixed_space: instance.space.clone().or_else(|| request.context.scope.space.clone()),
            instance,
            reach: Arc::clone(&scope.reach),
            client: request.client,
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
