//! Builds the context of a tool call from a request: effective scope, access, session and limits.

use std::sync::Arc;

use rmcp::model::{CallToolRequestParams, JsonObject};

use super::{AdmissionError, OctopusProvider, RequestContext, RequestInfo, ResolvedScope};
use crate::{
    access::{EffectiveScope, RequestScope},
    approval::ClientApproval,
    auth::{Caller, TokenScope},
    tool::{
        AuditScope, CalledTool, Context, DecisionRecorder, Error, Progress, RedactionCounter,
        VisitedInstances,
    },
};

impl OctopusProvider {
    /// Resolves the instance and the access of a request.
    ///
    /// # Errors
    ///
    /// [`AdmissionError::NotFound`] if the caller cannot use the requested instance or the default
    /// instance.
    pub(super) fn resolve_scope(
        &self,
        caller: &Caller,
        scope: &RequestScope,
    ) -> Result<ResolvedScope, AdmissionError> {
        tracing::debug!(caller = caller.identity.name, "request scope resolved");
        let effective = EffectiveScope {
            instances: Arc::clone(&self.instances),
            ceiling: self.access.clone(),
            caller: caller.clone(),
            request: scope.clone(),
            rate_limit: self.instance_rate.clone(),
        };
        let instance = match &scope.instance {
            Some(name) => self.instances.get(name),
            None => self.instances.default(),
        };
        match instance.filter(|instance| effective.allows_instance(instance)).map(Arc::clone) {
            Some(instance) => {
                let policy = effective.access(&instance);
                Ok(ResolvedScope { effective: Arc::new(effective), instance, policy })
            }
            None => Err(unknown_instance(&effective)),
        }
    }

    /// Returns the resolved scope of a request. Resolves the scope again only if the settings were
    /// reloaded since.
    ///
    /// # Errors
    ///
    /// The errors of [`OctopusProvider::resolve_scope`].
    pub(super) fn scope_of(
        &self,
        context: &RequestContext,
    ) -> Result<Arc<ResolvedScope>, AdmissionError> {
        let resolved = context.resolved.as_ref();
        // Each reload creates its own instances, together with the policy and the limits.
        match resolved.filter(|scope| Arc::ptr_eq(&scope.effective.instances, &self.instances)) {
            Some(scope) => Ok(Arc::clone(scope)),
            None => self.resolve_scope(&context.caller, &context.scope).map(Arc::new),
        }
    }

    /// Returns the token scope that a call requires and the caller lacks. Returns `None` if the
    /// caller has it, or if the call would be denied even with it.
    pub(super) fn find_missing_token_scope(
        &self,
        params: &CallToolRequestParams,
        context: &RequestContext,
    ) -> Option<TokenScope> {
        let no_arguments = JsonObject::new();
        let arguments = params.arguments.as_ref().unwrap_or(&no_arguments);
        let entry = self.catalog.resolve(&params.name, arguments)?;
        let tier = entry.tier_of_call(arguments);
        let granted = context.caller.identity.grants.scope;
        let required = Some(TokenScope::for_tier(tier)).filter(|required| *required > granted)?;
        let scope = self.scope_of(context).ok()?;
        let policy = scope.effective.access_with_token_scope(required, &scope.instance);
        let would_be_allowed = policy.is_visible(entry.toolset, entry.metadata)
            && policy.tier_deny_reason(tier).is_none();
        would_be_allowed.then_some(required)
    }

    /// Builds the context of a list request, which gets no audit record.
    pub(super) async fn listing_context(&self, request: RequestInfo) -> Result<Context, Error> {
        self.call_context(request, ClientApproval::default(), &AuditScope::default()).await
    }

    /// Builds the context of a call, and adds the instance and acting user to the audit record.
    pub(super) async fn call_context(
        &self,
        request: RequestInfo,
        client_approval: ClientApproval,
        audit: &AuditScope,
    ) -> Result<Context, Error> {
        let scope = self.scope_of(&request.context);
        let scope = scope.map_err(|error| Error::Invalid(error.to_string()))?;
        let instance = Arc::clone(&scope.instance);
        audit.update(|record| record.target.instance = Some(instance.name.clone()));
        let session = scope.effective.session(&instance, request.client.as_deref()).await?;
        audit.record_instance(&instance, &session, &self.acting_users);
        Ok(Context {
            session,
            caller: Arc::clone(&request.context.caller.identity),
            access: scope.policy.clone(),
            toolsets: self.catalog.toolsets(),
            limits: self.limits,
            pinned_space: instance.space.clone().or_else(|| request.context.scope.space.clone()),
            instance,
            scope: Arc::clone(&scope.effective),
            client: request.client,
            progress: request.progress.map(Progress::new).unwrap_or_default(),
            approval_gate: Arc::clone(&self.gate),
            client_approval,
            policy: Arc::clone(&self.policy_engine),
            task_initiators: Arc::clone(&self.task_initiators),
            called_tool: CalledTool::default(),
            decision_recorder: DecisionRecorder::default(),
            visited_instances: VisitedInstances::default(),
            audit: audit.clone(),
            acting_users: self.acting_users.clone(),
            redactions: RedactionCounter::default(),
        })
    }
}

/// Returns the error for an inaccessible instance, which lists the instances of the caller.
fn unknown_instance(effective: &EffectiveScope) -> AdmissionError {
    let names: Vec<&str> =
        effective.allowed_instances().map(|instance| instance.name.as_str()).collect();
    let reason = effective.request.instance.as_deref().map_or_else(
        || {
            "the request names no instance, and you have no access to the default instance"
                .to_owned()
        },
        |name| format!("instance '{}' not found, or you have no access to it", name.escape_debug()),
    );
    if names.is_empty() {
        return AdmissionError::NotFound(format!("{reason}; you have no access to any instance"));
    }
    let names = names.join(", ");
    AdmissionError::NotFound(format!(
        "{reason}; available: {names}. Select one with the path /mcp/i/NAME"
    ))
}
