//! Fills audit records from a request and from the outcome of its call.

use crate::{
    audit::{Caller, Client, Kind, Outcome, Record},
    callers::Who,
    tool::{Error, Open, Passed, Trail},
};

use super::{Request, Tools};

impl Tools {
    /// Starts the audit record of a request. The record is written when the returned scope ends,
    /// also if the call is dropped.
    pub(super) fn open(&self, kind: Kind, request: &Request) -> Open {
        let caller = request.context.caller.who.fingerprint();
        let trail = Trail::begin(&self.audit, &self.metrics, kind);
        open(&trail.found_in(&self.calls, caller), request)
    }
}

fn open(trail: &Trail, request: &Request) -> Open {
    trail.note(|record| {
        record.caller = Some(recorded(&request.context.caller.who));
        record.client = request.client.as_deref().map(client);
        record.request.clone_from(&request.id);
        record.trace.clone_from(&request.trace);
        let narrowing = &request.context.scope;
        record.place.instance.clone_from(&narrowing.instance);
        record.place.space.clone_from(&narrowing.space);
        record.place.project.clone_from(&narrowing.project);
    });
    trail.open()
}

/// Converts an identity to the caller fields of an audit record.
pub fn recorded(who: &Who) -> Caller {
    Caller {
        name: who.name.clone(),
        subject: who.subject.clone(),
        issuer: who.issuer.clone(),
        way: who.way.name(),
        groups: who.groups.iter().cloned().collect(),
        client: who.client.clone(),
    }
}

/// Splits `name/version` at the last slash, because a name can contain slashes.
fn client(said: &str) -> Client {
    match said.rsplit_once('/') {
        Some((name, version)) => {
            Client { name: name.to_owned(), version: Some(version.to_owned()) }
        }
        None => Client { name: said.to_owned(), version: None },
    }
}

/// Ends the record of a call that returned a sanitized answer.
pub(super) fn done(open: Open, passed: &Passed) {
    open.end(|record| {
        answered(record);
        (record.bytes, record.removed, record.redacted) =
            (Some(passed.bytes), passed.removed, passed.redacted);
    });
}

/// Sets the outcome to `Done`, unless the call returned the stored outcome of an earlier call.
pub(super) fn answered(record: &mut Record) {
    if record.result != Outcome::Repeated {
        record.result = Outcome::Done;
    }
}

/// Ends the record of a failed call. A change that was made keeps its outcome.
pub(super) fn failed(open: Open, error: &Error) {
    open.end(|record| {
        let is_answered = matches!(record.result, Outcome::Done | Outcome::Repeated);
        match error {
            Error::Made(_) => answered(record),
            // Octopus accepted the change, but its answer cannot be read.
            Error::Unsure(_) if is_answered => {}
            error if error.is_fault() => record.result = Outcome::Failed,
            _ => record.result = Outcome::Refused,
        }
        record.error = Some(error.kind());
    });
}

/// Ends the record with this outcome and error code.
pub(super) fn ended(open: Open, result: Outcome, error: Option<&'static str>) {
    open.end(|record| (record.result, record.error) = (result, error));
}
