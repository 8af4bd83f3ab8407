//! Responses to changes. The body is parsed once, when the response arrives.

use std::{collections::HashSet, str::from_utf8, sync::Arc};

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Answer, Bounded, Bounds, Error, Id, tasks::Task};
use crate::compute::ComputeError;

/// Maximum number of task IDs that are collected from one response.
const TASKS: usize = 1_000;
/// Estimated memory that the allocator takes for each allocation besides its size.
const ALLOCATION: usize = 16;
/// Memory of one field of an object: an entry of the map with its hash, and its part of the index.
const FIELD: usize = size_of::<(u64, String, Value)>() + 16;
/// Number of fields for which an object with fewer allocates room.
const FEWEST: usize = 4;

/// Response of Octopus to a change. Clones share the body.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The media type, without parameters, in lower case.
    pub content_type: String,
    /// Size of the body in bytes.
    pub size: usize,
    /// The body.
    pub body: ReplyBody,
    /// IDs of the tasks in the body, in order of appearance: at most 1,000.
    pub tasks: Arc<[Id<Task>]>,
    /// Estimated memory of the body and the task IDs in bytes.
    memory: usize,
}

/// Body of a response to a change.
#[derive(Debug, Clone)]
pub enum ReplyBody {
    /// JSON, within [`JsonBounds::DOCUMENT`].
    Json(Arc<Bounded>),
    /// Any other body, possibly empty.
    Raw(Bytes),
    /// The compute pool failed to parse it.
    Unread(ComputeError),
}

impl Reply {
    /// Creates a response. This walks large documents, so call it in the compute pool.
    pub(crate) fn new(
        content_type: String,
        size: usize,
        body: ReplyBody,
        tasks: Arc<[Id<Task>]>,
    ) -> Self {
        let of_body = match &body {
            ReplyBody::Json(document) => size_of::<Bounded>() + memory_below(&document.value),
            ReplyBody::Raw(bytes) => bytes.len(),
            ReplyBody::Unread(_) => 0,
        };
        let of_task = |id: &Id<Task>| size_of::<Id<Task>>() + ALLOCATION + id.as_str().len();
        let memory = of_body + tasks.iter().map(of_task).sum::<usize>();
        Self { content_type, size, body, tasks, memory }
    }

    /// Parses the body once, for every media type, because any text may contain task IDs.
    ///
    /// # Errors
    ///
    /// [`Error::Unexpected`] if the media type is JSON but the body is not.
    pub(super) fn read(answer: &Answer, route: &str) -> Result<Self, Error> {
        let document = Bounded::parse(&answer.body, Bounds::DOCUMENT);
        // The parser does not check skipped strings for valid UTF-8.
        if document.is_err() || from_utf8(&answer.body).is_err() {
            answer.well_formed(route)?;
        }
        let tasks = document.as_ref().map_or_else(|_| Vec::new(), |known| tasks_in(&known.value));
        let kind = &answer.content_type;
        let is_json = kind.ends_with("/json") || kind.ends_with("+json");
        let body = match document {
            Ok(document) if is_json => ReplyBody::Json(Arc::new(document)),
            _ => ReplyBody::Raw(answer.body.clone()),
        };
        let (content_type, size) = (kind.clone(), answer.body.len());
        Ok(Self::new(content_type, size, body, tasks.into()))
    }

    /// Deserializes the body.
    ///
    /// # Errors
    ///
    /// [`Error::Unexpected`] if the body does not have the form of `T`, and [`Error::Compute`] if
    /// the compute pool failed to parse it.
    pub fn json<T: DeserializeOwned>(&self, route: &str) -> Result<T, Error> {
        match &self.body {
            ReplyBody::Json(document) => serde_path_to_error::deserialize(&document.value)
                .map_err(|error| Error::Unexpected { reason: format!("{error} ({route})") }),
            ReplyBody::Raw(_) => {
                let Self { content_type, size, .. } = self;
                let reason =
                    format!("{route} returned {size} bytes of '{content_type}' instead of JSON");
                Err(Error::Unexpected { reason })
            }
            ReplyBody::Unread(error) => Err(Error::Compute(*error)),
        }
    }

    /// Returns the estimated memory of the body and the task IDs in bytes.
    pub fn memory(&self) -> usize {
        self.memory
    }
}

/// Estimates the memory in bytes of the parts of a value, without the value itself. The value is
/// within [`JsonBounds::DOCUMENT`], so it has at most 16,640 parts at up to 101 levels.
fn memory_below(value: &Value) -> usize {
    match value {
        Value::String(text) => ALLOCATION + text.capacity(),
        Value::Array(items) => {
            let room = ALLOCATION + items.capacity() * size_of::<Value>();
            room + items.iter().map(memory_below).sum::<usize>()
        }
        Value::Object(fields) if !fields.is_empty() => {
            let room = fields.len().next_power_of_two().max(FEWEST) * FIELD + 2 * ALLOCATION;
            let of_field =
                |(key, value): (&String, &Value)| ALLOCATION + key.capacity() + memory_below(value);
            room + fields.iter().map(of_field).sum::<usize>()
        }
        _ => 0,
    }
}

/// Returns the task IDs in a document.
fn tasks_in(document: &Value) -> Vec<Id<Task>> {
    let (mut found, mut known) = (Vec::new(), HashSet::new());
    collect(document, &mut |text| {
        if found.len() < TASKS
            && let Ok(id) = Id::<Task>::parse(text)
            && known.insert(id.as_str().to_owned())
        {
            found.push(id);
        }
    });
    found
}

fn collect<'a>(value: &'a Value, each: &mut impl FnMut(&'a str)) {
    match value {
        Value::String(text) => each(text),
        Value::Array(items) => items.iter().for_each(|item| collect(item, each)),
        Value::Object(object) => object.values().for_each(|item| collect(item, each)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(content_type: &str, body: &str) -> Result<Reply, Error> {
        let body = Bytes::copy_from_slice(body.as_bytes());
        Reply::read(&Answer { content_type: content_type.to_owned(), body }, "/api/x")
    }

    #[test]
    fn tasks_are_found_in_any_part_and_media_type() {
        let body = r#"{ "deploymentServerTasks": [{ "serverTaskId": "ServerTasks-7" }],
            "Id": "servertasks-8", "Links": { "Self": "ServerTasks-9" }, "Note": "ServerTasks-",
            "Again": "ServerTasks-7" }"#;
        for kind in ["application/json", "application/problem+json", "text/plain"] {
            let reply = reply(kind, body).unwrap();
            let tasks: Vec<_> = reply.tasks.iter().map(Id::as_str).collect();
            assert_eq!(tasks, ["ServerTasks-7", "ServerTasks-8"], "{kind}");
            assert_eq!(matches!(reply.body, ReplyBody::Json(_)), kind != "text/plain");
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
        // Omitted items take no memory.
        let body = format!("[0{}]", ",0".repeat(1_000_000));
        let memory = reply("application/json", &body).unwrap().memory();
        let kept = Bounds::DOCUMENT.values * size_of::<Value>();
        assert!((kept..3 * kept).contains(&memory), "{memory}");
        let tasks: Vec<_> = (0..2_000).map(|number| format!("ServerTasks-{number}")).collect();
        let reply = reply("text/plain", &serde_json::to_string(&tasks).unwrap()).unwrap();
        assert_eq!(reply.tasks.len(), TASKS);
        assert!(reply.memory() > reply.size + TASKS * size_of::<Id<Task>>());
    }

    #[test]
    fn body_that_is_not_the_json_it_claims_to_be_is_rejected() {
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
        let answer = Answer { content_type: "application/json".to_owned(), body };
        assert!(Reply::read(&answer, "/api/x").is_err());
    }
}
