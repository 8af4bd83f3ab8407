//! What a call came to, as the client sees it: the one place that knows both sides.

use rmcp::model::{CallToolResult, ContentBlock, MetaObject};
use serde_json::{Value, json};

use crate::{
    text,
    tool::{Error, Outcome, Policy},
};

/// The answer to a call that came to one. The same value stands in it twice, as the protocol asks:
/// as structure, and once as compact JSON text.
pub(super) fn answer(outcome: Outcome) -> CallToolResult {
    let Outcome { value, removed, redacted } = outcome;
    let mut result = CallToolResult::structured(value);
    result.meta = Some(label(removed, redacted));
    result
}

/// The answer to a call that failed. It is an answer and not a protocol error, so that the model
/// learns what to change.
pub(super) fn failure(error: &Error, policy: &Policy) -> CallToolResult {
    let mut message = error.to_string();
    if let Some(hint) = error.hint(policy) {
        message.push_str("\nhint: ");
        message.push_str(&hint);
    }
    let passed = text::door(&message);
    let (removed, redacted) = (passed.removed, passed.redacted);
    let mut result = CallToolResult::error(vec![ContentBlock::text(passed.text.into_owned())]);
    result.meta = Some(label(removed, redacted));
    result
}

/// Says that somebody else wrote what is in the answer, and what was taken out of it. `ifc` is how
/// other servers say so (information flow control).
fn label(removed: usize, redacted: usize) -> MetaObject {
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
