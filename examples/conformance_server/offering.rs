//! Serves the fixtures over the protocol.

use std::time::Duration;

use octopus_mcp::mcp::{McpProvider, RequestContext, RequestInfo, ResourcePage};
use rmcp::{
    ErrorData,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, GetPromptRequestParams,
        GetPromptResponse, GetPromptResult, Implementation, JsonObject, Prompt,
        ReadResourceResponse, ReadResourceResult, ResourceTemplate, ServerCapabilities,
        ServerConfig, Tool,
    },
};
use serde_json::json;

use crate::{fixtures::Fixtures, rounds::InputRounds};

/// A provider that serves the fixtures.
pub(crate) struct SuiteProvider {
    pub(crate) fixtures: Fixtures,
    pub(crate) rounds: InputRounds,
}

/// Pause between progress messages, because the suite expects each message separately.
const BETWEEN_MESSAGES: Duration = Duration::from_millis(50);

impl McpProvider for SuiteProvider {
    fn info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder()
            .enable_tools()
            .enable_resources()
            .enable_prompts()
            .enable_completions()
            .build();
        let mut info = ServerConfig::new(capabilities);
        info.server_info = Implementation::new("conformance-server", env!("CARGO_PKG_VERSION"));
        info
    }

    async fn tools(&self, _: RequestInfo) -> Vec<Tool> {
        self.fixtures.tools.iter().map(|tool| tool.listing.clone()).collect()
    }

    fn tool(&self, name: &str, _: Option<&RequestContext>) -> Option<Tool> {
        self.fixtures.tool(name).map(|tool| tool.listing.clone())
    }

    async fn call_tool(
        &self,
        params: CallToolRequestParams,
        request: RequestInfo,
    ) -> Result<CallToolResponse, ErrorData> {
        let tool = self.fixtures.tool(&params.name).ok_or_else(|| unknown(&params.name))?;
        let ask = self.rounds.next(
            &params.name,
            &tool.rounds,
            &params.input_responses.unwrap_or_default(),
            params.request_state.as_deref(),
            &request.capabilities,
        )?;
        if let Some(ask) = ask {
            return Ok(ask.into());
        }
        if tool.listing.name == "test_tool_with_progress" {
            send_progress(&request).await;
        }
        let answer: CallToolResult = tool.answer(&[]).map_err(|error| invalid_fixture(&error))?;
        Ok(answer.into())
    }

    async fn resources(&self, _: u32, _: RequestInfo) -> Result<ResourcePage, ErrorData> {
        let resources = self.fixtures.resources.iter().map(|resource| resource.listing.clone());
        Ok(ResourcePage { resources: resources.collect(), next: None })
    }

    async fn resource_templates(&self, _: RequestInfo) -> Vec<ResourceTemplate> {
        self.fixtures.templates.iter().map(|template| template.listing.clone()).collect()
    }

    async fn read_resource(
        &self,
        uri: String,
        _: RequestInfo,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let Some(contents) = self.fixtures.contents::<ReadResourceResult>(&uri) else {
            let data = json!({ "uri": uri });
            return Err(ErrorData::resource_not_found("no such resource", Some(data)));
        };
        Ok(contents.map_err(|error| invalid_fixture(&error))?.into())
    }

    fn prompts(&self, _: &RequestInfo) -> Vec<Prompt> {
        self.fixtures.prompts.iter().map(|prompt| prompt.listing.clone()).collect()
    }

    async fn get_prompt(
        &self,
        params: GetPromptRequestParams,
        request: RequestInfo,
    ) -> Result<GetPromptResponse, ErrorData> {
        let prompt = self.fixtures.prompt(&params.name).ok_or_else(|| unknown(&params.name))?;
        let ask = self.rounds.next(
            &params.name,
            &prompt.rounds,
            &params.input_responses.unwrap_or_default(),
            params.request_state.as_deref(),
            &request.capabilities,
        )?;
        if let Some(ask) = ask {
            return Ok(ask.into());
        }
        let arguments = params.arguments.unwrap_or_default();
        let answer: GetPromptResult =
            prompt.answer(&texts(&arguments)).map_err(|error| invalid_fixture(&error))?;
        Ok(answer.into())
    }
}

async fn send_progress(request: &RequestInfo) {
    for amount in [0, 50, 100] {
        if let Some(progress) = &request.progress {
            // Send errors are ignored, because the client need not listen for progress.
            let _ = progress.send((amount, format!("{amount} of 100"))).await;
        }
        tokio::time::sleep(BETWEEN_MESSAGES).await;
    }
}

fn texts(arguments: &JsonObject) -> Vec<(&str, &str)> {
    arguments.iter().filter_map(|(name, value)| Some((name.as_str(), value.as_str()?))).collect()
}

fn unknown(name: &str) -> ErrorData {
    ErrorData::invalid_params(format!("unknown: {name}"), None)
}

fn invalid_fixture(error: &serde_json::Error) -> ErrorData {
    ErrorData::internal_error(format!("catalog.json: {error}"), None)
}
