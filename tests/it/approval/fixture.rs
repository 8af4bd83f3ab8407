//! A server with write tools, the approval flows of clients, and the outcomes of calls.

use octopus_mcp::{config::Config, policy::PolicyClock};
use octopus_sample::{JournalEntry, Sample, keys};
use serde_json::{Value, json};

use crate::support::{Era, Reply, TestServer, argument_headers, modern_meta};

/// Flow in which a client gets and sends an approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApprovalFlow {
    /// The result has `resultType: "input_required"`, and the client repeats the call with the
    /// response of the user (elicitation in protocol revision 2026-07-28).
    InputRequired,
    /// The result contains a code, and the client repeats the call with the code in `confirm`.
    ConfirmCode(Era),
}

pub const APPROVAL_FLOWS: [ApprovalFlow; 3] = [
    ApprovalFlow::InputRequired,
    ApprovalFlow::ConfirmCode(Era::Legacy),
    ApprovalFlow::ConfirmCode(Era::Modern),
];

/// A server with write tools, and the API key of its client.
pub struct ApprovalFixture {
    pub server: TestServer,
    pub key: &'static str,
}

/// The outcome of a call.
#[derive(Debug)]
pub enum CallOutcome {
    /// The server requires approval: the preview, and the token or code to send with the approval.
    ApprovalRequired { preview: String, token: String },
    /// The structured result.
    Completed(Value),
    /// The message of a tool error or JSON-RPC error.
    Failed(String),
}

impl CallOutcome {
    #[track_caller]
    pub fn expect_approval_request(self) -> (String, String) {
        match self {
            Self::ApprovalRequired { preview, token } => (preview, token),
            other => panic!("no approval was requested: {other:?}"),
        }
    }

    #[track_caller]
    pub fn expect_result(self) -> Value {
        match self {
            Self::Completed(answer) => answer,
            other => panic!("no result: {other:?}"),
        }
    }

    #[track_caller]
    pub fn expect_error(self, expected: &str) {
        match self {
            Self::Failed(message) => {
                assert!(message.contains(expected), "no {expected:?} in {message:?}");
            }
            other => panic!("no error ({expected}): {other:?}"),
        }
    }
}

impl ApprovalFixture {
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        Self::with_clock(PolicyClock::default(), change).await
    }

    /// Starts a server whose policy rules use this clock.
    pub async fn with_clock(clock: PolicyClock, change: impl FnOnce(&mut Config)) -> Self {
        Self::with_parts(clock, Sample::new(), change).await
    }

    /// Starts a server in front of this instance.
    pub async fn with_sample(sample: Sample, change: impl FnOnce(&mut Config)) -> Self {
        Self::with_parts(PolicyClock::default(), sample, change).await
    }

    async fn with_parts(
        clock: PolicyClock,
        sample: Sample,
        change: impl FnOnce(&mut Config),
    ) -> Self {
        let server = TestServer::with_clock(clock, sample, |config| {
            config.tools.read_only = false;
            change(config);
        });
        Self { server: server.await, key: keys::ADMIN }
    }

    /// Returns the change requests that Octopus received.
    pub fn sent_changes(&self) -> Vec<JournalEntry> {
        self.server.sample.changes()
    }

    /// Calls a tool without an approval.
    pub async fn call(&self, flow: ApprovalFlow, tool: &str, arguments: &Value) -> CallOutcome {
        self.send(flow, json!({ "name": tool, "arguments": arguments })).await
    }

    /// Repeats a call with an approval.
    pub async fn approve(
        &self,
        flow: ApprovalFlow,
        tool: &str,
        arguments: &Value,
        token: &str,
    ) -> CallOutcome {
        self.respond(flow, tool, arguments, token, "accept").await
    }

    /// Repeats a call with the action of the user: "accept", "decline" or "cancel".
    pub async fn respond(
        &self,
        flow: ApprovalFlow,
        tool: &str,
        arguments: &Value,
        token: &str,
        action: &str,
    ) -> CallOutcome {
        self.respond_with_word(flow, tool, arguments, token, action, None).await
    }

    /// Repeats a call with the action of the user and the confirmation word that the user typed.
    pub async fn respond_with_word(
        &self,
        flow: ApprovalFlow,
        tool: &str,
        arguments: &Value,
        token: &str,
        action: &str,
        word: Option<&str>,
    ) -> CallOutcome {
        let mut params = json!({ "name": tool, "arguments": arguments });
        match flow {
            ApprovalFlow::InputRequired => {
                params["requestState"] = json!(token);
                params["inputResponses"] = json!({ "confirm": { "action": action } });
                if let Some(word) = word {
                    params["inputResponses"]["confirm"]["content"] = json!({ "word": word });
                }
            }
            ApprovalFlow::ConfirmCode(_) => {
                assert_eq!(action, "accept", "a code can only approve");
                let word = word.map_or_else(String::new, |word| format!(" {word}"));
                params["arguments"]["confirm"] = json!(format!("{token}{word}"));
            }
        }
        self.send(flow, params).await
    }

    pub async fn send(&self, flow: ApprovalFlow, params: Value) -> CallOutcome {
        parse_outcome(&self.reply(flow, params).await)
    }

    pub async fn reply(&self, flow: ApprovalFlow, mut params: Value) -> Reply {
        match flow {
            ApprovalFlow::ConfirmCode(era) => {
                self.server.rpc_as(era, self.key, "tools/call", params).await
            }
            ApprovalFlow::InputRequired => {
                let name = params["name"].as_str().unwrap().to_owned();
                params["_meta"] = modern_meta();
                params["_meta"]["io.modelcontextprotocol/clientCapabilities"] =
                    json!({ "elicitation": { "form": {} } });
                let projected = argument_headers(&name, &params["arguments"]);
                let mut headers = vec![
                    ("x-octopus-apikey", self.key),
                    ("mcp-protocol-version", crate::support::MODERN_VERSION),
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
pub fn parse_outcome(reply: &Reply) -> CallOutcome {
    let json = reply.json();
    let result = &json["result"];
    if result["resultType"] == "input_required" {
        let elicitation = &result["inputRequests"]["confirm"];
        assert_eq!(elicitation["method"], "elicitation/create");
        assert_eq!(elicitation["params"]["mode"], "form");
        let fields = elicitation["params"]["requestedSchema"]["properties"].as_object().unwrap();
        assert!(fields.is_empty() || fields.keys().eq(["word"]), "{fields:?}");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        return CallOutcome::ApprovalRequired {
            preview: text(&elicitation["params"]["message"]),
            token: text(&result["requestState"]),
        };
    }
    let structured = &result["structuredContent"];
    if structured["confirmationRequired"] == true {
        assert_eq!(result["isError"], true);
        assert_eq!(structured["success"], false);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        return CallOutcome::ApprovalRequired {
            preview: text(&structured["preview"]),
            token: text(&structured["confirm"]),
        };
    }
    match (json.get("error"), result["isError"] == true) {
        (Some(error), _) => CallOutcome::Failed(error.to_string()),
        (None, true) => CallOutcome::Failed(result["content"][0]["text"].to_string()),
        (None, false) => CallOutcome::Completed(structured.clone()),
    }
}
