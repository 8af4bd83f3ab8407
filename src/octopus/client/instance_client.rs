//! One Octopus instance: its connections, limits and caches, and the requests that are sent to it.

use std::{sync::Arc, time::Duration};

use backon::{ExponentialBuilder, Retryable};
use bytes::Bytes;
use futures::Stream;
use http::{
    HeaderValue,
    header::{ACCEPT, USER_AGENT},
};
use moka::future::Cache;
use url::Url;

use super::{
    breaker::Requester,
    budget::{MemoryBudget, ResponseMemory},
    change_request::{ChangeRequest, RawResponse, WriteMethod, reject_html},
    coalescing::{RequestCoalescer, SizeLimit},
    credentials::{Credentials, Fingerprint},
    error::Error,
    path::ApiPath,
    request_limiter::TransferMode,
    session::Session,
    transport::{PendingResponse, RequestMeta, Transport},
    version::OctopusVersion,
};
use crate::{
    compute::ComputePool,
    config,
    octopus::model::{change_response::ChangeResponse, llms_txt, space::SpaceIdentity},
    telemetry::Metrics,
};

/// Client of one Octopus instance. Cheap to clone; all clones share one connection pool.
#[derive(Debug, Clone)]
pub struct Client(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    transport: Arc<Transport>,
    limits: Limits,
    coalescer: RequestCoalescer,
    /// Spaces by caller fingerprint and the lower-cased text that the caller wrote.
    spaces: Cache<(Fingerprint, String), SpaceIdentity>,
    version: Cache<(), OctopusVersion>,
    llms_txt: llms_txt::LlmsTxtCache,
    compute: ComputePool,
    parsed: MemoryBudget,
}

#[derive(Debug)]
struct Limits {
    retries: u32,
    retry_after: Duration,
    response: usize,
    execute: usize,
}

/// Memory that is reserved for the response to a change before the change is sent. Most responses
/// are smaller. The reservations of all concurrent changes of one caller stay below a caller's
/// share.
const CHANGE_RESPONSE_RESERVE: usize = 256 * 1024;

/// Maximum number of cached spaces, over all callers.
const MAX_CACHED_SPACES: u64 = 10_000;
/// Time for which the version of the instance is cached.
const VERSION_TTL: Duration = Duration::from_mins(10);

impl Client {
    /// Creates the client of the instance at `url`, known to this server as `name`. CPU-bound work
    /// on responses runs in `compute`; large responses are read within `memory`. Sends nothing yet.
    pub fn new(
        name: &str,
        url: Url,
        settings: &config::InstanceSettings,
        metrics: &Metrics,
        compute: &ComputePool,
        memory: &ResponseMemory,
    ) -> Result<Self, String> {
        let transport = Arc::new(Transport::new(name, url, settings, memory.bodies(), metrics)?);
        let limits = Limits {
            retries: settings.retries,
            retry_after: settings.retry_after_limit.0,
            response: settings.response_limit.0,
            execute: settings.execute_limit.0.min(settings.response_limit.0),
        };
        let spaces = Cache::builder()
            .max_capacity(MAX_CACHED_SPACES)
            .time_to_live(settings.space_cache.0)
            .support_invalidation_closures()
            .build();
        let version = Cache::builder().max_capacity(1).time_to_live(VERSION_TTL).build();
        let (reads, llms_txt) = (RequestCoalescer::new(metrics), llms_txt::cache());
        let (compute, parsed) = (compute.clone(), memory.parsed().clone());
        let inner = Inner {
            transport,
            limits,
            coalescer: reads,
            spaces,
            version,
            llms_txt,
            compute,
            parsed,
        };
        Ok(Self(Arc::new(inner)))
    }

    /// Returns the base URL of the instance.
    pub fn url(&self) -> &Url {
        self.0.transport.url()
    }

    /// Returns whether the circuit breaker rejects the requests of all callers now.
    pub fn is_paused(&self) -> bool {
        self.0.transport.is_paused_for_all()
    }

    /// Returns whether the instance accepted this credential of this caller within the last hour,
    /// or the operator configured it.
    pub fn is_proven(&self, caller: Fingerprint, credentials: &Credentials) -> bool {
        let fingerprint = Session::fingerprint_of(caller, credentials);
        let is_configured = credentials.is_configured();
        self.0.transport.is_proven(Requester { fingerprint, is_configured })
    }

    pub(in crate::octopus) fn metrics(&self) -> &Metrics {
        self.0.transport.metrics()
    }

    /// Returns the pool for CPU-bound work, which all instances share.
    pub(in crate::octopus) fn compute(&self) -> &ComputePool {
        &self.0.compute
    }

    /// Returns the memory budget for parsed documents, which all instances share.
    pub(in crate::octopus) fn parsed_memory(&self) -> &MemoryBudget {
        &self.0.parsed
    }

    pub(in crate::octopus) fn transport(&self) -> &Arc<Transport> {
        &self.0.transport
    }

    pub(in crate::octopus) fn spaces(&self) -> &Cache<(Fingerprint, String), SpaceIdentity> {
        &self.0.spaces
    }

    pub(in crate::octopus) fn version(&self) -> &Cache<(), OctopusVersion> {
        &self.0.version
    }

    pub(in crate::octopus) fn llms_txt(&self) -> &llms_txt::LlmsTxtCache {
        &self.0.llms_txt
    }

    /// Reads a complete response. Transient failures are retried, and identical concurrent reads of
    /// one session share one request.
    pub(in crate::octopus) async fn read_response(
        &self,
        session: &Session,
        path: &ApiPath,
        size: SizeLimit,
    ) -> Result<RawResponse, Error> {
        let limit = match size {
            SizeLimit::Response => self.0.limits.response,
            SizeLimit::Execute => self.0.limits.execute,
        };
        let (client, theirs, asked) = (self.clone(), session.clone(), path.clone());
        // Validate before sharing, because the path is part of the coalescing key.
        path.url_at(self.url())?;
        // Boxed, because the large future would become part of every caller's future.
        let read = Box::pin(async move {
            let attempt = || async {
                let begun = client.send_read(&theirs, &asked, TransferMode::Buffered).await?;
                client.0.transport.read_body(begun, theirs.fingerprint(), limit).await
            };
            client.with_retries(theirs.requester(), attempt).await
        });
        // Reads with different size limits can end differently, so the limit is part of the key.
        self.0.coalescer.run(session.fingerprint(), format!("{limit} {path}"), read).await
    }

    /// Streams a response of any size. Dropping the stream aborts the download.
    pub(in crate::octopus) async fn stream(
        &self,
        session: &Session,
        path: &ApiPath,
    ) -> Result<impl Stream<Item = Result<Bytes, Error>> + Send + Unpin + use<>, Error> {
        let attempt = || self.send_read(session, path, TransferMode::Stream);
        let begun = self.with_retries(session.requester(), attempt).await?;
        reject_html(&begun.content_type(), &path.route())?;
        Ok(self.0.transport.stream_body(begun))
    }

    async fn with_retries<T, F>(
        &self,
        requester: Requester,
        attempt: impl FnMut() -> F,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let limits = &self.0.limits;
        let pauses = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(100))
            .with_max_delay(Duration::from_secs(2))
            .with_max_times(limits.retries as usize)
            .with_jitter();
        attempt
            .retry(pauses)
            // If the breaker opened meanwhile, return the original error: it says more than the
            // breaker's.
            .when(|error| error.is_retryable() && !self.0.transport.is_paused(requester))
            .adjust(|error, pause| match error {
                // Octopus asks for a longer wait than `retry_after_limit`: return the error to the
                // caller.
                Error::RateLimited { retry_after: Some(wait) } if *wait > limits.retry_after => {
                    None
                }
                Error::RateLimited { retry_after: Some(wait) } => pause.map(|p| p.max(*wait)),
                _ => pause,
            })
            .notify(|error, pause| tracing::debug!(%error, ?pause, "request retried"))
            .await
    }

    /// Sends a change request once, then reads and parses the whole response.
    pub(in crate::octopus) async fn send_change(
        &self,
        session: &Session,
        order: &ChangeRequest,
    ) -> Result<ChangeResponse, Error> {
        let method = match order.method {
            WriteMethod::Post => http::Method::POST,
            WriteMethod::Put => http::Method::PUT,
            WriteMethod::Patch => http::Method::PATCH,
            WriteMethod::Delete => http::Method::DELETE,
        };
        let transport = &self.0.transport;
        let mut request =
            transport.write_client.request(method, order.path.url_at(transport.url())?);
        if let Some(body) = &order.body {
            request = request.json(body);
        }
        let (whose, limit) = (session.fingerprint(), self.0.limits.response);
        let came = async {
            let memory = transport.reserve(whose, CHANGE_RESPONSE_RESERVE, limit).await?;
            let begun = self.send(session, &order.path, TransferMode::Buffered, request).await;
            let begun = begun.map_err(|error| match error {
                // Something in the body may be missing, so Octopus's message says more than the
                // path.
                Error::NotFound { wanted: message, .. } => {
                    let message = format!("{}: {message}", order.path.display_path());
                    Error::Rejected { status: 404, message }
                }
                error => error,
            })?;
            let begun = begun.with_memory(memory);
            let (answer, memory) = transport.read_body_with_memory(begun, whose, limit).await?;
            session.hold_memory(memory);
            reject_html(&answer.content_type, &order.path.route())?;
            // The change is made; exhausted compute time of the call must not hide that.
            session.with_fresh_compute().parse_change_response(answer, order.path.route()).await
        };
        let came = came.await;
        self.0.coalescer.invalidate(session.fingerprint());
        came
    }

    async fn send_read(
        &self,
        session: &Session,
        path: &ApiPath,
        kind: TransferMode,
    ) -> Result<PendingResponse, Error> {
        let transport = &self.0.transport;
        let request = transport.read_client.get(path.url_at(transport.url())?);
        let begun = self.send(session, path, kind, request).await;
        begun.map_err(|error| match error {
            // Octopus does not name the missing resource, so the error names the path.
            Error::NotFound { noun, place, near, .. } => {
                Error::NotFound { noun, wanted: path.display_path(), place, near }
            }
            error => error,
        })
    }

    /// Sends a request with the credentials of the session, and reads the status and headers of the
    /// response.
    async fn send(
        &self,
        session: &Session,
        path: &ApiPath,
        kind: TransferMode,
        mut request: reqwest::RequestBuilder,
    ) -> Result<PendingResponse, Error> {
        request = request
            .header(
                ACCEPT,
                HeaderValue::from_static("application/json, text/plain;q=0.9, */*;q=0.1"),
            )
            .header(USER_AGENT, session.user_agent());
        let credentials = session.credentials();
        if let Some((name, value)) = credentials.header() {
            request = request.header(name, value);
        }
        let outgoing = RequestMeta {
            requester: session.requester(),
            mode: kind,
            route: &path.route(),
            proves_credential: path.proves_credential(),
        };
        let begun = self.0.transport.send(outgoing, request).await;
        if let Err(Error::Unauthorized { .. }) = &begun {
            credentials.mark_rejected();
        }
        begun
    }
}
