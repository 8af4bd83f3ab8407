//! What can be served over the protocol.

use rmcp::{
    ErrorData,
    model::{
        CallToolRequestParams, CallToolResponse, CompleteRequestParams, CompleteResult,
        GetPromptRequestParams, GetPromptResponse, Prompt, ReadResourceResponse, ResourceTemplate,
        ServerConfig, Tool,
    },
};

use super::{Page, Request, RequestContext};
use crate::{
    callers::{Caller, Scope},
    octopus::NoCredential,
    tool::Narrowing,
};

/// Why a request cannot be served, whatever it asks for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotServed {
    /// The Octopus credential that it brings, or brings not.
    #[error(transparent)]
    Credential(#[from] NoCredential),
    /// It names something that there is not, or that this caller may not see.
    #[error("{0}")]
    Missing(String),
    /// It names an unknown toolset or tool, or says what does not go together.
    #[error("{0}")]
    Wrong(String),
}

/// What is served: tools, resources, prompts. Everything but the tools may be left out.
///
/// The protocol checks versions and metadata, sets time limits, tells progress, and answers
/// cancellation and shutdown, whatever is served.
pub trait Offering: Send + Sync + 'static {
    /// Name, version and capabilities of the server.
    fn info(&self) -> ServerConfig;

    /// What a model should know of the server before it begins, as this request finds it.
    fn instructions(&self, _request: &Request) -> Option<String> {
        None
    }

    /// Resolves the instance and the access of a request, once for each request. It sends nothing to
    /// Octopus. Requests that cannot be served are rejected by [`Offering::admits`].
    fn resolve(&self, caller: Caller, scope: Narrowing) -> RequestContext {
        RequestContext::new(caller, scope)
    }

    /// Checks the names in the request scope and the kind of credential that the caller sent. It
    /// sends nothing to Octopus.
    ///
    /// # Errors
    ///
    /// The reason why no request with this context can be served.
    fn admits(&self, _context: &RequestContext) -> Result<(), NotServed> {
        Ok(())
    }

    /// Checks that the space in the request scope exists for the caller. This may send requests to
    /// Octopus, so it runs after the rate limits.
    ///
    /// # Errors
    ///
    /// [`NotServed::Missing`] with the names of the spaces that exist.
    fn finds(
        &self,
        _context: &RequestContext,
    ) -> impl Future<Output = Result<(), NotServed>> + Send {
        std::future::ready(Ok(()))
    }

    /// The tools that this request sees.
    fn tools(&self, request: Request) -> impl Future<Output = Vec<Tool>> + Send;

    /// Returns the definition of a tool as requests with this context list it, whether or not the
    /// caller may use the tool. It is used to check headers that repeat arguments. `None` stands for
    /// a request that did not come over HTTP.
    fn tool(&self, name: &str, context: Option<&RequestContext>) -> Option<Tool>;

    /// The tool that serves a call, by its own name, for traces and metrics.
    fn called(&self, _params: &CallToolRequestParams) -> Option<&'static str> {
        None
    }

    /// The prompt that serves a request, by its own name, for traces and metrics.
    fn filled(&self, _params: &GetPromptRequestParams) -> Option<&'static str> {
        None
    }

    /// Returns the token scope that a call needs and the caller lacks. `None` where the caller has
    /// it, or where the call would be refused with it as well.
    fn lacks(&self, _params: &CallToolRequestParams, _context: &RequestContext) -> Option<Scope> {
        None
    }

    /// Calls a tool.
    fn call(
        &self,
        params: CallToolRequestParams,
        request: Request,
    ) -> impl Future<Output = Result<CallToolResponse, ErrorData>> + Send;

    /// A page of the resources that this request sees: the first one, or the one behind `skip` of
    /// those that are paged.
    fn resources(
        &self,
        _skip: u32,
        _request: Request,
    ) -> impl Future<Output = Result<Page, ErrorData>> + Send {
        std::future::ready(Ok(Page::default()))
    }

    /// The templates of resources that this request sees.
    fn resource_templates(
        &self,
        _request: Request,
    ) -> impl Future<Output = Vec<ResourceTemplate>> + Send {
        std::future::ready(Vec::new())
    }

    /// Reads a resource.
    fn read(
        &self,
        uri: String,
        _request: Request,
    ) -> impl Future<Output = Result<ReadResourceResponse, ErrorData>> + Send {
        let data = serde_json::json!({ "uri": uri });
        std::future::ready(Err(ErrorData::resource_not_found("no such resource", Some(data))))
    }

    /// The prompts that this request sees.
    fn prompts(&self, _request: &Request) -> Vec<Prompt> {
        Vec::new()
    }

    /// Fills in a prompt.
    fn prompt(
        &self,
        params: GetPromptRequestParams,
        _request: Request,
    ) -> impl Future<Output = Result<GetPromptResponse, ErrorData>> + Send {
        let message = format!("no such prompt: {}", params.name);
        std::future::ready(Err(ErrorData::invalid_params(message, None)))
    }

    /// Completes an argument. What cannot be completed has no values.
    fn complete(
        &self,
        _params: CompleteRequestParams,
        _request: Request,
    ) -> impl Future<Output = Result<CompleteResult, ErrorData>> + Send {
        std::future::ready(Ok(CompleteResult::default()))
    }
}
