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

use super::{RequestInfo, response};
use crate::approval::{ApprovalMethod, ApprovalRequest, ClientApproval};

/// Key of the only input request that this server makes.
const INPUT_KEY: &str = "confirm";

/// Form field for the word that a policy rule requires the user to type.
const WORD_FIELD: &str = "word";

/// The approval state of a call.
pub(super) enum ApprovalState {
    /// The call continues with this approval, which can be empty.
    Proceed(ClientApproval),
    /// The user declined or cancelled; the approval identifies the request that was declined.
    NotApproved(ElicitationAction, ClientApproval),
}

/// Reads the approval of a call from its input responses and request state.
///
/// Only the action "accept" approves. A response that cannot be parsed is treated as missing.
pub(super) fn read_approval(
    params: &mut CallToolRequestParams,
    request: &RequestInfo,
) -> ApprovalState {
    let mut approval =
        ClientApproval { supports_elicitation: request.can_elicit, ..ClientApproval::default() };
    let responses = params.input_responses.take().unwrap_or_default();
    let Some(state) = params.request_state.take() else { return ApprovalState::Proceed(approval) };
    let answer = responses.get(INPUT_KEY).and_then(|answer| ElicitResult::deserialize(answer).ok());
    match answer {
        Some(ElicitResult { action: ElicitationAction::Accept, content, .. }) => {
            let typed = content.as_ref().and_then(|content| content.get(WORD_FIELD)?.as_str());
            approval.typed_word = typed.map(str::to_owned);
            approval.approved_token = Some(state);
        }
        Some(answer) => {
            approval.approved_token = Some(state);
            return ApprovalState::NotApproved(answer.action, approval);
        }
        // Without a response, the gate requests approval again.
        None => {}
    }
    ApprovalState::Proceed(approval)
}

/// Returns the response that requests approval.
///
/// Clients with elicitation get an input-required result. Others get a tool error with the preview
/// and a confirmation code.
pub(super) fn request_approval(request: ApprovalRequest) -> Result<CallToolResponse, ErrorData> {
    let ApprovalRequest { action, preview, token, method, word_to_type: word, removed, redacted } =
        request;
    let label = response::content_label(removed, redacted);
    if method != ApprovalMethod::Person {
        let mut result = confirmation_code_result(action, &preview, &token, word.as_deref());
        result.meta = Some(label);
        return Ok(result.into());
    }
    // The form has no fields, because a program could fill them in; "accept" is the approval.
    // A word that a policy rule requires is the exception.
    let form = ElicitationSchema::builder();
    let form = match &word {
        None => form,
        Some(word) => form.required_string_property(WORD_FIELD, |field| {
            field.title(format!("Type {word}")).description("Type the word exactly as shown")
        }),
    };
    let requested_schema =
        form.build().map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
    let form = ElicitRequestParams::FormElicitationParams {
        meta: None,
        message: preview,
        requested_schema,
    };
    let mut requests = InputRequests::new();
    requests.insert(INPUT_KEY.to_owned(), InputRequest::Elicitation(ElicitRequest::new(form)));
    let mut required = InputRequiredResult::new(Some(requests), Some(token));
    required.meta = Some(label);
    Ok(required.into())
}

/// Returns the tool error that requests approval from clients without elicitation.
fn confirmation_code_result(
    action: &str,
    preview: &str,
    token: &str,
    word: Option<&str>,
) -> CallToolResult {
    let instructions = match word {
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
    let mut content = json!({
        "success": false,
        "confirmationRequired": true,
        "action": action,
        "preview": preview,
        "confirm": token,
        "message": format!(
            "Nothing has been changed yet: this {action} needs the user's approval. {instructions}"
        ),
    });
    if let (Some(word), Some(content)) = (word, content.as_object_mut()) {
        content.insert("word".to_owned(), word.into());
    }
    CallToolResult::structured_error(content)
}

/// Returns the code of a missing approval, for the result and the audit record.
pub(super) fn decline_code(action: &ElicitationAction) -> &'static str {
    match action {
        ElicitationAction::Decline => "declined",
        _ => "cancelled",
    }
}

/// Returns the result of a call that the user did not approve.
pub(super) fn declined_result(action: &ElicitationAction) -> CallToolResponse {
    let outcome = match action {
        ElicitationAction::Decline => "Declined by the user",
        _ => "The approval request was cancelled or not answered",
    };
    CallToolResult::structured_error(json!({
        "success": false,
        "cancelled": true,
        "reason": decline_code(action),
        "message": format!("{outcome}; nothing was changed. Do not retry unless the user asks."),
    }))
    .into()
}
