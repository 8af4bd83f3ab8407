//! A server that lets things be changed, the ways in which a yes comes, and what calls came to.

use octopus_mcp::{config::Config, rules::Clock};
use octopus_sample::{JournalEntry, Sample, keys};
use serde_json::{Value, json};

use crate::support::{Era, Reply, TestServer, meta, projected_headers};

/// The ways in which a yes comes, with the era that has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Input-required results, and the call again with the answer.
    Rounds,
    /// A code in the answer, and the call again with the code.
    Code(Era),
}

pub const WAYS: [Way; 3] = [Way::Rounds, Way::Code(Era::Legacy), Way::Code(Era::Modern)];

/// A server that lets things be changed, and whoever speaks to it.
pub struct Desk {
    pub server: TestServer,
    pub key: &'static str,
}

/// What a call came to.
#[derive(Debug)]
pub enum Came {
    /// A question: its words, and what to send back with the yes.
    Asked { words: String, sealed: String },
    /// An answer.
    Answered(Value),
    /// A refusal, in words.
    Refused(String),
}

impl Came {
    #[track_caller]
    pub fn asked(self) -> (String, String) {
        match self {
            Self::Asked { words, sealed } => (words, sealed),
            other => panic!("nobody was asked: {other:?}"),
        }
    }

    #[track_caller]
    pub fn answered(self) -> Value {
        match self {
            Self::Answered(answer) => answer,
            other => panic!("no answer: {other:?}"),
        }
    }

    #[track_caller]
    pub fn refused(self, words: &str) {
        match self {
            Self::Refused(said) => assert!(said.contains(words), "no {words:?} in {said:?}"),
            other => panic!("not refused ({words}): {other:?}"),
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

    /// A server whose rules go by this clock.
    pub async fn by(clock: Clock, change: impl FnOnce(&mut Config)) -> Self {
        let server = TestServer::by(clock, Sample::new(), |config| {
            config.tools.read_only = false;
            change(config);
        });
        Self { server: server.await, key: keys::ADMIN }
    }

    /// What Octopus was asked to change.
    pub fn changes(&self) -> Vec<JournalEntry> {
        self.server.sample.changes()
    }

    /// Calls a tool for the first time.
    pub async fn call(&self, way: Way, tool: &str, arguments: &Value) -> Came {
        self.send(way, json!({ "name": tool, "arguments": arguments })).await
    }

    /// Calls it again with a yes.
    pub async fn agree(&self, way: Way, tool: &str, arguments: &Value, sealed: &str) -> Came {
        self.answer(way, tool, arguments, sealed, "accept").await
    }

    /// Calls it again with what a person did about the question.
    pub async fn answer(
        &self,
        way: Way,
        tool: &str,
        arguments: &Value,
        sealed: &str,
        action: &str,
    ) -> Came {
        self.typed(way, tool, arguments, sealed, action, None).await
    }

    /// Calls it again with what a person did, and with the word that they typed.
    pub async fn typed(
        &self,
        way: Way,
        tool: &str,
        arguments: &Value,
        sealed: &str,
        action: &str,
        word: Option<&str>,
    ) -> Came {
        let mut params = json!({ "name": tool, "arguments": arguments });
        match way {
            Way::Rounds => {
                params["requestState"] = json!(sealed);
                params["inputResponses"] = json!({ "confirm": { "action": action } });
                if let Some(word) = word {
                    params["inputResponses"]["confirm"]["content"] = json!({ "word": word });
                }
            }
            Way::Code(_) => {
                assert_eq!(action, "accept", "a code is sent or not");
                let word = word.map_or_else(String::new, |word| format!(" {word}"));
                params["arguments"]["confirm"] = json!(format!("{sealed}{word}"));
            }
        }
        self.send(way, params).await
    }

    pub async fn send(&self, way: Way, params: Value) -> Came {
        read(&self.reply(way, params).await)
    }

    pub async fn reply(&self, way: Way, mut params: Value) -> Reply {
        match way {
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

/// Reads what came back, whichever way it went.
pub fn read(reply: &Reply) -> Came {
    let json = reply.json();
    let result = &json["result"];
    if result["resultType"] == "input_required" {
        let asked = &result["inputRequests"]["confirm"];
        assert_eq!(asked["method"], "elicitation/create");
        assert_eq!(asked["params"]["mode"], "form");
        let form = asked["params"]["requestedSchema"]["properties"].as_object().unwrap();
        assert!(form.is_empty() || form.keys().eq(["word"]), "{form:?}");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        return Came::Asked {
            words: text(&asked["params"]["message"]),
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
