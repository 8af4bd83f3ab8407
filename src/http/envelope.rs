//! Reads the body of a request within its size and time, and what JSON-RPC says of it.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use bytes::{Bytes, BytesMut};
use http::{StatusCode, header::CONTENT_LENGTH};
use http_body_util::BodyExt;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, value::RawValue};

use super::{
    Gate,
    admit::held,
    rate::{self, Unread},
    refusal::{Refusal, code},
    request_memory::Reading,
};
use crate::octopus::Fingerprint;

/// What JSON-RPC says of a request.
#[derive(Debug, Clone)]
pub(super) struct Envelope {
    /// The ID of the request; `null` for a notification or a response.
    pub(super) id: Value,
    /// Absent in a response.
    pub(super) method: Option<String>,
    pub(super) params: Option<Arc<RawValue>>,
}

/// Reads the body and leaves it, with its [`Envelope`], to what comes after.
pub(super) async fn open(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    let declared =
        request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    let (limit, time) = (gate.http.body_limit.0, gate.http.body_timeout.0);
    let owner = Fingerprint::of([rate::address(&request).as_slice()]);
    let (mut parts, body) = request.into_parts();
    let claim = declared.map_or(limit, |length: u64| length.try_into().unwrap_or(limit));
    let mut reading = gate.memory.reading(owner, claim.min(limit));
    let bytes = match read(body, declared, limit, time, &mut reading).await {
        Ok(bytes) => bytes,
        Err(refusal) => return refusal.into_response(),
    };
    let memory = match gate.memory.message(owner, &bytes).await {
        Ok(memory) => memory,
        Err(refusal) => return refusal.into_response(),
    };
    drop(reading);
    parts.extensions.remove::<Unread>();
    match Envelope::parse(&bytes) {
        Ok(envelope) => {
            parts.extensions.insert(envelope);
            let response = next.run(Request::from_parts(parts, Body::from(bytes))).await;
            held(response, memory)
        }
        Err(refused) => {
            let (id, refusal) = *refused;
            refusal.to(&id)
        }
    }
}

/// Reads a body. One that says it is too large is refused before a byte of it is awaited.
pub(super) async fn read(
    mut body: Body,
    declared: Option<u64>,
    limit: usize,
    time: Duration,
    memory: &mut Reading,
) -> Result<Bytes, Refusal> {
    let too_large = || {
        let message = format!("the body of a request may have {limit} bytes at most");
        Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, message)
    };
    if declared.is_some_and(|length| length > limit as u64) {
        return Err(too_large());
    }
    let reading = async {
        let mut bytes = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| {
                Refusal::new(StatusCode::BAD_REQUEST, "the body of the request broke off")
            })?;
            let Ok(piece) = frame.into_data() else { continue };
            if bytes.len() + piece.len() > limit {
                return Err(too_large());
            }
            memory.grow(bytes.len() + piece.len()).await?;
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes.freeze())
    };
    tokio::time::timeout(time, reading).await.unwrap_or_else(|_| {
        let message = format!("the body of the request took longer than {} s", time.as_secs());
        Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, message))
    })
}

/// A message as it stands in the body. Keys that are absent differ from keys that are `null`.
#[derive(Deserialize)]
struct Written<'a> {
    jsonrpc: Option<Value>,
    #[serde(default, deserialize_with = "present")]
    id: Option<Value>,
    #[serde(default, deserialize_with = "present")]
    method: Option<Value>,
    #[serde(borrow)]
    params: Option<&'a RawValue>,
}

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl Envelope {
    /// Reads a message (JSON-RPC 2.0, sections 4 and 5; MCP narrows IDs to text and whole
    /// numbers, and parameters to objects).
    fn parse(bytes: &[u8]) -> Result<Self, Box<(Value, Refusal)>> {
        let invalid = |id: Value, message: &str| {
            Box::new((id, Refusal::bad_request(code::INVALID_REQUEST, message)))
        };
        let written: Written<'_> = match serde_json::from_slice(bytes) {
            Ok(written) => written,
            Err(error) if error.is_data() => {
                let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
                let message = if first == Some(&b'[') {
                    "batches are not served; send each message in a request of its own"
                } else {
                    "the body is JSON but no JSON-RPC message"
                };
                return Err(invalid(Value::Null, message));
            }
            Err(error) => {
                let message = format!("the body is not JSON: {error}");
                return Err(Box::new((Value::Null, Refusal::bad_request(code::PARSE, message))));
            }
        };
        let id = match written.id {
            None => Value::Null,
            Some(Value::String(text)) => Value::String(text),
            Some(Value::Number(number)) if number.is_i64() => Value::Number(number),
            Some(_) => {
                let message = "the ID of a request must be text or a whole number";
                return Err(invalid(Value::Null, message));
            }
        };
        if written.jsonrpc.as_ref().and_then(Value::as_str) != Some("2.0") {
            return Err(invalid(id, "`jsonrpc` must be \"2.0\""));
        }
        let method = match written.method {
            None => None,
            Some(Value::String(method)) => Some(method),
            Some(_) => return Err(invalid(id, "`method` must be text")),
        };
        let params = match written.params.map(RawValue::get) {
            None => None,
            Some(params) if params.starts_with('{') => {
                written.params.map(|p| Arc::from(p.to_owned()))
            }
            Some(_) => {
                let refusal =
                    Refusal::bad_request(code::INVALID_PARAMS, "`params` must be an object");
                return Err(Box::new((id, refusal)));
            }
        };
        Ok(Self { id, method, params })
    }

    /// The ID of a request, for refusing it.
    pub(super) fn id_of(request: &Request) -> Value {
        request.extensions().get::<Self>().map_or(Value::Null, |envelope| envelope.id.clone())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(body: &str, expected: Result<(&str, Option<&str>), &str>) {
        let read = Envelope::parse(body.as_bytes());
        match (read, expected) {
            (Ok(envelope), Ok((id, method))) => {
                assert_eq!(envelope.id.to_string(), id, "{body}");
                assert_eq!(envelope.method.as_deref(), method, "{body}");
            }
            (Err(refused), Err(expected)) => {
                let refusal = refused.1;
                assert!(format!("{refusal:?}").contains(expected), "{body}: {refusal:?}");
            }
            (read, _) => panic!("{body}: {read:?}"),
        }
    }

    #[test]
    fn messages_are_what_json_rpc_says() {
        check(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#, Ok(("1", Some("ping"))));
        check(r#"{"jsonrpc":"2.0","id":"a","method":"ping"}"#, Ok(("\"a\"", Some("ping"))));
        check(
            r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
            Ok(("null", Some("notifications/initialized"))),
        );
        check(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#, Ok(("1", None)));
        for (body, code) in [
            ("", "-32700"),
            ("{", "-32700"),
            ("\u{feff}{}", "-32700"),
            ("[]", "-32600"),
            ("1", "-32600"),
            ("{}", "-32600"),
            (r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#, "-32600"),
            (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, "-32600"),
            (r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#, "-32600"),
            (r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#, "-32600"),
            (r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}"#, "-32600"),
            (r#"{"jsonrpc":"2.0","id":1,"method":7}"#, "-32600"),
            (r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}"#, "-32602"),
        ] {
            check(body, Err(code));
        }
    }

    proptest! {
        #[test]
        fn nothing_breaks_it(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Envelope::parse(&body);
        }
    }
}
