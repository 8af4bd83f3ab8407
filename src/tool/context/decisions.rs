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
    /// Name of the rule that decided; `None` if no rule applies.
    pub rule: Option<String>,
    /// The effect of the decision.
    pub effect: Effect,
    /// The risk of the call.
    pub risk: Risk,
    /// Approval method of an executed change.
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
        let recorded = RecordedDecision { rule, effect, risk, approval_method: None };
        *self.0.lock() = Some(recorded);
    }

    /// Adds the approval method of the change.
    pub(in crate::tool) fn record_approval(&self, method: ApprovalMethod) {
        if let Some(recorded) = &mut *self.0.lock() {
            recorded.approval_method = Some(method);
        }
    }
}
