//! Audit log: one record for every call and every rejected request.
//!
//! Callers pass records to [`AuditLog`], which queues them. A writer thread adds each record to the
//! hash chain of every configured output: file, standard output and OpenTelemetry collector.
//!
//! | file | responsibility |
//! | --- | --- |
//! | `record.rs` | fields and serialization of a record |
//! | `arguments.rs` | keyed hashes of tool arguments |
//! | `error.rs` | errors when the audit log starts |
//! | `chain.rs` | hash chain: format and parsing of a line |
//! | `key.rs` | keys of the chains: HMAC-SHA-256 over records and heads, one key per output |
//! | `head.rs` | signed chain heads, which reveal a truncated file |
//! | `file.rs` | audit file: rotation and recovery after a crash |
//! | `writer.rs` | writer thread and its outputs |
//! | `stream.rs` | chain of standard output or of the collector |
//! | `sampling.rs` | rate limit for records of rejected requests |
//! | `losses.rs` | counters of lost records |
//! | `verify/` | verification of a chain |
//!
//! ```no_run
//! use octopus_mcp::{
//!     audit::{AuditLog, Outcome, Record, RecordKind},
//!     config::AuditSettings,
//! };
//!
//! # async fn example() -> Result<(), octopus_mcp::audit::AuditError> {
//! let settings = AuditSettings { stdout: true, ..AuditSettings::default() };
//! let log = AuditLog::start(&settings)?;
//! let mut record = Record::new(RecordKind::Call);
//! record.result = Outcome::Done;
//! log.record(record);
//! log.stop().await;
//! # Ok(())
//! # }
//! ```

mod arguments;
mod chain;
mod error;
mod file;
mod head;
mod key;
mod losses;
mod record;
mod sampling;
mod stream;
mod verify;
mod writer;

pub use error::{AuditError, ChainKeyError};
pub use head::ChainHead;
pub use key::{AuditOutput, ChainKey, KeyRing, generate_key};
pub use record::{
    AuditCaller, AuditTarget, McpClient, Outcome, Record, RecordKind, RecordedArguments,
    ResponseBytes,
};
pub use verify::{ExpectedChain, Finding, KeyRun, Verification, verify};

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use serde_json::{Map, Value};
use tokio::sync::{mpsc, oneshot};

use self::{
    arguments::ArgumentHasher,
    losses::LossCounters,
    sampling::{CallerSamplers, RejectionSampler},
    writer::WriterCommand,
};
use crate::config;

/// Handle for writing audit records. Cheap to clone. The default handle discards all records.
#[derive(Debug, Clone, Default)]
pub struct AuditLog(Option<Arc<Inner>>);

#[derive(Debug)]
struct Inner {
    commands: mpsc::Sender<WriterCommand>,
    hasher: ArgumentHasher,
    required: bool,
    mark_changes: bool,
    losses: Arc<LossCounters>,
    unauthenticated_sampler: RejectionSampler,
    caller_samplers: CallerSamplers,
}

/// Maximum time for writing and flushing the intent record of a change.
const INTENT_TIMEOUT: Duration = Duration::from_secs(10);

/// The audit record could not be written, so the change must not be sent. The log has the reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditUnavailable;

impl AuditLog {
    /// Opens the configured outputs and starts the writer. Without configured outputs, the handle
    /// discards all records.
    ///
    /// # Errors
    ///
    /// Returns an error that names the setting if an output cannot be opened.
    pub fn start(settings: &config::AuditSettings) -> Result<Self, AuditError> {
        if !settings.is_enabled() {
            return Ok(Self(None));
        }
        let (jobs, queue) = mpsc::channel(settings.queue as usize);
        let losses = Arc::new(LossCounters::default());
        writer::start(settings, queue, Arc::clone(&losses))?;
        log_head_periodically(&jobs, settings.head_every.0);
        Ok(Self(Some(Arc::new(Inner {
            commands: jobs,
            hasher: ArgumentHasher::from_config(settings)?,
            required: settings.required,
            mark_changes: settings.mark_changes,
            losses,
            unauthenticated_sampler: RejectionSampler::default(),
            caller_samplers: CallerSamplers::default(),
        }))))
    }

    /// Checks that the chain key is valid and that the audit file can be written, without changing
    /// the file.
    ///
    /// # Errors
    ///
    /// Returns an error that names the setting.
    pub fn check(settings: &config::AuditSettings) -> Result<(), AuditError> {
        let key = ChainKey::from_config(settings)?.map(Arc::new);
        let file = settings.file.path.as_deref();
        file.map_or(Ok(()), |path| file::ChainFile::check(path, &settings.file, key))
    }

    /// Returns whether audit records are written.
    pub fn is_enabled(&self) -> bool {
        self.0.is_some()
    }

    /// Returns whether created Octopus resources carry the ID of the change (`audit.mark_changes`).
    pub fn marks_changes(&self) -> bool {
        self.0.as_ref().is_some_and(|inner| inner.mark_changes)
    }

    /// Returns the recorded form of tool arguments: a hash of each argument, and in plain text
    /// the arguments in `audit.fields`.
    pub fn hash_arguments(&self, arguments: &Map<String, Value>) -> RecordedArguments {
        self.0.as_ref().map(|inner| inner.hasher.hash_each(arguments)).unwrap_or_default()
    }

    /// Returns the recorded form of arguments that were not validated: one hash of all arguments.
    pub fn hash_unvalidated_arguments(&self, arguments: &Map<String, Value>) -> RecordedArguments {
        let whole = self.0.as_ref().map(|inner| inner.hasher.hash_all(arguments));
        RecordedArguments { combined_hash: whole, ..RecordedArguments::default() }
    }

    /// Queues a record without waiting. If the queue is full, the record is counted as lost.
    pub fn record(&self, mut record: Record) {
        let Some(inner) = &self.0 else { return };
        record.time = Timestamp::now();
        if inner.commands.try_send(WriterCommand::Write(Box::new(record))).is_err() {
            inner.losses.count_lost_record();
        }
    }

    /// Writes an intent record before a change is sent. With `audit.required`, returns after the
    /// record was written and flushed; otherwise does nothing.
    ///
    /// # Errors
    ///
    /// Returns [`AuditUnavailable`] if writing or flushing fails or exceeds ten seconds.
    pub async fn record_intent(
        &self,
        record: impl FnOnce() -> Record,
    ) -> Result<(), AuditUnavailable> {
        let Some(inner) = self.0.as_ref().filter(|inner| inner.required) else { return Ok(()) };
        let mut record = record();
        record.time = Timestamp::now();
        let (result_sender, answer) = oneshot::channel();
        let work = async {
            let job = WriterCommand::WriteAndFlush(Box::new(record), result_sender);
            inner.commands.send(job).await.map_err(|_| AuditUnavailable)?;
            answer.await.map_err(|_| AuditUnavailable)?.map_err(|_| AuditUnavailable)
        };
        tokio::time::timeout(INTENT_TIMEOUT, work).await.unwrap_or(Err(AuditUnavailable))
    }

    /// Records a request that was rejected before the MCP layer.
    ///
    /// The number of such records is limited per minute: for each authenticated caller separately,
    /// and for all unauthenticated requests together, because their callers can use any number of
    /// names. The next record contains the number of rejections without a record.
    pub fn record_rejection(&self, mut record: Record, is_proven: bool) {
        let Some(inner) = &self.0 else { return };
        let admitted = match record.caller.as_ref().filter(|_| is_proven) {
            Some(caller) => inner.caller_samplers.admit(caller),
            None => inner.unauthenticated_sampler.admit(),
        };
        let Some(others) = admitted else { return };
        record.others = others;
        self.record(record);
    }

    /// Returns the number of records lost since the start because the queue was full.
    pub fn lost_records(&self) -> u64 {
        self.0.as_ref().map_or(0, |inner| inner.losses.lost())
    }

    /// Returns the number of failed writes to an output since the start.
    pub fn write_failures(&self) -> u64 {
        self.0.as_ref().map_or(0, |inner| inner.losses.failures())
    }

    /// Writes the chain head of the file to the log. Returns after it is written.
    pub async fn announce(&self) {
        let Some(inner) = &self.0 else { return };
        let (done, announced) = oneshot::channel();
        if inner.commands.send(WriterCommand::LogHead(Some(done))).await.is_ok() {
            let _ = announced.await;
        }
    }

    /// Writes all queued records without a time limit, then stops the writer. Later records are
    /// lost.
    pub async fn stop(&self) {
        let Some(inner) = &self.0 else { return };
        let (stopped, ended) = oneshot::channel();
        if inner.commands.send(WriterCommand::Stop(stopped)).await.is_ok() {
            let _ = ended.await;
        }
    }
}

/// Writes the chain head of the file to the log at this interval, until the writer stops. An
/// interval of zero disables it.
fn log_head_periodically(jobs: &mpsc::Sender<WriterCommand>, every: Duration) {
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
            if let Err(mpsc::error::TrySendError::Closed(_)) =
                jobs.try_send(WriterCommand::LogHead(None))
            {
                return;
            }
        }
    });
}
