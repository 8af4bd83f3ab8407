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

use super::{Request, answer};
use crate::tool::{Consent, Question, Way};

/// The name of the one question that is ever asked.
const KEY: &str = "confirm";

/// The field of the form that holds the word which a rule wants typed.
const WORD: &str = "word";

/// What a call brings.
pub(super) enum Came {
    /// A call that may run, with this consent.
    Call(Consent),
    /// A no, or nobody answered; and the question that it is about.
    No(ElicitationAction, Consent),
}

/// Reads what a call brings. Only an accepted question counts as a yes; an answer that does not
/// read is none.
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
        // No answer to the question: it is asked again.
        None => {}
    }
    Came::Call(consent)
}

/// What goes out for a question.
pub(super) fn ask(question: Question) -> Result<CallToolResponse, ErrorData> {
    let Question { action, words, sealed, way, word, removed, redacted } = question;
    let label = answer::label(removed, redacted);
    if way != Way::Person {
        let mut asked = coded(action, &words, &sealed, word.as_deref());
        asked.meta = Some(label);
        return Ok(asked.into());
    }
    // Accepting is the answer: a form with fields of its own could be filled in by a machine.
    // A word that a rule wants typed is the exception.
    let form = ElicitationSchema::builder();
    let form = match &word {
        None => form,
        Some(word) => form.required_string_property(WORD, |field| {
            field.title(format!("Type {word}")).description("The word, letter by letter")
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

/// The question to a client that can ask nobody.
fn coded(action: &str, words: &str, sealed: &str, word: Option<&str>) -> CallToolResult {
    let how = match word {
        None => "Show the preview to the user and ask. After a yes, call again with the same \
                 arguments and `confirm` set to the code above, which is good for 5 minutes."
            .to_owned(),
        Some(word) => format!(
            "Show the preview to the user and let them type '{word}' to agree. Then call again \
             with the same arguments and `confirm` set to the code above, a space, and the word \
             as the user typed it. The code is good for 5 minutes."
        ),
    };
    let mut question = json!({
        "success": false,
        "confirmationRequired": true,
        "action": action,
        "preview": words,
        "confirm": sealed,
        "message": format!(
            "Nothing has been changed yet, and nobody has agreed to this {action}. {how}"
        ),
    });
    if let (Some(word), Some(question)) = (word, question.as_object_mut()) {
        question.insert("word".to_owned(), word.into());
    }
    CallToolResult::structured_error(question)
}

/// Why nobody said yes, in a word.
pub(super) fn why(action: &ElicitationAction) -> &'static str {
    match action {
        ElicitationAction::Decline => "declined",
        _ => "cancelled",
    }
}

/// The answer where nobody said yes.
pub(super) fn declined(action: &ElicitationAction) -> CallToolResponse {
    let said = match action {
        ElicitationAction::Decline => "The user said no",
        _ => "Nobody answered the question",
    };
    CallToolResult::structured_error(json!({
        "success": false,
        "cancelled": true,
        "reason": why(action),
        "message": format!("{said}. Nothing was changed; do not ask again unless the user wants it."),
    }))
    .into()
}
