//! Changes: nothing before a yes, exactly what was shown after it, and nothing twice.

mod codes;
mod drift;
mod expired;
mod never_twice;
mod trace;
mod words;

use octopus_mcp::{
    config::Config,
    rules::Clock,
    sample::{Entry, Sample, keys},
};
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

/// A call of each tool that changes things, with the path and a part of the body that it sends.
pub fn changes() -> Vec<(&'static str, Value, &'static str, Value)> {
    vec![
        (
            "create_release",
            json!({ "space": "Default", "projectName": "parcel tracking api", "releaseVersion": "1.13.0", "releaseNotes": "One\nTwo" }),
            "POST /api/Spaces-1/releases/create/v1",
            json!({ "ProjectName": "Parcel Tracking API", "ReleaseVersion": "1.13.0", "ChannelName": "Default", "ReleaseNotes": "One\nTwo" }),
        ),
        (
            "deploy_release",
            json!({ "space": "Default", "projectName": "Parcel Tracking API", "releaseVersion": "1.12.0", "environmentNames": ["development", "Staging"] }),
            "POST /api/Spaces-1/deployments/create/untenanted/v1",
            json!({ "ProjectName": "Parcel Tracking API", "ReleaseVersion": "1.12.0", "EnvironmentNames": ["Development", "Staging"] }),
        ),
        (
            "deploy_release",
            json!({ "space": "Spaces-1", "projectName": "Driver App Backend", "releaseVersion": "0.36.0", "environmentNames": ["Staging"], "tenants": ["Tenants-1"] }),
            "POST /api/Spaces-1/deployments/create/tenanted/v1",
            json!({ "EnvironmentName": "Staging", "Tenants": ["Brightwater Couriers"] }),
        ),
        (
            "update_feature_toggle",
            json!({ "space": "Default", "projectId": "Parcel Tracking API", "slug": "eta-window", "environments": [{ "deploymentEnvironmentId": "Production", "isEnabled": true, "rolloutPercentage": 30 }] }),
            "PUT /api/Spaces-1/projects/Projects-1/featuretoggles",
            json!({ "Slug": "eta-window", "Description": "Adds an arrival window to tracking results" }),
        ),
        (
            "run_runbook",
            json!({ "space": "Default", "projectName": "Parcel Tracking API", "runbookName": "restart-tracking-workers", "environmentNames": ["Staging", "Production"] }),
            "POST /api/Spaces-1/runbook-runs/create/v1",
            json!({ "RunbookName": "Restart tracking workers", "Snapshot": "RunbookSnapshots-2", "EnvironmentNames": ["Staging", "Production"] }),
        ),
        (
            "run_runbook",
            json!({ "space": "Default", "projectName": "Route Planner", "runbookName": "export-fleet-plans", "gitRef": "main", "environmentNames": ["Staging"], "promptedVariableValues": { "Depot.Code": "D07" } }),
            "POST /api/Spaces-1/runbook-runs/git/create/v1",
            json!({ "GitRef": "refs/heads/main", "Variables": { "Depot.Code": "D07" } }),
        ),
        (
            "execute",
            json!({ "method": "POST", "path": "/api/Spaces-1/tasks/ServerTasks-90009/cancel" }),
            "POST /api/Spaces-1/tasks/ServerTasks-90009/cancel",
            json!({}),
        ),
        (
            "execute",
            json!({ "method": "PUT", "path": "/api/spaces/Spaces-1/tenants/Tenants-5", "body": { "Id": "Tenants-5", "Name": "Renamed", "SpaceId": "Spaces-1" } }),
            "PUT /api/spaces/Spaces-1/tenants/Tenants-5",
            json!({ "Name": "Renamed" }),
        ),
    ]
}

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
    pub fn changes(&self) -> Vec<Entry> {
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

/// Whether everything in `part` stands in `whole`.
pub fn holds(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            part.iter().all(|(key, value)| whole.get(key).is_some_and(|own| holds(own, value)))
        }
        (whole, part) => whole == part,
    }
}

#[tokio::test]
async fn nothing_happens_before_a_yes_and_exactly_what_was_shown_after_it_and_nothing_twice() {
    for way in WAYS {
        for (tool, arguments, sends, body) in changes() {
            let desk = Desk::start().await;
            let (words, sealed) = desk.call(way, tool, &arguments).await.asked();
            assert_eq!(desk.changes(), [], "{tool} before a yes, {way:?}");
            assert!(words.lines().count() > 3, "{words}");

            let answer = desk.agree(way, tool, &arguments, &sealed).await.answered();
            assert_eq!(answer["success"], true, "{tool}: {answer}");
            assert_eq!(answer.get("repeated"), None, "{tool}");
            let sent = desk.changes();
            let [sent] = sent.as_slice() else { panic!("{tool}: {sent:#?}") };
            assert_eq!(format!("{} {}", sent.method, sent.path), sends);
            let none = json!({});
            let sent_body = sent.body.as_ref().unwrap_or(&none);
            assert!(holds(sent_body, &body), "{tool}: {:#?}", sent.body);
            assert!(sent.status.unwrap() < 300, "{tool}: {sent:#?}");

            let again = desk.agree(way, tool, &arguments, &sealed).await.answered();
            assert_eq!(again["repeated"], true, "{tool}: {again}");
            assert_eq!(desk.changes().len(), 1, "{tool} twice, {way:?}");
            for key in ["releaseId", "deploymentTasks", "slug", "runbookRunTasks", "response"] {
                assert_eq!(answer.get(key), again.get(key), "{tool}");
            }
        }
    }
}

#[tokio::test]
async fn a_no_changes_nothing_and_is_told_apart_from_no_answer() {
    let desk = Desk::start().await;
    for (tool, arguments, ..) in changes() {
        for (action, reason) in [("decline", "declined"), ("cancel", "cancelled")] {
            let (_, sealed) = desk.call(Way::Rounds, tool, &arguments).await.asked();
            let came = desk.answer(Way::Rounds, tool, &arguments, &sealed, action).await;
            came.refused(&format!("\\\"reason\\\":\\\"{reason}\\\""));
        }
        // An answer that does not read is none: the question comes again.
        let (_, sealed) = desk.call(Way::Rounds, tool, &arguments).await.asked();
        desk.answer(Way::Rounds, tool, &arguments, &sealed, "sure").await.asked();
    }
    assert_eq!(desk.changes(), []);
}

#[tokio::test]
async fn while_the_server_only_reads_there_are_no_such_tools() {
    let server = TestServer::start().await;
    for (tool, arguments, ..) in changes() {
        for era in crate::support::ERAS {
            let params = json!({ "name": tool, "arguments": arguments });
            let reply = server.ask(era, "tools/call", params).await;
            // This one reads as well, so it is there.
            if tool == "execute" {
                assert!(reply.text.contains("does not allow tools that change things"), "{tool}");
                continue;
            }
            assert_eq!(reply.code(), -32602, "{tool}");
            assert!(reply.message().contains("unknown tool"), "{tool}");
        }
    }
    assert_eq!(server.sample.changes(), []);
}
