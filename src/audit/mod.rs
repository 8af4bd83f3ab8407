//! Audit log: one record for every call and every rejected request.
//!
//! Callers pass records to [`AuditLog`], which queues them. A writer thread adds each record to the
//! hash chain of every configured output: file, standard output and OpenTelemetry collector.
//!
//! | file | responsibility |
//! | --- | --- |
//! | `record.rs` | fields and serialization of a record |
//! | `arguments.rs` | keyed hashes of tool arguments |
//! | `chain.rs` | hash chain: format and parsing of a line |
//! | `key.rs` | keys of the chains: HMAC-SHA-256 over records and heads, one key per output |
//! | `head.rs` | signed chain heads, which reveal a truncated file |
//! | `file.rs` | audit file: rotation and recovery after a crash |
//! | `writer.rs` | writer thread and its outputs |
//! | `stream.rs` | chain of standard output or of the collector |
//! | `sampling.rs` | rate limit for records of rejected requests |
//! | `losses.rs` | counters of lost records |
//! | `verify/` | verification of a chain |

mod arguments;
mod budget;
mod chain;
mod file;
mod head;
mod key;
mod losses;
mod record;
mod stream;
mod verify;
mod writer;

pub use head::Head;
pub use key::{ChainKey, KeyRing, Output, new_key};
pub use record::{Arguments, Bytes, Caller, Client, Kind, Outcome, Place, Record};
pub use verify::{Expected, Finding, Run, Verified, verify};

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use serde_json::{Map, Value};
use tokio::sync::{mpsc, oneshot};

use self::{
    arguments::Discretion,
    budget::{Budget, Budgets},
    losses::Losses,
    writer::Job,
};
use crate::config;

/// Handle for writing audit records. Cheap to clone. The default handle discards all records.
#[derive(Debug, Clone, Default)]
pub struct Audit(Option<Arc<Inner>>);

#[derive(Debug)]
struct Inner {
    jobs: mpsc::Sender<Job>,
    discretion: Discretion,
    required: bool,
    marks: bool,
    losses: Arc<Losses>,
    strangers: Budget,
    known: Budgets,
}

/// How long a change waits until its intent record is written and flushed.
const PATIENCE: Duration = Duration::from_secs(10);

/// The audit record could not be written, so the change must not be sent. The log has the reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotKept;

impl Audit {
    /// Opens the configured outputs and starts the writer. Without configured outputs, the handle
    /// discards all records.
    ///
    /// # Errors
    ///
    /// Returns an error that names the setting if an output cannot be opened.
    pub fn start(settings: &config::Audit) -> Result<Self, String> {
        if !settings.is_on() {
            return Ok(Self(None));
        }
        let (jobs, queue) = mpsc::channel(settings.queue as usize);
        let losses = Arc::new(Losses::default());
        writer::start(settings, queue, Arc::clone(&losses))?;
        announce(&jobs, settings.head_every.0);
        Ok(Self(Some(Arc::new(Inner {
            jobs,
            discretion: Discretion::from_config(settings)?,
            required: settings.required,
            marks: settings.mark_changes,
            losses,
            strangers: Budget::default(),
            known: Budgets::default(),
        }))))
    }

    /// Returns whether audit records are written.
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Returns whether created Octopus resources carry the ID of the change (`audit.mark_changes`).
    pub fn marks(&self) -> bool {
        self.0.as_ref().is_some_and(|inner| inner.marks)
    }

    /// Returns the recorded form of tool arguments: a hash of each argument, and in plain text
    /// those in `audit.fields`.
    pub fn arguments(&self, arguments: &Map<String, Value>) -> Arguments {
        self.0.as_ref().map(|inner| inner.discretion.of(arguments)).unwrap_or_default()
    }

    /// Returns the recorded form of arguments that were not validated: one hash of all arguments.
    pub fn unread(&self, arguments: &Map<String, Value>) -> Arguments {
        let whole = self.0.as_ref().map(|inner| inner.discretion.whole(arguments));
        Arguments { whole, ..Arguments::default() }
    }

    /// Queues a record without waiting. If the queue is full, the record is counted as lost.
    pub fn keep(&self, mut record: Record) {
        let Some(inner) = &self.0 else { return };
        record.time = Timestamp::now();
        if inner.jobs.try_send(Job::Keep(Box::new(record))).is_err() {
            inner.losses.lose();
        }
    }

    /// Writes an intent record before a change is sent. With `audit.required`, returns after the
    /// record was written and flushed; otherwise does nothing.
    ///
    /// # Errors
    ///
    /// Returns [`AuditUnavailable`] if writing or flushing fails or takes longer than ten seconds.
    pub async fn ensure(&self, record: impl FnOnce() -> Record) -> Result<(), NotKept> {
        let Some(inner) = self.0.as_ref().filter(|inner| inner.required) else { return Ok(()) };
        let mut record = record();
        record.time = Timestamp::now();
        let (kept, answer) = oneshot::channel();
        let work = async {
            let job = Job::Ensure(Box::new(record), kept);
            inner.jobs.send(job).await.map_err(|_| NotKept)?;
            answer.await.map_err(|_| NotKept)?.map_err(|_| NotKept)
        };
        tokio::time::timeout(PATIENCE, work).await.unwrap_or(Err(NotKept))
    }

    /// Records a request that was rejected before the MCP layer.
    ///
    /// The number of such records is limited per minute: for each authenticated caller separately,
    /// and for all unauthenticated requests together, because their callers can use any number of
    /// names. The next record contains the number of rejections without a record.
    pub fn refused(&self, mut record: Record, is_proven: bool) {
        let Some(inner) = &self.0 else { return };
        let admitted = match record.caller.as_ref().filter(|_| is_proven) {
            Some(caller) => inner.known.admit(caller),
            None => inner.strangers.admit(),
        };
        let Some(others) = admitted else { return };
        record.others = others;
        self.keep(record);
    }

    /// Returns the number of records lost since the start because the queue was full.
    pub fn lost(&self) -> u64 {
        self.0.as_ref().map_or(0, |inner| inner.losses.lost())
    }

    /// Returns the number of failed writes to an output since the start.
    pub fn failures(&self) -> u64 {
        self.0.as_ref().map_or(0, |inner| inner.losses.failures())
    }

    /// Writes the chain head of the file to the log. Returns when it is written.
    pub async fn announce(&self) {
        let Some(inner) = &self.0 else { return };
        let (done, announced) = oneshot::channel();
        if inner.jobs.send(Job::Head(Some(done))).await.is_ok() {
            let _ = announced.await;
        }
    }

    /// Writes all queued records without a time limit, then stops the writer. Later records are
    /// lost.
    pub async fn stop(&self) {
        let Some(inner) = &self.0 else { return };
        let (stopped, ended) = oneshot::channel();
        if inner.jobs.send(Job::Stop(stopped)).await.is_ok() {
            let _ = ended.await;
        }
    }
}

/// Writes the chain head of the file to the log at this interval, until the writer stops. An
/// interval of zero disables it.
fn announce(jobs: &mpsc::Sender<Job>, every: Duration) {
    if every.is_zero() {
        return;
    }
    let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
    let jobs = jobs.downgrade();
    runtime.spawn(async move {
        loop {
            tokio::time::sleep(every).await;
            let Some(jobs) = jobs.upgrade() else { return };
            // If the queue is full, records take precedence and the head is skipped until the next
            // interval.
            if let Err(mpsc::error::TrySendError::Closed(_)) = jobs.try_send(Job::Head(None)) {
                return;
            }
        }
    });
}
