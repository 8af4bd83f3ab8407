//! The tool that a call is evaluated as, and the policy decision on it.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::{
    approval::ApprovalMethod,
    config::{Effect, Risk},
    policy::Decision,
};

/// The tool and toolset that a call is evaluated as.
#[derive(Debug, Clone, Copy, Default)]
pub struct CalledTool {
    /// Name of the tool.
    pub name: &'static str,
    /// Name of its toolset.
    pub toolset: &'static str,
}

/// The policy decision on a call, for records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedDecision {
    /// The rule that decided; `None` if no rule applies.
    pub rule: Option<String>,
    /// The effect of the decision.
    pub effect: Effect,
    /// The risk of the call.
    pub risk: Risk,
    /// How an executed change was approved.
    pub approval_method: Option<ApprovalMethod>,
}

/// Collects the decision while a call runs. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct DecisionRecorder(Arc<Mutex<Option<RecordedDecision>>>);

impl DecisionRecorder {
    /// Returns the last decision, if any.
    pub fn last(&self) -> Option<RecordedDecision> {
        self.0.lock().clone()
    }

    pub(super) fn record(&self, decision: &Decision) {
        let Decision { rule, effect, risk, .. } = decision.clone();
        let decided = RecordedDecision { rule, effect, risk, approval_method: None };
        *self.0.lock() = Some(decided);
    }

    /// Adds how the change was approved.
    pub(in crate::tool) fn record_approval(&self, way: ApprovalMethod) {
        if let Some(decided) = &mut *self.0.lock() {
            decided.approval_method = Some(way);
        }
    }
}
