//! Audit records of calls: collects the fields of a record while the call runs.

mod acting_user;
mod call_metrics;
mod recent_calls;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use parking_lot::Mutex;
use serde_json::Value;
use uuid::Uuid;

pub use self::{
    acting_user::ActingUsers,
    recent_calls::{RecentCall, RecentCalls},
};
use self::{call_metrics::metrics_of, recent_calls::CallerCalls};
use super::Error;
use crate::{
    approval::ApprovalMethod,
    audit::{self, AuditLog, Outcome, Record},
    octopus::{
        AccessSet, ChangeResponse, Fingerprint, Id, Instance, Resource, ResourceKind, Session,
        tasks::Task,
    },
    policy::Decision,
    telemetry::Metrics,
};

/// Collects the fields of the audit record of one call. Clones share the record.
#[derive(Debug, Clone, Default)]
pub struct AuditScope {
    audit: AuditLog,
    metrics: Metrics,
    /// The recent calls of the caller, if this is a call of a tool.
    recent_calls: Option<CallerCalls>,
    record: Arc<Mutex<Record>>,
    /// Whether the record was written. Only changed while the record is locked.
    is_written: Arc<AtomicBool>,
}

/// Writes the record of a call when the call ends. If the call is cancelled, dropping the guard
/// writes the record.
#[derive(Debug)]
pub struct AuditGuard {
    scope: AuditScope,
    started: Instant,
    is_written: bool,
}

impl AuditScope {
    /// Starts the record of a call.
    pub fn begin(audit: &AuditLog, metrics: &Metrics, kind: audit::RecordKind) -> Self {
        let record = Arc::new(Mutex::new(Record::new(kind)));
        let (audit, metrics) = (audit.clone(), metrics.clone());
        Self { audit, metrics, recent_calls: None, record, is_written: Arc::default() }
    }

    /// Adds the call to the recent calls of this caller when it ends.
    #[must_use]
    pub fn with_recent_calls(self, calls: &RecentCalls, caller: Fingerprint) -> Self {
        Self { recent_calls: Some(calls.for_caller(caller)), ..self }
    }

    /// Returns the recent calls of the caller, newest first.
    pub fn recent_calls(&self) -> Vec<RecentCall> {
        self.recent_calls.as_ref().map(CallerCalls::all).unwrap_or_default()
    }

    /// Returns the guard that writes the record, whether the call ends or is cancelled.
    pub fn guard(&self) -> AuditGuard {
        AuditGuard { scope: self.clone(), started: Instant::now(), is_written: false }
    }

    /// Returns whether audit records are written.
    pub fn is_enabled(&self) -> bool {
        self.audit.is_enabled()
    }

    /// Changes the record.
    pub fn update(&self, write: impl FnOnce(&mut Record)) {
        write(&mut self.record.lock());
    }

    /// Records the instance that a call reaches, and the credential and Octopus user that act
    /// there.
    pub fn record_instance(&self, instance: &Instance, session: &Session, acting: &ActingUsers) {
        self.update(|record| {
            record.target.instance = Some(instance.name.clone());
            record.credential = Some(session.credentials().type_name());
            record.user = acting.cached(session);
        });
    }

    /// Records the arguments of the call before they are parsed.
    pub fn record_raw_arguments(&self, arguments: &serde_json::Map<String, Value>) {
        if self.is_enabled() {
            self.update(|record| {
                record.arguments = self.audit.hash_unvalidated_arguments(arguments);
            });
        }
    }

    /// Records the parsed arguments of a tool.
    pub(super) fn record_arguments(&self, arguments: &serde_json::Map<String, Value>) {
        if !self.is_enabled() {
            return;
        }
        self.update(|record| {
            let combined_hash = record.arguments.combined_hash.take();
            record.arguments = self.audit.hash_arguments(arguments);
            record.arguments.combined_hash =
                combined_hash.or(record.arguments.combined_hash.take());
        });
    }

    /// Records the access set of a call: its space, projects, environments and tenants.
    pub(super) fn record_access(&self, access_set: &AccessSet) {
        let names = |kind| -> Vec<String> {
            let resources = access_set.resources(kind).iter();
            resources.map(|one| one.name.as_ref().unwrap_or(&one.id).clone()).collect()
        };
        let joined = |kind| Some(names(kind).join(", ")).filter(|names| !names.is_empty());
        self.update(|record| {
            let target = &mut record.target;
            target.space = joined(ResourceKind::Space).or(target.space.take());
            target.project = joined(ResourceKind::Project).or(target.project.take());
            (target.environments, target.tenants) =
                (names(ResourceKind::Environment), names(ResourceKind::Tenant));
        });
    }

    /// Returns whether the call is a change.
    pub(in crate::tool) fn is_change(&self) -> bool {
        self.record.lock().change.is_some()
    }

    /// Records the policy decision.
    pub(super) fn record_decision(&self, decision: &Decision) {
        self.update(|record| {
            record.rule.clone_from(&decision.rule);
            record.effect = Some(decision.effect.as_str());
            record.risk = Some(decision.risk.as_str().to_owned());
        });
    }

    /// Records the ID of the change.
    pub(super) fn record_change(&self, change: Uuid) {
        self.update(|record| record.change = Some(change));
    }

    /// Returns the ID of the change if the settings add it to objects in Octopus.
    pub(super) fn change_mark(&self) -> Option<Uuid> {
        if !self.audit.marks_changes() {
            return None;
        }
        self.record.lock().change
    }

    /// Writes the intent record (write-ahead audit record) of a change before it is sent.
    ///
    /// # Errors
    ///
    /// Returns [`Error::AuditFailed`] if the settings require audit records and writing failed. The
    /// change must not be sent then.
    pub(super) async fn write_intent(
        &self,
        method: ApprovalMethod,
        route: &str,
    ) -> Result<(), Error> {
        self.update(|record| {
            record.consent = Some(method.name());
            record.route = Some(route.to_owned());
        });
        let intent = || {
            let mut intent = self.record.lock().clone();
            (intent.id, intent.kind) = (Uuid::now_v7(), audit::RecordKind::Intent);
            intent.result = Outcome::Sending;
            intent
        };
        self.audit.record_intent(intent).await.map_err(|_| Error::AuditFailed)
    }

    /// Records the reply of Octopus to a change.
    pub(super) fn record_reply(&self, reply: &ChangeResponse, repeated: bool) {
        self.update(|record| {
            record.result = if repeated { Outcome::Repeated } else { Outcome::Done };
            record.tasks = numbered_tasks(&reply.tasks);
        });
    }

    /// Records the outcome of a sent change. Writes a second record if the call was cancelled and
    /// its record is already written.
    pub(super) fn record_outcome(&self, outcome: Result<&ChangeResponse, &Error>) {
        match outcome {
            Ok(reply) => self.record_reply(reply, false),
            Err(error) => self.update(|record| {
                record.result = if error.is_fault() { Outcome::Failed } else { Outcome::Refused };
                record.error = Some(error.kind());
            }),
        }
        let record = self.record.lock();
        if self.is_enabled() && self.is_written.load(Ordering::Relaxed) {
            let late = Record { id: Uuid::now_v7(), duration_ms: None, ..record.clone() };
            self.audit.record(late);
        }
    }
}

impl AuditGuard {
    /// Returns the scope of the record.
    pub fn scope(&self) -> &AuditScope {
        &self.scope
    }

    /// Changes the record a last time and writes it.
    pub fn finish(mut self, write: impl FnOnce(&mut Record)) {
        self.scope.update(write);
        self.write();
    }

    fn write(&mut self) {
        self.is_written = true;
        let duration = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.scope.update(|record| record.duration_ms = Some(duration));
        let record = self.scope.record.lock();
        self.scope.is_written.store(true, Ordering::Relaxed);
        self.scope.metrics.record_call(&metrics_of(&record));
        if let Some(calls) = &self.scope.recent_calls {
            calls.push(&record);
        }
        if self.scope.is_enabled() {
            self.scope.audit.record(record.clone());
        }
    }
}

impl Drop for AuditGuard {
    fn drop(&mut self) {
        // A cancelled call can have executed a change, so its record is written as well.
        if !self.is_written {
            self.write();
        }
    }
}

/// Maximum number of tasks in a record.
const MAX_TASKS: usize = 64;

/// Returns the tasks for a record: those whose ID ends in a number.
fn numbered_tasks(tasks: &[Id<Task>]) -> Vec<String> {
    let is_numbered = |id: &&Id<Task>| {
        let number = id.as_str().strip_prefix(Task::ID_PREFIX).unwrap_or_default();
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    };
    tasks.iter().filter(is_numbered).take(MAX_TASKS).map(|id| id.as_str().to_owned()).collect()
}
