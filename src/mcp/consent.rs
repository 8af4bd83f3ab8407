//! Consent to a change, in the words of the protocol: how a question goes out, and what of the
//! answer is a yes.

use rmcp::{
    ErrorData,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ElicitRequest,
        ElicitRequestParams, ElicitResult, ElicitationAction, ElicitationSchema, InputRequest,
        InputRequests, InputRequiredResult,
    },
};
use serde::Deserialize;
use serde_json::json;

use super::Request;
use crate::tool::{Consent, Question, Way};

/// The name of the one question that is ever asked.
const KEY: &str = "confirm";

/// What a call brings.
pub(super) enum Came {
    /// A call that may run, with this consent.
    Call(Consent),
    /// A no, or nobody answered.
    No(ElicitationAction),
}

/// Reads what a call brings. Only an accepted question counts as a yes; an answer that does not
/// read is none.
pub(super) fn read(params: &mut CallToolRequestParams, request: &Request) -> Came {
    let mut consent = Consent { can_ask: request.can_ask, agreed: None };
    let responses = params.input_responses.take().unwrap_or_default();
    let Some(state) = params.request_state.take() else { return Came::Call(consent) };
    let answer = responses.get(KEY).and_then(|answer| ElicitResult::deserialize(answer).ok());
    match answer.map(|answer| answer.action) {
        Some(ElicitationAction::Accept) => consent.agreed = Some(state),
        Some(action) => return Came::No(action),
        // No answer to the question: it is asked again.
        None => {}
    }
    Came::Call(consent)
}

/// What goes out for a question.
pub(super) fn ask(question: Question) -> Result<CallToolResponse, ErrorData> {
    let Question { action, words, sealed, way } = question;
    if way != Way::Person {
        return Ok(CallToolResult::structured_error(json!({
            "success": false,
            "confirmationRequired": true,
            "action": action,
            "preview": words,
            "confirm": sealed,
            "message": format!(
                "Nothing has been changed yet, and nobody has agreed to this {action}. Show the \
                 preview to the user and ask. After a yes, call again with the same arguments and \
                 `confirm` set to the code above, which is good for 5 minutes."
            ),
        }))
        .into());
    }
    // Accepting is the answer: a form with fields of its own could be filled in by a machine.
    let requested_schema = ElicitationSchema::builder()
        .build()
        .map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
    let form =
        ElicitRequestParams::FormElicitationParams { meta: None, message: words, requested_schema };
    let mut requests = InputRequests::new();
    requests.insert(KEY.to_owned(), InputRequest::Elicitation(ElicitRequest::new(form)));
    Ok(InputRequiredResult::new(Some(requests), Some(sealed)).into())
}

/// The answer where nobody said yes.
pub(super) fn declined(action: &ElicitationAction) -> CallToolResponse {
    let (reason, said) = match action {
        ElicitationAction::Decline => ("declined", "The user said no"),
        _ => ("cancelled", "Nobody answered the question"),
    };
    CallToolResult::structured_error(json!({
        "success": false,
        "cancelled": true,
        "reason": reason,
        "message": format!("{said}. Nothing was changed; do not ask again unless the user wants it."),
    }))
    .into()
}
