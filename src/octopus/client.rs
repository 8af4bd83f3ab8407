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
    Answer, AnswerMemory, Credentials, Error, Fingerprint, MemoryBudget, Method, OctopusVersion,
    Order, Path, Reply, Session,
    breaker::Requester,
    llms_txt,
    order::no_page,
    places::Kind,
    reads::{Reads, Size},
    space::KnownSpace,
    transport::{Begun, Outgoing, Transport},
};
use crate::{compute::ComputePool, config, telemetry::Metrics};

/// Client of one Octopus instance. Cheap to clone; all clones share one connection pool.
#[derive(Debug, Clone)]
pub struct Client(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    transport: Arc<Transport>,
    limits: Limits,
    reads: Reads,
    /// Spaces by caller fingerprint and the lower-cased text that the caller wrote.
    spaces: Cache<(Fingerprint, String), KnownSpace>,
    version: Cache<(), OctopusVersion>,
    llms_txt: llms_txt::Kept,
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
const ORDER_ANSWER: usize = 256 * 1024;

/// Maximum number of cached spaces, over all callers.
const SPACES_KEPT: u64 = 10_000;
/// Time for which the version of the instance is cached.
const VERSION_KEPT: Duration = Duration::from_mins(10);

impl Client {
    /// Creates the client of the instance at `url`, known to this server as `name`. CPU-bound work
    /// on responses runs in `compute`; large responses are read within `memory`. Sends nothing yet.
    pub fn new(
        name: &str,
        url: Url,
        settings: &config::Instance,
        metrics: &Metrics,
        compute: &ComputePool,
        memory: &AnswerMemory,
    ) -> Result<Self, String> {
        let transport = Arc::new(Transport::new(name, url, settings, memory.bodies(), metrics)?);
        let limits = Limits {
            retries: settings.retries,
            retry_after: settings.retry_after_limit.0,
            response: settings.response_limit.0,
            execute: settings.execute_limit.0.min(settings.response_limit.0),
        };
        let spaces = Cache::builder()
            .max_capacity(SPACES_KEPT)
            .time_to_live(settings.space_cache.0)
            .support_invalidation_closures()
            .build();
        let version = Cache::builder().max_capacity(1).time_to_live(VERSION_KEPT).build();
        let (reads, llms_txt) = (Reads::new(metrics), llms_txt::cache());
        let (compute, parsed) = (compute.clone(), memory.parsed().clone());
        let inner = Inner { transport, limits, reads, spaces, version, llms_txt, compute, parsed };
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
    pub fn has_accepted(&self, caller: Fingerprint, credentials: &Credentials) -> bool {
        let fingerprint = Session::whose_of(caller, credentials);
        let is_configured = credentials.is_configured();
        self.0.transport.is_proven(Requester { fingerprint, is_configured })
    }

    pub(super) fn metrics(&self) -> &Metrics {
        self.0.transport.metrics()
    }

    /// Returns the pool for CPU-bound work, which all instances share.
    pub(super) fn compute(&self) -> &ComputePool {
        &self.0.compute
    }

    /// Returns the memory budget for parsed documents, which all instances share.
    pub(super) fn parsed(&self) -> &MemoryBudget {
        &self.0.parsed
    }

    pub(super) fn transport(&self) -> &Arc<Transport> {
        &self.0.transport
    }

    pub(super) fn spaces(&self) -> &Cache<(Fingerprint, String), KnownSpace> {
        &self.0.spaces
    }

    pub(super) fn version(&self) -> &Cache<(), OctopusVersion> {
        &self.0.version
    }

    pub(super) fn llms_txt(&self) -> &llms_txt::Kept {
        &self.0.llms_txt
    }

    /// Reads a complete response. Transient failures are retried, and identical concurrent reads of
    /// one session share one request.
    pub(super) async fn get(
        &self,
        session: &Session,
        path: &Path,
        size: Size,
    ) -> Result<Answer, Error> {
        let limit = match size {
            Size::Response => self.0.limits.response,
            Size::Execute => self.0.limits.execute,
        };
        let (client, theirs, asked) = (self.clone(), session.clone(), path.clone());
        // Validate before sharing, because the path is part of the coalescing key.
        path.at(self.url())?;
        // Boxed, because the large future would become part of every caller's future.
        let read = Box::pin(async move {
            let attempt = || async {
                let begun = client.begin(&theirs, &asked, Kind::Whole).await?;
                client.0.transport.whole(begun, theirs.whose(), limit).await
            };
            client.retried(theirs.requester(), attempt).await
        });
        // Reads with different size limits can end differently, so the limit is part of the key.
        self.0.reads.share(session.whose(), format!("{limit} {path}"), read).await
    }

    /// Streams a response of any size. Dropping the stream aborts the download.
    pub(super) async fn stream(
        &self,
        session: &Session,
        path: &Path,
    ) -> Result<impl Stream<Item = Result<Bytes, Error>> + Send + Unpin + use<>, Error> {
        let attempt = || self.begin(session, path, Kind::Stream);
        let begun = self.retried(session.requester(), attempt).await?;
        no_page(&begun.content_type(), &path.route())?;
        Ok(self.0.transport.pieces(begun))
    }

    async fn retried<T, F>(
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
    pub(super) async fn order(&self, session: &Session, order: &Order) -> Result<Reply, Error> {
        let method = match order.method {
            Method::Post => http::Method::POST,
            Method::Put => http::Method::PUT,
            Method::Patch => http::Method::PATCH,
            Method::Delete => http::Method::DELETE,
        };
        let transport = &self.0.transport;
        let mut request = transport.orders.request(method, order.path.at(transport.url())?);
        if let Some(body) = &order.body {
            request = request.json(body);
        }
        let (whose, limit) = (session.whose(), self.0.limits.response);
        let came = async {
            let memory = transport.reserve(whose, ORDER_ANSWER, limit).await?;
            let begun = self.head(session, &order.path, Kind::Whole, request).await;
            let begun = begun.map_err(|error| match error {
                // Something in the body may be missing, so Octopus's message says more than the
                // path.
                Error::NotFound { wanted: message, .. } => {
                    let message = format!("{}: {message}", order.path.address());
                    Error::Rejected { status: 404, message }
                }
                error => error,
            })?;
            let begun = begun.with_memory(memory);
            let (answer, memory) = transport.whole_apart(begun, whose, limit).await?;
            session.hold(memory);
            no_page(&answer.content_type, &order.path.route())?;
            // The change is made; exhausted compute time of the call must not hide that.
            session.with_new_compute().reply(answer, order.path.route()).await
        };
        let came = came.await;
        self.0.reads.forget(session.whose());
        came
    }

    async fn begin(&self, session: &Session, path: &Path, kind: Kind) -> Result<Begun, Error> {
        let transport = &self.0.transport;
        let request = transport.reads.get(path.at(transport.url())?);
        let begun = self.head(session, path, kind, request).await;
        begun.map_err(|error| match error {
            // Octopus does not name the missing resource, so the error names the path.
            Error::NotFound { noun, place, near, .. } => {
                Error::NotFound { noun, wanted: path.address(), place, near }
            }
            error => error,
        })
    }

    /// Sends a request with the credentials of the session, and reads the status and headers of the
    /// response.
    async fn head(
        &self,
        session: &Session,
        path: &Path,
        kind: Kind,
        mut request: reqwest::RequestBuilder,
    ) -> Result<Begun, Error> {
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
        let outgoing = Outgoing {
            requester: session.requester(),
            kind,
            route: &path.route(),
            proves_credential: path.proves_credential(),
        };
        let begun = self.0.transport.begin(outgoing, request).await;
        if let Err(Error::Unauthorized { .. }) = &begun {
            credentials.refused();
        }
        begun
    }
}
