//! Routes of write requests.

use http::Method;

use super::super::call::Call;
use super::super::database::Database;
use super::super::request_body::RequestBody;
use super::super::response::ApiResult;
use super::edits::EditableType;
use super::{executions, feature_toggles, interruptions, task_actions};

/// A write request.
pub(super) struct WriteRequest<'a> {
    /// The call, with the database before the change.
    pub(super) call: &'a Call<'a>,
    pub(super) input: &'a RequestBody,
    method: &'a Method,
}

impl<'a> WriteRequest<'a> {
    pub(super) const fn new(
        call: &'a Call<'a>,
        input: &'a RequestBody,
        method: &'a Method,
    ) -> Self {
        Self { call, input, method }
    }

    /// Makes the change in the draft. Returns `None` if the path has no write requests.
    pub(super) fn make(&self, draft: &mut Database, path: &[&str]) -> Option<ApiResult> {
        Some(match (self.method.as_str(), path) {
            (
                "POST",
                ["releases" | "runbook-runs", "create", "v1"]
                | ["deployments", "create", _, "v1"]
                | ["runbook-runs", "git", "create", "v1"],
            ) => executions::answer(self, draft, path),
            ("POST", ["tasks", _, "cancel" | "state"] | ["tasks", "rerun", _]) => {
                task_actions::answer(self, draft, path.get(1..).unwrap_or_default())
            }
            ("PUT", ["projects", project, "featuretoggles", rest @ ..]) if rest.len() < 2 => {
                feature_toggles::replace(self, draft, project, rest)
            }
            ("PUT", ["interruptions", id, "responsible"]) => interruptions::take(self, draft, id),
            ("POST", ["interruptions", id, "submit"]) => interruptions::submit(self, draft, id),
            ("POST", [word]) => EditableType::of(word)?.create(self, draft),
            ("PUT", [word, id]) => EditableType::of(word)?.replace(self, draft, id),
            ("DELETE", [word, id]) => EditableType::of(word)?.delete(self, draft, id),
            _ => return None,
        })
    }
}
