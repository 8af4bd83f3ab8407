//! What a tool is given besides its arguments.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use super::{
    Acting, Asked, Consent, Decisions, Error, Gate, Policy, Reach, Starters, Trail, Visits,
};
use crate::{
    callers::Who,
    compute::ComputeScope,
    octopus::{Instance, Session, Window},
    rules::Rules,
    text,
};

/// What a tool is given besides its arguments.
#[derive(Debug, Clone)]
pub struct Context {
    /// Octopus, as the caller may reach it.
    pub session: Session,
    /// The instance that the session reaches.
    pub instance: Arc<Instance>,
    /// Who calls.
    pub caller: Arc<Who>,
    /// What the request may see and do.
    pub policy: Policy,
    /// How large answers may be.
    pub limits: Limits,
    /// The space that the settings or the request fix.
    pub fixed_space: Option<String>,
    /// What the request could reach: the instances, and what it asked for.
    pub reach: Arc<Reach>,
    /// The name and version of the MCP client, for the `User-Agent` header.
    pub client: Option<String>,
    /// Where to say how far the call is.
    pub progress: Progress,
    /// What every change must pass.
    pub gate: Arc<Gate>,
    /// What the client can do and has done about consent.
    pub consent: Consent,
    /// What calls are let through, asked about or refused.
    pub rules: Arc<Rules>,
    /// Who started what.
    pub starters: Arc<Starters>,
    /// The tool that is called.
    pub asked: Asked,
    /// What was decided on the call.
    pub decisions: Decisions,
    /// What it reached at other instances than its own.
    pub visits: Visits,
    /// What is written down of the call.
    pub trail: Trail,
    /// Which users of Octopus act.
    pub acting: Acting,
    /// What was taken out of texts that passed the door before the answer does.
    pub taken_out: TakenOut,
}

/// What was taken out of texts on the way. A clone counts into the same.
#[derive(Debug, Clone, Default)]
pub struct TakenOut(Arc<[AtomicUsize; 2]>);

impl TakenOut {
    /// Counts so many invisible characters and so many secrets.
    pub fn add(&self, removed: usize, redacted: usize) {
        let [all_removed, all_redacted] = &*self.0;
        all_removed.fetch_add(removed, Ordering::Relaxed);
        all_redacted.fetch_add(redacted, Ordering::Relaxed);
    }

    /// How many invisible characters and how many secrets there were.
    pub fn total(&self) -> (usize, usize) {
        let [removed, redacted] = &*self.0;
        (removed.load(Ordering::Relaxed), redacted.load(Ordering::Relaxed))
    }
}

/// How large answers may be.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of an answer, where the call does not ask for more.
    pub answer: usize,
    /// Bytes of an answer at most.
    pub answer_cap: usize,
    /// Items of a list, where the call does not say.
    pub take: u32,
    /// Items of a list at most.
    pub take_cap: u32,
}

/// Tells a waiting client how far a long call is. Telling costs nothing where nobody listens.
#[derive(Debug, Clone, Default)]
pub struct Progress(Option<tokio::sync::mpsc::Sender<(u64, String)>>);

impl Progress {
    /// Progress that is sent here.
    pub fn new(sender: tokio::sync::mpsc::Sender<(u64, String)>) -> Self {
        Self(Some(sender))
    }

    /// Says how far the call is: an amount that only grows, and what it means. A client that
    /// does not keep up misses some.
    pub fn report(&self, amount: u64, message: impl FnOnce() -> String) {
        if let Some(sender) = &self.0 {
            let message = text::door(&message()).text.into_owned();
            let _ = sender.try_send((amount, message));
        }
    }
}

impl Context {
    /// The compute pool with the caller's share and the compute time of this call. Work that is
    /// not linear, or concerns more than `compute::INLINE_BYTES`, runs there.
    pub fn compute(&self) -> &ComputeScope {
        self.session.compute()
    }

    /// The part of a list that a call asks for, within the limits.
    pub fn window(&self, skip: Option<u32>, take: Option<u32>) -> Result<Window, Error> {
        if take == Some(0) {
            return Err(Error::Argument {
                field: "take".to_owned(),
                reason: "at least 1 must be taken".to_owned(),
            });
        }
        let take = take.unwrap_or(self.limits.take).min(self.limits.take_cap);
        Ok(Window { skip: skip.unwrap_or(0), take })
    }
}
