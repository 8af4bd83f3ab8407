//! The attacks: their calls, and the outcomes of the calls.

use std::{sync::atomic::AtomicUsize, time::Duration};

use futures::{StreamExt, stream};
use octopus_sample::keys;
use serde_json::{Value, json};

use crate::{Scale, documents::Shape, logs, server::Server, upstream::UpstreamData};

/// The calls of each tool that the client tests make.
const CALLS: &str = include_str!("../../tests/clients/expectations.json");
/// Maximum bytes of an answer: the default of `tools.answer_bytes`, because no call requests more.
pub const ANSWER_LIMIT: usize = 20 * 1024;
/// Timeout for one answer. The timeout of the server is shorter.
const ANSWER_TIMEOUT: Duration = Duration::from_mins(2);
/// A failed task of the sample instance.
const TASK: &str = "ServerTasks-90004";

pub struct Attack {
    pub name: String,
    pub upstream_data: UpstreamData,
    /// Minimum number of calls that must be answered without an error.
    pub least_answers: usize,
    calls: Vec<Call>,
    /// Number of repeats of all calls.
    rounds: usize,
}

#[derive(Clone)]
struct Call {
    tool: String,
    arguments: Value,
}

#[derive(Debug, Default)]
pub struct Outcome {
    pub answers: usize,
    pub refusals: usize,
    /// The reasons of calls that had no answer.
    pub unanswered: Vec<String>,
    /// Bytes of the largest answer.
    pub largest: usize,
}

/// Returns all attacks, the cheapest first.
pub fn all(scale: Scale) -> Vec<Attack> {
    let mut attacks = vec![
        new_attack("arguments: ordinary", UpstreamData::default(), every_tool(), 1)
            .with_answers(37),
        new_attack(
            "arguments: long",
            UpstreamData::default(),
            every_tool_with(&with_long_values),
            1,
        ),
        new_attack(
            "arguments: deep",
            UpstreamData::default(),
            every_tool_with(&with_deep_values),
            1,
        ),
        new_attack(
            "arguments: unknown names",
            UpstreamData::default(),
            every_tool_with(&with_unknown_argument),
            1,
        ),
    ];
    for (name, log) in logs::all(scale.log) {
        let served = UpstreamData { documents: None, log: Some(log) };
        let calls = log_calls();
        let rounds = scale.concurrency.div_ceil(calls.len());
        attacks.push(new_attack(name, served, calls, rounds).with_answers(1));
    }
    for shape in Shape::ALL {
        let served = UpstreamData { documents: Some((shape, scale.small_document)), log: None };
        let name = format!("every tool: {}", shape.name());
        attacks.push(new_attack(&name, served, every_tool(), 2).with_answers(10));
    }
    for shape in Shape::ALL {
        let served = UpstreamData { documents: Some((shape, scale.document)), log: None };
        let name = format!("execute: {}", shape.name());
        let calls = vec![read_channels()];
        attacks.push(new_attack(&name, served, calls, scale.concurrency).with_answers(1));
    }
    let served = UpstreamData { documents: Some((Shape::ManyItems, scale.too_large)), log: None };
    attacks.push(new_attack(
        "execute: too large",
        served,
        vec![read_channels()],
        scale.concurrency,
    ));
    attacks
}

fn read_channels() -> Call {
    Call {
        tool: "execute".to_owned(),
        arguments: json!({ "method": "GET", "path": "/api/Spaces-1/channels" }),
    }
}

fn new_attack(name: &str, served: UpstreamData, calls: Vec<Call>, rounds: usize) -> Attack {
    Attack { name: name.to_owned(), upstream_data: served, least_answers: 0, calls, rounds }
}

fn every_tool() -> Vec<Call> {
    let file: Value = serde_json::from_str(CALLS).unwrap();
    let calls = file["calls"].as_array().unwrap().iter();
    calls
        .map(|call| Call {
            tool: call["tool"].as_str().unwrap().to_owned(),
            arguments: call["arguments"].clone(),
        })
        .collect()
}

/// Returns every call with each of its arguments replaced in turn.
fn every_tool_with(replace: &dyn Fn(&Value) -> Vec<Value>) -> Vec<Call> {
    let calls = every_tool().into_iter();
    calls
        .flat_map(|call| {
            let arguments = replace(&call.arguments).into_iter();
            let tool = call.tool;
            arguments.map(move |arguments| Call { tool: tool.clone(), arguments })
        })
        .collect()
}

fn with_long_values(arguments: &Value) -> Vec<Value> {
    let keys: Vec<&String> = arguments.as_object().unwrap().keys().collect();
    let with = |key: &String, value: Value| {
        let mut arguments = arguments.clone();
        arguments[key] = value;
        arguments
    };
    let texts = keys.iter().map(|key| with(key, json!("x".repeat(70_000))));
    let lists = keys.iter().map(|key| with(key, json!(vec!["Depot Portal"; 20_000])));
    texts.chain(lists).collect()
}

fn with_deep_values(arguments: &Value) -> Vec<Value> {
    let nested = (0..100).fold(json!({}), |inner, _| json!({ "a": [inner] }));
    let wide = json!(vec![nested; 500]);
    ["query", "body", "space", "filter"]
        .into_iter()
        .map(|key| {
            let mut arguments = arguments.clone();
            arguments[key] = wide.clone();
            arguments
        })
        .collect()
}

fn with_unknown_argument(arguments: &Value) -> Vec<Value> {
    let mut arguments = arguments.clone();
    for number in 0..40_000 {
        arguments[format!("projectNames{number}")] = json!(1);
    }
    vec![arguments]
}

fn log_calls() -> Vec<Call> {
    let call = |tool: &str, more: Value| {
        let mut arguments = json!({ "space": "Default", "taskId": TASK });
        for (key, value) in more.as_object().unwrap() {
            arguments[key] = value.clone();
        }
        Call { tool: tool.to_owned(), arguments }
    };
    let searches = logs::PATTERNS.iter().map(|pattern| json!({ "pattern": pattern }));
    let inverted = logs::PATTERNS.iter().map(|pattern| {
        json!({ "pattern": pattern, "invertMatch": true, "stripPrefixes": true, "caseInsensitive": true })
    });
    let mut calls: Vec<Call> =
        searches.chain(inverted).map(|more| call("grep_task_log", more)).collect();
    calls.push(call("get_task_raw", json!({})));
    calls.push(call("get_task_raw", json!({ "fromLine": 1 })));
    calls
}

impl Attack {
    /// Requires this many answers, because a server that rejects everything would pass otherwise.
    fn with_answers(self, least_answers: usize) -> Self {
        Self { least_answers, ..self }
    }

    /// Makes all calls, with the concurrency of the scale.
    pub async fn run(&self, scale: Scale, server: &Server, octopus: &str) -> Outcome {
        let http = reqwest::Client::builder().no_proxy().timeout(ANSWER_TIMEOUT).build().unwrap();
        let calls = (0..self.rounds).flat_map(|_| self.calls.iter());
        let sent = stream::iter(calls.map(|call| send(&http, &server.url, octopus, call)));
        sent.buffer_unordered(scale.concurrency)
            .fold(Outcome::default(), async |mut outcome, ended| {
                match ended {
                    Ok(Answer { is_error, bytes }) => {
                        *if is_error { &mut outcome.refusals } else { &mut outcome.answers } += 1;
                        outcome.largest = outcome.largest.max(bytes);
                    }
                    Err(reason) => outcome.unanswered.push(reason),
                }
                outcome
            })
            .await
    }
}

struct Answer {
    is_error: bool,
    bytes: usize,
}

/// Makes one call. An error result is an answer, too.
async fn send(
    http: &reqwest::Client,
    url: &str,
    octopus: &str,
    call: &Call,
) -> Result<Answer, String> {
    static NUMBER: AtomicUsize = AtomicUsize::new(1);
    let id = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let params = json!({ "name": call.tool, "arguments": call.arguments });
    let body = json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params });
    let request = http
        .post(url)
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", "2025-11-25")
        .header("x-octopus-apikey", keys::ADMIN)
        .body(body.to_string().replace("{instance}", octopus));
    let failed = |error: reqwest::Error| format!("{}: {error}", call.tool);
    let response = request.send().await.map_err(failed)?;
    let status = response.status();
    let text = response.text().await.map_err(failed)?;
    if status.is_server_error() && status.as_u16() != 503 {
        return Err(format!("{}: {status} {text:.200}", call.tool));
    }
    let events = text.lines().rev().find_map(|line| line.strip_prefix("data:"));
    let answer: Value = serde_json::from_str(events.unwrap_or(&text))
        .map_err(|error| format!("{}: {status}, {error} in {text:.200}", call.tool))?;
    let result = &answer["result"];
    let is_error = result.is_null() || result["isError"] == json!(true);
    let texts = result["content"].as_array().into_iter().flatten();
    let written = texts.filter_map(|content| content["text"].as_str()).map(str::len).max();
    let structured = result.get("structuredContent").map_or(0, |value| value.to_string().len());
    let bytes = written.unwrap_or_default().max(structured);
    Ok(Answer { is_error, bytes: bytes.max(answer["error"].to_string().len()) })
}
