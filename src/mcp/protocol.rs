//! [`Protocol`]: serves an [`McpProvider`] over MCP, with time limits, cancellation and shutdown.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use futures::FutureExt;
use rmcp::{
    ErrorData, RoleServer,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ProtocolVersion,
        ServerConfig,
    },
    service::RequestContext,
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{
    McpProvider, RequestContext as Resolved, RequestInfo,
    operation::{self, OperationInfo},
    progress::forward_progress,
    request_failure::RequestFailure,
};
use crate::{access::RequestScope, auth::Caller, telemetry::Metrics};

/// The supported MCP revisions, oldest first. 2026-07-28 has no handshake and no sessions.
pub const SUPPORTED: &[ProtocolVersion] = &[
    ProtocolVersion::V_2025_03_26,
    ProtocolVersion::V_2025_06_18,
    ProtocolVersion::V_2025_11_25,
    ProtocolVersion::V_2026_07_28,
];

tokio::task_local! {
    /// The context of the current HTTP request. rmcp requests the definition of a tool without
    /// passing the request.
    pub(super) static CONTEXT: Arc<Resolved>;
}

/// Settings of [`Protocol`] that do not depend on the provider.
#[derive(Debug, Clone)]
pub struct ProtocolSettings {
    /// Time limit of one request.
    pub call_timeout: Duration,
    /// Ends running requests when it is cancelled.
    pub stop: CancellationToken,
    /// Caller of requests without HTTP (stdio). `None` rejects such requests.
    pub local_caller: Option<Caller>,
    /// `true` if clients of revisions with sessions get a session, which elicitation requires.
    pub sessions: bool,
    /// Metrics recorder.
    pub metrics: Metrics,
}

/// Serves a provider over MCP. rmcp clones it for each request or session; clones share the
/// provider.
pub struct Protocol<O>(Arc<ArcSwap<Inner<O>>>);

pub(super) struct Inner<O> {
    pub(super) provider: O,
    pub(super) info: ServerConfig,
    pub(super) settings: ProtocolSettings,
}

impl<O: McpProvider> Inner<O> {
    fn new(provider: O, settings: ProtocolSettings) -> Self {
        Self { info: provider.info(), provider, settings }
    }
}

/// A snapshot of the current provider, which a later replacement does not change.
pub struct ProviderSnapshot<O>(Arc<Inner<O>>);

impl<O> std::ops::Deref for ProviderSnapshot<O> {
    type Target = O;

    fn deref(&self) -> &O {
        &self.0.provider
    }
}

impl<O> std::fmt::Debug for ProviderSnapshot<O> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Offered")
    }
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

impl<O: McpProvider> Protocol<O> {
    /// Calls the tool once, without elicitation. A timeout becomes a tool result with `isError`.
    pub(super) async fn call_once(
        &self,
        params: CallToolRequestParams,
        mut request: RequestInfo,
        context: &RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let (progress, updates) = mpsc::channel(16);
        request.progress = Some(progress);
        let current = self.current();
        // Boxed, because the future is large and every layer would copy it.
        let call = Box::pin(current.provider.call_tool(params, request));
        let work = forward_progress(updates, context, call);
        match self.within_limits(context, work).await {
            // A tool result, because the model does not see protocol errors.
            Err(ended @ RequestFailure::TimedOut(_)) => {
                let message = ErrorData::from(ended).message;
                Ok(CallToolResult::error(vec![ContentBlock::text(message)]).into())
            }
            ended => Ok(ended?),
        }
    }

    /// Creates a protocol handler for this provider.
    pub fn new(provider: O, settings: ProtocolSettings) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(Inner::new(provider, settings))))
    }

    /// Runs `work`, which serves the HTTP request that has this context.
    pub fn with_context<T>(
        context: Arc<Resolved>,
        work: impl Future<Output = T>,
    ) -> impl Future<Output = T> {
        CONTEXT.scope(context, work)
    }

    /// Returns the server info with the instructions for this request.
    pub(super) fn server_info(
        &self,
        context: &RequestContext<RoleServer>,
    ) -> Result<ServerConfig, ErrorData> {
        let current = self.current();
        let mut info = current.info.clone();
        info.instructions = current.provider.instructions(&self.request(context)?);
        Ok(info)
    }

    /// Returns the current provider.
    pub fn provider(&self) -> ProviderSnapshot<O> {
        ProviderSnapshot(self.current())
    }

    /// Replaces the provider and settings. Running requests end with the old ones; the next request
    /// of every session uses the new ones.
    pub fn replace_provider(&self, provider: O, settings: ProtocolSettings) {
        self.0.store(Arc::new(Inner::new(provider, settings)));
    }

    pub(super) fn current(&self) -> Arc<Inner<O>> {
        self.0.load_full()
    }

    /// Parses the context of a request.
    ///
    /// # Errors
    ///
    /// An internal error if the request has no caller, which is a bug in the HTTP layers.
    pub(super) fn request(
        &self,
        context: &RequestContext<RoleServer>,
    ) -> Result<RequestInfo, ErrorData> {
        let current = self.current();
        let ProtocolSettings { local_caller: local, sessions, .. } = &current.settings;
        let local_context = || {
            let caller = local.clone()?;
            Some(current.provider.resolve(caller, RequestScope::default()))
        };
        RequestInfo::from_context(context, local_context, *sessions).ok_or_else(|| {
            tracing::error!("request has no authenticated caller");
            ErrorData::internal_error("the request has no caller; please report this", None)
        })
    }

    /// Runs the work of a request with a span and metrics.
    pub(super) async fn instrumented<T>(
        &self,
        method: &'static str,
        context: &RequestContext<RoleServer>,
        work: impl Future<Output = Result<T, ErrorData>> + Send,
    ) -> Result<T, ErrorData> {
        let operation = OperationInfo::method(method);
        operation::instrument(&self.current().settings.metrics, operation, context, |_| false, work)
            .await
    }

    /// Runs work until it ends, the client cancels it, its time limit passes or the server stops.
    ///
    /// Catches panics, so that a panic in one request does not end other requests.
    pub(super) async fn within_limits<T>(
        &self,
        context: &RequestContext<RoleServer>,
        work: impl Future<Output = Result<T, ErrorData>> + Send,
    ) -> Result<T, RequestFailure> {
        let settings = &self.current().settings;
        let work = AssertUnwindSafe(Box::pin(work)).catch_unwind();
        tokio::select! {
            biased;
            () = context.ct.cancelled() => Err(RequestFailure::Cancelled),
            answer = tokio::time::timeout(settings.call_timeout, work) => match answer {
                Ok(Ok(answer)) => answer.map_err(RequestFailure::Provider),
                Ok(Err(_)) => Err(RequestFailure::Panicked),
                Err(_) => Err(RequestFailure::TimedOut(settings.call_timeout)),
            },
            () = settings.stop.cancelled() => Err(RequestFailure::Stopping),
        }
    }
}
