//! One record: who called what, where, by which right, and what became of it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::text;

/// One record. What is not known is left out of it.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// What the record is of.
    pub kind: Kind,
    /// When it ended, or was refused.
    pub time: Timestamp,
    /// The ID of the record: a UUID of version 7, which sorts by time.
    pub id: Uuid,
    /// The ID of the change, the same from the question to the end; it stands in what was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<Uuid>,
    /// Who called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caller: Option<Caller>,
    /// What the MCP client calls itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<Client>,
    /// The ID of the HTTP request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// The ID of the trace that the request belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// What the call touches.
    #[serde(flatten)]
    pub place: Place,
    /// The tool, by its own name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// The kind of resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// The prompt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// The most that the call could do: `read`, `write`, `delete`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tier: Option<&'static str>,
    /// How much is at stake, where that was computed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub risk: Option<String>,
    /// What the call brought.
    #[serde(flatten)]
    pub arguments: Arguments,
    /// The rule that decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// What the rules say is done with it: `allow`, `confirm`, `deny`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effect: Option<&'static str>,
    /// How somebody agreed, or is asked to: `person`, `code`, `argument`, `nobody`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consent: Option<&'static str>,
    /// The method and route that a change was sent to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// The user of Octopus that acted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// What kind of credential acted: `API key`, `access token`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential: Option<&'static str>,
    /// What became of it.
    pub result: Outcome,
    /// Why it came to nothing: a word for the kind of error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<&'static str>,
    /// The status of a refusal over HTTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The tasks of Octopus that it began.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<String>,
    /// How long it took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// How large the answer was, as JSON, before and after it was cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<Bytes>,
    /// How many invisible characters were removed from the answer.
    #[serde(skip_serializing_if = "is_zero")]
    pub removed: usize,
    /// How many secrets were taken out of the answer.
    #[serde(skip_serializing_if = "is_zero")]
    pub redacted: usize,
    /// How many events like this one came before it without a record of their own.
    #[serde(skip_serializing_if = "is_zero")]
    pub others: usize,
}

/// What a record is of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A call of a tool, at its end.
    #[default]
    Call,
    /// A change that is about to be sent.
    Intent,
    /// A resource that was read.
    Resource,
    /// A prompt that was filled in.
    Prompt,
    /// What a person may mean was looked up while they typed an argument of a prompt or of the
    /// address of a resource.
    Completion,
    /// A request that was refused before MCP saw it.
    Refused,
    /// The same, and nobody knows whose it was.
    Unauthenticated,
}

/// What became of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Nobody waited for its end: the client hung up, time was out, or the server stopped.
    #[default]
    Abandoned,
    /// It was done.
    Done,
    /// It had been done before, and the answer of then was given.
    Repeated,
    /// Somebody is asked first.
    Asked,
    /// Somebody said no, or nobody answered.
    Declined,
    /// It may not be done, or cannot be done as it was asked for.
    Refused,
    /// It went wrong.
    Failed,
    /// It is about to be sent.
    Sending,
}

/// Who called.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Caller {
    /// What people call them.
    pub name: String,
    /// Who they are to whoever vouches for them.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub subject: String,
    /// Who vouches for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// How they are known.
    pub way: &'static str,
    /// The groups that they are in, some of them where they are many.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// The OAuth client that they use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
}

/// What an MCP client calls itself.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Client {
    /// Its name.
    pub name: String,
    /// Its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// What a call touches.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Place {
    /// The instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// The space.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub space: Option<String>,
    /// The project.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// The environments.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub environments: Vec<String>,
    /// The tenants.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tenants: Vec<String>,
}

/// What a call brought. Only the arguments that the settings name stand here in clear.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Arguments {
    /// A keyed hash of all of them.
    #[serde(rename = "argumentsHash", skip_serializing_if = "Option::is_none")]
    pub whole: Option<String>,
    /// Keyed hashes of single ones.
    #[serde(rename = "hashes", skip_serializing_if = "BTreeMap::is_empty")]
    pub hashes: BTreeMap<String, String>,
    /// The values that the settings name.
    #[serde(rename = "arguments", skip_serializing_if = "BTreeMap::is_empty")]
    pub clear: BTreeMap<String, String>,
}

/// How large an answer was.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Bytes {
    /// As it was made.
    pub before: usize,
    /// As it was sent.
    pub after: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// How long one text of a record can be.
const LONGEST: usize = 512;
/// How long a value in clear can be.
const LONGEST_VALUE: usize = 1024;
/// How many items of a list are written.
const MOST: usize = 64;
/// What this server makes itself, of letters that mean nothing.
const OURS: [&str; 7] = ["kind", "time", "id", "change", "argumentsHash", "hashes", "result"];

impl Outcome {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Abandoned => "abandoned",
            Self::Done => "done",
            Self::Repeated => "repeated",
            Self::Asked => "asked",
            Self::Declined => "declined",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Sending => "sending",
        }
    }
}

impl Record {
    /// A record of this kind, which begins now.
    pub fn new(kind: Kind) -> Self {
        Self { kind, id: Uuid::now_v7(), ..Self::default() }
    }

    /// The record as it is written: every text of others through the door, and within its bounds.
    pub(super) fn written(&self) -> String {
        let mut value = serde_json::to_value(self).unwrap_or_default();
        if let Value::Object(object) = &mut value {
            for (key, value) in object.iter_mut().filter(|(key, _)| !OURS.contains(&key.as_str())) {
                let longest = if key == "arguments" { LONGEST_VALUE } else { LONGEST };
                pass(value, longest);
            }
        }
        // Also in what is not passed above, such as names of arguments.
        text::mask(&value.to_string()).into_owned()
    }
}

fn pass(value: &mut Value, longest: usize) {
    match value {
        Value::String(text) => {
            let passed = text::door(text).text;
            *text = text::cut::head(&passed, longest).to_owned();
        }
        Value::Array(items) => {
            items.truncate(MOST);
            for item in items {
                pass(item, longest);
            }
        }
        Value::Object(object) => {
            object.values_mut().for_each(|item| pass(item, longest));
        }
        _ => {}
    }
}
