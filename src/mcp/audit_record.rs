//! Fills audit records from requests and from the outcomes of their calls.

use crate::{
    approval::ApprovalError,
    audit::{AuditCaller, McpClient, Outcome, Record},
    auth::Identity,
    tool::{AuditGuard, AuditScope, Error, SanitizedAnswer},
};

use super::request::RequestInfo;

/// Fills the record of a scope from a request, and returns the guard that ends the record.
pub(super) fn fill_request(audit_scope: &AuditScope, request: &RequestInfo) -> AuditGuard {
    audit_scope.update(|record| {
        record.caller = Some(caller_fields(&request.context.caller.identity));
        record.client = request.client.as_deref().map(client_fields);
        record.request.clone_from(&request.request_id);
        record.trace.clone_from(&request.trace_id);
        let scope = &request.context.scope;
        record.target.instance.clone_from(&scope.instance);
        record.target.space.clone_from(&scope.space);
        record.target.project.clone_from(&scope.project);
    });
    audit_scope.guard()
}

/// Converts an identity to the caller fields of an audit record.
pub fn caller_fields(identity: &Identity) -> AuditCaller {
    AuditCaller {
        name: identity.name.clone(),
        subject: identity.subject.clone(),
        issuer: identity.issuer.clone(),
        auth_method: identity.method.into(),
        groups: identity.groups.iter().cloned().collect(),
        client: identity.client.clone(),
        owner: identity.owner.clone(),
    }
}

/// Splits `name/version` at the last slash, because a name can contain slashes.
fn client_fields(implementation: &str) -> McpClient {
    match implementation.rsplit_once('/') {
        Some((name, version)) => {
            McpClient { name: name.to_owned(), version: Some(version.to_owned()) }
        }
        None => McpClient { name: implementation.to_owned(), version: None },
    }
}

/// Ends the record of a call that returned a sanitized answer.
pub(super) fn end_done(record_guard: AuditGuard, answer: &SanitizedAnswer) {
    record_guard.finish(|record| {
        mark_done(record);
        (record.bytes, record.removed, record.redacted) =
            (Some(answer.bytes), answer.removed, answer.redacted);
    });
}

/// Sets the outcome to `Done`, unless the call returned the stored outcome of an earlier call.
pub(super) fn mark_done(record: &mut Record) {
    if record.result != Outcome::Repeated {
        record.result = Outcome::Done;
    }
}

/// Ends the record of a failed call. A change that was made keeps its outcome.
pub(super) fn end_failed(record_guard: AuditGuard, error: &Error) {
    record_guard.finish(|record| {
        let is_answered = matches!(record.result, Outcome::Done | Outcome::Repeated);
        match error {
            Error::AfterChange(_) => mark_done(record),
            // Octopus accepted the change, but its answer cannot be read.
            Error::Approval(ApprovalError::OutcomeUnknown(_)) if is_answered => {}
            error if error.is_fault() => record.result = Outcome::Failed,
            _ => record.result = Outcome::Refused,
        }
        record.error = Some(error.kind());
    });
}

/// Ends the record with this outcome and error code.
pub(super) fn end_with(record_guard: AuditGuard, result: Outcome, error: Option<&'static str>) {
    record_guard.finish(|record| (record.result, record.error) = (result, error));
}
