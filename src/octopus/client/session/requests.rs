//! Sends the requests of a session: reads with retries, streams, and changes.

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use bytes::Bytes;
use futures::Stream;
use http::{
    HeaderValue,
    header::{ACCEPT, USER_AGENT},
};

use super::Session;
use crate::octopus::client::{
    change_request::{ChangeRequest, WriteMethod, WritePermit},
    coalescing::SizeLimit,
    error::Error,
    path::ApiPath,
    request_limiter::TransferMode,
    response::{RawResponse, reject_html},
    transport::{PendingResponse, RequestMeta},
};

/// Memory that is reserved for the response to a change before the change is sent. Most responses
/// are smaller. The reservations of all concurrent changes of one caller stay below a caller's
/// share.
const CHANGE_RESPONSE_RESERVE: usize = 256 * 1024;

impl Session {
    /// Reads a complete response. Transient failures are retried, and identical concurrent reads of
    /// one session share one request.
    pub(in crate::octopus) async fn read_response(
        &self,
        path: &ApiPath,
        size: SizeLimit,
    ) -> Result<RawResponse, Error> {
        let limit = match size {
            SizeLimit::Response => self.client.limits().response,
            SizeLimit::Execute => self.client.limits().execute,
        };
        let (session, read_path) = (self.clone(), path.clone());
        // Validate before sharing, because the path is part of the coalescing key.
        path.url_at(self.client.url())?;
        // Boxed, because the large future would become part of every caller's future.
        let read = Box::pin(async move {
            let attempt = || async {
                let pending = session.send_read(&read_path, TransferMode::Buffered).await?;
                session.client.transport().read_body(pending, session.fingerprint, limit).await
            };
            session.with_retries(attempt).await
        });
        // Reads with different size limits can end differently, so the limit is part of the key.
        self.client.coalescer().run(self.fingerprint, format!("{limit} {path}"), read).await
    }

    /// Streams a response of any size. Dropping the stream aborts the download.
    pub async fn stream(
        &self,
        path: &ApiPath,
    ) -> Result<impl Stream<Item = Result<Bytes, Error>> + Send + Unpin + use<>, Error> {
        let pending = self.with_retries(|| self.send_read(path, TransferMode::Stream)).await?;
        reject_html(&pending.content_type(), &path.route())?;
        self.access_recorder.record_response(path, None);
        Ok(self.client.transport().stream_body(pending))
    }

    async fn with_retries<T, F>(&self, attempt: impl FnMut() -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let limits = self.client.limits();
        let pauses = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(100))
            .with_max_delay(Duration::from_secs(2))
            .with_max_times(limits.retries as usize)
            .with_jitter();
        let is_paused = || self.client.transport().is_paused(self.requester());
        attempt
            .retry(pauses)
            // If the breaker opened meanwhile, return the original error: it is more specific
            // than the breaker's.
            .when(|error| error.is_retryable() && !is_paused())
            .adjust(|error, pause| match error {
                // Octopus requests a longer wait than `retry_after_limit`: return the error to the
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

    /// Sends a POST that changes nothing, with retries like other reads.
    pub(super) async fn post_read(
        &self,
        path: &ApiPath,
        body: &serde_json::Value,
    ) -> Result<RawResponse, Error> {
        let transport = self.client.transport();
        let url = path.url_at(transport.url())?;
        let limit = self.client.limits().execute;
        let attempt = || async {
            let request = transport.write_client.post(url.clone()).json(body);
            let sent = self.send_request(path, TransferMode::Buffered, request).await;
            let pending = sent.map_err(|error| match error {
                Error::NotFound { query: message, .. } => {
                    let message = format!("{}: {message}", path.display_path());
                    Error::Rejected { status: 404, message }
                }
                error => error,
            })?;
            transport.read_body(pending, self.fingerprint, limit).await
        };
        self.with_retries(attempt).await
    }

    /// Sends a change request once, and reads the whole response. The permit is used up.
    pub(in crate::octopus) async fn send_change(
        &self,
        change: &ChangeRequest,
        _permit: WritePermit,
    ) -> Result<RawResponse, Error> {
        let method = match change.method {
            WriteMethod::Post => http::Method::POST,
            WriteMethod::Put => http::Method::PUT,
            WriteMethod::Patch => http::Method::PATCH,
            WriteMethod::Delete => http::Method::DELETE,
        };
        let transport = self.client.transport();
        let url = change.path.url_at(transport.url())?;
        let mut request = transport.write_client.request(method, url);
        if let Some(body) = &change.body {
            request = request.json(body);
        }
        let limit = self.client.limits().response;
        let exchange = async {
            let memory =
                transport.reserve(self.fingerprint, CHANGE_RESPONSE_RESERVE, limit).await?;
            let sent = self.send_request(&change.path, TransferMode::Buffered, request).await;
            let pending = sent.map_err(|error| match error {
                // A resource in the body may be missing, so Octopus's message is more specific
                // than the path.
                Error::NotFound { query: message, .. } => {
                    let message = format!("{}: {message}", change.path.display_path());
                    Error::Rejected { status: 404, message }
                }
                error => error,
            })?;
            let pending = pending.with_memory(memory);
            let (response, memory) =
                transport.read_body_with_memory(pending, self.fingerprint, limit).await?;
            self.hold_memory(memory);
            reject_html(&response.content_type, &change.path.route())?;
            Ok(response)
        };
        let response = exchange.await;
        self.client.coalescer().invalidate(self.fingerprint);
        response
    }

    async fn send_read(
        &self,
        path: &ApiPath,
        mode: TransferMode,
    ) -> Result<PendingResponse, Error> {
        let transport = self.client.transport();
        let request = transport.read_client.get(path.url_at(transport.url())?);
        let sent = self.send_request(path, mode, request).await;
        sent.map_err(|error| match error {
            // Octopus does not name the missing resource, so the error names the path.
            Error::NotFound { noun, location, suggestions, .. } => {
                Error::NotFound { noun, query: path.display_path(), location, suggestions }
            }
            error => error,
        })
    }

    /// Sends a request with the credentials of the session, and reads the status and headers of the
    /// response.
    async fn send_request(
        &self,
        path: &ApiPath,
        mode: TransferMode,
        mut request: reqwest::RequestBuilder,
    ) -> Result<PendingResponse, Error> {
        request = request
            .header(
                ACCEPT,
                HeaderValue::from_static("application/json, text/plain;q=0.9, */*;q=0.1"),
            )
            .header(USER_AGENT, (*self.user_agent).clone());
        if let Some((name, value)) = self.credentials.header() {
            request = request.header(name, value);
        }
        let outgoing = RequestMeta {
            requester: self.requester(),
            mode,
            route: &path.route(),
            proves_credential: path.proves_credential(),
        };
        let sent = self.client.transport().send(outgoing, request).await;
        sent.map_err(|error| match error {
            Error::Unauthorized { message, .. } => {
                self.credentials.mark_rejected();
                let is_configured = self.credentials.is_configured();
                Error::Unauthorized { message, is_configured }
            }
            error => error,
        })
    }
}
