//! Rejections and headers of the rate limits.

use std::time::Duration;

use http::{HeaderName, HeaderValue, StatusCode};

use crate::{
    http::rejection::{Rejection, in_seconds, whole_seconds},
    store::RateLimitDecision,
    telemetry::Limit,
};

const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// The headers with the state of a rate limit.
pub(in crate::http) const HEADERS: [HeaderName; 3] = [LIMIT, REMAINING, RESET];

/// Form of the rejection of a request over the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Severity {
    /// HTTP 200 with a JSON-RPC error: the request fails, and the client keeps its connection.
    CallError,
    /// HTTP 429.
    HttpError,
}

impl Severity {
    fn status(self) -> StatusCode {
        match self {
            Self::CallError => StatusCode::OK,
            Self::HttpError => StatusCode::TOO_MANY_REQUESTS,
        }
    }
}

/// Returns the burst size, the remaining requests, and the seconds until the burst is full again.
pub(super) fn headers(decision: &RateLimitDecision) -> [(HeaderName, HeaderValue); 3] {
    [
        (LIMIT, decision.limit.into()),
        (REMAINING, decision.remaining.into()),
        (RESET, whole_seconds(decision.reset_after).into()),
    ]
}

/// Rejects a caller over its rate. `is_sustained`: the caller keeps sending far over the limit.
pub(super) fn caller(
    decision: &RateLimitDecision,
    severity: Severity,
    is_sustained: bool,
) -> Rejection {
    let (ignored_text, limit) = if is_sustained {
        (" and ignores Retry-After", Limit::CallerSustained)
    } else {
        ("", Limit::CallerRate)
    };
    let message = format!(
        "this caller exceeds the request rate of this server{ignored_text}; nothing was done, retry {}",
        in_seconds(decision.retry_after)
    );
    with_headers(severity, decision, message, limit)
}

/// Rejects a request to an instance over its rate.
pub(super) fn instance(name: &str, decision: &RateLimitDecision) -> Rejection {
    let message = format!(
        "all callers together exceed the request rate of the Octopus instance '{name}'; nothing was \
         done, retry {}",
        in_seconds(decision.retry_after)
    );
    with_headers(Severity::CallError, decision, message, Limit::InstanceRate)
}

/// Rejects a caller with too many concurrent requests.
pub(super) fn concurrent(limit: usize) -> Rejection {
    let message = format!(
        "this caller has {limit} concurrent requests, which is the limit; nothing was done, retry \
         when one of them has finished"
    );
    let wait = Duration::from_secs(1);
    Rejection::rate_limited(Severity::CallError.status(), wait, message)
        .limited_by(Limit::CallerConcurrency)
}

/// Rejects an address with too many new credentials.
pub(super) fn unproven(decision: &RateLimitDecision) -> Rejection {
    let message = format!(
        "too many new sessions and credentials from this address; retry {}",
        in_seconds(decision.retry_after)
    );
    Rejection::rate_limited(Severity::HttpError.status(), decision.retry_after, message)
        .limited_by(Limit::UnverifiedCredential)
}

fn with_headers(
    severity: Severity,
    decision: &RateLimitDecision,
    message: String,
    limit: Limit,
) -> Rejection {
    let rejection =
        Rejection::rate_limited(severity.status(), decision.retry_after, message).limited_by(limit);
    headers(decision)
        .into_iter()
        .fold(rejection, |rejection, (name, value)| rejection.with_header(name, value))
}
