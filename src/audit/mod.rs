//! The audit: one record of every call, kept where the settings say.
//!
//! | part | what it holds |
//! | --- | --- |
//! | `record.rs` | what a record says |
//! | `arguments.rs` | what of arguments may be written down |
//! | `chain.rs` | how a record holds on to the one before |
//! | `key.rs` | the keys of chains, one for each output: HMAC-SHA-256 over records and heads |
//! | `head.rs` | signed heads, which are kept elsewhere and show that an end was cut off |
//! | `file.rs` | the file, its turns, its end after a crash |
//! | `writer.rs` | the thread that writes, and where to |
//! | `stream.rs` | the chain of standard output and of a collector |
//! | `budget.rs` | requests that were refused, of which there may be very many |
//! | `verify.rs` | whether a chain is whole |

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

/// Where records are handed over. Cheap to clone; the default keeps none.
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

/// How long a change waits for its record to be kept.
const PATIENCE: Duration = Duration::from_secs(10);

/// That a record could not be kept, and so nothing may be changed. Why stands in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotKept;

impl Audit {
    /// Opens what the settings name. Where they name nothing, no record is kept.
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

    /// Whether records are kept.
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Whether what is made carries the ID of its record.
    pub fn marks(&self) -> bool {
        self.0.as_ref().is_some_and(|inner| inner.marks)
    }

    /// What is written of the arguments that a tool takes.
    pub fn arguments(&self, arguments: &Map<String, Value>) -> Arguments {
        self.0.as_ref().map(|inner| inner.discretion.of(arguments)).unwrap_or_default()
    }

    /// What is written of arguments that nobody has looked at yet.
    pub fn unread(&self, arguments: &Map<String, Value>) -> Arguments {
        let whole = self.0.as_ref().map(|inner| inner.discretion.whole(arguments));
        Arguments { whole, ..Arguments::default() }
    }

    /// Keeps a record. It never waits, and what cannot be kept is counted.
    pub fn keep(&self, mut record: Record) {
        let Some(inner) = &self.0 else { return };
        record.time = Timestamp::now();
        if inner.jobs.try_send(Job::Keep(Box::new(record))).is_err() {
            inner.losses.lose();
        }
    }

    /// Keeps a record before something is changed: where the settings ask for that, it is written
    /// and flushed when this returns, or nothing may be changed.
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

    /// Keeps that a request was refused before MCP saw it. So many a minute have a record of
    /// their own, and the next one says how many had none: those of each caller who has proved
    /// who they are, and those of all others together, who can make names up.
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

    /// How many records found no place in the queue since the start.
    pub fn lost(&self) -> u64 {
        self.0.as_ref().map_or(0, |inner| inner.losses.lost())
    }

    /// How often a place for records did not take one since the start.
    pub fn failures(&self) -> u64 {
        self.0.as_ref().map_or(0, |inner| inner.losses.failures())
    }

    /// Writes the head of the file into the log now, and returns when that is done.
    pub async fn announce(&self) {
        let Some(inner) = &self.0 else { return };
        let (done, announced) = oneshot::channel();
        if inner.jobs.send(Job::Head(Some(done))).await.is_ok() {
            let _ = announced.await;
        }
    }

    /// Writes what came so far, however long that takes, and ends. What comes later is lost.
    pub async fn stop(&self) {
        let Some(inner) = &self.0 else { return };
        let (stopped, ended) = oneshot::channel();
        if inner.jobs.send(Job::Stop(stopped)).await.is_ok() {
            let _ = ended.await;
        }
    }
}

/// Has the head of the file written into the log at intervals, as long as records can be added.
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
            // A full queue has records to write first; the next interval brings the next head.
            if let Err(mpsc::error::TrySendError::Closed(_)) = jobs.try_send(Job::Head(None)) {
                return;
            }
        }
    });
}
