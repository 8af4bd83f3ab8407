//! Errors of requests to Octopus. The HTTP status decides the variant, never the text of a message.

use std::time::Duration;

use super::version::OctopusVersion;
use crate::compute::ComputeError;

/// Error of a request to Octopus.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// 401: the credential is unknown, expired or disabled.
    #[error(
        "Octopus rejected the credential{}: {message}",
        if *.is_configured { " of this server" } else { "" }
    )]
    Unauthorized {
        /// Message from Octopus.
        message: String,
        /// Whether the operator of this server configured the credential.
        is_configured: bool,
    },
    /// 403: the credential is valid but lacks a permission.
    #[error("the credential lacks a permission: {message}")]
    Forbidden {
        /// Message from Octopus, which names the missing permission.
        message: String,
    },
    /// 404, or no resource has that name. Octopus also returns 404 for resources that the caller
    /// cannot see.
    #[error("{noun} '{query}' not found{}", location_suffix(.location.as_deref()))]
    NotFound {
        /// Resource type, for messages.
        noun: &'static str,
        /// ID, name or slug that was looked up.
        query: String,
        /// Name of the space that was searched.
        location: Option<String>,
        /// Names of existing resources, most similar first.
        suggestions: Vec<String>,
    },
    /// A name, slug or ID that matches several resources.
    #[error("'{query}' is the name, slug or ID of more than one {noun}")]
    Ambiguous {
        /// Resource type, for messages.
        noun: &'static str,
        /// Text that was looked up.
        query: String,
        /// The matching resources, as `Name (ID)`.
        candidates: Vec<String>,
    },
    /// A text that Octopus could resolve to a different resource than the one that was looked up.
    /// The request with this text was not sent.
    #[error("'{text}' matches more than one {noun}: {}", candidates.join(" and "))]
    NameCollision {
        /// Resource type, for messages.
        noun: &'static str,
        /// Text that is the ID, name or slug of one resource, and the name, slug or ID of another.
        text: String,
        /// Both resources, as `Name (ID)`.
        candidates: Vec<String>,
    },
    /// A text that is not a valid ID.
    #[error("'{given}' is not a {noun} ID; {noun} IDs look like '{prefix}123'")]
    MalformedId {
        /// Resource type of the expected ID.
        noun: &'static str,
        /// Prefix of the expected IDs.
        prefix: &'static str,
        /// The rejected text.
        given: String,
    },
    /// 400, 409 and similar: Octopus understood the request and rejected it.
    #[error("Octopus rejected the request ({status}): {message}")]
    Rejected {
        /// HTTP status.
        status: u16,
        /// Message from Octopus, with its list of errors.
        message: String,
    },
    /// The version of the instance lacks the feature.
    #[error("{feature} needs Octopus {required} or later; this instance is {actual}")]
    TooOld {
        /// Name of the feature.
        feature: &'static str,
        /// First version with the feature.
        required: OctopusVersion,
        /// Version of the instance.
        actual: OctopusVersion,
    },
    /// 429: the credential exceeded its rate limit at Octopus.
    #[error("Octopus rate limit exceeded for this credential{}", retry_suffix(*.retry_after))]
    RateLimited {
        /// Wait requested by Octopus (`Retry-After`).
        retry_after: Option<Duration>,
    },
    /// 5xx: Octopus or a proxy in front of it is starting, in maintenance or broken.
    #[error("Octopus returned {status}: {message}")]
    Unavailable {
        /// HTTP status.
        status: u16,
        /// Message from Octopus, or the reason phrase of the status.
        message: String,
    },
    /// The connection failed or broke.
    #[error("Octopus at {origin} cannot be reached: {reason}")]
    Unreachable {
        /// Scheme, host and port of the instance.
        origin: String,
        /// Description of the connection error.
        reason: String,
    },
    /// No response within the timeout of the instance.
    #[error("Octopus did not respond within {} s", .timeout.as_secs())]
    TimedOut {
        /// The timeout.
        timeout: Duration,
    },
    /// The circuit breaker of the instance is open. Nothing was sent.
    #[error(
        "the instance '{instance}' is not responding, so this server sends it no requests for \
         another {} s; nothing was sent", seconds(*.wait)
    )]
    CircuitOpen {
        /// Name of the instance in the settings.
        instance: String,
        /// Time until requests are sent again.
        wait: Duration,
    },
    /// The concurrency limit of the instance is reached. Nothing was sent.
    #[error(
        "the concurrency limit for the instance '{instance}' is reached: {}; nothing was sent",
        limit_reason(*.waited)
    )]
    ConcurrencyLimit {
        /// Name of the instance in the settings.
        instance: String,
        /// Time for which the request waited. `None` if it was rejected immediately, because too
        /// many requests with unproven credentials are waiting already.
        waited: Option<Duration>,
    },
    /// The memory budget for responses is exhausted.
    #[error("{}", memory_exhausted_message(*.sent))]
    MemoryExhausted {
        /// Whether the request was already sent.
        sent: bool,
    },
    /// A request that this server cannot build or rejects. Nothing was sent, a retry gives
    /// the same error, and the circuit breaker does not count it.
    #[error("the request was not sent to Octopus: {reason}")]
    InvalidRequest {
        /// Problem with the request, and the limit.
        reason: String,
    },
    /// A response beyond the size limit.
    #[error("the response of Octopus is larger than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// A document that would need too much memory when parsed.
    #[error(
        "the response of Octopus would take about {} MiB of memory, but one caller can use at most \
         {} MiB",
        .needed.div_ceil(1 << 20), .limit >> 20
    )]
    TooManyValues {
        /// Estimated memory in bytes.
        needed: usize,
        /// Maximum memory in bytes for one caller.
        limit: usize,
    },
    /// A redirect to another origin. It is not followed, because the credential must not be sent
    /// there.
    #[error(
        "Octopus at {origin} redirects to another origin, {target}; the redirect was not followed"
    )]
    Redirected {
        /// Scheme, host and port of the instance.
        origin: String,
        /// Origin of the redirect target.
        target: String,
    },
    /// A proxy or a single sign-on in front of the instance answered. The request did not reach
    /// Octopus.
    #[error(
        "a proxy or single sign-on in front of Octopus answered instead of its API: {received}"
    )]
    SignOnPage {
        /// The response that was received.
        received: String,
    },
    /// The response was not parsed: the compute time was exhausted, or the call ended.
    #[error(transparent)]
    Compute(ComputeError),
    /// An invalid response.
    #[error("unexpected response from Octopus: {reason}")]
    UnexpectedResponse {
        /// Problem with the response.
        reason: String,
    },
}

fn memory_exhausted_message(sent: bool) -> &'static str {
    if sent {
        "the memory budget for responses of Octopus is exhausted by other large responses; the \
         response was discarded"
    } else {
        "the memory budget for responses of Octopus is exhausted by other calls; the change was \
         not sent"
    }
}

fn location_suffix(location: Option<&str>) -> String {
    location.map_or_else(String::new, |space| format!(" in space '{space}'"))
}

/// Rounds up to whole seconds, at least 1.
fn seconds(time: Duration) -> u64 {
    time.as_millis().div_ceil(1000).max(1).try_into().unwrap_or(u64::MAX)
}

fn limit_reason(waited: Option<Duration>) -> String {
    waited.map_or_else(
        || "too many requests with unverified credentials are waiting".to_owned(),
        |waited| format!("no request finished within {} s", seconds(waited)),
    )
}

fn retry_suffix(retry_after: Option<Duration>) -> String {
    retry_after.map_or_else(String::new, |wait| format!("; retry after {} s", wait.as_secs()))
}

impl Error {
    /// Returns whether the same read may succeed a moment later.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::RateLimited { .. } | Self::Unreachable { .. } => true,
            Self::Unavailable { status, .. } => matches!(status, 502..=504),
            _ => false,
        }
    }

    /// Returns whether Octopus certainly changed nothing. After any other error, a change may have
    /// been made.
    pub fn is_rejection(&self) -> bool {
        match self {
            Self::Unauthorized { .. }
            | Self::Forbidden { .. }
            | Self::NotFound { .. }
            | Self::Rejected { .. }
            | Self::RateLimited { .. }
            | Self::CircuitOpen { .. }
            | Self::ConcurrencyLimit { .. }
            | Self::MemoryExhausted { sent: false }
            | Self::Redirected { .. }
            | Self::SignOnPage { .. }
            | Self::InvalidRequest { .. }
            | Self::Ambiguous { .. }
            | Self::NameCollision { .. }
            | Self::MalformedId { .. }
            | Self::TooOld { .. } => true,
            Self::Unavailable { .. }
            | Self::Unreachable { .. }
            | Self::TimedOut { .. }
            | Self::MemoryExhausted { sent: true }
            | Self::TooLarge { .. }
            | Self::TooManyValues { .. }
            | Self::Compute(_)
            | Self::UnexpectedResponse { .. } => false,
        }
    }

    /// Returns whether Octopus, the network or this server failed, as opposed to an error of the
    /// caller.
    pub fn is_fault(&self) -> bool {
        matches!(
            self,
            Self::Unavailable { .. }
                | Self::Unreachable { .. }
                | Self::TimedOut { .. }
                | Self::CircuitOpen { .. }
                | Self::ConcurrencyLimit { .. }
                | Self::MemoryExhausted { .. }
                | Self::Compute(ComputeError::Panicked)
                | Self::TooLarge { .. }
                | Self::TooManyValues { .. }
                | Self::Redirected { .. }
                | Self::SignOnPage { .. }
                | Self::Unauthorized { is_configured: true, .. }
                | Self::UnexpectedResponse { .. }
        )
    }
}
