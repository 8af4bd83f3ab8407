//! Elicitation for revisions with sessions.
//!
//! Providers return an input-required result, as the stateless revision specifies. This module
//! sends its input requests as `elicitation/create` on the stream of the call and collects the
//! responses.

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

/// Time limit for the user's response: slightly shorter than the lifetime of an approval request
/// (5 minutes).
const ELICITATION_TIMEOUT: Duration = Duration::from_secs(290);

/// Sends the input requests one after the other on the stream of the call.
///
/// Returns the responses and the request state for the second call. If the call is cancelled or the
/// server stops, the response is "cancel".
///
/// # Errors
///
/// An internal error if the provider requests something other than elicitation, or if the client
/// cannot be reached.
pub(super) async fn elicit_all(
    required: InputRequiredResult,
    context: &RequestContext<RoleServer>,
    stop: &CancellationToken,
) -> Result<(InputResponses, Option<String>), ErrorData> {
    let mut responses = InputResponses::new();
    for (key, request) in required.input_requests.into_iter().flatten() {
        let InputRequest::Elicitation(request) = request else {
            return Err(ErrorData::internal_error(
                "unsupported input request; only elicitation is supported",
                None,
            ));
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
    match context.peer.create_elicitation_with_timeout(params, Some(ELICITATION_TIMEOUT)).await {
        Ok(answer) => Ok(answer),
        // A missing response is not an approval.
        Err(ServiceError::Timeout { .. } | ServiceError::Cancelled { .. }) => {
            Ok(ElicitResult::new(ElicitationAction::Cancel))
        }
        Err(error) => Err(ErrorData::internal_error(format!("elicitation failed: {error}"), None)),
    }
}
