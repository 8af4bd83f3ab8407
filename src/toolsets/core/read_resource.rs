//! `read_resource`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::tool::{self, Context, Error, Tool};

/// Read an octopus:// resource, such as the resourceUri of an answer. octopus://api/capabilities
/// lists what this server and the instance support.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ReadResource {
    /// Resource URI, e.g. "octopus://spaces/Default/releases/Releases-1".
    uri: String,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReadContents {
    uri: String,
    mime_type: &'static str,
    /// The document, if it is JSON.
    json: Option<Map<String, Value>>,
    /// The text of other documents.
    text: Option<String>,
}

/// Size of the answer without its contents and the URI, in bytes.
const ENVELOPE_BYTES: usize = 80;

impl Tool for ReadResource {
    const NAME: &'static str = "read_resource";
    const TITLE: &'static str = "Read a resource";
    const TAKES_MAX_BYTES: bool = true;
    const KEEPS_TO_PROJECT: bool = true;

    type Output = ReadContents;

    async fn run(self, cx: &Context) -> Result<Self::Output, Error> {
        let max_bytes = cx.limits.answer.saturating_sub(2 * self.uri.len() + ENVELOPE_BYTES);
        let read =
            tool::read_resource(&self.uri, max_bytes, Some(cx.limits.answer_cap), cx).await?;
        cx.redactions.add(read.removed, read.redacted);
        let (json, text) = match read.value {
            Value::Object(document) => (Some(document), None),
            Value::String(text) => (None, Some(text)),
            other => (None, Some(other.to_string())),
        };
        Ok(ReadContents { uri: read.uri, mime_type: read.mime, json, text })
    }
}
