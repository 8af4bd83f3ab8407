//! A client with a session, and its message streams.

use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::support::{LEGACY_VERSION, Reply, TestServer, send};

/// A client with a session, as in the legacy revisions.
pub struct Client<'a> {
    pub server: &'a TestServer,
    pub key: &'static str,
    pub session: String,
}

/// The messages of an event stream, in order of arrival.
pub struct MessageStream {
    response: Response,
    rest: String,
}

impl MessageStream {
    /// Reads the messages of this response.
    pub fn of(response: Response) -> Self {
        Self { response, rest: String::new() }
    }

    /// Returns the next non-empty message, or `None` at the end of the stream.
    pub async fn next(&mut self) -> Option<Value> {
        loop {
            while let Some((line, rest)) = self.rest.split_once('\n') {
                let (line, rest) = (line.trim().to_owned(), rest.to_owned());
                self.rest = rest;
                if let Some(message) = line.strip_prefix("data:").map(str::trim)
                    && !message.is_empty()
                {
                    return Some(serde_json::from_str(message).unwrap());
                }
            }
            let piece = self.response.chunk().await.unwrap()?;
            self.rest.push_str(std::str::from_utf8(&piece).unwrap());
        }
    }
}

pub fn request(
    server: &TestServer,
    method: Method,
    key: &str,
    session: Option<&str>,
) -> reqwest::RequestBuilder {
    let request = server
        .http
        .request(method, &server.url)
        .header("accept", "application/json, text/event-stream")
        .header("x-octopus-apikey", key)
        .header("mcp-protocol-version", LEGACY_VERSION);
    match session {
        Some(session) => request.header("mcp-session-id", session),
        None => request,
    }
}

pub fn initialize_request(capabilities: &Value) -> Value {
    json!({
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": LEGACY_VERSION,
            "capabilities": capabilities,
            "clientInfo": { "name": "test", "version": "1" },
        },
    })
}

pub async fn initialize(server: &TestServer, key: &str, capabilities: &Value) -> Reply {
    send(request(server, Method::POST, key, None).json(&initialize_request(capabilities))).await
}

impl<'a> Client<'a> {
    pub async fn connect(server: &'a TestServer, key: &'static str, capabilities: Value) -> Self {
        let initialized = initialize(server, key, &capabilities).await;
        assert_eq!(initialized.status, 200, "{}", initialized.text);
        assert_eq!(initialized.json()["result"]["protocolVersion"], LEGACY_VERSION);
        let session = initialized.header("mcp-session-id").to_owned();
        assert!(!session.is_empty());
        let client = Self { server, key, session };
        let ready = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        assert_eq!(client.post(&ready).await.status(), 202);
        client
    }

    /// Returns the same client, sending its requests to another replica.
    pub fn at_replica<'b>(&self, server: &'b TestServer) -> Client<'b> {
        Client { server, key: self.key, session: self.session.clone() }
    }

    /// Sends a request without a body.
    pub async fn request(&self, method: Method) -> Response {
        request(self.server, method, self.key, Some(&self.session)).send().await.unwrap()
    }

    pub async fn post(&self, message: &Value) -> Response {
        let request = request(self.server, Method::POST, self.key, Some(&self.session));
        request.json(message).send().await.unwrap()
    }

    pub async fn call(&self, tool: &str, arguments: &Value) -> MessageStream {
        let params = json!({ "name": tool, "arguments": arguments });
        let call = json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params });
        let response = self.post(&call).await;
        assert_eq!(response.status(), 200);
        MessageStream::of(response)
    }

    pub async fn respond(&self, elicitation: &Value, result: Value) {
        let answer = json!({ "jsonrpc": "2.0", "id": elicitation["id"], "result": result });
        assert_eq!(self.post(&answer).await.status(), 202);
    }
}

/// Calls a tool on a new session, accepts the elicitation with this content, and returns the
/// elicitation request and the result.
pub async fn accept_elicitation(
    server: &TestServer,
    key: &'static str,
    tool: &str,
    arguments: &Value,
    content: Value,
) -> (Value, Value) {
    let client = Client::connect(server, key, json!({ "elicitation": {} })).await;
    let mut messages = client.call(tool, arguments).await;
    let elicitation = messages.next().await.unwrap();
    assert_eq!(elicitation["method"], "elicitation/create", "{elicitation}");
    client.respond(&elicitation, json!({ "action": "accept", "content": content })).await;
    let result = messages.next().await.unwrap();
    (elicitation, result["result"].clone())
}
