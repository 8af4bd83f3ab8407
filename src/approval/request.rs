//! Approval requests, the approval that a policy rule requires, and the decision of the gate.

use super::ApprovalMethod;
use crate::{config::Effect, policy::Decision};

/// A request for approval of a change.
#[derive(Debug)]
pub struct ApprovalRequest {
    /// Name of the kind of change, e.g. `deployment`.
    pub action: &'static str,
    /// The preview text for the person.
    pub preview: String,
    /// The sealed token, which the client returns with the approval.
    pub token: String,
    /// Approval method.
    pub method: ApprovalMethod,
    /// The word that the person must type, if a rule requires one.
    pub word_to_type: Option<String>,
    /// Number of invisible characters removed from text of Octopus.
    pub removed: usize,
    /// Number of secrets redacted from text of Octopus.
    pub redacted: usize,
}

/// The approval that a policy rule requires.
#[derive(Debug, Default)]
pub(crate) struct ApprovalRequirement {
    /// Whether approval is required even if the settings skip it.
    pub(super) is_required: bool,
    /// The word that must be typed.
    pub(super) word_to_type: Option<String>,
}

impl ApprovalRequirement {
    /// Returns the requirement of a policy decision.
    pub(crate) fn of(decision: &Decision) -> Self {
        Self {
            is_required: decision.effect == Effect::Confirm,
            word_to_type: decision.confirmation_word.clone(),
        }
    }
}

/// The decision of the gate.
#[derive(Debug)]
pub(crate) enum GateDecision {
    /// Execute the change, which was approved with this method.
    Execute(ApprovalMethod),
    /// Approval is required first.
    RequestApproval(ApprovalRequest),
}
