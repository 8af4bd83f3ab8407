//! The offering of this product: the tools of its catalog, for one instance of Octopus.

use std::time::Instant;

use rmcp::{
    ErrorData,
    model::{
        CallToolRequestParams, CallToolResponse, Implementation, ServerCapabilities, ServerConfig,
        Tool,
    },
};

use super::{Offering, Request, answer, instructions::instructions};
use crate::{
    octopus::{Client, Session},
    text,
    tool::{Catalog, Context, Limits, Policy, Progress},
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
    /// How large answers may be.
    pub limits: Limits,
    /// The space that the settings fix.
    pub fixed_space: Option<String>,
}

impl Tools {
    fn context(&self, request: Request) -> Result<Context, ErrorData> {
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
        let text = instructions(&self.catalog, &self.policy, self.fixed_space.as_deref());
        let mut info = ServerConfig::new(capabilities).with_instructions(text);
        info.server_info = Implementation::new("octopus-mcp", env!("CARGO_PKG_VERSION"))
            .with_title("Octopus Deploy");
        info
    }

    fn tools(&self, _: &Request) -> Vec<Tool> {
        self.catalog.shown(&self.policy).map(|entry| entry.model.clone()).collect()
    }

    fn tool(&self, name: &str) -> Option<Tool> {
        self.catalog.named(name).map(|entry| entry.model.clone())
    }

    async fn call(
        &self,
        params: CallToolRequestParams,
        request: Request,
    ) -> Result<CallToolResponse, ErrorData> {
        // One and the same answer for a tool that does not exist and one that is not shown.
        let Some(entry) =
            self.catalog.shown(&self.policy).find(|e| e.definition.name == params.name)
        else {
            let message = format!("unknown tool: {}", params.name.escape_debug());
            return Err(ErrorData::invalid_params(message, None));
        };
        let tool = entry.definition.name;
        let cx = self.context(request)?;
        let started = Instant::now();
        let came = entry.call(params.arguments.unwrap_or_default(), &cx).await;
        let elapsed_ms = started.elapsed().as_millis();
        let caller = cx.session.credentials().fingerprint();
        Ok(match came {
            Ok(outcome) => {
                tracing::info!(tool, %caller, elapsed_ms, redacted = outcome.redacted, "called");
                answer::answer(outcome).into()
            }
            Err(error) => {
                let said = error.to_string();
                // One line, whatever Octopus wrote into it, and no secret.
                let said = text::door(&said).text;
                let said = said.escape_debug();
                if error.is_fault() {
                    tracing::warn!(tool, %caller, elapsed_ms, error = %said, "call failed");
                } else {
                    tracing::info!(tool, %caller, elapsed_ms, error = %said, "call refused");
                }
                answer::failure(&error, &cx.policy).into()
            }
        })
    }
}
