//! The approval gate: every change passes it before it is executed.

use std::sync::Arc;

use moka::sync::Cache;

use super::{
    ApprovalError, ApprovalMethod, ApprovalRequest, ChangePreview, PreviewLine, Seal,
    call_arguments::ApprovalArguments,
    drift,
    idempotency::{IdempotencyKey, IdempotencyStore},
    request::{ApprovalRequirement, GateDecision},
    token::{APPROVAL_TTL, ApprovalToken, Nonce},
};
use crate::{
    config::ApprovalMode,
    octopus::{self, ChangeResponse},
    store::Store,
};

/// Maximum memory for the lines of open previews, which explain what changed since.
const MAX_PREVIEW_CACHE_BYTES: u64 = 16 * 1024 * 1024;

/// Requires approval of changes and executes each approved change once. One instance serves the
/// whole server.
#[derive(Debug)]
pub struct ApprovalGate {
    confirm: ApprovalMode,
    seal: Seal,
    executed: Arc<IdempotencyStore>,
    previews: Cache<Nonce, Arc<Vec<PreviewLine>>>,
}

impl ApprovalGate {
    /// Creates a gate with this approval mode.
    pub fn new(confirm: ApprovalMode, seal: Seal) -> Self {
        let bytes = |_: &Nonce, facts: &Arc<Vec<PreviewLine>>| {
            let bytes: usize =
                facts.iter().map(|fact| fact.label.len() + fact.value.len() + 64).sum();
            u32::try_from(bytes).unwrap_or(u32::MAX)
        };
        let shown = Cache::builder()
            .max_capacity(MAX_PREVIEW_CACHE_BYTES)
            .weigher(bytes)
            .time_to_live(APPROVAL_TTL)
            .build();
        Self {
            confirm,
            seal,
            executed: Arc::new(IdempotencyStore::new(Store::in_memory())),
            previews: shown,
        }
    }

    /// Returns a gate that shares executed changes with other replicas through this store.
    #[must_use]
    pub fn with_store(&self, store: &Arc<Store>) -> Self {
        Self {
            executed: Arc::new(IdempotencyStore::new(Arc::clone(store))),
            ..self.with_mode(self.confirm)
        }
    }

    /// Returns a gate with another approval mode that shares the open requests and executed
    /// changes.
    #[must_use]
    pub fn with_mode(&self, confirm: ApprovalMode) -> Self {
        let Self { seal, executed: ledger, previews: shown, .. } = self;
        Self { confirm, seal: seal.clone(), executed: Arc::clone(ledger), previews: shown.clone() }
    }

    /// Returns the approval mode.
    pub fn mode(&self) -> ApprovalMode {
        self.confirm
    }

    /// Returns the seal of approval tokens.
    pub(crate) fn seal(&self) -> &Seal {
        &self.seal
    }

    /// Returns the reply of Octopus if the same call was executed before.
    pub(crate) async fn previous_reply(
        &self,
        brought: &ApprovalArguments,
    ) -> Result<Option<ChangeResponse>, ApprovalError> {
        let counts = match brought.key {
            IdempotencyKey::Caller(_) | IdempotencyKey::Approved { .. } => true,
            IdempotencyKey::UnapprovedCall(_) => self.needs_no_approval(brought),
        };
        if !counts {
            return Ok(None);
        }
        let found = self
            .executed
            .find(&brought.caller_digest, brought.key, &brought.bound_digest())
            .await?;
        let Some(deed) = found else { return Ok(None) };
        deed.result().await?.map(Some).map_err(ApprovalError::of_sent_change)
    }

    fn needs_no_approval(&self, brought: &ApprovalArguments) -> bool {
        match self.confirm {
            ApprovalMode::Never => true,
            ApprovalMode::Argument => brought.is_confirmed && !brought.supports_elicitation,
            ApprovalMode::Ask | ApprovalMode::Code => false,
        }
    }

    /// Decides whether a change may be executed now or requires approval.
    ///
    /// # Errors
    ///
    /// Returns an error if the approval does not match the change, or if the required method is not
    /// available.
    pub(crate) fn decide(
        &self,
        brought: &ApprovalArguments,
        proposal: &ChangePreview,
        demand: &ApprovalRequirement,
    ) -> Result<GateDecision, ApprovalError> {
        if let Some(token) = &brought.token {
            if token.method == ApprovalMethod::Code && self.confirm == ApprovalMode::Ask {
                return Err(ApprovalError::NoChannel);
            }
            if token.preview_digest != proposal.digest() {
                let shown = self.previews.get(&token.nonce);
                let shown = shown.as_ref().map_or(&[][..], |facts| facts.as_slice());
                return Err(ApprovalError::Drift(drift::describe_drift(
                    &token.line_digests,
                    shown,
                    proposal,
                )));
            }
            let typed = brought.typed_word.as_deref().map(str::trim);
            if demand.word_to_type.as_deref().is_some_and(|word| typed != Some(word.trim())) {
                return Err(ApprovalError::Rejected(
                    "nothing was changed: the typed word does not match the word that the rule \
                     requires (exact match)",
                ));
            }
            return Ok(GateDecision::Execute(token.method));
        }
        if self.needs_no_approval(brought) && !demand.is_required {
            let way = if self.confirm == ApprovalMode::Never {
                ApprovalMethod::None
            } else {
                ApprovalMethod::Argument
            };
            return Ok(GateDecision::Execute(way));
        }
        let way = match self.confirm {
            _ if brought.supports_elicitation => ApprovalMethod::Person,
            ApprovalMode::Ask => return Err(ApprovalError::NoChannel),
            _ => ApprovalMethod::Code,
        };
        let question = self.request_approval(brought, proposal, way)?;
        Ok(GateDecision::RequestApproval(ApprovalRequest {
            word_to_type: demand.word_to_type.clone(),
            ..question
        }))
    }

    fn request_approval(
        &self,
        brought: &ApprovalArguments,
        proposal: &ChangePreview,
        way: ApprovalMethod,
    ) -> Result<ApprovalRequest, ApprovalError> {
        let words = proposal.text()?;
        let token = ApprovalToken::new(brought.change_id, proposal, way);
        let sealed = token.seal(&self.seal, &brought.call_digest);
        self.previews.insert(token.nonce, Arc::new(proposal.lines.clone()));
        let ChangePreview {
            action, removed_characters: removed, redacted_secrets: redacted, ..
        } = *proposal;
        Ok(ApprovalRequest {
            action,
            preview: words,
            token: sealed,
            method: way,
            word_to_type: None,
            removed,
            redacted,
        })
    }

    /// Executes the change once for each idempotency key. Returns the reply, and whether it is of
    /// an earlier execution.
    pub(crate) async fn execute_once(
        &self,
        brought: &ApprovalArguments,
        work: impl Future<Output = Result<ChangeResponse, octopus::Error>> + Send + 'static,
    ) -> Result<(ChangeResponse, bool), ApprovalError> {
        let ApprovalArguments { caller_digest: whose, key: name, .. } = brought;
        let asked_here = |token: &ApprovalToken| self.previews.contains_key(&token.nonce);
        let asked_here = brought.token.as_ref().is_some_and(asked_here);
        match self
            .executed
            .execute_once(*whose, *name, brought.bound_digest(), asked_here, work)
            .await
        {
            Ok((result, repeated)) => {
                result.map(|reply| (reply, repeated)).map_err(ApprovalError::of_sent_change)
            }
            Err(why) => Err(why.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use rmcp::model::JsonObject;
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::{
        config::ToolSettings,
        octopus::{ApiPath, ChangeRequest},
    };

    #[test]
    fn approval_request_is_newer_than_concurrently_ended_change() {
        let gate = ApprovalGate::new(
            ApprovalMode::Code,
            Seal::from_config(&ToolSettings::default()).unwrap(),
        );
        let call = [7; 32];
        let brought = ApprovalArguments {
            arguments: JsonObject::new(),
            call_digest: call,
            token: None,
            typed_word: None,
            is_confirmed: false,
            supports_elicitation: false,
            caller_digest: call,
            key: IdempotencyKey::UnapprovedCall(call),
            change_id: Uuid::now_v7(),
        };
        let ended = Uuid::now_v7();
        let order = ChangeRequest::post(ApiPath::new(["Spaces-1", "x"]), json!({}));
        let proposal = ChangePreview::new("test", "Do it?", order);
        let question = gate.request_approval(&brought, &proposal, ApprovalMethod::Code).unwrap();
        let token =
            ApprovalToken::open(&question.token, gate.seal(), &call, ApprovalMethod::Code).unwrap();
        assert!(token.requested > ended, "{} {ended}", token.requested);
        assert_eq!(token.nonce, brought.change_id.into_bytes());
    }
}
