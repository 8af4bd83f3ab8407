//! One instance of Octopus: where it is, its connections, its time limits and sizes.

use std::{sync::Arc, time::Duration};

use backon::{ExponentialBuilder, Retryable};
use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt, TryStreamExt};
use http::{
    HeaderMap, HeaderValue,
    header::{ACCEPT, CONTENT_TYPE, LOCATION, RETRY_AFTER, USER_AGENT},
};
use moka::future::Cache;
use url::Url;

use super::{
    Answer, Error, Fingerprint, Method, OctopusVersion, Order, Path, Session,
    connections::connections, llms_txt, space::KnownSpace,
};
use crate::config;

/// One instance of Octopus. Cheap to clone; all clones share one pool of connections.
#[derive(Debug, Clone)]
pub struct Client(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    url: Url,
    http: reqwest::Client,
    /// The same for what changes things: it follows no redirect, which would make a GET of it.
    orders: reqwest::Client,
    limits: Limits,
    /// Spaces by caller and the lower-cased words that the caller used.
    spaces: Cache<(Fingerprint, String), KnownSpace>,
    version: Cache<(), OctopusVersion>,
    llms_txt: llms_txt::Kept,
}

#[derive(Debug)]
struct Limits {
    timeout: Duration,
    retries: u32,
    retry_after: Duration,
    response: usize,
}

/// How many space names of how many callers are remembered.
const SPACES_KEPT: u64 = 10_000;
/// How long the version of the instance is believed.
const VERSION_KEPT: Duration = Duration::from_mins(10);
/// How much of the body of a failure is read for its message.
const FAILURE_LIMIT: usize = 64 * 1024;

impl Client {
    /// Makes the client of the instance at `url`. Nothing is sent yet.
    pub fn new(url: Url, settings: &config::Instance) -> Result<Self, String> {
        // The one place that chooses; a provider that somebody installed before is as good.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let http = connections(&url, settings, true)?;
        let orders = connections(&url, settings, false)?;
        let limits = Limits {
            timeout: settings.timeout.0,
            retries: settings.retries,
            retry_after: settings.retry_after_limit.0,
            response: settings.response_limit.0,
        };
        let spaces = Cache::builder()
            .max_capacity(SPACES_KEPT)
            .time_to_live(settings.space_cache.0)
            .support_invalidation_closures()
            .build();
        let version = Cache::builder().max_capacity(1).time_to_live(VERSION_KEPT).build();
        let llms_txt = llms_txt::cache();
        Ok(Self(Arc::new(Inner { url, http, orders, limits, spaces, version, llms_txt })))
    }

    /// Where the instance is.
    pub fn url(&self) -> &Url {
        &self.0.url
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

    /// Reads a whole answer. What fails for a passing reason is tried again.
    pub(super) async fn get(&self, session: &Session, path: &Path) -> Result<Answer, Error> {
        let attempt = || async {
            let response = self.send(session, path, true).await?;
            let content_type = content_type(response.headers());
            let body = self.whole(response, self.0.limits.response).await?;
            Ok(Answer { content_type, body })
        };
        self.retried(attempt).await
    }

    /// Reads an answer piece by piece, whatever its size. Dropping the stream ends the download.
    pub(super) async fn stream(
        &self,
        session: &Session,
        path: &Path,
    ) -> Result<impl Stream<Item = Result<Bytes, Error>> + Send + Unpin + use<>, Error> {
        let response = self.retried(|| self.send(session, path, false)).await?;
        let client = self.clone();
        Ok(Box::pin(response.bytes_stream().map_err(move |error| client.failed(error))))
    }

    async fn retried<T, F>(&self, attempt: impl FnMut() -> F) -> Result<T, Error>
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
            .when(Error::is_retryable)
            .adjust(|error, pause| match error {
                // Asked to wait longer than a caller has patience for: tell the caller.
                Error::RateLimited { retry_after: Some(wait) } if *wait > limits.retry_after => {
                    None
                }
                Error::RateLimited { retry_after: Some(wait) } => pause.map(|p| p.max(*wait)),
                _ => pause,
            })
            .notify(|error, pause| tracing::debug!(%error, ?pause, "trying again"))
            .await
    }

    /// Sends an order, once, and reads the whole answer.
    pub(super) async fn order(&self, session: &Session, order: &Order) -> Result<Answer, Error> {
        let method = match order.method {
            Method::Post => http::Method::POST,
            Method::Put => http::Method::PUT,
            Method::Patch => http::Method::PATCH,
            Method::Delete => http::Method::DELETE,
        };
        let url = order.path.at(&self.0.url)?;
        let mut request = self.0.orders.request(method, url).timeout(self.0.limits.timeout);
        if let Some(body) = &order.body {
            request = request.json(body);
        }
        let response = self.head(session, &order.path, request).await?;
        let content_type = content_type(response.headers());
        let body = self.whole(response, self.0.limits.response).await?;
        Ok(Answer { content_type, body })
    }

    /// Sends one request to read and reads the head of its answer.
    async fn send(
        &self,
        session: &Session,
        path: &Path,
        whole: bool,
    ) -> Result<reqwest::Response, Error> {
        let mut request = self.0.http.get(path.at(&self.0.url)?);
        if whole {
            // Pieces have a time limit each; a whole answer has one over all.
            request = request.timeout(self.0.limits.timeout);
        }
        self.head(session, path, request).await
    }

    /// Sends a request as the caller, and reads the head of its answer.
    async fn head(
        &self,
        session: &Session,
        path: &Path,
        mut request: reqwest::RequestBuilder,
    ) -> Result<reqwest::Response, Error> {
        request = request
            .header(
                ACCEPT,
                HeaderValue::from_static("application/json, text/plain;q=0.9, */*;q=0.1"),
            )
            .header(USER_AGENT, session.user_agent());
        if let Some((name, value)) = session.credentials().header() {
            request = request.header(name, value);
        }
        let started = std::time::Instant::now();
        let response = request.send().await.map_err(|error| self.failed(error))?;
        let status = response.status();
        tracing::debug!(
            route = path.route(),
            status = status.as_u16(),
            elapsed_ms = started.elapsed().as_millis(),
            "octopus answered"
        );
        if status.is_success() {
            return Ok(response);
        }
        if status.is_redirection() {
            let target = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
            let target = target.and_then(|target| self.0.url.join(target).ok());
            return Err(Error::Redirected {
                origin: origin(&self.0.url),
                target: target.as_ref().map_or_else(|| "nowhere".to_owned(), origin),
            });
        }
        let retry_after = retry_after(response.headers());
        let body = self.whole(response, FAILURE_LIMIT).await.unwrap_or_default();
        Err(Error::from_answer(status, retry_after, &body))
    }

    async fn whole(&self, response: reqwest::Response, limit: usize) -> Result<Bytes, Error> {
        let mut body = BytesMut::new();
        let mut pieces = response.bytes_stream();
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(|error| self.failed(error))?;
            if body.len() + piece.len() > limit {
                return Err(Error::TooLarge { limit });
            }
            body.extend_from_slice(&piece);
        }
        Ok(body.freeze())
    }

    fn failed(&self, error: reqwest::Error) -> Error {
        if error.is_timeout() && !error.is_connect() {
            return Error::TimedOut { after: self.0.limits.timeout };
        }
        let error = error.without_url();
        let mut reason = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            reason = cause.to_string();
            source = cause.source();
        }
        Error::Unreachable { origin: origin(&self.0.url), reason }
    }
}

fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

fn content_type(headers: &HeaderMap) -> String {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Reads `Retry-After`: seconds, or a date (RFC 9110, section 10.2.3).
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(value).ok()?;
    let wait = date.timestamp().duration_since(jiff::Timestamp::now());
    Some(Duration::try_from(wait).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let read = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, value.parse().unwrap());
            retry_after(&headers)
        };
        assert_eq!(read("7"), Some(Duration::from_secs(7)));
        assert_eq!(read("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
        let far = read("Fri, 21 Oct 2095 07:28:00 GMT").unwrap();
        assert!(far > Duration::from_secs(1_000_000));
        assert_eq!(read("soon"), None);
    }
}
