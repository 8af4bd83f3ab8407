//! The MCP methods: rmcp's `ServerHandler` for [`Protocol`].
//!
//! Each method reads the request's context, runs the provider within the time limit and records a
//! span and metrics ([`operation`]).

use std::{borrow::Cow, sync::Arc};

use futures::FutureExt;
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CacheScope, CallToolRequestParams, CallToolResponse, CancelledNotificationParam,
        CompleteRequestParams, CompleteResult, CustomNotification, CustomRequest, CustomResult,
        DiscoverResult, ErrorCode, GetPromptRequestParams, GetPromptResponse,
        InitializeRequestParams, InitializeResult, ListPromptsResult, ListResourceTemplatesResult,
        ListResourcesResult, ListToolsResult, PaginatedRequestParams, ProgressNotificationParam,
        ProtocolVersion, ReadResourceRequestParams, ReadResourceResponse, ServerConfig,
        SubscribeRequestParams, Tool, UnsubscribeRequestParams,
    },
    service::{NotificationContext, RequestContext},
};

use super::{
    McpProvider, Protocol, ResourcePage, elicitation,
    operation::{self, OperationInfo},
    protocol::{CONTEXT, SUPPORTED},
    request::{is_stateless, reject_cursor},
    resource_pages,
};
use crate::telemetry::OTHER;

/// Time for which a client can cache the result of `server/discover`, in milliseconds.
const DISCOVER_TTL_MS: u64 = 3_600_000;
/// Time for which a client can cache a list, in milliseconds. Lists change only with the settings.
const LIST_TTL_MS: u64 = 300_000;

/// Returns a list result. The stateless revision adds caching hints, which earlier revisions lack.
macro_rules! list_result {
    ($result:ty, $items:expr, $request:expr) => {{
        let list = <$result>::with_all_items($items);
        if is_stateless(&$request.version) {
            // Private, because the list depends on the caller.
            Ok(list.with_ttl_ms(LIST_TTL_MS).with_cache_scope(CacheScope::Private))
        } else {
            Ok(list)
        }
    }};
}

/// Implements notifications that only add a span and metrics. rmcp passes notifications on in
/// sessions only.
macro_rules! ignored_notifications {
    ($($hook:ident($($Params:ty)?) = $method:expr;)+) => { $(
        async fn $hook(&self, $(_: $Params,)? context: NotificationContext<RoleServer>) {
            let (metrics, operation) = (&self.current().settings.metrics, OperationInfo::method($method));
            let no_work = std::future::ready(Ok(()));
            let _ = operation::instrument(metrics, operation, &context, |()| false, no_work).await;
        }
    )+ };
}

/// Implements requests that are rejected with "method not found".
macro_rules! unsupported_methods {
    ($($hook:ident($Params:ty) = $method:literal;)+) => { $(
        async fn $hook(
            &self,
            _: $Params,
            context: RequestContext<RoleServer>,
        ) -> Result<(), ErrorData> {
            self.reject_method($method, $method.to_owned(), &context).await
        }
    )+ };
}

impl<O: McpProvider> Protocol<O> {
    /// Rejects an unsupported method with -32601 and records a span and metrics.
    ///
    /// `method` is the name for metrics, `requested` the name that the client sent.
    async fn reject_method<T>(
        &self,
        method: &'static str,
        requested: String,
        context: &RequestContext<RoleServer>,
    ) -> Result<T, ErrorData>
    where
        T: Send,
    {
        let error = ErrorData::new(ErrorCode::METHOD_NOT_FOUND, requested, None);
        self.instrumented(method, context, std::future::ready(Err(error))).await
    }
}

impl<O: McpProvider> ServerHandler for Protocol<O> {
    fn get_info(&self) -> ServerConfig {
        self.current().info.clone()
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        Cow::Borrowed(SUPPORTED)
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        let context = CONTEXT.try_with(Arc::clone).ok();
        self.current().provider.tool(name, context.as_deref())
    }

    async fn initialize(
        &self,
        params: InitializeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<InitializeResult, ErrorData> {
        let work = async {
            context.peer.set_peer_info(params.clone());
            let mut result = self.negotiate_initialize(&params)?;
            result.instructions = self.server_info(&context)?.instructions;
            Ok(result)
        };
        self.instrumented("initialize", &context, work).await
    }

    async fn discover(
        &self,
        context: RequestContext<RoleServer>,
    ) -> Result<DiscoverResult, ErrorData> {
        let work = async {
            let info = self.server_info(&context)?;
            Ok(DiscoverResult::from_server_info(SUPPORTED.to_vec(), info)
                .with_ttl_ms(DISCOVER_TTL_MS)
                .with_cache_scope(CacheScope::Private))
        };
        self.instrumented("server/discover", &context, work).await
    }

    async fn ping(&self, context: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        self.instrumented("ping", &context, std::future::ready(Ok(()))).await
    }

    async fn list_tools(
        &self,
        params: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let work = async {
            reject_cursor(params)?;
            let request = self.request(&context)?;
            let current = self.current();
            let listing = current.provider.tools(request.clone()).map(Ok);
            let tools = self.within_limits(&context, listing).await?;
            list_result!(ListToolsResult, tools, request)
        };
        self.instrumented("tools/list", &context, work).await
    }

    async fn call_tool(
        &self,
        mut params: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let tool = self.current().provider.tool_name(&params);
        let operation = OperationInfo { tool, ..OperationInfo::method("tools/call") };
        let work = async {
            let request = self.request(&context)?;
            let can_ask = request.can_elicit && !request.is_stateless();
            let required = match self.call_once(params.clone(), request.clone(), &context).await? {
                CallToolResponse::InputRequired(required) if can_ask => required,
                answer => return Ok(answer),
            };
            // In earlier revisions, elicitation uses the stream of the call. The call then runs a
            // second time with the responses, as if the client had repeated it.
            let (responses, state) =
                elicitation::elicit_all(required, &context, &self.current().settings.stop).await?;
            params.input_responses = Some(responses);
            params.request_state = state;
            self.call_once(params, request, &context).await
        };
        let is_error = |answer: &CallToolResponse| matches!(answer, CallToolResponse::Complete(result) if result.is_error == Some(true));
        operation::instrument(&self.current().settings.metrics, operation, &context, is_error, work)
            .await
    }

    async fn list_resources(
        &self,
        params: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let work = async {
            let skip = resource_pages::parse_cursor(params)?;
            let request = self.request(&context)?;
            let current = self.current();
            let listing = current.provider.resources(skip, request.clone());
            let ResourcePage { resources, next } = self.within_limits(&context, listing).await?;
            list_result!(ListResourcesResult, resources, request).map(|mut list| {
                list.next_cursor = next;
                list
            })
        };
        self.instrumented("resources/list", &context, work).await
    }

    async fn list_resource_templates(
        &self,
        params: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let work = async {
            reject_cursor(params)?;
            let request = self.request(&context)?;
            let current = self.current();
            let listing = current.provider.resource_templates(request.clone()).map(Ok);
            let templates = self.within_limits(&context, listing).await?;
            list_result!(ListResourceTemplatesResult, templates, request)
        };
        self.instrumented("resources/templates/list", &context, work).await
    }

    async fn read_resource(
        &self,
        params: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let uri = params.uri.clone();
        let work = async {
            let request = self.request(&context)?;
            let current = self.current();
            let read = current.provider.read_resource(params.uri, request);
            Ok(self.within_limits(&context, read).await?)
        };
        let operation =
            OperationInfo { uri: Some(&uri), ..OperationInfo::method("resources/read") };
        operation::instrument(
            &self.current().settings.metrics,
            operation,
            &context,
            |_| false,
            work,
        )
        .await
    }

    async fn list_prompts(
        &self,
        params: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        let work = async {
            reject_cursor(params)?;
            let request = self.request(&context)?;
            list_result!(ListPromptsResult, self.current().provider.prompts(&request), request)
        };
        self.instrumented("prompts/list", &context, work).await
    }

    async fn get_prompt(
        &self,
        params: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let prompt = self.current().provider.prompt_name(&params);
        let operation = OperationInfo { prompt, ..OperationInfo::method("prompts/get") };
        let work = async {
            let request = self.request(&context)?;
            let current = self.current();
            let prompt = current.provider.get_prompt(params, request);
            Ok(self.within_limits(&context, prompt).await?)
        };
        operation::instrument(
            &self.current().settings.metrics,
            operation,
            &context,
            |_| false,
            work,
        )
        .await
    }

    async fn complete(
        &self,
        params: CompleteRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        let work = async {
            let request = self.request(&context)?;
            let current = self.current();
            let complete = current.provider.complete(params, request);
            Ok(self.within_limits(&context, complete).await?)
        };
        self.instrumented("completion/complete", &context, work).await
    }

    async fn on_custom_request(
        &self,
        request: CustomRequest,
        context: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        self.reject_method(operation::metric_method(&request.method), request.method, &context)
            .await
    }

    #[expect(deprecated, reason = "clients of earlier revisions still call it")]
    async fn set_level(
        &self,
        _: rmcp::model::SetLevelRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.reject_method("logging/setLevel", "logging/setLevel".to_owned(), &context).await
    }

    unsupported_methods! {
        subscribe(SubscribeRequestParams) = "resources/subscribe";
        unsubscribe(UnsubscribeRequestParams) = "resources/unsubscribe";
    }

    ignored_notifications! {
        on_cancelled(CancelledNotificationParam) = "notifications/cancelled";
        on_custom_notification(CustomNotification) = OTHER;
        on_initialized() = "notifications/initialized";
        on_progress(ProgressNotificationParam) = "notifications/progress";
        on_roots_list_changed() = "notifications/roots/list_changed";
    }
}
