//! What a caller is told who has to wait.

use std::time::Duration;

use http::{HeaderName, HeaderValue, StatusCode, header::RETRY_AFTER};
use serde_json::json;

use crate::{
    http::refusal::{Refusal, code},
    store::Taken,
    telemetry::Limit,
};

const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// The headers that tell a caller how much is left.
pub(in crate::http) const HEADERS: [HeaderName; 3] = [LIMIT, REMAINING, RESET];

/// How it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// In HTTP 200: the request fails, and the connection lives on.
    Answered,
    /// In HTTP 429.
    Refused,
}

/// How much there is at once, how much is left, and in how many seconds it is all there again.
pub(super) fn headers(taken: &Taken) -> [(HeaderName, HeaderValue); 3] {
    [
        (LIMIT, taken.limit.into()),
        (REMAINING, taken.remaining.into()),
        (RESET, seconds(taken.full).into()),
    ]
}

/// Whole seconds, after which it is sure to be over.
fn seconds(time: Duration) -> u64 {
    time.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX)
}

fn wait(taken: &Taken) -> u64 {
    seconds(taken.wait).max(1)
}

fn in_seconds(wait: u64) -> String {
    if wait == 1 { "in 1 second".to_owned() } else { format!("in {wait} seconds") }
}

fn refusal(told: Told, wait: u64, message: String) -> Refusal {
    let status = match told {
        Told::Answered => StatusCode::OK,
        Told::Refused => StatusCode::TOO_MANY_REQUESTS,
    };
    Refusal::new(status, message)
        .with_code(code::RATE_LIMITED)
        .with_data(json!({ "retryAfter": wait }))
        .with_header(RETRY_AFTER, wait.into())
}

/// This caller asked for more than one may.
pub(super) fn caller(taken: &Taken, told: Told) -> Refusal {
    let wait = wait(taken);
    let far = match told {
        Told::Answered => "",
        Told::Refused => ", and goes on although it was told to wait",
    };
    let message = format!(
        "this caller asks for more than the rate of this server allows{far}; nothing was done, so \
         ask again {}",
        in_seconds(wait)
    );
    let limit = match told {
        Told::Answered => Limit::Caller,
        Told::Refused => Limit::Far,
    };
    let refusal = refusal(told, wait, message).limited(limit);
    headers(taken)
        .into_iter()
        .fold(refusal, |refusal, (name, value)| refusal.with_header(name, value))
}

/// All callers together asked an instance for more than it takes.
pub(super) fn instance(name: &str, taken: &Taken) -> Refusal {
    let wait = wait(taken);
    let message = format!(
        "all callers together ask for more of the Octopus instance '{name}' than the rate of this \
         server allows; nothing was done, so ask again {}",
        in_seconds(wait)
    );
    let refusal = refusal(Told::Answered, wait, message).limited(Limit::Instance);
    headers(taken)
        .into_iter()
        .fold(refusal, |refusal, (name, value)| refusal.with_header(name, value))
}

/// This caller has as many requests under way as one may.
pub(super) fn at_once(most: usize) -> Refusal {
    let message = format!(
        "this caller has {most} requests under way, as many as one may; nothing was done, so ask \
         again when one of them is answered"
    );
    refusal(Told::Answered, 1, message).limited(Limit::AtOnce)
}

/// From there so many requests are under way whose body has not come.
pub(super) fn unread(most: usize) -> Refusal {
    let message = format!(
        "of {most} requests from this address the body has not come yet, and no more may wait for \
         theirs; send bodies whole, and try again in 1 second"
    );
    refusal(Told::Refused, 1, message).limited(Limit::Unread)
}

/// Too many new credentials came from there.
pub(super) fn unproven(taken: &Taken) -> Refusal {
    let wait = wait(taken);
    let message = format!(
        "too many greetings and new credentials came from this address; try again {}",
        in_seconds(wait)
    );
    refusal(Told::Refused, wait, message).limited(Limit::Unproven)
}

/// Too many requests from there did not say who calls.
pub(super) fn failed(time: Duration) -> Refusal {
    let wait = seconds(time).max(1);
    let message = format!(
        "too many requests from this address came without a good credential, so this one was not \
         looked at; put the credential of your client right and try again {}",
        in_seconds(wait)
    );
    refusal(Told::Refused, wait, message).limited(Limit::Failed)
}
