//! Audit record: caller, call, target, approval and result.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::{
    sanitize::{mask, sanitize},
    text,
};

/// An audit record. Unknown fields are omitted.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// The kind of event.
    pub kind: RecordKind,
    /// Time at which the call ended or the request was rejected.
    pub time: Timestamp,
    /// The record ID: a UUID version 7, which sorts by time.
    pub id: Uuid,
    /// The change ID. It is the same from the approval request to the result, and the created
    /// Octopus resource can carry it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<Uuid>,
    /// The caller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caller: Option<AuditCaller>,
    /// The MCP client, as it identifies itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<McpClient>,
    /// The ID of the HTTP request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// The ID of the trace of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// The Octopus resources that the call accessed.
    #[serde(flatten)]
    pub target: AuditTarget,
    /// The name of the tool.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// The kind of resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// The name of the prompt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// The access level of the tool: `read`, `write` or `delete`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tier: Option<&'static str>,
    /// The risk of the call, if it was computed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub risk: Option<String>,
    /// The arguments of the call.
    #[serde(flatten)]
    pub arguments: RecordedArguments,
    /// The policy rule that decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The effect of the policy rules: `allow`, `confirm` or `deny`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effect: Option<&'static str>,
    /// Method by which the change was approved, or approval was requested: `person`, `code`,
    /// `argument` or `nobody`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consent: Option<&'static str>,
    /// The HTTP method and route of the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// The Octopus user that acted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The kind of Octopus credential that acted: `API key` or `access token`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential: Option<&'static str>,
    /// The result of the call.
    pub result: Outcome,
    /// The error code of a failed or rejected call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<&'static str>,
    /// The HTTP status of a rejected request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The Octopus tasks that the call started.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<String>,
    /// The duration of the call in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// The size of the response as JSON, before and after truncation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<ResponseBytes>,
    /// The number of invisible characters removed from the response.
    #[serde(skip_serializing_if = "is_zero")]
    pub removed: usize,
    /// The number of secrets redacted in the response.
    #[serde(skip_serializing_if = "is_zero")]
    pub redacted: usize,
    /// The number of preceding similar events without a record.
    #[serde(skip_serializing_if = "is_zero")]
    pub others: usize,
}

/// The kind of event that a record describes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RecordKind {
    /// A tool call, recorded at its end.
    #[default]
    Call,
    /// A change that is about to be sent.
    Intent,
    /// A resource read.
    Resource,
    /// A prompt request.
    Prompt,
    /// A completion request for an argument of a prompt or of a resource template.
    Completion,
    /// A request that was rejected before the MCP layer.
    Refused,
    /// A request that was rejected before the MCP layer because its caller could not be identified.
    Unauthenticated,
}

/// The result of a call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, strum::IntoStaticStr)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Outcome {
    /// The call did not end before the client disconnected, its time limit passed or the server
    /// stopped.
    #[default]
    Abandoned,
    /// The call succeeded.
    Done,
    /// The change was already executed, and the call returned the earlier result.
    Repeated,
    /// The call requires approval first.
    Asked,
    /// The approval was declined or not answered.
    Declined,
    /// The call is not permitted, or cannot be executed as requested.
    Refused,
    /// The call failed.
    Failed,
    /// The change is about to be sent.
    Sending,
}

/// The caller of a request.
#[derive(Debug, Clone, Default, Serialize)]
pub struct AuditCaller {
    /// The display name.
    pub name: String,
    /// The ID of the caller at the issuer.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub subject: String,
    /// The issuer of the credential.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// The authentication method of the caller.
    #[serde(rename = "way")]
    pub auth_method: &'static str,
    /// The groups of the caller. Long lists are truncated.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// The OAuth client that the caller uses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// The person or team that is responsible for the token of the caller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

/// An MCP client, as it identifies itself.
#[derive(Debug, Clone, Default, Serialize)]
pub struct McpClient {
    /// The name of the client.
    pub name: String,
    /// The version of the client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// The Octopus resources that a call accessed.
#[derive(Debug, Clone, Default, Serialize)]
pub struct AuditTarget {
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

/// The arguments of a call. Only the arguments in `audit.fields` are in plain text.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordedArguments {
    /// A keyed hash of all arguments.
    #[serde(rename = "argumentsHash", skip_serializing_if = "Option::is_none")]
    pub combined_hash: Option<String>,
    /// Keyed hashes of single arguments.
    #[serde(rename = "hashes", skip_serializing_if = "BTreeMap::is_empty")]
    pub hashes: BTreeMap<String, String>,
    /// The arguments in plain text.
    #[serde(rename = "arguments", skip_serializing_if = "BTreeMap::is_empty")]
    pub plaintext: BTreeMap<String, String>,
}

/// The size of a response in bytes.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct ResponseBytes {
    /// Before truncation.
    pub before: usize,
    /// After truncation.
    pub after: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// The maximum length of one text in a record, in bytes.
const MAX_TEXT_BYTES: usize = 512;
/// The maximum length of a plain-text argument, in bytes.
const MAX_PLAINTEXT_BYTES: usize = 1024;
/// The maximum number of items in a list.
const MAX_LIST_ITEMS: usize = 64;
/// Fields that the server generates itself. They need no sanitizing.
const GENERATED_FIELDS: [&str; 7] =
    ["kind", "time", "id", "change", "argumentsHash", "hashes", "result"];

impl Record {
    /// Creates a record with a new ID.
    pub fn new(kind: RecordKind) -> Self {
        Self { kind, id: Uuid::now_v7(), ..Self::default() }
    }

    /// Serializes the record. Sanitizes and truncates all text from external sources.
    pub(super) fn to_json(&self) -> String {
        let mut value = serde_json::to_value(self).unwrap_or_default();
        if let Value::Object(object) = &mut value {
            for (key, value) in
                object.iter_mut().filter(|(key, _)| !GENERATED_FIELDS.contains(&key.as_str()))
            {
                let longest = if key == "arguments" { MAX_PLAINTEXT_BYTES } else { MAX_TEXT_BYTES };
                sanitize_value(value, longest);
            }
        }
        // Also masks text that was not sanitized above, such as argument names.
        mask(&value.to_string()).into_owned()
    }
}

fn sanitize_value(value: &mut Value, longest: usize) {
    match value {
        Value::String(text) => {
            let sanitized = sanitize(text).text;
            *text = text::truncate::head(&sanitized, longest).to_owned();
        }
        Value::Array(items) => {
            items.truncate(MAX_LIST_ITEMS);
            for item in items {
                sanitize_value(item, longest);
            }
        }
        Value::Object(object) => {
            object.values_mut().for_each(|item| sanitize_value(item, longest));
        }
        _ => {}
    }
}
