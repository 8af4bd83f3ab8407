//! What a call came to, as the client sees it: the one place that knows both sides.

use rmcp::{
    ErrorData,
    model::{CallToolResult, ContentBlock, MetaObject},
};
use serde_json::{Value, json};

use crate::{
    octopus,
    text::{self, cut::head},
    tool::{Error, Passed, Policy},
};

/// How many bytes of an error message a client gets: messages repeat what the caller or Octopus
/// wrote, which has no limit of its own.
const LONGEST_MESSAGE: usize = 8 * 1024;
/// How many bytes of an error message are logged, before escapes.
const LONGEST_LOGGED: usize = 2 * 1024;

/// The answer to a call that came to one. The same value stands in it twice, as the protocol asks:
/// as structure, and once as compact JSON text.
pub(super) fn answer(passed: Passed) -> CallToolResult {
    let Passed { value, removed, redacted, .. } = passed;
    let mut result = CallToolResult::structured(value);
    result.meta = Some(label(removed, redacted));
    result
}

/// The answer to a call that failed. It is an answer and not a protocol error, so that the model
/// learns what to change.
pub(super) fn failure(error: &Error, policy: &Policy) -> CallToolResult {
    let message = words(error, "\nhint: ", policy);
    let passed = text::door(&message);
    let (removed, redacted) = (passed.removed, passed.redacted);
    let text = head(&passed.text, LONGEST_MESSAGE).to_owned();
    let mut result = CallToolResult::error(vec![ContentBlock::text(text)]);
    result.meta = Some(label(removed, redacted));
    result
}

/// What went wrong, and what to try next. Both hold words of Octopus: messages, and near names.
fn words(error: &Error, before_hint: &str, policy: &Policy) -> String {
    match error.hint(policy) {
        Some(hint) => format!("{error}{before_hint}{hint}"),
        None => error.to_string(),
    }
}

/// What went wrong, for the log: on one line, whatever Octopus wrote into it, and without secrets.
pub(super) fn logged(error: &Error) -> String {
    head(&text::door(&error.to_string()).text, LONGEST_LOGGED).escape_debug().to_string()
}

/// Says that somebody else wrote what is in the answer, and what was taken out of it. `ifc` is how
/// other servers say so (information flow control).
pub(super) fn label(removed: usize, redacted: usize) -> MetaObject {
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

/// Why a resource was not read, in the codes of the specification: a wrong address, one that leads
/// nowhere for this caller on this instance (which the protocol layer says in the code of the era),
/// and whatever else stood in the way.
pub(super) fn unread(error: &Error, uri: &str, policy: &Policy) -> ErrorData {
    let message = words(error, "; hint: ", policy);
    let message = sanitized(&message);
    let data = Some(json!({ "uri": uri }));
    match error {
        Error::Octopus(
            octopus::Error::NotFound { .. }
            | octopus::Error::Forbidden { .. }
            | octopus::Error::TooOld { .. },
        )
        | Error::Denied { .. }
        | Error::NoResource { .. } => ErrorData::resource_not_found(message, data),
        Error::Argument { .. }
        | Error::Invalid(_)
        | Error::Octopus(
            octopus::Error::MalformedId { .. }
            | octopus::Error::Ambiguous { .. }
            | octopus::Error::Confusable { .. }
            | octopus::Error::InvalidRequest { .. },
        ) => ErrorData::invalid_params(message, data),
        _ => ErrorData::internal_error(message, data),
    }
}

/// Maps an error to an internal error, for requests whose result cannot carry a tool error.
pub(super) fn refused(error: &Error) -> ErrorData {
    ErrorData::internal_error(sanitized(&error.to_string()), None)
}

/// Returns a message without invisible characters and secrets, truncated for the client.
fn sanitized(message: &str) -> String {
    head(&text::door(message).text, LONGEST_MESSAGE).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_text_is_sanitized() {
        let error = Error::Invalid("Octopus\u{200b} said password=hunter2hunter2".to_owned());
        let policy = Policy::new(&[], &[], crate::tool::Tier::Read).unwrap();
        let result = failure(&error, &policy);
        let texts = [
            result.content[0].as_text().unwrap().text.clone(),
            refused(&error).message.into_owned(),
            unread(&error, "octopus://spaces", &policy).message.into_owned(),
            logged(&error),
        ];
        for text in texts {
            assert!(text.contains("Octopus said password="), "{text}");
            assert!(!text.contains("hunter2"), "{text}");
        }
    }
}
