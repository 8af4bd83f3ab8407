//! Parameters of the wrong type. rmcp takes a message that it cannot read for one of an unknown
//! method; here it is told what is wrong with its parameters.

use axum::{extract::Request, middleware::Next, response::Response};
use http::StatusCode;
use rmcp::model::{
    CallToolRequestParams, CompleteRequestParams, GetPromptRequestParams, InitializeRequestParams,
    PaginatedRequestParams, ReadResourceRequestParams,
};
use serde::de::DeserializeOwned;

use super::{
    envelope::Envelope,
    refusal::{Refusal, code},
};

/// Refuses parameters that do not read as those of their method.
pub(super) async fn check(request: Request, next: Next) -> Response {
    let era = request.headers().get("mcp-protocol-version");
    let stateless = era.is_some_and(|version| version.as_bytes() >= b"2026-07-28".as_slice());
    let wrong = request.extensions().get::<Envelope>().and_then(|read| wrong(read, stateless));
    match wrong {
        None => next.run(request).await,
        Some(reason) => {
            // Earlier clients take any HTTP error for the end of the connection.
            let status = if stateless { StatusCode::BAD_REQUEST } else { StatusCode::OK };
            Refusal::new(status, reason)
                .with_code(code::INVALID_PARAMS)
                .to(&Envelope::id_of(&request))
        }
    }
}

fn wrong(envelope: &Envelope, stateless: bool) -> Option<String> {
    let method = envelope.method.as_deref()?;
    if envelope.id.is_null() {
        return None;
    }
    let params = envelope.params.as_deref().map_or("{}", serde_json::value::RawValue::get);
    let read = match method {
        // The stateless era has no such method, so there are no parameters to be wrong.
        "initialize" if stateless => return None,
        "initialize" => reads_as::<InitializeRequestParams>(params),
        "tools/call" => reads_as::<CallToolRequestParams>(params),
        "resources/read" => reads_as::<ReadResourceRequestParams>(params),
        "prompts/get" => reads_as::<GetPromptRequestParams>(params),
        "completion/complete" => reads_as::<CompleteRequestParams>(params),
        "tools/list" | "resources/list" | "resources/templates/list" | "prompts/list" => {
            reads_as::<PaginatedRequestParams>(params)
        }
        _ => return None,
    };
    read.err().map(|error| format!("the parameters of {method} are not right: {error}"))
}

fn reads_as<T: DeserializeOwned>(params: &str) -> Result<(), String> {
    let mut json = serde_json::Deserializer::from_str(params);
    serde_path_to_error::deserialize::<_, T>(&mut json)
        .map(|_| ())
        .map_err(|error| error.to_string())
}
