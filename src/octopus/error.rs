//! What can go wrong with Octopus. The status code decides, never the words of a message.

use std::time::Duration;

use super::OctopusVersion;
use crate::compute::ComputeError;

/// Why Octopus did not give what was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// 401: the credential is unknown, expired or switched off.
    #[error("Octopus does not accept this credential: {message}")]
    Unauthorized {
        /// Octopus's own words.
        message: String,
    },
    /// 403: the credential is good and may not do this.
    #[error("this credential may not do this: {message}")]
    Forbidden {
        /// Octopus's own words; they name the permission that is missing.
        message: String,
    },
    /// 404, or nothing with that name. Octopus says the same of what the caller may not see.
    #[error("there is no {noun} '{wanted}'{}", within(.place.as_deref()))]
    NotFound {
        /// What kind of thing was looked for.
        noun: &'static str,
        /// The ID, name or slug that was looked for.
        wanted: String,
        /// The space it was looked for in.
        place: Option<String>,
        /// Names of things that do exist, nearest first.
        near: Vec<String>,
    },
    /// A text that is the name, slug or ID of several things.
    #[error("'{wanted}' is the name, slug or ID of more than one {noun}")]
    Ambiguous {
        /// What kind of thing was looked for.
        noun: &'static str,
        /// The name that was looked for.
        wanted: String,
        /// The things with that name, as `Name (ID)`.
        candidates: Vec<String>,
    },
    /// A text that a change would send, and that Octopus could take for another thing than the one
    /// that was judged.
    #[error("'{text}' stands for more than one {noun}, so nothing was sent: {}", candidates.join(" and "))]
    Confusable {
        /// What kind of thing it is.
        noun: &'static str,
        /// The text: the ID, name or slug of one thing, and the name, slug or ID of another.
        text: String,
        /// Both things, as `Name (ID)`.
        candidates: Vec<String>,
    },
    /// Text where an ID is needed, and the text is none.
    #[error("'{given}' is not a {noun} ID; {noun} IDs look like '{prefix}123'")]
    MalformedId {
        /// What kind of thing the ID should be of.
        noun: &'static str,
        /// How IDs of that kind begin.
        prefix: &'static str,
        /// The text.
        given: String,
    },
    /// 400, 409 and their kin: Octopus understood the request and refuses it.
    #[error("Octopus refuses this ({status}): {message}")]
    Rejected {
        /// The status of the answer.
        status: u16,
        /// Octopus's own words, with its list of errors.
        message: String,
    },
    /// The instance is older than the feature.
    #[error("{what} needs Octopus {needs} or later; this instance is {has}")]
    TooOld {
        /// The feature.
        what: &'static str,
        /// The first version that has it.
        needs: OctopusVersion,
        /// The version of the instance.
        has: OctopusVersion,
    },
    /// 429: too many requests with this credential.
    #[error("Octopus limits the rate of this credential{}", wait(*.retry_after))]
    RateLimited {
        /// How long Octopus asks to wait.
        retry_after: Option<Duration>,
    },
    /// 5xx: Octopus, or a proxy before it, is starting, in maintenance or broken.
    #[error("Octopus cannot answer now ({status}): {message}")]
    Unavailable {
        /// The status of the answer.
        status: u16,
        /// Octopus's own words, where it sent any.
        message: String,
    },
    /// No connection, or one that broke.
    #[error("Octopus at {origin} cannot be reached: {reason}")]
    Unreachable {
        /// Scheme, host and port of the instance.
        origin: String,
        /// What the connection said.
        reason: String,
    },
    /// No answer within the time that is set.
    #[error("Octopus did not answer within {} s", .after.as_secs())]
    TimedOut {
        /// The time that was waited.
        after: Duration,
    },
    /// The instance has given no answer for a while, so that it is left alone; nothing was sent.
    #[error(
        "the instance '{instance}' does not answer, and is left alone for {} s more; nothing was \
         sent to it", seconds(*.wait)
    )]
    Paused {
        /// What the instance is called here.
        instance: String,
        /// How long that is so.
        wait: Duration,
    },
    /// As many requests are under way as may be; nothing was sent.
    #[error(
        "the instance '{instance}' is busy with other calls of this server; {}, and nothing was sent",
        no_place(*.after)
    )]
    Busy {
        /// What the instance is called here.
        instance: String,
        /// How long the request waited. `None`: it did not wait, because too many requests wait
        /// already whose credential the instance has not accepted yet.
        after: Option<Duration>,
    },
    /// The answers that are being read take all the memory that this server has for them.
    #[error("{}", no_memory(*.sent))]
    NoMemory {
        /// Whether the request had been sent.
        sent: bool,
    },
    /// A request that this server cannot build or does not send. Nothing was sent, a retry gives the
    /// same error, and the circuit breaker does not count it.
    #[error("the request was not sent to Octopus: {reason}")]
    InvalidRequest {
        /// What is wrong with it, and what the limit is.
        reason: String,
    },
    /// An answer past the size that is set.
    #[error("the answer of Octopus is larger than {limit} bytes")]
    TooLarge {
        /// The size that is set.
        limit: usize,
    },
    /// A document that would take too much memory when it is parsed.
    #[error(
        "the answer of Octopus would take about {} MiB of memory, and one caller can have {} MiB",
        .needed.div_ceil(1 << 20), .limit >> 20
    )]
    TooManyValues {
        /// The bytes that it would take.
        needed: usize,
        /// The bytes that one caller can reserve.
        limit: usize,
    },
    /// A redirect to another origin, which the credential must not follow.
    #[error("Octopus at {origin} redirects to {target}, another origin; it is not followed")]
    Redirected {
        /// Scheme, host and port of the instance.
        origin: String,
        /// Where it points.
        target: String,
    },
    /// The answer could not be parsed for want of compute time, or because the call ended.
    #[error(transparent)]
    Compute(ComputeError),
    /// An answer that does not read as what Octopus sends.
    #[error("the answer does not look like one of Octopus: {reason}")]
    Unexpected {
        /// What does not fit.
        reason: String,
    },
}

fn no_memory(sent: bool) -> &'static str {
    if sent {
        "the answer of Octopus is large, and other large answers take the memory that this server \
         has for them"
    } else {
        "the answers of other calls take the memory that this server has for them; the change was \
         not sent"
    }
}

fn within(place: Option<&str>) -> String {
    place.map_or_else(String::new, |space| format!(" in space '{space}'"))
}

/// Whole seconds, of which there is one at least.
fn seconds(time: Duration) -> u64 {
    time.as_millis().div_ceil(1000).max(1).try_into().unwrap_or(u64::MAX)
}

fn no_place(after: Option<Duration>) -> String {
    after.map_or_else(
        || {
            "too many requests with credentials that it has not accepted yet wait already"
                .to_owned()
        },
        |after| format!("no place came free within {} s", seconds(after)),
    )
}

fn wait(retry_after: Option<Duration>) -> String {
    retry_after.map_or_else(String::new, |wait| format!("; it asks to wait {} s", wait.as_secs()))
}

impl Error {
    /// Whether the same read may well succeed a moment later.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::RateLimited { .. } | Self::Unreachable { .. } => true,
            Self::Unavailable { status, .. } => matches!(status, 502..=504),
            _ => false,
        }
    }

    /// Whether Octopus surely did nothing of what was asked. After any other error a change may
    /// have been made.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Unauthorized { .. }
            | Self::Forbidden { .. }
            | Self::NotFound { .. }
            | Self::Rejected { .. }
            | Self::RateLimited { .. }
            | Self::Paused { .. }
            | Self::Busy { .. }
            | Self::NoMemory { sent: false }
            | Self::Redirected { .. }
            | Self::InvalidRequest { .. }
            | Self::Ambiguous { .. }
            | Self::Confusable { .. }
            | Self::MalformedId { .. }
            | Self::TooOld { .. } => true,
            Self::Unavailable { .. }
            | Self::Unreachable { .. }
            | Self::TimedOut { .. }
            | Self::NoMemory { sent: true }
            | Self::TooLarge { .. }
            | Self::TooManyValues { .. }
            | Self::Compute(_)
            | Self::Unexpected { .. } => false,
        }
    }

    /// Whether the caller could not have avoided it: Octopus, the network or this server failed.
    pub fn is_fault(&self) -> bool {
        matches!(
            self,
            Self::Unavailable { .. }
                | Self::Unreachable { .. }
                | Self::TimedOut { .. }
                | Self::Paused { .. }
                | Self::Busy { .. }
                | Self::NoMemory { .. }
                | Self::Compute(ComputeError::Panicked)
                | Self::TooLarge { .. }
                | Self::TooManyValues { .. }
                | Self::Redirected { .. }
                | Self::Unexpected { .. }
        )
    }
}
