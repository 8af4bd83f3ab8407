//! The offering of this product: the tools of its catalog, for the instances that there are.

use std::{sync::Arc, time::Instant};

use rmcp::{
    ErrorData,
    model::{
        CallToolRequestParams, CallToolResponse, ClientCapabilities, CompleteRequestParams,
        CompleteResult, GetPromptRequestParams, GetPromptResponse, Implementation, Prompt,
        ReadResourceResponse, Resource, ResourceTemplate, ServerCapabilities, ServerConfig, Tool,
    },
};

use super::{
    NotServed, Offering, Request, answer, complete,
    consent::{self, Came},
    instructions::instructions,
    prompts::Prompts,
    resources,
    version::{is_new_enough, version},
};
use crate::{
    callers::Caller,
    octopus::{Instance, Instances, Session},
    tool::{Catalog, Consent, Context, Error, Gate, Limits, Narrowing, Outcome, Policy, Progress},
};

/// The tools of a catalog, for the instances that there are.
#[derive(Debug)]
pub struct Tools {
    /// What there is.
    pub catalog: Catalog,
    /// What anybody may see and do.
    pub policy: Policy,
    /// The instances.
    pub instances: Arc<Instances>,
    /// What every change must pass.
    pub gate: Arc<Gate>,
    /// How large answers may be.
    pub limits: Limits,
}

impl Tools {
    fn prompts(&self, request: &Request) -> Prompts<'_> {
        let instance = self.instance(&request.narrowing).ok();
        let fixed =
            request.narrowing.space.is_some() || instance.is_some_and(|i| i.space.is_some());
        Prompts { policy: &self.policy, space_is_fixed: fixed }
    }

    /// The instance that a request is for.
    fn instance(&self, narrowing: &Narrowing) -> Result<&Arc<Instance>, NotServed> {
        let instance = match &narrowing.instance {
            Some(name) => self.instances.get(name),
            None => self.instances.default(),
        };
        instance.ok_or_else(|| {
            let names: Vec<&str> = self.instances.iter().map(|one| one.name.as_str()).collect();
            let wanted = narrowing.instance.as_deref().map_or_else(
                || "the request names no instance, and none is the default".to_owned(),
                |name| format!("there is no instance '{}'", name.escape_debug()),
            );
            let names = names.join(", ");
            NotServed::Missing(format!("{wanted}; there are: {names}. Name one with /mcp/i/NAME"))
        })
    }

    async fn context(&self, request: Request, consent: Consent) -> Result<Context, Error> {
        let instance = self.instance(&request.narrowing);
        let instance = Arc::clone(instance.map_err(|error| Error::Invalid(error.to_string()))?);
        let credentials = instance.credentials(&request.caller.brings()).await?;
        let who = &request.caller.who;
        let client = instance.client.clone();
        let (caller, name) = (who.fingerprint(), request.client.as_deref());
        Ok(Context {
            session: Session::new(client, credentials, caller, name),
            caller: Arc::clone(who),
            policy: self.policy.clone(),
            limits: self.limits,
            fixed_space: request.narrowing.space.or_else(|| instance.space.clone()),
            instance,
            progress: request.progress.map(Progress::new).unwrap_or_default(),
            gate: Arc::clone(&self.gate),
            consent,
        })
    }
}

/// A request that is about no tool has no tool's answer to say it in.
fn refused(error: &Error) -> ErrorData {
    ErrorData::internal_error(error.to_string(), None)
}

impl Offering for Tools {
    fn info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder()
            .enable_tools()
            .enable_resources()
            .enable_prompts()
            .enable_completions()
            .build();
        let instance = self.instances.default();
        let space = instance.and_then(|instance| instance.space.as_deref());
        let confirm = self.gate.confirm();
        let text = instructions(&self.catalog, &self.policy, space, confirm);
        let mut info = ServerConfig::new(capabilities).with_instructions(text);
        info.server_info = Implementation::new("octopus-mcp", env!("CARGO_PKG_VERSION"))
            .with_title("Octopus Deploy");
        info
    }

    fn admits(&self, caller: &Caller, narrowing: &Narrowing) -> Result<(), NotServed> {
        Ok(self.instance(narrowing)?.suits(&caller.brings())?)
    }

    async fn tools(&self, request: Request) -> Vec<Tool> {
        let version = match self.context(request, Consent::default()).await {
            Ok(cx) => version(&cx).await,
            Err(_) => None,
        };
        let shown = self.catalog.shown(&self.policy);
        let shown = shown.filter(|entry| is_new_enough(entry.definition.since, version));
        shown.map(|entry| entry.model.clone()).collect()
    }

    fn tool(&self, name: &str) -> Option<Tool> {
        self.catalog.named(name).map(|entry| entry.model.clone())
    }

    async fn call(
        &self,
        mut params: CallToolRequestParams,
        request: Request,
    ) -> Result<CallToolResponse, ErrorData> {
        let arguments = params.arguments.take().unwrap_or_default();
        // One and the same answer for a tool that does not exist and one that is not shown.
        let serving = self.catalog.serving(&params.name, &arguments);
        let Some(entry) = serving.filter(|e| self.policy.shows(e.toolset, e.definition)) else {
            let message = format!("unknown tool: {}", params.name.escape_debug());
            return Err(ErrorData::invalid_params(message, None));
        };
        let tool = entry.definition.name;
        let consent = match consent::read(&mut params, &request) {
            Came::Call(consent) => consent,
            Came::No(action) => {
                let caller = &request.caller.who.name;
                tracing::info!(tool, caller, ?action, "a change was not agreed to");
                return Ok(consent::declined(&action));
            }
        };
        let is_stateless = request.is_stateless();
        let cx = match self.context(request, consent).await {
            Ok(cx) => cx,
            Err(error) => return Ok(answer::failure(&error, &self.policy).into()),
        };
        let started = Instant::now();
        let came = entry.call(arguments, &cx).await;
        let elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let caller = &cx.caller.name;
        match came {
            Ok(Outcome::Done(passed)) => {
                tracing::info!(tool, caller, elapsed_ms, redacted = passed.redacted, "called");
                Ok(answer::answer(passed).into())
            }
            Ok(Outcome::Ask(question)) => {
                tracing::info!(tool, caller, elapsed_ms, way = ?question.way, "asked for consent");
                consent::ask(question)
            }
            Err(Error::CannotAsk) if is_stateless => {
                let required = ClientCapabilities::builder().enable_elicitation().build();
                Err(ErrorData::missing_required_client_capability(required))
            }
            Err(error) => {
                let said = answer::logged(&error);
                if error.is_fault() {
                    tracing::warn!(tool, caller, elapsed_ms, error = %said, "call failed");
                } else {
                    tracing::info!(tool, caller, elapsed_ms, error = %said, "call refused");
                }
                Ok(answer::failure(&error, &cx.policy).into())
            }
        }
    }

    async fn resources(&self, request: Request) -> Result<Vec<Resource>, ErrorData> {
        let cx = self.context(request, Consent::default()).await;
        Ok(resources::list(&cx.map_err(|error| refused(&error))?).await)
    }

    async fn resource_templates(&self, request: Request) -> Vec<ResourceTemplate> {
        match self.context(request, Consent::default()).await {
            Ok(cx) => resources::templates(&cx).await,
            Err(_) => Vec::new(),
        }
    }

    async fn read(&self, uri: String, request: Request) -> Result<ReadResourceResponse, ErrorData> {
        let cx = self.context(request, Consent::default()).await;
        resources::read(&uri, &cx.map_err(|error| refused(&error))?).await
    }

    fn prompts(&self, request: &Request) -> Vec<Prompt> {
        self.prompts(request).list()
    }

    async fn prompt(
        &self,
        params: GetPromptRequestParams,
        request: Request,
    ) -> Result<GetPromptResponse, ErrorData> {
        Ok(self.prompts(&request).get(params)?.into())
    }

    async fn complete(
        &self,
        params: CompleteRequestParams,
        request: Request,
    ) -> Result<CompleteResult, ErrorData> {
        let prompts = self.prompts(&request);
        let cx = self.context(request, Consent::default()).await;
        complete::complete(params, &prompts, &cx.map_err(|error| refused(&error))?).await
    }
}
