//! Results of tool calls and resource reads.

use std::time::Duration;

use serde_json::Value;

use super::Error;
use crate::{approval::ApprovalRequest, audit::ResponseBytes};

/// The result of running a tool.
#[derive(Debug)]
pub(super) enum RunOutcome {
    /// Nothing was changed; this is the answer.
    Answer(Value),
    /// A change was executed; this is the answer, or the error that prevents it.
    Changed(Result<Value, Error>),
    /// Approval is required first.
    ApprovalRequired(ApprovalRequest),
}

/// The outcome of a call.
#[derive(Debug)]
pub enum Outcome {
    /// An answer.
    Answer(SanitizedAnswer),
    /// Approval is required first; nothing was changed.
    ApprovalRequired(ApprovalRequest),
}

/// A sanitized and truncated answer.
#[derive(Debug)]
pub struct SanitizedAnswer {
    /// The answer.
    pub value: Value,
    /// Number of removed invisible characters.
    pub removed: usize,
    /// Number of redacted secrets.
    pub redacted: usize,
    /// Size as JSON in bytes, before and after it was truncated.
    pub bytes: ResponseBytes,
}

/// The contents of a resource.
#[derive(Debug)]
pub enum Contents {
    /// A JSON document.
    Json(Value),
    /// Text, and a hint for reading the rest if it is truncated.
    Text(String, &'static str),
}

/// The result of reading a resource.
#[derive(Debug)]
pub struct ResourceAnswer {
    /// The URI of the request.
    pub uri: String,
    /// Media type of the contents.
    pub mime: &'static str,
    /// Time for which a client may cache the contents.
    pub cache_ttl: Duration,
    /// The sanitized and truncated contents: a JSON document or text.
    pub value: Value,
    /// Number of removed invisible characters.
    pub removed: usize,
    /// Number of redacted secrets.
    pub redacted: usize,
    /// Size as JSON in bytes, before and after it was truncated.
    pub bytes: ResponseBytes,
}
