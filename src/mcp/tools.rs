//! The offering of this product: the tools of its catalog, for one instance of Octopus.

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
    Offering, Request, answer, complete,
    consent::{self, Came},
    instructions::instructions,
    prompts::Prompts,
    resources,
    version::{is_new_enough, version},
};
use crate::{
    octopus::{Client, Credentials, Session},
    tool::{Catalog, Consent, Context, Error, Gate, Limits, Outcome, Policy, Progress},
};

/// The tools of a catalog, for one instance of Octopus.
#[derive(Debug)]
pub struct Tools {
    /// What there is.
    pub catalog: Catalog,
    /// What anybody may see and do.
    pub policy: Policy,
    /// The instance.
    pub client: Client,
    /// What every change must pass.
    pub gate: Arc<Gate>,
    /// How large answers may be.
    pub limits: Limits,
    /// The space that the settings fix.
    pub fixed_space: Option<String>,
}

impl Tools {
    fn prompts(&self) -> Prompts<'_> {
        Prompts { policy: &self.policy, space_is_fixed: self.fixed_space.is_some() }
    }

    fn context(&self, request: Request, consent: Consent) -> Result<Context, ErrorData> {
        let credentials = request.caller.credentials.ok_or_else(|| {
            tracing::error!("a request reached the tools without a credential");
            ErrorData::internal_error("the request has no Octopus credential", None)
        })?;
        Ok(Context {
            session: Session::new(self.client.clone(), credentials, request.client.as_deref()),
            policy: self.policy.clone(),
            limits: self.limits,
            fixed_space: self.fixed_space.clone(),
            progress: request.progress.map(Progress::new).unwrap_or_default(),
            gate: Arc::clone(&self.gate),
            consent,
        })
    }
}

impl Offering for Tools {
    fn info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder()
            .enable_tools()
            .enable_resources()
            .enable_prompts()
            .enable_completions()
            .build();
        let (space, confirm) = (self.fixed_space.as_deref(), self.gate.confirm());
        let text = instructions(&self.catalog, &self.policy, space, confirm);
        let mut info = ServerConfig::new(capabilities).with_instructions(text);
        info.server_info = Implementation::new("octopus-mcp", env!("CARGO_PKG_VERSION"))
            .with_title("Octopus Deploy");
        info
    }

    async fn tools(&self, request: Request) -> Vec<Tool> {
        let version = match self.context(request, Consent::default()) {
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
                let caller = request.caller.credentials.as_ref().map(Credentials::fingerprint);
                tracing::info!(tool, ?caller, ?action, "a change was not agreed to");
                return Ok(consent::declined(&action));
            }
        };
        let is_stateless = request.is_stateless();
        let cx = self.context(request, consent)?;
        let started = Instant::now();
        let came = entry.call(arguments, &cx).await;
        let elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let caller = cx.session.credentials().fingerprint();
        match came {
            Ok(Outcome::Done(passed)) => {
                tracing::info!(tool, %caller, elapsed_ms, redacted = passed.redacted, "called");
                Ok(answer::answer(passed).into())
            }
            Ok(Outcome::Ask(question)) => {
                tracing::info!(tool, %caller, elapsed_ms, way = ?question.way, "asked for consent");
                consent::ask(question)
            }
            Err(Error::CannotAsk) if is_stateless => {
                let required = ClientCapabilities::builder().enable_elicitation().build();
                Err(ErrorData::missing_required_client_capability(required))
            }
            Err(error) => {
                let said = answer::logged(&error);
                if error.is_fault() {
                    tracing::warn!(tool, %caller, elapsed_ms, error = %said, "call failed");
                } else {
                    tracing::info!(tool, %caller, elapsed_ms, error = %said, "call refused");
                }
                Ok(answer::failure(&error, &cx.policy).into())
            }
        }
    }

    async fn resources(&self, request: Request) -> Result<Vec<Resource>, ErrorData> {
        Ok(resources::list(&self.context(request, Consent::default())?).await)
    }

    async fn resource_templates(&self, request: Request) -> Vec<ResourceTemplate> {
        match self.context(request, Consent::default()) {
            Ok(cx) => resources::templates(&cx).await,
            Err(_) => Vec::new(),
        }
    }

    async fn read(&self, uri: String, request: Request) -> Result<ReadResourceResponse, ErrorData> {
        resources::read(&uri, &self.context(request, Consent::default())?).await
    }

    fn prompts(&self, _: &Request) -> Vec<Prompt> {
        self.prompts().list()
    }

    async fn prompt(
        &self,
        params: GetPromptRequestParams,
        _: Request,
    ) -> Result<GetPromptResponse, ErrorData> {
        Ok(self.prompts().get(params)?.into())
    }

    async fn complete(
        &self,
        params: CompleteRequestParams,
        request: Request,
    ) -> Result<CompleteResult, ErrorData> {
        let cx = self.context(request, Consent::default())?;
        complete::complete(params, &self.prompts(), &cx).await
    }
}
