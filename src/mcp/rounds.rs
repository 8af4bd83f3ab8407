//! Asks a person in the revisions with sessions, as later ones do with input-required results.

use std::time::Duration;

use rmcp::{
    ErrorData, RoleServer,
    model::{
        ElicitRequestParams, ElicitResult, ElicitationAction, InputRequest, InputRequiredResult,
        InputResponses,
    },
    service::{RequestContext, ServiceError},
};
use tokio_util::sync::CancellationToken;

/// How long a person may take: as long as a question is good for.
const PATIENCE: Duration = Duration::from_secs(290);

/// Asks everything that an offering wants to know, one after the other, on the stream of the call.
pub(super) async fn ask(
    required: InputRequiredResult,
    context: &RequestContext<RoleServer>,
    stop: &CancellationToken,
) -> Result<(InputResponses, Option<String>), ErrorData> {
    let mut responses = InputResponses::new();
    for (key, request) in required.input_requests.into_iter().flatten() {
        let InputRequest::Elicitation(request) = request else {
            return Err(ErrorData::internal_error("only people can be asked", None));
        };
        let answer = tokio::select! {
            biased;
            () = context.ct.cancelled() => ElicitResult::new(ElicitationAction::Cancel),
            answer = elicit(request.params, context) => answer?,
            () = stop.cancelled() => ElicitResult::new(ElicitationAction::Cancel),
        };
        let answer = serde_json::to_value(answer)
            .map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
        responses.insert(key, answer);
    }
    Ok((responses, required.request_state))
}

async fn elicit(
    params: ElicitRequestParams,
    context: &RequestContext<RoleServer>,
) -> Result<ElicitResult, ErrorData> {
    match context.peer.create_elicitation_with_timeout(params, Some(PATIENCE)).await {
        Ok(answer) => Ok(answer),
        // Nobody answered: that is no yes.
        Err(ServiceError::Timeout { .. } | ServiceError::Cancelled { .. }) => {
            Ok(ElicitResult::new(ElicitationAction::Cancel))
        }
        Err(error) => {
            Err(ErrorData::internal_error(format!("nobody could be asked: {error}"), None))
        }
    }
}
