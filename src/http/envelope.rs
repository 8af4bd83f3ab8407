//! The JSON-RPC envelope of a request.
//!
//! The message layer parses it once and inserts it into the request extensions.

use std::sync::{Arc, OnceLock};

use axum::extract::Request;
use http::{Extensions, Method};
use rmcp::model::CallToolRequestParams;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::{Value, value::RawValue};

use super::rejection::{Rejection, code};

/// Methods of the first request of a client. Rate limits never reject them for an authenticated
/// caller, and the concurrency limit reserves permits for them. A client whose first request fails
/// reports a broken server, or falls back to an older revision.
const FIRST_METHODS: [&str; 2] = ["initialize", "server/discover"];

/// The JSON-RPC envelope of a request. The request extensions contain it as `Arc<Envelope>`.
#[derive(Debug)]
pub(in crate::http) struct Envelope {
    /// The ID of the request; `null` for a notification or a response.
    pub(in crate::http) id: Value,
    /// `None` for a response.
    pub(in crate::http) method: Option<String>,
    pub(in crate::http) params: Option<Box<RawValue>>,
    /// The parameters of `tools/call`, parsed when they are first needed.
    call: OnceLock<Result<CallToolRequestParams, String>>,
}

/// The kind of a request, for rate limits and for checks that may send requests to Octopus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum RequestKind {
    /// The first request of a client: `initialize` or `server/discover`.
    FirstRequest,
    /// Any other request with an ID, except `ping`.
    Call,
    /// A GET request that opens an event stream.
    Stream,
    /// `ping`, a notification, a response to a server request, or the deletion of a session.
    Unmetered,
}

/// Returns whether the method is one of [`FIRST_METHODS`].
pub(in crate::http) fn is_first_method(method: &str) -> bool {
    FIRST_METHODS.contains(&method)
}

impl RequestKind {
    pub(in crate::http) fn of(request: &Request) -> Self {
        match Envelope::of(request.extensions()) {
            None if request.method() == Method::GET => Self::Stream,
            None => Self::Unmetered,
            Some(envelope) if envelope.id.is_null() => Self::Unmetered,
            Some(envelope) => match envelope.method.as_deref() {
                None | Some("ping") => Self::Unmetered,
                Some(method) if is_first_method(method) => Self::FirstRequest,
                Some(_) => Self::Call,
            },
        }
    }
}

/// A message as sent in the body. A missing key differs from a key that is `null`.
#[derive(Deserialize)]
struct RawMessage<'a> {
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
    /// Parses a message (JSON-RPC 2.0, sections 4 and 5; MCP allows strings and integers as IDs,
    /// and objects as parameters).
    ///
    /// # Errors
    ///
    /// Returns the rejection and the request ID. The ID is `null` if it cannot be read.
    pub(in crate::http) fn parse(bytes: &[u8]) -> Result<Self, Box<(Value, Rejection)>> {
        let invalid = |id: Value, message: &str| {
            Box::new((id, Rejection::bad_request(code::INVALID_REQUEST, message)))
        };
        let message: RawMessage<'_> = match serde_json::from_slice(bytes) {
            Ok(message) => message,
            Err(error) if error.is_data() => {
                let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
                let message = if first == Some(&b'[') {
                    "JSON-RPC batches are not supported; send each message in its own request"
                } else {
                    "the body is JSON, but not a JSON-RPC message"
                };
                return Err(invalid(Value::Null, message));
            }
            Err(error) => {
                let message = format!("the body is not valid JSON: {error}");
                return Err(Box::new((Value::Null, Rejection::bad_request(code::PARSE, message))));
            }
        };
        let id = match message.id {
            None => Value::Null,
            Some(Value::String(text)) => Value::String(text),
            Some(Value::Number(number)) if number.is_i64() => Value::Number(number),
            Some(_) => {
                let message = "`id` must be a string or an integer";
                return Err(invalid(Value::Null, message));
            }
        };
        if message.jsonrpc.as_ref().and_then(Value::as_str) != Some("2.0") {
            return Err(invalid(id, "`jsonrpc` must be \"2.0\""));
        }
        let method = match message.method {
            None => None,
            Some(Value::String(method)) => Some(method),
            Some(_) => return Err(invalid(id, "`method` must be a string")),
        };
        let params = match message.params.map(RawValue::get) {
            None => None,
            Some(params) if params.starts_with('{') => message.params.map(ToOwned::to_owned),
            Some(_) => {
                let rejection =
                    Rejection::bad_request(code::INVALID_PARAMS, "`params` must be an object");
                return Err(Box::new((id, rejection)));
            }
        };
        Ok(Self { id, method, params, call: OnceLock::new() })
    }

    /// Returns the envelope of a request, if the message layer parsed one.
    pub(in crate::http) fn of(extensions: &Extensions) -> Option<&Self> {
        extensions.get::<Arc<Self>>().map(Arc::as_ref)
    }

    /// Returns the request ID for a rejection, or `null` without an envelope.
    pub(in crate::http) fn id_of(extensions: &Extensions) -> Value {
        Self::of(extensions).map_or(Value::Null, |envelope| envelope.id.clone())
    }

    /// Returns whether the method is `initialize`.
    pub(in crate::http) fn initializes(&self) -> bool {
        self.method.as_deref() == Some("initialize")
    }

    /// Returns whether the message is a client's response to a server request.
    pub(in crate::http) fn is_response(&self) -> bool {
        self.method.is_none() && !self.id.is_null()
    }

    /// Returns the parameters of a `tools/call` request. They are parsed once.
    ///
    /// # Errors
    ///
    /// Returns the path of the invalid parameter and the reason.
    pub(in crate::http) fn call_params(&self) -> Result<&CallToolRequestParams, &str> {
        self.call.get_or_init(|| self.params_as()).as_ref().map_err(String::as_str)
    }

    /// Parses the parameters as `T`, the parameter type of the method.
    ///
    /// # Errors
    ///
    /// Returns the path of the invalid parameter and the reason.
    pub(in crate::http) fn params_as<T: DeserializeOwned>(&self) -> Result<T, String> {
        let params = self.params.as_deref().map_or("{}", RawValue::get);
        let mut json = serde_json::Deserializer::from_str(params);
        serde_path_to_error::deserialize(&mut json).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(body: &str, expected: Result<(&str, Option<&str>), &str>) {
        let parsed = Envelope::parse(body.as_bytes());
        match (parsed, expected) {
            (Ok(envelope), Ok((id, method))) => {
                assert_eq!(envelope.id.to_string(), id, "{body}");
                assert_eq!(envelope.method.as_deref(), method, "{body}");
            }
            (Err(rejected), Err(expected)) => {
                let rejection = rejected.1;
                assert!(format!("{rejection:?}").contains(expected), "{body}: {rejection:?}");
            }
            (parsed, _) => panic!("{body}: {parsed:?}"),
        }
    }

    #[test]
    fn parses_json_rpc_messages() {
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
        fn parses_any_bytes_without_a_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Envelope::parse(&body);
        }
    }
}
