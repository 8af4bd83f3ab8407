//! Audit records of calls: collects the fields of a record while the call runs.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use serde_json::Value;
use uuid::Uuid;

use super::{
    Acting, Context, Error, LastCall, LastCalls, Way, calls::CallsOfOne, counted::counted,
};
use crate::{
    audit::{self, Audit, Outcome, Record},
    octopus::{Fingerprint, Id, Instance, Kind, Reply, Resource, Session, Touches, tasks::Task},
    rules::Decision,
    telemetry::Metrics,
};

/// Collects the fields of the audit record of one call. Clones share the record.
#[derive(Debug, Clone, Default)]
pub struct Trail {
    audit: Audit,
    metrics: Metrics,
    /// The recent calls of the caller, if this is a call of a tool.
    calls: Option<CallsOfOne>,
    record: Arc<Mutex<Record>>,
    /// Whether the record was written. Only changed while the record is locked.
    is_over: Arc<AtomicBool>,
}

/// Writes the record of a call when the call ends. If the call is cancelled, dropping the guard
/// writes the record.
#[derive(Debug)]
pub struct Open {
    trail: Trail,
    started: Instant,
    is_over: bool,
}

impl Trail {
    /// Starts the record of a call.
    pub fn begin(audit: &Audit, metrics: &Metrics, kind: audit::Kind) -> Self {
        let record = Arc::new(Mutex::new(Record::new(kind)));
        let (audit, metrics) = (audit.clone(), metrics.clone());
        Self { audit, metrics, calls: None, record, is_over: Arc::default() }
    }

    /// Adds the call to the recent calls of this caller when it ends.
    #[must_use]
    pub fn found_in(self, calls: &LastCalls, caller: Fingerprint) -> Self {
        Self { calls: Some(calls.of(caller)), ..self }
    }

    /// Returns the recent calls of the caller, newest first.
    pub fn last_calls(&self) -> Vec<LastCall> {
        self.calls.as_ref().map(CallsOfOne::all).unwrap_or_default()
    }

    /// Returns the guard that writes the record, whether the call ends or is cancelled.
    pub fn open(&self) -> Open {
        Open { trail: self.clone(), started: Instant::now(), is_over: false }
    }

    /// Returns whether audit records are written.
    pub fn is_on(&self) -> bool {
        self.audit.is_on()
    }

    /// Changes the record.
    pub fn note(&self, write: impl FnOnce(&mut Record)) {
        write(&mut self.record.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Records the instance that a call reaches, and the credential and Octopus user that act
    /// there.
    pub fn at(&self, instance: &Instance, session: &Session, acting: &Acting) {
        self.note(|record| {
            record.place.instance = Some(instance.name.clone());
            record.credential = Some(session.credentials().kind());
            record.user = acting.known(session);
        });
    }

    /// Records the arguments of the call before they are parsed.
    pub fn brought(&self, arguments: &serde_json::Map<String, Value>) {
        if self.is_on() {
            self.note(|record| record.arguments = self.audit.unread(arguments));
        }
    }

    /// Records the parsed arguments of a tool.
    pub(super) fn arguments(&self, arguments: &serde_json::Map<String, Value>) {
        if !self.is_on() {
            return;
        }
        self.note(|record| {
            let whole = record.arguments.whole.take();
            record.arguments = self.audit.arguments(arguments);
            record.arguments.whole = whole.or(record.arguments.whole.take());
        });
    }

    /// Records the space, projects, environments and tenants that a call accesses.
    pub(super) fn touches(&self, touches: &Touches) {
        let names = |kind| -> Vec<String> {
            let names =
                touches.of(kind).iter().map(|thing| thing.name.as_ref().unwrap_or(&thing.id));
            names.cloned().collect()
        };
        let joined = |kind| Some(names(kind).join(", ")).filter(|names| !names.is_empty());
        self.note(|record| {
            let place = &mut record.place;
            place.space = joined(Kind::Space).or(place.space.take());
            place.project = joined(Kind::Project).or(place.project.take());
            (place.environments, place.tenants) = (names(Kind::Environment), names(Kind::Tenant));
        });
    }

    /// Records the access set of a call that changes nothing.
    pub(super) fn read(&self, cx: &Context) {
        if !self.is_change() {
            for (_, session) in cx.read_at() {
                self.touches(&session.touched().so_far());
            }
        }
    }

    fn is_change(&self) -> bool {
        self.record.lock().unwrap_or_else(PoisonError::into_inner).change.is_some()
    }

    /// Records the policy decision.
    pub(super) fn decided(&self, decision: &Decision) {
        self.note(|record| {
            record.rule.clone_from(&decision.rule);
            record.effect = Some(decision.effect.name());
            record.risk = Some(decision.risk.name().to_owned());
        });
    }

    /// Records the ID of the change.
    pub(super) fn change(&self, change: Uuid) {
        self.note(|record| record.change = Some(change));
    }

    /// Returns the ID of the change if the settings add it to objects in Octopus.
    pub(super) fn marked(&self) -> Option<Uuid> {
        if !self.audit.marks() {
            return None;
        }
        self.record.lock().unwrap_or_else(PoisonError::into_inner).change
    }

    /// Writes the intent record of a change before it is sent.
    ///
    /// # Errors
    ///
    /// Returns [`Error::NotKept`] if the settings require audit records and writing failed. The
    /// change must not be sent then.
    pub(super) async fn intent(&self, way: Way, route: &str) -> Result<(), Error> {
        self.note(|record| {
            record.consent = Some(way.name());
            record.route = Some(route.to_owned());
        });
        let intent = || {
            let mut intent = self.record.lock().unwrap_or_else(PoisonError::into_inner).clone();
            (intent.id, intent.kind) = (Uuid::now_v7(), audit::Kind::Intent);
            intent.result = Outcome::Sending;
            intent
        };
        self.audit.ensure(intent).await.map_err(|_| Error::NotKept)
    }

    /// Records the reply of Octopus to a change.
    pub(super) fn answered(&self, reply: &Reply, repeated: bool) {
        self.note(|record| {
            record.result = if repeated { Outcome::Repeated } else { Outcome::Done };
            record.tasks = tasks(&reply.tasks);
        });
    }

    /// Records the outcome of a sent change. Writes a second record if the call was cancelled and
    /// its record is already written.
    pub(super) fn came(&self, came: Result<&Reply, &Error>) {
        match came {
            Ok(reply) => self.answered(reply, false),
            Err(error) => self.note(|record| {
                record.result = if error.is_fault() { Outcome::Failed } else { Outcome::Refused };
                record.error = Some(error.kind());
            }),
        }
        let record = self.record.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_on() && self.is_over.load(Ordering::Relaxed) {
            let late = Record { id: Uuid::now_v7(), duration_ms: None, ..record.clone() };
            self.audit.keep(late);
        }
    }
}

impl Open {
    /// Returns the scope of the record.
    pub fn trail(&self) -> &Trail {
        &self.trail
    }

    /// Changes the record a last time and writes it.
    pub fn end(mut self, write: impl FnOnce(&mut Record)) {
        self.trail.note(write);
        self.hand_over();
    }

    fn hand_over(&mut self) {
        self.is_over = true;
        let duration = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.trail.note(|record| record.duration_ms = Some(duration));
        let record = self.trail.record.lock().unwrap_or_else(PoisonError::into_inner);
        self.trail.is_over.store(true, Ordering::Relaxed);
        self.trail.metrics.call(&counted(&record));
        if let Some(calls) = &self.trail.calls {
            calls.keep(&record);
        }
        if self.trail.is_on() {
            self.trail.audit.keep(record.clone());
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        // A change stays executed if nobody waits for its answer, so its record is needed as well.
        if !self.is_over {
            self.hand_over();
        }
    }
}

/// Maximum number of tasks in a record.
const TASKS: usize = 64;

/// Returns the tasks for a record: those whose ID ends in a number.
fn tasks(named: &[Id<Task>]) -> Vec<String> {
    let is_numbered = |id: &&Id<Task>| {
        let number = id.as_str().strip_prefix(Task::ID_PREFIX).unwrap_or_default();
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    };
    named.iter().filter(is_numbered).take(TASKS).map(|id| id.as_str().to_owned()).collect()
}
