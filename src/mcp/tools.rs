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
    NotServed, Offering, Page, Request, RequestContext, answer, audited, complete,
    consent::{self, Came as Brought},
    instructions::instructions,
    places::Absent,
    prompts::{self, Prompts},
    resources,
    version::{is_new_enough, version},
};
use crate::{
    audit::{Audit, Kind, Outcome},
    callers::{Caller, Scope},
    octopus::Instances,
    rules::Rules,
    telemetry::Metrics,
    tool::{
        Acting, Catalog, Consent, Entry, Error, Gate, InstanceRate, LastCalls, Limits, Narrowing,
        Outcome as Came, Policy, Starters, Unknown, Way,
    },
};

/// Explains why tools are hidden. Callers can always call it, even if it is itself not listed.
const ALWAYS: &str = "explain_access";

/// Serves the tools of a catalog for the configured instances.
#[derive(Debug)]
pub struct Tools {
    /// All tools, resources and toolsets.
    pub catalog: Catalog,
    /// The access that the settings allow to any caller; requests narrow it further.
    pub policy: Policy,
    /// The Octopus instances.
    pub instances: Arc<Instances>,
    /// Requires approval before a change is executed.
    pub gate: Arc<Gate>,
    /// Size limits of answers.
    pub limits: Limits,
    /// Decides whether a call is allowed, needs approval or is denied.
    pub rules: Arc<Rules>,
    /// Callers that started tasks, for the four-eyes check of interruptions.
    pub starters: Arc<Starters>,
    /// Receives one record for each call.
    pub audit: Audit,
    /// Octopus users of the credentials in use.
    pub acting: Acting,
    /// Metrics recorder.
    pub metrics: Metrics,
    /// Recent calls of each caller, served as `octopus://caller/calls`.
    pub calls: LastCalls,
    /// Rate limit of each instance, shared by all callers.
    pub instance_rate: InstanceRate,
    /// Cache of requested spaces that do not exist for their caller.
    pub absent: Absent,
}

impl Offering for Tools {
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

    fn instructions(&self, request: &Request) -> Option<String> {
        let scope = self.scope_of(&request.context).ok()?;
        Some(instructions(&scope, self.gate.confirm()))
    }

    fn resolve(&self, caller: Caller, scope: Narrowing) -> RequestContext {
        let resolved = self.resolve_scope(&caller, &scope).ok().map(Arc::new);
        RequestContext { caller, scope, resolved }
    }

    fn admits(&self, context: &RequestContext) -> Result<(), NotServed> {
        let unknown = |unknown: Unknown| NotServed::Wrong(unknown.to_string());
        context.scope.check(self.policy.catalog()).map_err(unknown)?;
        let scope = self.scope_of(context)?;
        Ok(scope.instance.suits(&context.caller.brings())?)
    }

    async fn finds(&self, context: &RequestContext) -> Result<(), NotServed> {
        let scope = self.scope_of(context)?;
        self.absent.check(&scope.reach, &scope.instance).await
    }

    async fn tools(&self, request: Request) -> Vec<Tool> {
        let Ok(scope) = self.scope_of(&request.context) else { return Vec::new() };
        let policy = &scope.policy;
        let (fixed, headers) = (policy.fixed(), request.is_stateless());
        let version = match self.to_list(request).await {
            Ok(cx) => version(&cx).await,
            Err(_) => None,
        };
        let shown = self.catalog.shown(policy);
        let shown = shown.filter(|entry| is_new_enough(entry.definition.since, version));
        shown.map(|entry| entry.listed(fixed, headers).clone()).collect()
    }

    fn tool(&self, name: &str, context: Option<&RequestContext>) -> Option<Tool> {
        let scope = context.and_then(|context| self.scope_of(context).ok());
        let fixed = scope.map(|scope| scope.reach.fixed(&scope.instance)).unwrap_or_default();
        self.catalog.named(name).map(|entry| entry.listed(fixed, true).clone())
    }

    fn called(&self, params: &CallToolRequestParams) -> Option<&'static str> {
        let nothing = JsonObject::new();
        let arguments = params.arguments.as_ref().unwrap_or(&nothing);
        self.catalog.serving(&params.name, arguments).map(|entry| entry.definition.name)
    }

    fn filled(&self, params: &GetPromptRequestParams) -> Option<&'static str> {
        prompts::name(&params.name)
    }

    fn lacks(&self, params: &CallToolRequestParams, context: &RequestContext) -> Option<Scope> {
        self.lacking(params, context)
    }

    async fn call(
        &self,
        mut params: CallToolRequestParams,
        request: Request,
    ) -> Result<CallToolResponse, ErrorData> {
        let arguments = params.arguments.take().unwrap_or_default();
        let open = self.open(Kind::Call, &request);
        open.trail().brought(&arguments);
        // An unknown tool and a hidden tool get the same answer, so it does not reveal hidden
        // tools.
        let serving = self.catalog.serving(&params.name, &arguments);
        let scope = self.scope_of(&request.context).ok();
        let policy = scope.as_ref().map(|scope| &scope.policy);
        let is_shown = |entry: &&Entry| {
            let definition = entry.definition;
            let shows = policy.is_some_and(|policy| policy.shows(entry.toolset, definition));
            shows || definition.name == ALWAYS
        };
        let Some(entry) = serving.filter(is_shown) else {
            open.trail().note(|record| record.tool = Some(params.name.to_string()));
            audited::ended(open, Outcome::Refused, Some("unknown_tool"));
            let message = format!("unknown tool: {}", params.name.escape_debug());
            return Err(ErrorData::invalid_params(message, None));
        };
        let tool = entry.definition.name;
        open.trail().note(|record| {
            record.tool = Some(tool.to_owned());
            record.tier = Some(entry.definition.tier.name());
        });
        let consent = match consent::read(&mut params, &request) {
            Brought::Call(consent) => consent,
            Brought::No(action, question) => {
                let caller = Arc::clone(&request.context.caller.who);
                tracing::info!(tool, caller = caller.name, ?action, "a change was not agreed to");
                open.trail().note(|record| record.consent = Some(Way::Person.name()));
                if open.trail().is_on()
                    && let Ok(cx) = self.context(request, question, open.trail()).await
                {
                    entry.declined(arguments, &cx).await;
                }
                audited::ended(open, Outcome::Declined, Some(consent::why(&action)));
                return Ok(consent::declined(&action));
            }
        };
        let is_stateless = request.is_stateless();
        let cx = match self.context(request, consent, open.trail()).await {
            Ok(cx) => cx,
            Err(error) => {
                audited::failed(open, &error);
                let policy = policy.unwrap_or(&self.policy);
                return Ok(answer::failure(&error, policy).into());
            }
        };
        let started = Instant::now();
        let outcome = entry.call(arguments, &cx).await;
        let elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let caller = &cx.caller.name;
        match outcome {
            Ok(Came::Done(passed)) => {
                audited::done(open, &passed);
                tracing::info!(
                    tool,
                    caller,
                    elapsed_ms,
                    redacted = passed.redacted,
                    "tool call completed"
                );
                Ok(answer::answer(passed).into())
            }
            Ok(Came::Ask(question)) => {
                audited::ended(open, Outcome::Asked, None);
                tracing::info!(tool, caller, elapsed_ms, way = ?question.way, "approval requested");
                consent::ask(question)
            }
            Err(error @ Error::CannotAsk) if is_stateless => {
                audited::failed(open, &error);
                let required = ClientCapabilities::builder().enable_elicitation().build();
                Err(ErrorData::missing_required_client_capability(required))
            }
            Err(error) => {
                audited::failed(open, &error);
                let text = answer::logged(&error);
                if error.is_fault() {
                    tracing::warn!(tool, caller, elapsed_ms, error = %text, "tool call failed");
                } else {
                    tracing::info!(tool, caller, elapsed_ms, error = %text, "tool call rejected");
                }
                Ok(answer::failure(&error, &cx.policy).into())
            }
        }
    }

    async fn resources(&self, skip: u32, request: Request) -> Result<Page, ErrorData> {
        let cx = self.to_list(request).await.map_err(|error| answer::refused(&error))?;
        resources::list(skip, &cx).await.map_err(|error| answer::refused(&error))
    }

    async fn resource_templates(&self, request: Request) -> Vec<ResourceTemplate> {
        match self.to_list(request).await {
            Ok(cx) => resources::templates(&cx).await,
            Err(_) => Vec::new(),
        }
    }

    async fn read(&self, uri: String, request: Request) -> Result<ReadResourceResponse, ErrorData> {
        let open = self.open(Kind::Resource, &request);
        open.trail().brought(&JsonObject::from_iter([("uri".to_owned(), uri.clone().into())]));
        match self.context(request, Consent::default(), open.trail()).await {
            Ok(cx) => resources::read(&uri, &cx, open).await,
            Err(error) => {
                audited::failed(open, &error);
                Err(answer::refused(&error))
            }
        }
    }

    fn prompts(&self, request: &Request) -> Vec<Prompt> {
        let Ok(scope) = self.scope_of(&request.context) else { return Vec::new() };
        Prompts::of(&scope.policy, &request.context.scope).list()
    }

    async fn prompt(
        &self,
        params: GetPromptRequestParams,
        request: Request,
    ) -> Result<GetPromptResponse, ErrorData> {
        let open = self.open(Kind::Prompt, &request);
        open.trail().note(|record| record.prompt = Some(params.name.clone()));
        if let Some(arguments) = &params.arguments {
            open.trail().brought(arguments);
        }
        let scope = self.scope_of(&request.context).ok();
        let policy = scope.as_ref().map_or(&self.policy, |scope| &scope.policy);
        match Prompts::of(policy, &request.context.scope).get(params) {
            Ok(prompt) => {
                audited::ended(open, Outcome::Done, None);
                Ok(prompt.into())
            }
            Err(error) => {
                audited::ended(open, Outcome::Refused, Some("prompt"));
                Err(error)
            }
        }
    }

    async fn complete(
        &self,
        params: CompleteRequestParams,
        request: Request,
    ) -> Result<CompleteResult, ErrorData> {
        let open = self.open(Kind::Completion, &request);
        let scope = self.scope_of(&request.context).ok();
        let policy = scope.as_ref().map_or(&self.policy, |scope| &scope.policy);
        complete::noted(&params, policy, open.trail());
        let cx = match self.context(request, Consent::default(), open.trail()).await {
            Ok(cx) => cx,
            Err(error) => {
                audited::failed(open, &error);
                return Err(answer::refused(&error));
            }
        };
        let prompts = Prompts::of(&cx.policy, &cx.reach.narrowing);
        let completed = complete::complete(params, &prompts, &cx).await;
        match &completed {
            Ok(_) => audited::ended(open, Outcome::Done, None),
            Err(_) => audited::ended(open, Outcome::Refused, Some("completion")),
        }
        completed
    }
}
