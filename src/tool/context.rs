//! The context of a call.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use super::{
    Acting, Asked, Consent, Decisions, Error, Gate, Policy, Reach, Skip, Starters, Take, Trail,
    Visits,
};
use crate::{
    callers::Who,
    compute::ComputeScope,
    octopus::{Instance, Session, Window},
    rules::Rules,
    text,
};

/// Everything that a tool gets besides its arguments.
#[derive(Debug, Clone)]
pub struct Context {
    /// Session at the Octopus instance, with the credential that acts for the caller.
    pub session: Session,
    /// Instance that the session reaches.
    pub instance: Arc<Instance>,
    /// The caller.
    pub caller: Arc<Who>,
    /// The tools that the request can see, and the highest tier of its calls.
    pub policy: Policy,
    /// Limits of answers.
    pub limits: Limits,
    /// The space that the settings or the request pin.
    pub fixed_space: Option<String>,
    /// The instances and access rules of the request.
    pub reach: Arc<Reach>,
    /// The name and version of the MCP client, for the `User-Agent` header.
    pub client: Option<String>,
    /// Where to say how far the call is.
    pub progress: Progress,
    /// Requires approval of changes.
    pub gate: Arc<Gate>,
    /// What the client supports for approvals, and the approval of this call.
    pub consent: Consent,
    /// The policy rules of the settings.
    pub rules: Arc<Rules>,
    /// Who started which task.
    pub starters: Arc<Starters>,
    /// The tool that the call is evaluated as.
    pub asked: Asked,
    /// The policy decision on the call.
    pub decisions: Decisions,
    /// Sessions at other instances that the call reached.
    pub visits: Visits,
    /// The audit record of the call.
    pub trail: Trail,
    /// Octopus users of credentials.
    pub acting: Acting,
    /// Counts of redactions in texts that are sanitized before the answer is.
    pub taken_out: TakenOut,
}

/// Counts redactions in texts that a tool sanitizes itself. Clones share the counters.
#[derive(Debug, Clone, Default)]
pub struct TakenOut(Arc<[AtomicUsize; 2]>);

impl TakenOut {
    /// Adds removed invisible characters and redacted secrets.
    pub fn add(&self, removed: usize, redacted: usize) {
        let [all_removed, all_redacted] = &*self.0;
        all_removed.fetch_add(removed, Ordering::Relaxed);
        all_redacted.fetch_add(redacted, Ordering::Relaxed);
    }

    /// Returns the number of removed invisible characters and of redacted secrets.
    pub fn total(&self) -> (usize, usize) {
        let [removed, redacted] = &*self.0;
        (removed.load(Ordering::Relaxed), redacted.load(Ordering::Relaxed))
    }
}

/// Limits of answers.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Maximum size of an answer in bytes, if the call has no `maxBytes`.
    pub answer: usize,
    /// Largest `maxBytes`.
    pub answer_cap: usize,
    /// Number of items of a list, if the call has no `take`.
    pub take: u32,
    /// Largest `take`.
    pub take_cap: u32,
}

/// Sends progress notifications of a long call. Does nothing if the client did not request
/// progress.
#[derive(Debug, Clone, Default)]
pub struct Progress(Option<tokio::sync::mpsc::Sender<(u64, String)>>);

impl Progress {
    /// Creates a reporter for this channel.
    pub fn new(sender: tokio::sync::mpsc::Sender<(u64, String)>) -> Self {
        Self(Some(sender))
    }

    /// Reports progress: an amount that never decreases, and a message. Drops the report if the
    /// channel is full.
    pub fn report(&self, amount: u64, message: impl FnOnce() -> String) {
        if let Some(sender) = &self.0 {
            let message = text::door(&message()).text.into_owned();
            let _ = sender.try_send((amount, message));
        }
    }
}

impl Context {
    /// Returns the compute pool, limited by the caller's share and the compute budget of this call.
    /// Work that is not linear, or that processes more than `compute::INLINE_BYTES`, runs there.
    pub fn compute(&self) -> &ComputeScope {
        self.session.compute()
    }

    /// Returns the part of a list that a call requests, within the limits.
    pub fn window(&self, skip: Option<Skip>, take: Option<Take>) -> Result<Window, Error> {
        if take == Some(Take(0)) {
            return Err(Error::Argument {
                field: "take".to_owned(),
                reason: "must be at least 1".to_owned(),
            });
        }
        let take = take.map_or(self.limits.take, |Take(take)| take).min(self.limits.take_cap);
        Ok(Window { skip: skip.map_or(0, |Skip(skip)| skip), take })
    }
}
