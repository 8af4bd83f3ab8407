//! The context of a call.

mod audit_note;
mod decisions;
mod for_instance;
mod four_eyes;
mod policy_call;
mod policy_check;
mod policy_decide;
mod readable;
mod scope;
mod visited_instances;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

pub use self::{
    decisions::{CalledTool, DecisionRecorder, RecordedDecision},
    policy_call::{DescribedCall, PolicyCall},
    visited_instances::VisitedInstances,
};
use super::{
    AuditScope, Error, Toolset,
    arguments::{Skip, Take},
    audit_scope::ActingUsers,
};
use crate::{
    access::{EffectiveScope, ToolAccess},
    approval::{ApprovalGate, ClientApproval, TaskInitiators},
    auth::Identity,
    compute::ComputeScope,
    octopus::{Instance, PageRange, Session},
    policy::PolicyEngine,
    sanitize::sanitize,
};

/// Everything that a tool needs besides its arguments.
#[derive(Debug, Clone)]
pub struct Context {
    /// Session at the Octopus instance, with the credential that acts for the caller.
    pub session: Session,
    /// Instance that the session reaches.
    pub instance: Arc<Instance>,
    /// The caller.
    pub caller: Arc<Identity>,
    /// The tools that the request can see, and the highest tier of its calls.
    pub access: ToolAccess,
    /// All toolsets, with their resources.
    pub toolsets: &'static [Toolset],
    /// Limits of answers.
    pub limits: Limits,
    /// The space that the settings or the request pin.
    pub pinned_space: Option<String>,
    /// The instances and access rules of the request.
    pub scope: Arc<EffectiveScope>,
    /// The name and version of the MCP client, for the `User-Agent` header.
    pub client: Option<String>,
    /// Reports the progress of the call.
    pub progress: Progress,
    /// Requires approval of changes.
    pub approval_gate: Arc<ApprovalGate>,
    /// Approval support of the client, and the approval of this call.
    pub client_approval: ClientApproval,
    /// The policy rules of the settings.
    pub policy: Arc<PolicyEngine>,
    /// Records of task initiators.
    pub task_initiators: Arc<TaskInitiators>,
    /// The tool that the call is evaluated as.
    pub called_tool: CalledTool,
    /// The policy decision on the call.
    pub decision_recorder: DecisionRecorder,
    /// Sessions at other instances that the call reached.
    pub visited_instances: VisitedInstances,
    /// The audit record of the call.
    pub audit: AuditScope,
    /// Octopus users of credentials.
    pub acting_users: ActingUsers,
    /// Counts of redactions in texts that a tool sanitizes itself.
    pub redactions: RedactionCounter,
}

/// Counts redactions in texts that a tool sanitizes itself. Clones share the counters.
#[derive(Debug, Clone, Default)]
pub struct RedactionCounter(Arc<[AtomicUsize; 2]>);

impl RedactionCounter {
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
    /// Default maximum size of an answer in bytes.
    pub answer: usize,
    /// Largest `maxBytes`.
    pub answer_cap: usize,
    /// Default number of items of a list.
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
            let message = sanitize(&message()).text.into_owned();
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
    pub fn window(&self, skip: Option<Skip>, take: Option<Take>) -> Result<PageRange, Error> {
        if take == Some(Take(0)) {
            return Err(Error::Argument {
                field: "take".to_owned(),
                reason: "must be at least 1".to_owned(),
            });
        }
        let take = take.map_or(self.limits.take, |Take(take)| take).min(self.limits.take_cap);
        Ok(PageRange { skip: skip.map_or(0, |Skip(skip)| skip), take })
    }
}
