//! Strict mode: comparison of requests and responses with the [contract](super::contract).

use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use serde_json::Value;

use super::contract::{Contract, Operation, UnknownFields};
use super::request_body::RequestBody;
use super::response::ApiError;
use super::version::Version;

/// Largest number of kept problems.
const KEPT: usize = 1_000;

/// What one sample instance compares with the contract.
#[derive(Default)]
pub(super) struct Strictness {
    refuses_unknown: AtomicBool,
    checks_responses: AtomicBool,
    problems: Mutex<Vec<String>>,
}

/// A request as it arrived, for the comparison.
pub(super) struct ArrivedRequest<'r> {
    pub(super) version: &'r Version,
    pub(super) method: &'r str,
    /// The path without a virtual directory.
    pub(super) path: &'r str,
    pub(super) query: &'r str,
    pub(super) input: &'r RequestBody,
}

impl Strictness {
    pub(super) fn set_refuses_unknown(&self, refuses: bool) {
        self.refuses_unknown.store(refuses, Ordering::Relaxed);
    }

    pub(super) fn set_checks_responses(&self, checks: bool) {
        self.checks_responses.store(checks, Ordering::Relaxed);
    }

    /// Returns the problems of responses so far.
    pub(super) fn problems(&self) -> Vec<String> {
        self.problems.lock().clone()
    }

    /// Returns the error for a request that differs from its operation: 400 with all differences.
    /// Requests without an operation are accepted.
    pub(super) fn check_request(&self, request: &ArrivedRequest<'_>) -> Result<(), ApiError> {
        if !self.refuses_unknown.load(Ordering::Relaxed) {
            return Ok(());
        }
        let problems = request.fewest(|contract, operation| {
            let mut problems = contract.check_query(operation, request.query);
            if let RequestBody::Json(body) = request.input {
                let edited = edited_resource(contract, operation, body);
                problems.extend(contract.check_request_body(operation, &edited));
            }
            problems
        });
        if problems.is_empty() {
            return Ok(());
        }
        let (method, path) = (request.method, request.path);
        let line = |problem| format!("{method} {path}: {problem} (strict mode)");
        Err(ApiError::Invalid(problems.into_iter().map(line).collect()))
    }

    /// Keeps the problems of a successful response.
    pub(super) fn check_response(&self, request: &ArrivedRequest<'_>, status: u16, body: &[u8]) {
        if !self.checks_responses.load(Ordering::Relaxed) || !(200..300).contains(&status) {
            return;
        }
        let found = request.fewest(|contract, operation| {
            let mut problems = Vec::new();
            if status != operation.status {
                problems.push(format!("status {status} instead of {}", operation.status));
            }
            if let Ok(body) = serde_json::from_slice::<Value>(body) {
                let refused = UnknownFields::Refused;
                problems.extend(contract.check_response(operation, &body, refused));
            }
            problems
        });
        let (method, path) = (request.method, request.path);
        let mut problems = self.problems.lock();
        problems.extend(found.into_iter().map(|problem| format!("{method} {path}: {problem}")));
        problems.truncate(KEPT);
    }
}

impl ArrivedRequest<'_> {
    /// Returns the problems according to the contract that finds the fewest. Versions between two
    /// editions have some of the differences, so they are compared with both.
    fn fewest(&self, check: impl Fn(&Contract, &Operation) -> Vec<String>) -> Vec<String> {
        let editions = self.version.editions().iter();
        let found = editions.filter_map(|edition| {
            let contract = Contract::of(*edition);
            let method = if self.method == "HEAD" { "GET" } else { self.method };
            contract.find(method, self.path).map(|operation| check(contract, operation))
        });
        found.min_by_key(Vec::len).unwrap_or_default()
    }
}

/// Removes the fields of a resource that its clients send back as they read them, such as `Links`.
fn edited_resource(contract: &Contract, operation: &Operation, body: &Value) -> Value {
    let mut body = body.clone();
    let shape = operation.response.as_ref().filter(|_| operation.method == "PUT");
    if let (Some(shape), Value::Object(map)) = (shape, &mut body) {
        let is_sent =
            |key: &str| operation.body.as_ref().is_some_and(|b| contract.has_field(b, key));
        map.retain(|key, _| is_sent(key) || !contract.has_field(shape, key));
    }
    body
}
