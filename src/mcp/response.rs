//! Converts outcomes of calls into MCP results and errors: the only mapping from [`tool::Error`] to
//! the protocol.
//!
//! [`tool::Error`]: crate::tool::Error

use rmcp::{
    ErrorData,
    model::{CallToolResult, ContentBlock, MetaObject},
};
use serde_json::{Value, json};

use crate::{
    access::ToolAccess,
    octopus,
    sanitize::sanitize,
    text::{printable, truncate::head},
    tool::{Error, SanitizedAnswer},
};

/// Maximum size of an error message to the client, in bytes. Messages quote text of the caller or
/// of Octopus, whose length is not limited.
const MAX_MESSAGE_BYTES: usize = 8 * 1024;
/// Maximum size of a logged error message, in bytes before escaping.
const MAX_LOG_BYTES: usize = 2 * 1024;

/// Returns the result of a successful call: the value as structured content and as compact JSON
/// text (MCP specification, "Structured Content").
pub(super) fn tool_result(answer: SanitizedAnswer) -> CallToolResult {
    let SanitizedAnswer { value, removed, redacted, .. } = answer;
    let mut result = CallToolResult::structured(value);
    result.meta = Some(content_label(removed, redacted));
    result
}

/// Returns the result of a failed call, with `isError` and a hint. It is not a protocol error, so
/// that the model sees the message and can correct the call.
pub(super) fn tool_error(error: &Error, policy: &ToolAccess) -> CallToolResult {
    let message = error_text(error, "\nhint: ", policy);
    let sanitized_message = sanitize(&message);
    let (removed, redacted) = (sanitized_message.removed, sanitized_message.redactions);
    let text = head(&sanitized_message.text, MAX_MESSAGE_BYTES).to_owned();
    let mut result = CallToolResult::error(vec![ContentBlock::text(text)]);
    result.meta = Some(content_label(removed, redacted));
    result
}

/// Returns the error message with its hint. Both can contain unsanitized text from Octopus.
fn error_text(error: &Error, before_hint: &str, policy: &ToolAccess) -> String {
    match error.hint(policy) {
        Some(hint) => format!("{error}{before_hint}{hint}"),
        None => error.to_string(),
    }
}

/// Returns the error message for the log: sanitized, truncated and escaped to one line.
pub(super) fn log_text(error: &Error) -> String {
    printable(head(&sanitize(&error.to_string()).text, MAX_LOG_BYTES)).into_owned()
}

/// Returns metadata that labels content as untrusted and counts removed characters and redactions.
///
/// The key `ifc` (information flow control) is a convention that other MCP servers use too.
pub(super) fn content_label(removed: usize, redacted: usize) -> MetaObject {
    let mut meta = MetaObject::default();
    meta.insert(
        "ifc".to_owned(),
        json!({ "integrity": "untrusted", "confidentiality": "private" }),
    );
    for (key, count) in [("octopus-mcp/removed", removed), ("octopus-mcp/redacted", redacted)] {
        if count > 0 {
            meta.insert(key.to_owned(), Value::from(count));
        }
    }
    meta
}

/// Maps the error of a resource read to a protocol error (MCP specification, "Resources", "Error
/// Handling").
///
/// Returns "invalid params" for a malformed URI, and "resource not found" for a URI without a
/// resource for this caller and instance. rmcp adapts that code to the revision. All other errors
/// are internal errors.
pub(super) fn resource_error(error: &Error, uri: &str, policy: &ToolAccess) -> ErrorData {
    let message = error_text(error, "; hint: ", policy);
    let message = sanitized(&message);
    let data = Some(json!({ "uri": uri }));
    match error {
        Error::Octopus(
            octopus::Error::NotFound { .. }
            | octopus::Error::Forbidden { .. }
            | octopus::Error::TooOld { .. },
        )
        | Error::Denied { .. }
        | Error::ResourceNotFound { .. } => ErrorData::resource_not_found(message, data),
        Error::Argument { .. }
        | Error::Invalid(_)
        | Error::Octopus(
            octopus::Error::MalformedId { .. }
            | octopus::Error::Ambiguous { .. }
            | octopus::Error::NameCollision { .. }
            | octopus::Error::InvalidRequest { .. },
        ) => ErrorData::invalid_params(message, data),
        _ => ErrorData::internal_error(message, data),
    }
}

/// Maps an error to an internal error, for requests whose result cannot carry a tool error.
pub(super) fn internal_error(error: &Error) -> ErrorData {
    ErrorData::internal_error(sanitized(&error.to_string()), None)
}

/// Returns a message without invisible characters and secrets, truncated for the client.
fn sanitized(message: &str) -> String {
    head(&sanitize(message).text, MAX_MESSAGE_BYTES).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_text_is_sanitized() {
        let error = Error::Invalid("Octopus\u{200b} said password=hunter2hunter2".to_owned());
        let policy =
            ToolAccess::new(std::sync::Arc::default(), &[], crate::policy::Tier::Read).unwrap();
        let result = tool_error(&error, &policy);
        let texts = [
            result.content[0].as_text().unwrap().text.clone(),
            internal_error(&error).message.into_owned(),
            resource_error(&error, "octopus://spaces", &policy).message.into_owned(),
            log_text(&error),
        ];
        for text in texts {
            assert!(text.contains("Octopus said password="), "{text}");
            assert!(!text.contains("hunter2"), "{text}");
        }
    }
}
