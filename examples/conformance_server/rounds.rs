//! Input-required results (MRTR): the next input requests of a tool or prompt, and validation of
//! the responses.

use rmcp::ErrorData;
use rmcp::model::{
    ClientCapabilities, ElicitationCapability, InputRequest, InputRequests, InputRequiredResult,
    InputResponses, RequestStateCodec, RequestStateError, RootsCapabilities, SamplingCapability,
    SealOptions,
};
use serde_json::Value;

/// Stateless: the progress of a client is in the sealed state that it sends back.
pub(crate) struct InputRounds {
    codec: RequestStateCodec,
}

impl InputRounds {
    pub(crate) fn new(key: [u8; 32]) -> Result<Self, RequestStateError> {
        Ok(Self { codec: RequestStateCodec::try_new(key)? })
    }

    /// Returns the next input requests of the tool or prompt `name`, or `None` if all input has
    /// arrived.
    pub(crate) fn next(
        &self,
        name: &str,
        rounds: &[InputRequests],
        responses: &InputResponses,
        state: Option<&str>,
        client: &ClientCapabilities,
    ) -> Result<Option<InputRequiredResult>, ErrorData> {
        // The name is authenticated with the state, so a state is invalid for another tool.
        let mut round = match state {
            Some(state) => self
                .codec
                .open_json_with::<usize>(state, name.as_bytes())
                .map_err(|error| invalid_state(&error))?,
            None => 0,
        };
        if are_answered(&supported_requests(rounds.get(round), client)?, responses) {
            round += 1;
        }
        if round >= rounds.len() {
            return Ok(None);
        }
        let requests = supported_requests(rounds.get(round), client)?;
        let sealed = self
            .codec
            .seal_json_with(&round, &SealOptions::new().associated_data(name.as_bytes()))
            .map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
        Ok(Some(InputRequiredResult::new(Some(requests), Some(sealed))))
    }
}

fn invalid_state(error: &RequestStateError) -> ErrorData {
    ErrorData::invalid_params(format!("requestState: {error}"), None)
}

/// Returns the requests of a round that the declared capabilities of the client support. Returns
/// error -32021 with the missing capabilities if it supports none of the requests.
fn supported_requests(
    round: Option<&InputRequests>,
    client: &ClientCapabilities,
) -> Result<InputRequests, ErrorData> {
    let round = round.cloned().unwrap_or_default();
    let mut missing = ClientCapabilities::default();
    let total = round.len();
    let requests: InputRequests = round
        .into_iter()
        .filter(|(_, request)| is_declared(request, client, &mut missing))
        .collect();
    if requests.is_empty() && total > 0 {
        return Err(ErrorData::missing_required_client_capability(missing));
    }
    Ok(requests)
}

fn is_declared(
    request: &InputRequest,
    client: &ClientCapabilities,
    missing: &mut ClientCapabilities,
) -> bool {
    match request {
        InputRequest::CreateMessage(_) => {
            missing.sampling = Some(SamplingCapability::default());
            client.sampling.is_some()
        }
        InputRequest::Elicitation(_) => {
            missing.elicitation = Some(ElicitationCapability::default());
            client.elicitation.is_some()
        }
        InputRequest::ListRoots(_) => {
            missing.roots = Some(RootsCapabilities::default());
            client.roots.is_some()
        }
        _ => false,
    }
}

/// Returns whether each request has a response of its kind. Responses without a request are
/// ignored.
fn are_answered(requests: &InputRequests, responses: &InputResponses) -> bool {
    requests.iter().all(|(key, request)| {
        responses.get(key).is_some_and(|response| {
            let has = |member: &str| response.get(member).is_some_and(|value| !value.is_null());
            match request {
                InputRequest::CreateMessage(_) => has("role") && has("content"),
                InputRequest::Elicitation(_) => {
                    response.get("action").is_some_and(Value::is_string)
                }
                InputRequest::ListRoots(_) => response.get("roots").is_some_and(Value::is_array),
                _ => false,
            }
        })
    })
}
