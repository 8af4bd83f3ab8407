//! A server with write tools, the ways in which clients approve changes, and the outcomes of calls.

use octopus_mcp::{config::Config, rules::Clock};
use octopus_sample::{JournalEntry, Sample, keys};
use serde_json::{Value, json};

use crate::support::{Era, Reply, TestServer, meta, projected_headers};

/// The way in which a client gets and sends an approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// The result has `resultType: "input_required"`, and the client repeats the call with the response of
    /// the user (elicitation in protocol revision 2026-07-28).
    Rounds,
    /// The result contains a code, and the client repeats the call with the code in `confirm`.
    Code(Era),
}

pub const WAYS: [Way; 3] = [Way::Rounds, Way::Code(Era::Legacy), Way::Code(Era::Modern)];

/// A server with write tools, and the API key of its client.
pub struct Desk {
    pub server: TestServer,
    pub key: &'static str,
}

/// The outcome of a call.
#[derive(Debug)]
pub enum Came {
    /// The server requires approval: the preview, and the token or code to send with the approval.
    Asked { words: String, sealed: String },
    /// The structured result.
    Answered(Value),
    /// The message of a tool error or JSON-RPC error.
    Refused(String),
}

impl Came {
    #[track_caller]
    pub fn asked(self) -> (String, String) {
        match self {
            Self::Asked { words, sealed } => (words, sealed),
            other => panic!("no approval was requested: {other:?}"),
        }
    }

    #[track_caller]
    pub fn answered(self) -> Value {
        match self {
            Self::Answered(answer) => answer,
            other => panic!("no result: {other:?}"),
        }
    }

    #[track_caller]
    pub fn refused(self, words: &str) {
        match self {
            Self::Refused(message) => {
                assert!(message.contains(words), "no {words:?} in {message:?}")
            }
            other => panic!("no error ({words}): {other:?}"),
        }
    }
}

impl Desk {
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        Self::by(Clock::default(), change).await
    }

    /// Starts a server whose policy rules use this clock.
    pub async fn by(clock: Clock, change: impl FnOnce(&mut Config)) -> Self {
        let server = TestServer::by(clock, Sample::new(), |config| {
            config.tools.read_only = false;
            change(config);
        });
        Self { server: server.await, key: keys::ADMIN }
    }

    /// Returns the change requests that Octopus received.
    pub fn changes(&self) -> Vec<JournalEntry> {
        self.server.sample.changes()
    }

    /// Calls a tool without an approval.
    pub async fn call(&self, flow: Way, tool: &str, arguments: &Value) -> Came {
        self.send(flow, json!({ "name": tool, "arguments": arguments })).await
    }

    /// Repeats a call with an approval.
    pub async fn agree(&self, flow: Way, tool: &str, arguments: &Value, sealed: &str) -> Came {
        self.answer(flow, tool, arguments, sealed, "accept").await
    }

    /// Repeats a call with the action of the user: "accept", "decline" or "cancel".
    pub async fn answer(
        &self,
        flow: Way,
        tool: &str,
        arguments: &Value,
        sealed: &str,
        action: &str,
    ) -> Came {
        self.typed(flow, tool, arguments, sealed, action, None).await
    }

    /// Repeats a call with the action of the user and the confirmation word that the user typed.
    pub async fn typed(
        &self,
        flow: Way,
        tool: &str,
        arguments: &Value,
        sealed: &str,
        action: &str,
        word: Option<&str>,
    ) -> Came {
        let mut params = json!({ "name": tool, "arguments": arguments });
        match flow {
            Way::Rounds => {
                params["requestState"] = json!(sealed);
                params["inputResponses"] = json!({ "confirm": { "action": action } });
                if let Some(word) = word {
                    params["inputResponses"]["confirm"]["content"] = json!({ "word": word });
                }
            }
            Way::Code(_) => {
                assert_eq!(action, "accept", "a code can only approve");
                let word = word.map_or_else(String::new, |word| format!(" {word}"));
                params["arguments"]["confirm"] = json!(format!("{sealed}{word}"));
            }
        }
        self.send(flow, params).await
    }

    pub async fn send(&self, flow: Way, params: Value) -> Came {
        read(&self.reply(flow, params).await)
    }

    pub async fn reply(&self, flow: Way, mut params: Value) -> Reply {
        match flow {
            Way::Code(era) => self.server.ask_as(era, self.key, "tools/call", params).await,
            Way::Rounds => {
                let name = params["name"].as_str().unwrap().to_owned();
                params["_meta"] = meta();
                params["_meta"]["io.modelcontextprotocol/clientCapabilities"] =
                    json!({ "elicitation": { "form": {} } });
                let projected = projected_headers(&name, &params["arguments"]);
                let mut headers = vec![
                    ("x-octopus-apikey", self.key),
                    ("mcp-protocol-version", crate::support::MODERN),
                    ("mcp-method", "tools/call"),
                    ("mcp-name", &name),
                ];
                headers.extend(projected.iter().map(|(name, value)| (&**name, &**value)));
                let body =
                    json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
                self.server.post(&headers, body.to_string()).await
            }
        }
    }
}

/// Reads the outcome from a reply of any flow.
pub fn read(reply: &Reply) -> Came {
    let json = reply.json();
    let result = &json["result"];
    if result["resultType"] == "input_required" {
        let elicitation = &result["inputRequests"]["confirm"];
        assert_eq!(elicitation["method"], "elicitation/create");
        assert_eq!(elicitation["params"]["mode"], "form");
        let fields = elicitation["params"]["requestedSchema"]["properties"].as_object().unwrap();
        assert!(fields.is_empty() || fields.keys().eq(["word"]), "{fields:?}");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        return Came::Asked {
            words: text(&elicitation["params"]["message"]),
            sealed: text(&result["requestState"]),
        };
    }
    let structured = &result["structuredContent"];
    if structured["confirmationRequired"] == true {
        assert_eq!(result["isError"], true);
        assert_eq!(structured["success"], false);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        return Came::Asked {
            words: text(&structured["preview"]),
            sealed: text(&structured["confirm"]),
        };
    }
    match (json.get("error"), result["isError"] == true) {
        (Some(error), _) => Came::Refused(error.to_string()),
        (None, true) => Came::Refused(result["content"][0]["text"].to_string()),
        (None, false) => Came::Answered(structured.clone()),
    }
}
