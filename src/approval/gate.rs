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

/// Maximum memory for the lines of open previews in bytes. The lines describe later differences.
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
        let bytes = |_: &Nonce, lines: &Arc<Vec<PreviewLine>>| {
            let bytes: usize =
                lines.iter().map(|line| line.label.len() + line.value.len() + 64).sum();
            u32::try_from(bytes).unwrap_or(u32::MAX)
        };
        let previews = Cache::builder()
            .max_capacity(MAX_PREVIEW_CACHE_BYTES)
            .weigher(bytes)
            .time_to_live(APPROVAL_TTL)
            .build();
        Self {
            confirm,
            seal,
            executed: Arc::new(IdempotencyStore::new(Store::in_memory())),
            previews,
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
        let Self { seal, executed, previews, .. } = self;
        Self {
            confirm,
            seal: seal.clone(),
            executed: Arc::clone(executed),
            previews: previews.clone(),
        }
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
        arguments: &ApprovalArguments,
    ) -> Result<Option<ChangeResponse>, ApprovalError> {
        let can_repeat = match arguments.key {
            IdempotencyKey::Caller(_) | IdempotencyKey::Approved { .. } => true,
            IdempotencyKey::UnapprovedCall(_) => self.needs_no_approval(arguments),
        };
        if !can_repeat {
            return Ok(None);
        }
        let found = self
            .executed
            .find(&arguments.caller_digest, arguments.key, &arguments.bound_digest())
            .await?;
        let Some(execution) = found else { return Ok(None) };
        execution.result().await?.map(Some).map_err(ApprovalError::of_sent_change)
    }

    fn needs_no_approval(&self, arguments: &ApprovalArguments) -> bool {
        match self.confirm {
            ApprovalMode::Never => true,
            ApprovalMode::Argument => arguments.is_confirmed && !arguments.supports_elicitation,
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
        arguments: &ApprovalArguments,
        preview: &ChangePreview,
        requirement: &ApprovalRequirement,
    ) -> Result<GateDecision, ApprovalError> {
        if let Some(token) = &arguments.token {
            if token.method == ApprovalMethod::Code && self.confirm == ApprovalMode::Ask {
                return Err(ApprovalError::NoChannel);
            }
            if token.preview_digest != preview.digest() {
                let shown = self.previews.get(&token.nonce);
                let shown = shown.as_ref().map_or(&[][..], |lines| lines.as_slice());
                return Err(ApprovalError::Drift(drift::describe_drift(
                    &token.line_digests,
                    shown,
                    preview,
                )));
            }
            let typed = arguments.typed_word.as_deref().map(str::trim);
            if requirement.word_to_type.as_deref().is_some_and(|word| typed != Some(word.trim())) {
                return Err(ApprovalError::Rejected(
                    "nothing was changed: the typed word does not match the word that the rule \
                     requires (exact match)",
                ));
            }
            return Ok(GateDecision::Execute(token.method));
        }
        if self.needs_no_approval(arguments) && !requirement.is_required {
            let method = if self.confirm == ApprovalMode::Never {
                ApprovalMethod::None
            } else {
                ApprovalMethod::Argument
            };
            return Ok(GateDecision::Execute(method));
        }
        let method = match self.confirm {
            _ if arguments.supports_elicitation => ApprovalMethod::Person,
            ApprovalMode::Ask => return Err(ApprovalError::NoChannel),
            _ => ApprovalMethod::Code,
        };
        let request = self.request_approval(arguments, preview, method)?;
        Ok(GateDecision::RequestApproval(ApprovalRequest {
            word_to_type: requirement.word_to_type.clone(),
            ..request
        }))
    }

    fn request_approval(
        &self,
        arguments: &ApprovalArguments,
        preview: &ChangePreview,
        method: ApprovalMethod,
    ) -> Result<ApprovalRequest, ApprovalError> {
        let text = preview.text()?;
        let token = ApprovalToken::new(arguments.change_id, preview, method);
        let sealed = token.seal(&self.seal, &arguments.call_digest);
        self.previews.insert(token.nonce, Arc::new(preview.lines.clone()));
        Ok(ApprovalRequest {
            action: preview.action,
            preview: text,
            token: sealed,
            method,
            word_to_type: None,
            removed: preview.removed_characters,
            redacted: preview.redacted_secrets,
        })
    }

    /// Executes the change once for each idempotency key. Returns the reply, and whether it is the
    /// reply to an earlier execution.
    pub(crate) async fn execute_once(
        &self,
        arguments: &ApprovalArguments,
        work: impl Future<Output = Result<ChangeResponse, octopus::Error>> + Send + 'static,
    ) -> Result<(ChangeResponse, bool), ApprovalError> {
        let was_requested_here = |token: &ApprovalToken| self.previews.contains_key(&token.nonce);
        let requested_here = arguments.token.as_ref().is_some_and(was_requested_here);
        match self
            .executed
            .execute_once(
                arguments.caller_digest,
                arguments.key,
                arguments.bound_digest(),
                requested_here,
                work,
            )
            .await
        {
            Ok((result, repeated)) => {
                result.map(|reply| (reply, repeated)).map_err(ApprovalError::of_sent_change)
            }
            Err(not_executed) => Err(not_executed.into()),
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
        let call_digest = [7; 32];
        let arguments = ApprovalArguments {
            arguments: JsonObject::new(),
            call_digest,
            token: None,
            typed_word: None,
            is_confirmed: false,
            supports_elicitation: false,
            caller_digest: call_digest,
            key: IdempotencyKey::UnapprovedCall(call_digest),
            change_id: Uuid::now_v7(),
        };
        let ended = Uuid::now_v7();
        let request = ChangeRequest::post(ApiPath::new(["Spaces-1", "x"]), json!({}));
        let preview = ChangePreview::new("test", "Do it?", request);
        let request = gate.request_approval(&arguments, &preview, ApprovalMethod::Code).unwrap();
        let token =
            ApprovalToken::open(&request.token, gate.seal(), &call_digest, ApprovalMethod::Code)
                .unwrap();
        assert!(token.requested > ended, "{} {ended}", token.requested);
        assert_eq!(token.nonce, arguments.change_id.into_bytes());
    }
}
