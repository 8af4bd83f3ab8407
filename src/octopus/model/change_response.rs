//! Sends changes, and parses their responses. The body is parsed once, when the response arrives.

use std::{collections::HashSet, str::from_utf8, sync::Arc};

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{resource::Id, tasks::Task};
use crate::{
    compute::ComputeError,
    octopus::client::{
        change_request::{ChangeRequest, WritePermit},
        error::Error,
        json::bounded::{BoundedJson, JsonBounds},
        response::RawResponse,
        session::Session,
    },
};

/// Maximum number of task IDs that are collected from one response.
const MAX_TASK_IDS: usize = 1_000;
/// Estimated overhead of the allocator in bytes for each allocation.
const ALLOCATION_OVERHEAD: usize = 16;
/// Memory of one field of an object: an entry of the map with its hash, and its part of the index.
const FIELD_SIZE: usize = size_of::<(u64, String, Value)>() + 16;
/// Minimum number of fields for which an object allocates memory.
const MIN_FIELD_CAPACITY: usize = 4;

/// Response of Octopus to a change. Clones share the body.
#[derive(Debug, Clone)]
pub struct ChangeResponse {
    /// The media type, without parameters, in lower case.
    pub content_type: String,
    /// Size of the body in bytes.
    pub size: usize,
    /// The body.
    pub body: ChangeResponseBody,
    /// IDs of the tasks in the body, in order of appearance: at most 1,000.
    pub tasks: Arc<[Id<Task>]>,
    /// Estimated memory of the body and the task IDs in bytes.
    memory: usize,
}

/// Body of a response to a change.
#[derive(Debug, Clone)]
pub enum ChangeResponseBody {
    /// JSON, within [`JsonBounds::DOCUMENT`].
    Json(Arc<BoundedJson>),
    /// Any other body, possibly empty.
    Raw(Bytes),
    /// The compute pool failed to parse it.
    Unparsed(ComputeError),
}

impl Session {
    /// Sends a change request once, then reads and parses the whole response. Changes are never
    /// retried.
    pub async fn send(
        &self,
        change: &ChangeRequest,
        permit: WritePermit,
    ) -> Result<ChangeResponse, Error> {
        let response = self.send_change(change, permit).await?;
        // The change is made; exhausted compute time of the call must not turn it into an error.
        self.with_fresh_compute().parse_change_response(response, change.path.route()).await
    }

    /// Parses the response to a change. If the compute pool fails, the result contains the reason,
    /// because an error would conceal the executed change.
    ///
    /// # Errors
    ///
    /// Returns [`Error::UnexpectedResponse`] if the media type is JSON but the body is not.
    async fn parse_change_response(
        &self,
        response: RawResponse,
        route: String,
    ) -> Result<ChangeResponse, Error> {
        let (content_type, size) = (response.content_type.clone(), response.body.len());
        match self.parse(response, move |response| ChangeResponse::parse(response, &route)).await {
            Err(Error::Compute(error)) => {
                let body = ChangeResponseBody::Unparsed(error);
                Ok(ChangeResponse::new(content_type, size, body, Arc::default()))
            }
            parsed => parsed,
        }
    }
}

impl ChangeResponse {
    /// Creates a response. This walks large documents, so call it in the compute pool.
    pub(crate) fn new(
        content_type: String,
        size: usize,
        body: ChangeResponseBody,
        tasks: Arc<[Id<Task>]>,
    ) -> Self {
        let of_body = match &body {
            ChangeResponseBody::Json(document) => {
                size_of::<BoundedJson>() + nested_memory(&document.value)
            }
            ChangeResponseBody::Raw(bytes) => bytes.len(),
            ChangeResponseBody::Unparsed(_) => 0,
        };
        let of_task =
            |id: &Id<Task>| size_of::<Id<Task>>() + ALLOCATION_OVERHEAD + id.as_str().len();
        let memory = of_body + tasks.iter().map(of_task).sum::<usize>();
        Self { content_type, size, body, tasks, memory }
    }

    /// Parses the body once, for every media type, because any text may contain task IDs.
    ///
    /// # Errors
    ///
    /// Returns [`Error::UnexpectedResponse`] if the media type is JSON but the body is not.
    pub(in crate::octopus) fn parse(response: &RawResponse, route: &str) -> Result<Self, Error> {
        let document = BoundedJson::parse(&response.body, JsonBounds::DOCUMENT);
        // The parser does not check skipped strings for valid UTF-8.
        if document.is_err() || from_utf8(&response.body).is_err() {
            response.ensure_json(route)?;
        }
        let tasks =
            document.as_ref().map_or_else(|_| Vec::new(), |document| task_ids(&document.value));
        let kind = &response.content_type;
        let is_json = kind.ends_with("/json") || kind.ends_with("+json");
        let body = match document {
            Ok(document) if is_json => ChangeResponseBody::Json(Arc::new(document)),
            _ => ChangeResponseBody::Raw(response.body.clone()),
        };
        let (content_type, size) = (kind.clone(), response.body.len());
        Ok(Self::new(content_type, size, body, tasks.into()))
    }

    /// Deserializes the body.
    ///
    /// # Errors
    ///
    /// Returns [`Error::UnexpectedResponse`] if the body does not have the form of `T`, and
    /// [`Error::Compute`] if the compute pool failed to parse it.
    pub fn json<T: DeserializeOwned>(&self, route: &str) -> Result<T, Error> {
        match &self.body {
            ChangeResponseBody::Json(document) => serde_path_to_error::deserialize(&document.value)
                .map_err(|error| Error::UnexpectedResponse {
                    reason: format!("{error} ({route})"),
                }),
            ChangeResponseBody::Raw(_) => {
                let Self { content_type, size, .. } = self;
                let reason =
                    format!("{route} returned {size} bytes of '{content_type}' instead of JSON");
                Err(Error::UnexpectedResponse { reason })
            }
            ChangeResponseBody::Unparsed(error) => Err(Error::Compute(*error)),
        }
    }

    /// Returns the estimated memory of the body and the task IDs in bytes.
    pub fn memory(&self) -> usize {
        self.memory
    }
}

/// Estimates the memory in bytes of the parts of a value, without the value itself. The value is
/// within [`JsonBounds::DOCUMENT`], so it has at most 16,640 parts at up to 101 levels.
fn nested_memory(value: &Value) -> usize {
    match value {
        Value::String(text) => ALLOCATION_OVERHEAD + text.capacity(),
        Value::Array(items) => {
            let bytes = ALLOCATION_OVERHEAD + items.capacity() * size_of::<Value>();
            bytes + items.iter().map(nested_memory).sum::<usize>()
        }
        Value::Object(fields) if !fields.is_empty() => {
            let bytes = fields.len().next_power_of_two().max(MIN_FIELD_CAPACITY) * FIELD_SIZE
                + 2 * ALLOCATION_OVERHEAD;
            let of_field = |(key, value): (&String, &Value)| {
                ALLOCATION_OVERHEAD + key.capacity() + nested_memory(value)
            };
            bytes + fields.iter().map(of_field).sum::<usize>()
        }
        _ => 0,
    }
}

/// Returns the task IDs in a document.
fn task_ids(document: &Value) -> Vec<Id<Task>> {
    let (mut found, mut seen) = (Vec::new(), HashSet::new());
    visit_strings(document, &mut |text| {
        if found.len() < MAX_TASK_IDS
            && let Ok(id) = Id::<Task>::parse(text)
            && seen.insert(id.as_str().to_owned())
        {
            found.push(id);
        }
    });
    found
}

fn visit_strings<'a>(value: &'a Value, each: &mut impl FnMut(&'a str)) {
    match value {
        Value::String(text) => each(text),
        Value::Array(items) => items.iter().for_each(|item| visit_strings(item, each)),
        Value::Object(object) => object.values().for_each(|item| visit_strings(item, each)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        compute::{ComputePool, INLINE_BYTES},
        config::InstanceSettings,
        octopus::client::{
            budget::ResponseMemory,
            credentials::{Credentials, Fingerprint},
            instance_client::Client,
        },
        telemetry::Metrics,
        text::step_counter,
    };

    fn reply(content_type: &str, body: &str) -> Result<ChangeResponse, Error> {
        let body = Bytes::copy_from_slice(body.as_bytes());
        ChangeResponse::parse(
            &RawResponse { content_type: content_type.to_owned(), body },
            "/api/x",
        )
    }

    #[test]
    fn finds_task_ids_in_any_field_and_media_type() {
        let body = r#"{ "deploymentServerTasks": [{ "serverTaskId": "ServerTasks-7" }],
            "Id": "servertasks-8", "Links": { "Self": "ServerTasks-9" }, "Note": "ServerTasks-",
            "Again": "ServerTasks-7" }"#;
        for kind in ["application/json", "application/problem+json", "text/plain"] {
            let reply = reply(kind, body).unwrap();
            let tasks: Vec<_> = reply.tasks.iter().map(Id::as_str).collect();
            assert_eq!(tasks, ["ServerTasks-7", "ServerTasks-8"], "{kind}");
            assert_eq!(matches!(reply.body, ChangeResponseBody::Json(_)), kind != "text/plain");
        }
    }

    #[test]
    fn memory_covers_the_kept_values_and_the_tasks() {
        const OBJECT: usize = 512;
        for text in [r#"{"a":1}"#, r#"{"a":{"b":1}}"#] {
            let body = format!("[{text}{}]", format!(",{text}").repeat(64 * 1024 / text.len()));
            let objects = text.matches('{').count() * body.matches(text).count();
            let memory = reply("application/json", &body).unwrap().memory();
            assert!(memory >= objects * OBJECT, "{memory} of {objects} objects");
            assert!(memory < objects * 2 * OBJECT, "{memory} of {objects} objects");
        }
        // Omitted items use no memory.
        let body = format!("[0{}]", ",0".repeat(1_000_000));
        let memory = reply("application/json", &body).unwrap().memory();
        let kept = JsonBounds::DOCUMENT.values * size_of::<Value>();
        assert!((kept..3 * kept).contains(&memory), "{memory}");
        let tasks: Vec<_> = (0..2_000).map(|number| format!("ServerTasks-{number}")).collect();
        let reply = reply("text/plain", &serde_json::to_string(&tasks).unwrap()).unwrap();
        assert_eq!(reply.tasks.len(), MAX_TASK_IDS);
        assert!(reply.memory() > reply.size + MAX_TASK_IDS * size_of::<Id<Task>>());
    }

    #[test]
    fn rejects_invalid_json_with_json_media_type() {
        let deep = "[".repeat(200) + &"]".repeat(200);
        for (kind, body, is_accepted) in [
            ("application/json", "", true),
            ("application/json", "{", false),
            ("application/json", deep.as_str(), true),
            ("text/plain", "{", true),
        ] {
            let reply = reply(kind, body);
            assert_eq!(reply.is_ok(), is_accepted, "{kind} {body}");
            let is_json = reply.is_ok_and(|reply| reply.json::<Value>("/api/x").is_ok());
            assert_eq!(is_json, body == deep);
        }
        let body = Bytes::from_static(b"{\"Links\": \"\xff\"}");
        let response = RawResponse { content_type: "application/json".to_owned(), body };
        assert!(ChangeResponse::parse(&response, "/api/x").is_err());
    }

    /// Parses the response to a change with this compute time, and counts the steps on this thread.
    fn parse_in_session(call_time: Duration, response: &RawResponse) -> (ChangeResponse, usize) {
        let caller = Fingerprint::of([b"caller".as_slice()]);
        let client = Client::new(
            "default",
            "http://127.0.0.1:9".parse().unwrap(),
            &InstanceSettings::default(),
            &Metrics::default(),
            &ComputePool::new(1, call_time),
            &ResponseMemory::new(1024 * 1024),
        );
        let session = Session::new(client.unwrap(), Credentials::none(), caller, None);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let parsed = || {
            runtime.block_on(session.parse_change_response(response.clone(), "/api/x".to_owned()))
        };
        let (reply, steps) = step_counter::count(parsed);
        (reply.unwrap(), steps)
    }

    #[test]
    fn parses_large_change_response_outside_async_worker() {
        for (size, is_inline) in [(INLINE_BYTES, true), (INLINE_BYTES + 1, false)] {
            let text = r#"{"TaskId":"ServerTasks-7"}"#.to_owned();
            let body = text.clone() + &" ".repeat(size - text.len());
            let response =
                RawResponse { content_type: "application/json".to_owned(), body: body.into() };
            let (reply, steps) = parse_in_session(Duration::from_mins(1), &response);
            assert_eq!(steps, if is_inline { size } else { 0 });
            assert_eq!((reply.size, reply.tasks.len()), (size, 1));
            assert!(matches!(reply.body, ChangeResponseBody::Json(_)));
            // Without compute time the result contains the reason instead of an error, because the
            // change is made.
            let (reply, _) = parse_in_session(Duration::ZERO, &response);
            let unread = reply.json::<Value>("/api/x").err();
            let spent = Error::Compute(ComputeError::BudgetSpent(Duration::ZERO));
            assert_eq!(unread, (!is_inline).then_some(spent));
        }
    }
}
