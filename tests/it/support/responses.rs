//! HTTP responses and results of tool calls.

use serde_json::Value;

/// An HTTP response with its complete body.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

impl Reply {
    /// Returns the body as JSON. For an event stream, returns the last message.
    pub fn json(&self) -> Value {
        let is_stream = self.header("content-type").starts_with("text/event-stream");
        let text = if is_stream {
            let last = self.text.lines().rev().find_map(|line| line.strip_prefix("data:"));
            last.unwrap_or_else(|| panic!("no event in {:?}", self.text))
        } else {
            &self.text
        };
        serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {:?}", self.text))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Returns the code of the JSON-RPC error.
    pub fn error_code(&self) -> i64 {
        self.json()["error"]["code"].as_i64().unwrap_or_else(|| panic!("no error: {}", self.text))
    }

    /// Returns the message of the JSON-RPC error.
    pub fn error_message(&self) -> String {
        self.json()["error"]["message"].as_str().unwrap().to_owned()
    }
}

/// The result of a tool call.
#[derive(Debug, Clone, PartialEq)]
pub struct CallResult {
    pub structured: Value,
    pub text: String,
    pub is_error: bool,
    pub meta: Value,
}

/// Sends a request and reads its whole response.
pub async fn send(request: reqwest::RequestBuilder) -> Reply {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    Reply { status, headers, text: response.text().await.unwrap() }
}
