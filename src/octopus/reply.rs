//! The answer to a change. Its body is parsed once, where the answer comes in.

use std::{collections::HashSet, str::from_utf8, sync::Arc};

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Answer, Bounded, Bounds, Error, Id, tasks::Task};
use crate::compute::ComputeError;

/// Maximum number of task IDs that are collected from one answer.
const TASKS: usize = 1_000;
/// Estimated memory of a parsed document for each byte of its text.
const MEMORY: usize = 10;
/// Estimated memory of the largest document that is kept.
const LARGEST: usize = Bounds::DOCUMENT.json + 100 * Bounds::DOCUMENT.values;

/// The answer of Octopus to a change. A clone shares its body.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The media type, without parameters, in lower case.
    pub content_type: String,
    /// Size of the body in bytes.
    pub size: usize,
    /// The body.
    pub body: ReplyBody,
    /// The tasks that the body names, in its order: at most 1,000.
    pub tasks: Arc<[Id<Task>]>,
}

/// The body of an answer to a change.
#[derive(Debug, Clone)]
pub enum ReplyBody {
    /// JSON, within [`Bounds::DOCUMENT`].
    Json(Arc<Bounded>),
    /// Something else, or nothing.
    Raw(Bytes),
    /// The server could not parse it.
    Unread(ComputeError),
}

impl Reply {
    /// Parses an answer: all of it once, whatever its media type, because it may name tasks.
    ///
    /// # Errors
    ///
    /// [`Error::Unexpected`] if the body is not JSON although its media type says so.
    pub(super) fn read(answer: &Answer, route: &str) -> Result<Self, Error> {
        let document = Bounded::parse(&answer.body, Bounds::DOCUMENT);
        // What the parser skips may be no text.
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
        Ok(Self { content_type, size, body, tasks: tasks.into() })
    }

    /// Reads the body as JSON.
    ///
    /// # Errors
    ///
    /// [`Error::Unexpected`] if the body does not have the form of `T`, and [`Error::Compute`] if the
    /// server could not parse it.
    pub fn json<T: DeserializeOwned>(&self, route: &str) -> Result<T, Error> {
        match &self.body {
            ReplyBody::Json(document) => serde_path_to_error::deserialize(&document.value)
                .map_err(|error| Error::Unexpected { reason: format!("{error} ({route})") }),
            ReplyBody::Raw(_) => {
                let Self { content_type, size, .. } = self;
                let reason =
                    format!("{route} sent {size} bytes of '{content_type}', which are no JSON");
                Err(Error::Unexpected { reason })
            }
            ReplyBody::Unread(error) => Err(Error::Compute(*error)),
        }
    }

    /// Returns about how many bytes of memory the body takes.
    pub fn memory(&self) -> usize {
        match &self.body {
            ReplyBody::Json(_) => self.size.saturating_mul(MEMORY).min(LARGEST),
            ReplyBody::Raw(bytes) => bytes.len(),
            ReplyBody::Unread(_) => 0,
        }
    }
}

/// The tasks that a document names.
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
