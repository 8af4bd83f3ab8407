//! Routes of write requests.

use super::super::database::Database;
use super::super::response::ApiResult;
use super::edits::EditableType;
use super::write_request::WriteRequest;
use super::{executions, feature_toggles, interruptions, task_actions};

/// Makes the change in the draft. Returns `None` if the path has no write requests.
pub(super) fn make(
    request: &WriteRequest<'_>,
    draft: &mut Database,
    path: &[&str],
) -> Option<ApiResult> {
    Some(match (request.method.as_str(), path) {
        (
            "POST",
            ["releases" | "runbook-runs", "create", "v1"]
            | ["deployments", "create", _, "v1"]
            | ["runbook-runs", "git", "create", "v1"],
        ) => executions::answer(request, draft, path),
        ("POST", ["tasks", _, "cancel" | "state"] | ["tasks", "rerun", _]) => {
            task_actions::answer(request, draft, path.get(1..).unwrap_or_default())
        }
        ("PUT", ["projects", project, "featuretoggles", rest @ ..]) if rest.len() < 2 => {
            feature_toggles::replace(request, draft, project, rest)
        }
        ("PUT", ["interruptions", id, "responsible"]) => interruptions::take(request, draft, id),
        ("POST", ["interruptions", id, "submit"]) => interruptions::submit(request, draft, id),
        ("POST", [word]) => EditableType::of(word)?.create(request, draft),
        ("PUT", [word, id]) => EditableType::of(word)?.replace(request, draft, id),
        ("DELETE", [word, id]) => EditableType::of(word)?.delete(request, draft, id),
        _ => return None,
    })
}
