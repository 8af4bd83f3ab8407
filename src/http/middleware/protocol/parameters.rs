//! Rejects parameters of the wrong type.
//!
//! rmcp treats a message that it cannot parse as an unknown method. The rejection of this module
//! names the invalid parameter.

use http::StatusCode;
use rmcp::model::{
    CompleteRequestParams, GetPromptRequestParams, InitializeRequestParams, PaginatedRequestParams,
    ReadResourceRequestParams,
};

use crate::http::{
    envelope::Envelope,
    rejection::{Rejection, code},
};

/// Checks that the parameters of a request parse as those of its method.
///
/// # Errors
///
/// Returns a JSON-RPC error, with HTTP 400 in the stateless revision and HTTP 200 in earlier ones.
/// Clients of earlier revisions treat any HTTP error as the end of the connection.
pub(super) fn check(envelope: &Envelope, is_stateless: bool) -> Result<(), Rejection> {
    let Some(message) = error(envelope, is_stateless) else { return Ok(()) };
    let status = if is_stateless { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    Err(Rejection::new(status, message).with_code(code::INVALID_PARAMS))
}

fn error(envelope: &Envelope, is_stateless: bool) -> Option<String> {
    let method = envelope.method.as_deref()?;
    if envelope.id.is_null() {
        return None;
    }
    let parsed = match method {
        // The stateless revision has no such method.
        "initialize" if is_stateless => return None,
        "initialize" => parse::<InitializeRequestParams>(envelope),
        "tools/call" => envelope.call_params().map(drop).map_err(str::to_owned),
        "resources/read" => parse::<ReadResourceRequestParams>(envelope),
        "prompts/get" => parse::<GetPromptRequestParams>(envelope),
        "completion/complete" => parse::<CompleteRequestParams>(envelope),
        "tools/list" | "resources/list" | "resources/templates/list" | "prompts/list" => {
            parse::<PaginatedRequestParams>(envelope)
        }
        _ => return None,
    };
    parsed.err().map(|error| format!("invalid parameters of {method}: {error}"))
}

fn parse<T: serde::de::DeserializeOwned>(envelope: &Envelope) -> Result<(), String> {
    envelope.params_as::<T>().map(drop)
}
