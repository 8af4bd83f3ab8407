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
    Offering, Request, RequestContext as Resolved,
    ended::Ended,
    operation::{self, About},
    progress::forwarding,
};
use crate::{callers::Caller, telemetry::Metrics, tool::Narrowing};

/// The supported MCP revisions, oldest first. 2026-07-28 has no handshake and no sessions.
pub const SUPPORTED: &[ProtocolVersion] = &[
    ProtocolVersion::V_2025_03_26,
    ProtocolVersion::V_2025_06_18,
    ProtocolVersion::V_2025_11_25,
    ProtocolVersion::V_2026_07_28,
];

tokio::task_local! {
    /// The context of the HTTP request that is served. rmcp asks for the definition of a tool without
    /// passing the request.
    pub(super) static CONTEXT: Arc<Resolved>;
}

/// Settings of [`Protocol`] that do not depend on the provider.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Time limit of one request.
    pub call_timeout: Duration,
    /// Ends running requests when it is cancelled.
    pub stop: CancellationToken,
    /// Caller of requests without HTTP (stdio). `None` rejects such requests.
    pub local: Option<Caller>,
    /// Whether clients of revisions with sessions get a session, which elicitation requires.
    pub sessions: bool,
    /// Metrics recorder.
    pub metrics: Metrics,
}

/// Serves a provider over MCP. rmcp clones it for each request or session; clones share the
/// provider.
pub struct Protocol<O>(Arc<ArcSwap<Inner<O>>>);

pub(super) struct Inner<O> {
    pub(super) offering: O,
    pub(super) info: ServerConfig,
    pub(super) settings: Settings,
}

impl<O: Offering> Inner<O> {
    fn new(offering: O, settings: Settings) -> Self {
        Self { info: offering.info(), offering, settings }
    }
}

/// A snapshot of the current provider, which a later replacement does not change.
pub struct Offered<O>(Arc<Inner<O>>);

impl<O> std::ops::Deref for Offered<O> {
    type Target = O;

    fn deref(&self) -> &O {
        &self.0.offering
    }
}

impl<O> std::fmt::Debug for Offered<O> {
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

impl<O: Offering> Protocol<O> {
    /// Calls the tool once, without elicitation. A timeout becomes a tool result with `isError`.
    pub(super) async fn one_round(
        &self,
        params: CallToolRequestParams,
        mut request: Request,
        context: &RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let (progress, updates) = mpsc::channel(16);
        request.progress = Some(progress);
        let now = self.now();
        // Boxed, because the future is large and every layer would copy it.
        let call = Box::pin(now.offering.call(params, request));
        let work = forwarding(updates, context, call);
        match self.within_limits(context, work).await {
            // A tool result, because the model does not see protocol errors.
            Err(ended @ Ended::TookTooLong(_)) => {
                let message = ErrorData::from(ended).message;
                Ok(CallToolResult::error(vec![ContentBlock::text(message)]).into())
            }
            ended => Ok(ended?),
        }
    }

    /// Creates a protocol handler for this provider.
    pub fn new(offering: O, settings: Settings) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(Inner::new(offering, settings))))
    }

    /// Runs `work`, which serves the HTTP request that has this context.
    pub fn with_context<T>(
        context: Arc<Resolved>,
        work: impl Future<Output = T>,
    ) -> impl Future<Output = T> {
        CONTEXT.scope(context, work)
    }

    /// Returns the server info with the instructions for this request.
    pub(super) fn info_for(
        &self,
        context: &RequestContext<RoleServer>,
    ) -> Result<ServerConfig, ErrorData> {
        let now = self.now();
        let mut info = now.info.clone();
        info.instructions = now.offering.instructions(&self.request(context)?);
        Ok(info)
    }

    /// Returns the current provider.
    pub fn offering(&self) -> Offered<O> {
        Offered(self.now())
    }

    /// Replaces the provider and settings. Running requests end with the old ones; the next request
    /// of every session uses the new ones.
    pub fn serve_instead(&self, offering: O, settings: Settings) {
        self.0.store(Arc::new(Inner::new(offering, settings)));
    }

    pub(super) fn now(&self) -> Arc<Inner<O>> {
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
    ) -> Result<Request, ErrorData> {
        let now = self.now();
        let Settings { local, sessions, .. } = &now.settings;
        let local = || {
            let caller = local.clone()?;
            Some(now.offering.resolve(caller, Narrowing::default()))
        };
        Request::of(context, local, *sessions).ok_or_else(|| {
            tracing::error!("request without a caller");
            ErrorData::internal_error("the request has no caller; please report this", None)
        })
    }

    /// Runs the work of a request with a span and metrics.
    pub(super) async fn told<T>(
        &self,
        method: &'static str,
        context: &RequestContext<RoleServer>,
        work: impl Future<Output = Result<T, ErrorData>> + Send,
    ) -> Result<T, ErrorData> {
        let about = About::method(method);
        operation::told(&self.now().settings.metrics, about, context, |_| false, work).await
    }

    /// Runs work until it ends, the client cancels it, its time limit passes or the server stops.
    ///
    /// Catches panics, so that a bug in one request does not end the others.
    pub(super) async fn within_limits<T>(
        &self,
        context: &RequestContext<RoleServer>,
        work: impl Future<Output = Result<T, ErrorData>> + Send,
    ) -> Result<T, Ended> {
        let settings = &self.now().settings;
        let work = AssertUnwindSafe(Box::pin(work)).catch_unwind();
        tokio::select! {
            biased;
            () = context.ct.cancelled() => Err(Ended::Cancelled),
            answer = tokio::time::timeout(settings.call_timeout, work) => match answer {
                Ok(Ok(answer)) => answer.map_err(Ended::Refused),
                Ok(Err(_)) => Err(Ended::Broken),
                Err(_) => Err(Ended::TookTooLong(settings.call_timeout)),
            },
            () = settings.stop.cancelled() => Err(Ended::Stopping),
        }
    }
}
