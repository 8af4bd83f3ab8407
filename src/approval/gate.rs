//! The approval gate: every change passes it before it is executed.

use std::{sync::Arc, time::Duration};

use moka::sync::Cache;
use uuid::Uuid;

use crate::{tool::Error, config::{ApprovalMode, Effect}, octopus::{self, ChangeResponse}, policy::Decision, store::Store};
use super::{Seal, call_arguments::{ApprovalArguments, ApprovalToken, Nonce}, drift, idempotency::{IdempotencyKey, IdempotencyStore, KeyDigest}, preview::{ChangePreview, PreviewLine}, seal::UnsealError};

/// Lifetime of an approval request.
pub(super) const APPROVAL_TTL: Duration = Duration::from_mins(5);
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

/// A request for approval of a change.
#[derive(Debug)]
pub struct ApprovalRequest {
    /// Name of the kind of change, e.g. `deployment`.
    pub action: &'static str,
    /// The preview text for the person.
    pub preview: String,
    /// The sealed token, which the client returns with the approval.
    pub token: String,
    /// How the approval is given.
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
pub(super) struct ApprovalRequirement {
    /// Whether approval is required even if the settings skip it.
    is_required: bool,
    /// The word that must be typed.
    word_to_type: Option<String>,
}

impl ApprovalRequirement {
    pub(super) fn of(decision: &Decision) -> Self {
        Self {
            is_required: decision.effect == Effect::Confirm,
            word_to_type: decision.confirmation_word.clone(),
        }
    }
}

/// How a change is approved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApprovalMethod {
    /// A person approves through the client (MCP elicitation).
    Person,
    /// The call is repeated with the code from the preview.
    Code,
    /// The call has `confirm: true`, and the settings accept it.
    Argument,
    /// The settings require no approval.
    None,
}

impl ApprovalMethod {
    /// Returns the method's name for audit records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Code => "code",
            Self::Argument => "argument",
            Self::None => "nobody",
        }
    }
}

/// The decision of the gate.
#[derive(Debug)]
pub(super) enum GateDecision {
    Execute(ApprovalMethod),
    RequestApproval(ApprovalRequest),
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

    /// Returns the reply of Octopus if the same call was executed before.
    pub(super) async fn previous_reply(
        &self,
        brought: &ApprovalArguments,
    ) -> Result<Option<ChangeResponse>, Error> {
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
        deed.result().await?.map(Some).map_err(outcome_error)
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
    pub(super) fn decide(
        &self,
        brought: &ApprovalArguments,
        proposal: &ChangePreview,
        demand: &ApprovalRequirement,
    ) -> Result<GateDecision, Error> {
        if let Some(token) = &brought.token {
            if token.method == ApprovalMethod::Code && self.confirm == ApprovalMode::Ask {
                return Err(Error::NoApprovalChannel);
            }
            if token.preview_digest != proposal.digest() {
                let shown = self.previews.get(&token.nonce);
                let shown = shown.as_ref().map_or(&[][..], |facts| facts.as_slice());
                return Err(Error::Drift(drift::describe_drift(
                    &token.line_digests,
                    shown,
                    proposal,
                )));
            }
            let typed = brought.typed_word.as_deref().map(str::trim);
            if demand.word_to_type.as_deref().is_some_and(|word| typed != Some(word.trim())) {
                return Err(Error::ApprovalRejected(
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
            ApprovalMode::Ask => return Err(Error::NoApprovalChannel),
            _ => ApprovalMethod::Code,
        };
        let question = self.request_approval(brought, proposal, way)?;
        Ok(GateDecision::RequestApproval(ApprovalRequest {
            word_to_type: demand.word_to_type.clone(),
            ..question
        }))
    }

    pub(super) fn request_approval(
        &self,
        brought: &ApprovalArguments,
        proposal: &ChangePreview,
        way: ApprovalMethod,
    ) -> Result<ApprovalRequest, Error> {
        let words = proposal.text()?;
        let nonce: Nonce = brought.change_id.into_bytes();
        let mut token = nonce.to_vec();
        // The ID of the change is older than the request. An equal change may have ended between
        // the two.
        token.extend(Uuid::now_v7().into_bytes());
        token.extend(proposal.digest());
        token.extend(proposal.lines.iter().flat_map(PreviewLine::digest));
        let sealed =
            self.seal.seal(&token, &token_purpose(&brought.call_digest, way), APPROVAL_TTL);
        self.previews.insert(nonce, Arc::new(proposal.lines.clone()));
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

    pub(super) fn verify_token(
        &self,
        sealed: &str,
        call: &KeyDigest,
        way: ApprovalMethod,
    ) -> Result<ApprovalToken, Error> {
        let foreign = Error::ApprovalRejected(
            "nothing was changed: the approval is not valid for this call. It covers only the \
             caller, tool and arguments that were shown",
        );
        let token = self.seal.open(sealed, &token_purpose(call, way)).map_err(|why| match why {
            UnsealError::Expired => Error::ApprovalRejected(
                "nothing was changed: the approval request expired after 5 minutes",
            ),
            UnsealError::Invalid => foreign.clone(),
        })?;
        let read = || {
            let (nonce, rest) = token.split_first_chunk()?;
            let (asked, rest) = rest.split_first_chunk()?;
            let (proposal, facts) = rest.split_first_chunk()?;
            let (facts, rest) = facts.as_chunks();
            let facts = facts.to_vec();
            let (nonce, asked, proposal) = (*nonce, Uuid::from_bytes(*asked), *proposal);
            rest.is_empty().then_some(ApprovalToken {
                nonce,
                requested: asked,
                preview_digest: proposal,
                line_digests: facts,
                method: way,
            })
        };
        read().ok_or(foreign)
    }

    /// Executes the change once for each idempotency key. Returns the reply, and whether it is of
    /// an earlier execution.
    pub(super) async fn execute_once(
        &self,
        brought: &ApprovalArguments,
        work: impl Future<Output = Result<ChangeResponse, octopus::Error>> + Send + 'static,
    ) -> Result<(ChangeResponse, bool), Error> {
        let ApprovalArguments { caller_digest: whose, key: name, .. } = brought;
        let asked_here = |token: &ApprovalToken| self.previews.contains_key(&token.nonce);
        let asked_here = brought.token.as_ref().is_some_and(asked_here);
        match self
            .executed
            .execute_once(*whose, *name, brought.bound_digest(), asked_here, work)
            .await
        {
            Ok((result, repeated)) => result.map(|reply| (reply, repeated)).map_err(outcome_error),
            Err(why) => Err(why.into()),
        }
    }
}

fn token_purpose(call: &KeyDigest, way: ApprovalMethod) -> Vec<u8> {
    let mut purpose = match way {
        ApprovalMethod::Person => b"person".to_vec(),
        _ => b"code".to_vec(),
    };
    purpose.extend(call);
    purpose
}

/// Converts an error of a sent change. Only a refusal by Octopus proves that the change was not
/// made.
pub(super) fn outcome_error(error: octopus::Error) -> Error {
    if error.is_rejection() { Error::Octopus(error) } else { Error::OutcomeUnknown(error) }
}
