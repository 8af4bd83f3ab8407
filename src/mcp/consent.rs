//! Approval of changes in MCP terms: converts approval requests to elicitation or to a confirmation
//! code, and reads the user's response from the next call.

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

use super::{Request, answer};
use crate::tool::{Consent, Question, Way};

/// Key of the only input request that this server makes.
const KEY: &str = "confirm";

/// Form field for the word that a policy rule requires the user to type.
const WORD: &str = "word";

/// The approval state of a call.
pub(super) enum Came {
    /// The call runs with this approval, which can be empty.
    Call(Consent),
    /// The user declined or cancelled; the approval identifies the request that was declined.
    No(ElicitationAction, Consent),
}

/// Reads the approval of a call from its input responses and request state.
///
/// Only the action "accept" approves. A response that cannot be parsed counts as missing.
pub(super) fn read(params: &mut CallToolRequestParams, request: &Request) -> Came {
    let mut consent = Consent { can_ask: request.can_ask, ..Consent::default() };
    let responses = params.input_responses.take().unwrap_or_default();
    let Some(state) = params.request_state.take() else { return Came::Call(consent) };
    let answer = responses.get(KEY).and_then(|answer| ElicitResult::deserialize(answer).ok());
    match answer {
        Some(ElicitResult { action: ElicitationAction::Accept, content, .. }) => {
            let typed = content.as_ref().and_then(|content| content.get(WORD)?.as_str());
            consent.typed = typed.map(str::to_owned);
            consent.agreed = Some(state);
        }
        Some(answer) => {
            consent.agreed = Some(state);
            return Came::No(answer.action, consent);
        }
        // Without a response, the gate requests approval again.
        None => {}
    }
    Came::Call(consent)
}

/// Returns the response that requests approval.
///
/// Clients with elicitation get an input-required result. Others get a tool error with the preview
/// and a confirmation code.
pub(super) fn ask(question: Question) -> Result<CallToolResponse, ErrorData> {
    let Question { action, words, sealed, way, word, removed, redacted } = question;
    let label = answer::label(removed, redacted);
    if way != Way::Person {
        let mut result = coded(action, &words, &sealed, word.as_deref());
        result.meta = Some(label);
        return Ok(result.into());
    }
    // The form has no fields, because a program could fill them in; "accept" is the approval.
    // A word that a policy rule requires is the exception.
    let form = ElicitationSchema::builder();
    let form = match &word {
        None => form,
        Some(word) => form.required_string_property(WORD, |field| {
            field.title(format!("Type {word}")).description("Type the word exactly as shown")
        }),
    };
    let requested_schema =
        form.build().map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
    let form =
        ElicitRequestParams::FormElicitationParams { meta: None, message: words, requested_schema };
    let mut requests = InputRequests::new();
    requests.insert(KEY.to_owned(), InputRequest::Elicitation(ElicitRequest::new(form)));
    let mut required = InputRequiredResult::new(Some(requests), Some(sealed));
    required.meta = Some(label);
    Ok(required.into())
}

/// Returns the tool error that requests approval from clients without elicitation.
fn coded(action: &str, words: &str, sealed: &str, word: Option<&str>) -> CallToolResult {
    let how = match word {
        None => {
            "Show the preview to the user and ask for approval. If the user approves, call again \
                 with the same arguments and `confirm` set to the code above, which is valid for 5 \
                 minutes."
                .to_owned()
        }
        Some(word) => format!(
            "Show the preview to the user and let them type '{word}' to approve. Then call again \
             with the same arguments and `confirm` set to the code above, a space, and the word \
             as the user typed it. The code is valid for 5 minutes."
        ),
    };
    let mut question = json!({
        "success": false,
        "confirmationRequired": true,
        "action": action,
        "preview": words,
        "confirm": sealed,
        "message": format!(
            "Nothing has been changed yet: this {action} needs the user's approval. {how}"
        ),
    });
    if let (Some(word), Some(question)) = (word, question.as_object_mut()) {
        question.insert("word".to_owned(), word.into());
    }
    CallToolResult::structured_error(question)
}

/// Returns the code of a missing approval, for the result and the audit record.
pub(super) fn why(action: &ElicitationAction) -> &'static str {
    match action {
        ElicitationAction::Decline => "declined",
        _ => "cancelled",
    }
}

/// Returns the result of a call that the user did not approve.
pub(super) fn declined(action: &ElicitationAction) -> CallToolResponse {
    let outcome = match action {
        ElicitationAction::Decline => "Declined by the user",
        _ => "The approval request was cancelled or not answered",
    };
    CallToolResult::structured_error(json!({
        "success": false,
        "cancelled": true,
        "reason": why(action),
        "message": format!("{outcome}; nothing was changed. Do not retry unless the user asks."),
    }))
    .into()
}
