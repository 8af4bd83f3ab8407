//! Speaks MCP for an offering.

use std::{borrow::Cow, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures::FutureExt;
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CacheScope, CallToolRequestParams, CallToolResponse, CallToolResult, CompleteRequestParams,
        CompleteResult, ContentBlock, DiscoverResult, GetPromptRequestParams, GetPromptResponse,
        InitializeRequestParams, InitializeResult, ListPromptsResult, ListResourceTemplatesResult,
        ListResourcesResult, ListToolsResult, PaginatedRequestParams, ProtocolVersion,
        ReadResourceRequestParams, ReadResourceResponse, ServerConfig, Tool,
    },
    service::RequestContext,
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{
    Offering, Request,
    ended::Ended,
    progress::forwarding,
    request::{is_stateless, only_page},
    rounds,
};
use crate::{callers::Caller, tool::Narrowing};

/// The revisions that are spoken, oldest first. The last has no handshake and no sessions.
pub const SUPPORTED: &[ProtocolVersion] = &[
    ProtocolVersion::V_2025_03_26,
    ProtocolVersion::V_2025_06_18,
    ProtocolVersion::V_2025_11_25,
    ProtocolVersion::V_2026_07_28,
];

/// How long a client may keep what `server/discover` says.
const DISCOVERED_FOR: u64 = 3_600_000;
/// How long a client may keep a list. Lists change only with the settings.
const LISTED_FOR: u64 = 300_000;

tokio::task_local! {
    /// What the request being served is narrowed to; rmcp does not say for whom it asks.
    static NARROWED: Narrowing;
}

/// How requests are served, whatever is offered.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How long a call may take.
    pub call_timeout: Duration,
    /// Ends the calls that still run.
    pub stop: CancellationToken,
    /// The caller of requests that do not come over HTTP.
    pub local: Option<Caller>,
    /// Whether clients of the revisions with sessions have one, on which they can be asked.
    pub sessions: bool,
}

/// Speaks MCP for an offering. One is made for each request; all share what they serve.
pub struct Protocol<O>(Arc<Inner<O>>);

struct Inner<O> {
    offering: O,
    info: ServerConfig,
    settings: Settings,
}

impl<O> std::fmt::Debug for Protocol<O> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Protocol")
    }
}

impl<O> Clone for Protocol<O> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<O: Offering> Protocol<O> {
    /// Calls a tool, once. Boxed, since it is large and is handed through every layer.
    async fn one_round(
        &self,
        params: CallToolRequestParams,
        mut request: Request,
        context: &RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let (progress, told) = mpsc::channel(16);
        request.progress = Some(progress);
        let call = Box::pin(self.0.offering.call(params, request));
        let work = forwarding(told, context, call);
        match self.within_limits(context, work).await {
            // A call that took too long is the call's failure, which the model should see.
            Err(ended @ Ended::TookTooLong(_)) => {
                let message = ErrorData::from(ended).message;
                Ok(CallToolResult::error(vec![ContentBlock::text(message)]).into())
            }
            ended => Ok(ended?),
        }
    }

    /// Serves this.
    pub fn new(offering: O, settings: Settings) -> Self {
        let info = offering.info();
        Self(Arc::new(Inner { offering, info, settings }))
    }

    /// Serves a request that is narrowed so.
    pub fn narrowed<T>(
        narrowing: Narrowing,
        work: impl Future<Output = T>,
    ) -> impl Future<Output = T> {
        NARROWED.scope(narrowing, work)
    }

    /// What the server says of itself to this request.
    fn info_for(&self, context: &RequestContext<RoleServer>) -> Result<ServerConfig, ErrorData> {
        let mut info = self.0.info.clone();
        info.instructions = self.0.offering.instructions(&self.request(context)?);
        Ok(info)
    }

    /// What is served.
    pub fn offering(&self) -> &O {
        &self.0.offering
    }

    fn request(&self, context: &RequestContext<RoleServer>) -> Result<Request, ErrorData> {
        let Settings { local, sessions, .. } = &self.0.settings;
        Request::of(context, local.as_ref(), *sessions).ok_or_else(|| {
            tracing::error!("a request came without a caller");
            ErrorData::internal_error("the request has no caller; please report this", None)
        })
    }

    /// Ends what takes too long, what nobody waits for any more, and what a stopping server
    /// cannot finish; and lets a bug in one request be the end of that request alone.
    async fn within_limits<T>(
        &self,
        context: &RequestContext<RoleServer>,
        work: impl Future<Output = Result<T, ErrorData>> + Send,
    ) -> Result<T, Ended> {
        let work = AssertUnwindSafe(Box::pin(work)).catch_unwind();
        tokio::select! {
            biased;
            () = context.ct.cancelled() => Err(Ended::Cancelled),
            answer = tokio::time::timeout(self.0.settings.call_timeout, work) => match answer {
                Ok(Ok(answer)) => answer.map_err(Ended::Refused),
                Ok(Err(_)) => Err(Ended::Broken),
                Err(_) => Err(Ended::TookTooLong(self.0.settings.call_timeout)),
            },
            () = self.0.settings.stop.cancelled() => Err(Ended::Stopping),
        }
    }
}

/// The stateless era asks for caching hints on lists; earlier ones do not know them.
macro_rules! list {
    ($result:ty, $items:expr, $request:expr) => {{
        let list = <$result>::with_all_items($items);
        if is_stateless(&$request.version) {
            // What is listed depends on who asks.
            Ok(list.with_ttl_ms(LISTED_FOR).with_cache_scope(CacheScope::Private))
        } else {
            Ok(list)
        }
    }};
}

impl<O: Offering> ServerHandler for Protocol<O> {
    fn get_info(&self) -> ServerConfig {
        self.0.info.clone()
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        Cow::Borrowed(SUPPORTED)
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.0.offering.tool(name, &NARROWED.try_with(Narrowing::clone).unwrap_or_default())
    }

    async fn initialize(
        &self,
        request: InitializeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<InitializeResult, ErrorData> {
        context.peer.set_peer_info(request.clone());
        let mut result = self.negotiate_initialize(&request)?;
        result.instructions = self.info_for(&context)?.instructions;
        Ok(result)
    }

    async fn discover(
        &self,
        context: RequestContext<RoleServer>,
    ) -> Result<DiscoverResult, ErrorData> {
        Ok(DiscoverResult::from_server_info(SUPPORTED.to_vec(), self.info_for(&context)?)
            .with_ttl_ms(DISCOVERED_FOR)
            .with_cache_scope(CacheScope::Private))
    }

    async fn list_tools(
        &self,
        params: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        only_page(params)?;
        let request = self.request(&context)?;
        let listing = self.0.offering.tools(request.clone()).map(Ok);
        let tools = self.within_limits(&context, listing).await?;
        list!(ListToolsResult, tools, request)
    }

    async fn call_tool(
        &self,
        mut params: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let request = self.request(&context)?;
        let can_ask = request.can_ask && !request.is_stateless();
        let asked = match self.one_round(params.clone(), request.clone(), &context).await? {
            CallToolResponse::InputRequired(required) if can_ask => required,
            answer => return Ok(answer),
        };
        // Earlier revisions ask on the stream of the call, which then goes on as if it had come
        // again with the answers.
        let (responses, state) = rounds::ask(asked, &context, &self.0.settings.stop).await?;
        params.input_responses = Some(responses);
        params.request_state = state;
        self.one_round(params, request, &context).await
    }

    async fn list_resources(
        &self,
        params: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        only_page(params)?;
        let request = self.request(&context)?;
        let listing = self.0.offering.resources(request.clone());
        let resources = self.within_limits(&context, listing).await?;
        list!(ListResourcesResult, resources, request)
    }

    async fn list_resource_templates(
        &self,
        params: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        only_page(params)?;
        let request = self.request(&context)?;
        let listing = self.0.offering.resource_templates(request.clone()).map(Ok);
        let templates = self.within_limits(&context, listing).await?;
        list!(ListResourceTemplatesResult, templates, request)
    }

    async fn read_resource(
        &self,
        params: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let request = self.request(&context)?;
        let read = self.0.offering.read(params.uri, request);
        Ok(self.within_limits(&context, read).await?)
    }

    async fn list_prompts(
        &self,
        params: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        only_page(params)?;
        let request = self.request(&context)?;
        list!(ListPromptsResult, self.0.offering.prompts(&request), request)
    }

    async fn get_prompt(
        &self,
        params: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let request = self.request(&context)?;
        let prompt = self.0.offering.prompt(params, request);
        Ok(self.within_limits(&context, prompt).await?)
    }

    async fn complete(
        &self,
        params: CompleteRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        let request = self.request(&context)?;
        let complete = self.0.offering.complete(params, request);
        Ok(self.within_limits(&context, complete).await?)
    }
}
