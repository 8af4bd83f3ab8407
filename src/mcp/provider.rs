//! [`McpProvider`]: the tools, resources, prompts and completions that [`Protocol`] serves.
//!
//! [`Protocol`]: super::Protocol

use rmcp::{
    ErrorData,
    model::{
        CallToolRequestParams, CallToolResponse, CompleteRequestParams, CompleteResult,
        GetPromptRequestParams, GetPromptResponse, Prompt, ReadResourceResponse, ResourceTemplate,
        ServerConfig, Tool,
    },
};

use super::{RequestContext, RequestInfo, ResourcePage};
use crate::{
    access::RequestScope,
    auth::{Caller, TokenScope},
    octopus::CredentialError,
};

/// The reason why a request is rejected before its method runs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AdmissionError {
    /// The request's Octopus credential is missing or not accepted.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// The request names an instance or space that does not exist or is not accessible to the
    /// caller.
    #[error("{0}")]
    NotFound(String),
    /// The request scope names an unknown toolset or tool, or contradicts itself.
    #[error("{0}")]
    Invalid(String),
}

/// Provides the tools, resources, prompts and completions of an MCP server. All methods except
/// `info`, `tools`, `tool` and `call_tool` have defaults.
///
/// [`Protocol`](super::Protocol) checks versions and metadata, sets time limits, sends progress,
/// and handles cancellation and shutdown for every provider.
pub trait McpProvider: Send + Sync + 'static {
    /// Returns the name, version and capabilities of the server.
    fn info(&self) -> ServerConfig;

    /// Returns the instructions for models, for the scope of this request. Default: none.
    fn instructions(&self, _request: &RequestInfo) -> Option<String> {
        None
    }

    /// Resolves the instance and the access of a request, once for each request. Sends no request
    /// to Octopus. [`McpProvider::check_request`] rejects requests that cannot be served.
    fn resolve(&self, caller: Caller, scope: RequestScope) -> RequestContext {
        RequestContext::new(caller, scope)
    }

    /// Checks the names in the request scope and the kind of credential that the caller sent. Sends
    /// no request to Octopus.
    ///
    /// # Errors
    ///
    /// Returns [`AdmissionError`] if no request with this context can be served.
    fn check_request(&self, _context: &RequestContext) -> Result<(), AdmissionError> {
        Ok(())
    }

    /// Checks that the space in the request scope exists for the caller. This may send requests to
    /// Octopus, so it runs after the rate limits.
    ///
    /// # Errors
    ///
    /// [`AdmissionError::NotFound`] with the names of the spaces that exist.
    fn check_space(
        &self,
        _context: &RequestContext,
    ) -> impl Future<Output = Result<(), AdmissionError>> + Send {
        std::future::ready(Ok(()))
    }

    /// Returns the tools that are visible to this request.
    fn tools(&self, request: RequestInfo) -> impl Future<Output = Vec<Tool>> + Send;

    /// Returns the definition of a tool as listed for this context, whether or not the caller can
    /// use the tool. The definition is used to check headers that repeat arguments. `context` is
    /// `None` for a request without HTTP.
    fn tool(&self, name: &str, context: Option<&RequestContext>) -> Option<Tool>;

    /// Returns the canonical name of the called tool, for traces and metrics.
    fn tool_name(&self, _params: &CallToolRequestParams) -> Option<&'static str> {
        None
    }

    /// Returns the name of the requested prompt if it exists, for traces and metrics.
    fn prompt_name(&self, _params: &GetPromptRequestParams) -> Option<&'static str> {
        None
    }

    /// Returns the token scope that a call requires and the caller lacks. Returns `None` if the
    /// caller has it, or if the call would be denied even with it.
    fn missing_token_scope(
        &self,
        _params: &CallToolRequestParams,
        _context: &RequestContext,
    ) -> Option<TokenScope> {
        None
    }

    /// Calls a tool.
    fn call_tool(
        &self,
        params: CallToolRequestParams,
        request: RequestInfo,
    ) -> impl Future<Output = Result<CallToolResponse, ErrorData>> + Send;

    /// Returns a page of the visible resources. `skip` is the number of paged items before the
    /// page.
    fn resources(
        &self,
        _skip: u32,
        _request: RequestInfo,
    ) -> impl Future<Output = Result<ResourcePage, ErrorData>> + Send {
        std::future::ready(Ok(ResourcePage::default()))
    }

    /// Returns the resource templates that are visible to this request.
    fn resource_templates(
        &self,
        _request: RequestInfo,
    ) -> impl Future<Output = Vec<ResourceTemplate>> + Send {
        std::future::ready(Vec::new())
    }

    /// Reads a resource. Default: "resource not found".
    fn read_resource(
        &self,
        uri: String,
        _request: RequestInfo,
    ) -> impl Future<Output = Result<ReadResourceResponse, ErrorData>> + Send {
        let data = serde_json::json!({ "uri": uri });
        std::future::ready(Err(ErrorData::resource_not_found("resource not found", Some(data))))
    }

    /// Returns the prompts that are visible to this request.
    fn prompts(&self, _request: &RequestInfo) -> Vec<Prompt> {
        Vec::new()
    }

    /// Returns a prompt with its arguments filled in. Default: "unknown prompt".
    fn get_prompt(
        &self,
        params: GetPromptRequestParams,
        _request: RequestInfo,
    ) -> impl Future<Output = Result<GetPromptResponse, ErrorData>> + Send {
        let message = format!("unknown prompt: {}", params.name);
        std::future::ready(Err(ErrorData::invalid_params(message, None)))
    }

    /// Completes an argument. Default: no values.
    fn complete(
        &self,
        _params: CompleteRequestParams,
        _request: RequestInfo,
    ) -> impl Future<Output = Result<CompleteResult, ErrorData>> + Send {
        std::future::ready(Ok(CompleteResult::default()))
    }
}
