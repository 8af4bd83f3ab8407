//! What may be changed, and where that is done.

use http::Method;

use super::super::answer::Answered;
use super::super::call::Call;
use super::super::order::Order;
use super::super::world::World;
use super::edits::Kind;
use super::{executions, feature_toggles, interruptions, task_actions};

/// A request that wants something changed.
pub(super) struct Change<'a> {
    /// The call, which sees the state before the change.
    pub(super) call: &'a Call<'a>,
    pub(super) order: &'a Order,
    method: &'a Method,
}

impl<'a> Change<'a> {
    pub(super) const fn new(call: &'a Call<'a>, order: &'a Order, method: &'a Method) -> Self {
        Self { call, order, method }
    }

    /// Makes the change in the draft; `None` where nothing can be changed.
    pub(super) fn make(&self, draft: &mut World, path: &[&str]) -> Option<Answered> {
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
            ("POST", [word]) => Kind::of(word)?.create(self, draft),
            ("PUT", [word, id]) => Kind::of(word)?.replace(self, draft, id),
            ("DELETE", [word, id]) => Kind::of(word)?.delete(self, draft, id),
            _ => return None,
        })
    }
}
