//! The MCP provider of this product: the tools, resources and prompts for the configured instances.

use std::{sync::Arc, time::Instant};

use rmcp::{
    ErrorData,
    model::{
        CallToolRequestParams, CallToolResponse, ClientCapabilities, CompleteRequestParams,
        CompleteResult, GetPromptRequestParams, GetPromptResponse, Implementation, JsonObject,
        Prompt, ReadResourceResponse, ResourceTemplate, ServerCapabilities, ServerConfig, Tool,
    },
};

use super::{
    AdmissionError, McpProvider, RequestContext, RequestInfo, ResourcePage,
    approval::{self, ApprovalState},
    audit_record, completion,
    instructions::instructions,
    prompts::{self, Prompts},
    resources, response,
    space_check::MissingSpaceCache,
    version::{instance_version, is_new_enough},
};
use crate::{
    access::{InstanceRateLimit, RequestScope, ToolAccess, UnknownName},
    approval::{ApprovalError, ApprovalGate, ApprovalMethod, ClientApproval, TaskInitiators},
    audit::{AuditLog, Outcome, RecordKind},
    auth::{Caller, TokenScope},
    octopus::Instances,
    policy::PolicyEngine,
    telemetry::Metrics,
    tool::{
        ActingUsers, AuditGuard, AuditScope, Catalog, Entry, Error, Limits, Outcome as CallOutcome,
        RecentCalls,
    },
};

/// Name of the tool that explains hidden tools. All callers can call it, even if it is not listed.
const EXPLAIN_ACCESS: &str = "explain_access";

/// Serves the tools of a catalog for the configured instances.
#[derive(Debug)]
pub struct OctopusProvider {
    /// All tools, resources and toolsets.
    pub catalog: Catalog,
    /// The access that the settings allow to any caller. Grants and request scopes restrict it
    /// further.
    pub access: ToolAccess,
    /// The Octopus instances.
    pub instances: Arc<Instances>,
    /// Requires approval before a change is executed.
    pub gate: Arc<ApprovalGate>,
    /// Size limits of answers.
    pub limits: Limits,
    /// Decides whether a call is allowed, needs approval or is denied.
    pub policy_engine: Arc<PolicyEngine>,
    /// Callers that started tasks, for the four-eyes check of interruptions.
    pub task_initiators: Arc<TaskInitiators>,
    /// Receives one record for each call.
    pub audit: AuditLog,
    /// Octopus users of the credentials in use.
    pub acting_users: ActingUsers,
    /// Metrics recorder.
    pub metrics: Metrics,
    /// Recent calls of each caller, served as `octopus://caller/calls`.
    pub recent_calls: RecentCalls,
    /// Rate limit of each instance, shared by all callers.
    pub instance_rate: InstanceRateLimit,
    /// Cache of requested spaces that do not exist for their caller.
    pub missing_spaces: MissingSpaceCache,
}

impl OctopusProvider {
    /// Starts the audit record of a request. The record is written when the returned guard is
    /// dropped, also if the call is cancelled.
    fn start_record(&self, kind: RecordKind, request: &RequestInfo) -> AuditGuard {
        let caller = request.context.caller.identity.fingerprint();
        let scope = AuditScope::begin(&self.audit, &self.metrics, kind);
        audit_record::fill_request(&scope.with_recent_calls(&self.recent_calls, caller), request)
    }
}

impl McpProvider for OctopusProvider {
    fn info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder()
            .enable_tools()
            .enable_resources()
            .enable_prompts()
            .enable_completions()
            .build();
        let mut info = ServerConfig::new(capabilities);
        info.server_info = Implementation::new("octopus-mcp", env!("CARGO_PKG_VERSION"))
            .with_title("Octopus Deploy");
        info
    }

    fn instructions(&self, request: &RequestInfo) -> Option<String> {
        let scope = self.scope_of(&request.context).ok()?;
        Some(instructions(&scope, self.gate.mode()))
    }

    fn resolve(&self, caller: Caller, scope: RequestScope) -> RequestContext {
        let resolved = self.resolve_scope(&caller, &scope).ok().map(Arc::new);
        RequestContext { caller, scope, resolved }
    }

    fn check_request(&self, context: &RequestContext) -> Result<(), AdmissionError> {
        let unknown = |unknown: UnknownName| AdmissionError::Invalid(unknown.to_string());
        context.scope.check(self.access.index()).map_err(unknown)?;
        let scope = self.scope_of(context)?;
        Ok(scope.instance.check_credentials(&context.caller.credential_inputs())?)
    }

    async fn check_space(&self, context: &RequestContext) -> Result<(), AdmissionError> {
        let scope = self.scope_of(context)?;
        self.missing_spaces.check(&scope.effective, &scope.instance).await
    }

    async fn tools(&self, request: RequestInfo) -> Vec<Tool> {
        let Ok(scope) = self.scope_of(&request.context) else { return Vec::new() };
        let policy = &scope.policy;
        let (pinned, headers) = (policy.pinned(), request.is_stateless());
        let version = match self.listing_context(request).await {
            Ok(cx) => instance_version(&cx).await,
            Err(_) => None,
        };
        let visible = self.catalog.visible(policy);
        let visible = visible.filter(|entry| is_new_enough(entry.metadata.since, version));
        visible.map(|entry| entry.listing(pinned, headers).clone()).collect()
    }

    fn tool(&self, name: &str, context: Option<&RequestContext>) -> Option<Tool> {
        let scope = context.and_then(|context| self.scope_of(context).ok());
        let pinned = scope.map(|scope| scope.effective.pinned(&scope.instance)).unwrap_or_default();
        self.catalog.get(name).map(|entry| entry.listing(pinned, true).clone())
    }

    fn tool_name(&self, params: &CallToolRequestParams) -> Option<&'static str> {
        let no_arguments = JsonObject::new();
        let arguments = params.arguments.as_ref().unwrap_or(&no_arguments);
        self.catalog.resolve(&params.name, arguments).map(|entry| entry.metadata.name)
    }

    fn prompt_name(&self, params: &GetPromptRequestParams) -> Option<&'static str> {
        prompts::known_name(&params.name)
    }

    fn missing_token_scope(
        &self,
        params: &CallToolRequestParams,
        context: &RequestContext,
    ) -> Option<TokenScope> {
        self.find_missing_token_scope(params, context)
    }

    async fn call_tool(
        &self,
        mut params: CallToolRequestParams,
        request: RequestInfo,
    ) -> Result<CallToolResponse, ErrorData> {
        let arguments = params.arguments.take().unwrap_or_default();
        let record_guard = self.start_record(RecordKind::Call, &request);
        record_guard.scope().record_raw_arguments(&arguments);
        // An unknown tool and a hidden tool get the same answer, so that it does not reveal hidden
        // tools.
        let found = self.catalog.resolve(&params.name, &arguments);
        let scope = self.scope_of(&request.context).ok();
        let policy = scope.as_ref().map(|scope| &scope.policy);
        let is_visible = |entry: &&Entry| {
            let definition = entry.metadata;
            let is_visible =
                policy.is_some_and(|policy| policy.is_visible(entry.toolset, definition));
            is_visible || definition.name == EXPLAIN_ACCESS
        };
        let Some(entry) = found.filter(is_visible) else {
            record_guard.scope().update(|record| record.tool = Some(params.name.to_string()));
            audit_record::end_with(record_guard, Outcome::Refused, Some("unknown_tool"));
            let message = format!(
                "unknown tool: {}. If this server has the tool, {EXPLAIN_ACCESS} with `tool` \
                 returns why it is hidden",
                params.name.escape_debug()
            );
            return Err(ErrorData::invalid_params(message, None));
        };
        let tool = entry.metadata.name;
        record_guard.scope().update(|record| {
            record.tool = Some(tool.to_owned());
            record.tier = Some(entry.metadata.tier.name());
        });
        let client_approval = match approval::read_approval(&mut params, &request) {
            ApprovalState::Proceed(client_approval) => client_approval,
            ApprovalState::NotApproved(action, declined) => {
                let caller = Arc::clone(&request.context.caller.identity);
                tracing::info!(tool, caller = caller.name, ?action, "change declined");
                record_guard
                    .scope()
                    .update(|record| record.consent = Some(ApprovalMethod::Person.name()));
                if record_guard.scope().is_enabled()
                    && let Ok(cx) = self.call_context(request, declined, record_guard.scope()).await
                {
                    entry.record_declined(arguments, &cx).await;
                }
                audit_record::end_with(
                    record_guard,
                    Outcome::Declined,
                    Some(approval::decline_code(&action)),
                );
                return Ok(approval::declined_result(&action));
            }
        };
        let is_stateless = request.is_stateless();
        let cx = match self.call_context(request, client_approval, record_guard.scope()).await {
            Ok(cx) => cx,
            Err(error) => {
                audit_record::end_failed(record_guard, &error);
                let policy = policy.unwrap_or(&self.access);
                return Ok(response::tool_error(&error, policy).into());
            }
        };
        let started = Instant::now();
        let outcome = entry.call(arguments, &cx).await;
        let elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (caller, instance) = (&cx.caller.name, &cx.instance.name);
        match outcome {
            Ok(CallOutcome::Answer(answer)) => {
                audit_record::end_done(record_guard, &answer);
                tracing::info!(
                    tool,
                    caller,
                    instance,
                    elapsed_ms,
                    redacted = answer.redacted,
                    "tool call completed"
                );
                Ok(response::tool_result(answer).into())
            }
            Ok(CallOutcome::ApprovalRequired(request)) => {
                audit_record::end_with(record_guard, Outcome::Asked, None);
                tracing::info!(tool, caller, instance, elapsed_ms, approval_method = ?request.method, "approval requested");
                approval::request_approval(request)
            }
            Err(error @ Error::Approval(ApprovalError::NoChannel)) if is_stateless => {
                audit_record::end_failed(record_guard, &error);
                let required = ClientCapabilities::builder().enable_elicitation().build();
                Err(ErrorData::missing_required_client_capability(required))
            }
            Err(error) => {
                audit_record::end_failed(record_guard, &error);
                let text = response::log_text(&error);
                if error.is_fault() {
                    tracing::warn!(tool, caller, instance, elapsed_ms, error = %text, "tool call failed");
                } else {
                    tracing::info!(tool, caller, instance, elapsed_ms, error = %text, "tool call rejected");
                }
                Ok(response::tool_error(&error, &cx.access).into())
            }
        }
    }

    async fn resources(&self, skip: u32, request: RequestInfo) -> Result<ResourcePage, ErrorData> {
        let cx = self
            .listing_context(request)
            .await
            .map_err(|error| response::internal_error(&error))?;
        resources::list(skip, &cx).await.map_err(|error| response::internal_error(&error))
    }

    async fn resource_templates(&self, request: RequestInfo) -> Vec<ResourceTemplate> {
        match self.listing_context(request).await {
            Ok(cx) => resources::templates(&cx).await,
            Err(_) => Vec::new(),
        }
    }

    async fn read_resource(
        &self,
        uri: String,
        request: RequestInfo,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let record_guard = self.start_record(RecordKind::Resource, &request);
        record_guard
            .scope()
            .record_raw_arguments(&JsonObject::from_iter([("uri".to_owned(), uri.clone().into())]));
        match self.call_context(request, ClientApproval::default(), record_guard.scope()).await {
            Ok(cx) => resources::read(&uri, &cx, record_guard).await,
            Err(error) => {
                audit_record::end_failed(record_guard, &error);
                Err(response::internal_error(&error))
            }
        }
    }

    fn prompts(&self, request: &RequestInfo) -> Vec<Prompt> {
        let Ok(scope) = self.scope_of(&request.context) else { return Vec::new() };
        Prompts::new(&scope.policy, &request.context.scope).list()
    }

    async fn get_prompt(
        &self,
        params: GetPromptRequestParams,
        request: RequestInfo,
    ) -> Result<GetPromptResponse, ErrorData> {
        let record_guard = self.start_record(RecordKind::Prompt, &request);
        record_guard.scope().update(|record| record.prompt = Some(params.name.clone()));
        if let Some(arguments) = &params.arguments {
            record_guard.scope().record_raw_arguments(arguments);
        }
        let scope = self.scope_of(&request.context).ok();
        let policy = scope.as_ref().map_or(&self.access, |scope| &scope.policy);
        match Prompts::new(policy, &request.context.scope).get(params) {
            Ok(prompt) => {
                audit_record::end_with(record_guard, Outcome::Done, None);
                Ok(prompt.into())
            }
            Err(error) => {
                audit_record::end_with(record_guard, Outcome::Refused, Some("prompt"));
                Err(error)
            }
        }
    }

    async fn complete(
        &self,
        params: CompleteRequestParams,
        request: RequestInfo,
    ) -> Result<CompleteResult, ErrorData> {
        let record_guard = self.start_record(RecordKind::Completion, &request);
        let scope = self.scope_of(&request.context).ok();
        let policy = scope.as_ref().map_or(&self.access, |scope| &scope.policy);
        completion::record_arguments(
            &params,
            self.catalog.toolsets(),
            policy,
            record_guard.scope(),
        );
        let cx =
            match self.call_context(request, ClientApproval::default(), record_guard.scope()).await
            {
                Ok(cx) => cx,
                Err(error) => {
                    audit_record::end_failed(record_guard, &error);
                    return Err(response::internal_error(&error));
                }
            };
        let prompts = Prompts::new(&cx.access, &cx.scope.request);
        let completed = completion::complete(params, &prompts, &cx).await;
        match &completed {
            Ok(_) => audit_record::end_with(record_guard, Outcome::Done, None),
            Err(_) => audit_record::end_with(record_guard, Outcome::Refused, Some("completion")),
        }
        completed
    }
}
