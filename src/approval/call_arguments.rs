//! Parses the call of a write tool: the arguments of the tool, the approval and the idempotency
//! key.

use rmcp::model::JsonObject;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    ApprovalError, ApprovalMethod, Seal,
    idempotency::{IdempotencyKey, KeyDigest},
    token::ApprovalToken,
};
use crate::octopus::Session;

/// Approval support of the client, and the approval that it sends with the call.
#[derive(Debug, Clone, Default)]
pub struct ClientApproval {
    /// Whether the client can ask a person (MCP elicitation).
    pub supports_elicitation: bool,
    /// The sealed token of the request that a person approved.
    pub approved_token: Option<String>,
    /// The word that the person typed.
    pub typed_word: Option<String>,
}

/// A parsed call of a write tool, with its approval.
pub(crate) struct ApprovalArguments {
    /// The arguments of the tool.
    pub(super) arguments: JsonObject,
    /// Digest of the caller, tool and arguments.
    pub(super) call_digest: KeyDigest,
    /// The verified approval token, if the call has one.
    pub(crate) token: Option<ApprovalToken>,
    /// The word that the person typed.
    pub(super) typed_word: Option<String>,
    pub(super) is_confirmed: bool,
    pub(super) supports_elicitation: bool,
    /// Digest of the caller and instance.
    pub(super) caller_digest: KeyDigest,
    /// Key under which the change is stored for idempotency.
    pub(super) key: IdempotencyKey,
    /// ID of the change: from the approval token, or a new one.
    pub(crate) change_id: Uuid,
}

/// Removes `confirm` and `idempotencyKey` from the arguments and returns their values.
pub(crate) fn take_approval_arguments(
    arguments: &mut JsonObject,
) -> (Option<Value>, Option<Value>) {
    (arguments.remove("confirm"), arguments.remove("idempotencyKey"))
}

impl ApprovalArguments {
    /// Splits the arguments into those of the tool and those of the approval. Sends no request to
    /// Octopus.
    ///
    /// # Errors
    ///
    /// Returns an error if `confirm` or `idempotencyKey` is malformed, or if the approval is not
    /// valid for this call.
    pub(crate) fn parse(
        tool: &str,
        mut arguments: JsonObject,
        session: &Session,
        client: &ClientApproval,
        seal: &Seal,
    ) -> Result<Self, ApprovalError> {
        let (confirm, own_key) = take_approval_arguments(&mut arguments);
        let own_key = match own_key {
            None => None,
            Some(Value::String(key)) if (1..=200).contains(&key.len()) => Some(key),
            Some(_) => {
                return Err(ApprovalError::Argument {
                    field: "idempotencyKey",
                    reason: "expected a string of 1 to 200 bytes",
                });
            }
        };
        let caller = session.fingerprint();
        let instance = session.client().url().as_str();
        let caller_hash = Sha256::new().chain_update(caller.as_bytes()).chain_update(instance);
        let tool_hash = caller_hash.clone().chain_update([0]).chain_update(tool);
        // The key is an argument like any other: an approval is valid only for a call with this
        // key.
        let bound_arguments = json!([sort_keys(&arguments), own_key]).to_string();
        let call_digest: KeyDigest =
            tool_hash.clone().chain_update([0]).chain_update(bound_arguments).finalize().into();
        let ClientApproval { supports_elicitation, approved_token, typed_word } = client;
        let mut typed_word = typed_word.clone();
        let (token, is_confirmed) = match (approved_token, confirm) {
            (Some(sealed), _) => (
                Some(ApprovalToken::open(sealed, seal, &call_digest, ApprovalMethod::Person)?),
                false,
            ),
            // A code never replaces the approval of a person who can be asked.
            (None, Some(Value::String(_) | Value::Bool(true))) if *supports_elicitation => {
                (None, false)
            }
            (None, Some(Value::String(code))) => {
                // After the code and a space follows the word that a rule requires.
                let (code, word) = code.trim().split_once(' ').unwrap_or((code.trim(), ""));
                typed_word = Some(word.to_owned());
                (Some(ApprovalToken::open(code, seal, &call_digest, ApprovalMethod::Code)?), false)
            }
            (None, Some(Value::Bool(true))) => (None, true),
            (None, None) => (None, false),
            (None, Some(Value::Bool(false))) => {
                return Err(ApprovalError::Rejected("`confirm` is false, so nothing was changed"));
            }
            (None, Some(_)) => {
                return Err(ApprovalError::Argument {
                    field: "confirm",
                    reason: "expected the approval code from the preview",
                });
            }
        };
        let key_digest = |kind: u8, value: &[u8]| -> KeyDigest {
            tool_hash.clone().chain_update([kind]).chain_update(value).finalize().into()
        };
        let key = match (&own_key, &token) {
            (Some(key), _) => IdempotencyKey::Caller(key_digest(1, key.as_bytes())),
            (None, Some(token)) => IdempotencyKey::Approved {
                change: key_digest(2, &token.preview_digest),
                requested: token.requested,
            },
            (None, None) => IdempotencyKey::UnapprovedCall(key_digest(3, &call_digest)),
        };
        let caller_digest = caller_hash.finalize().into();
        let change_id =
            token.as_ref().map_or_else(Uuid::now_v7, |token| Uuid::from_bytes(token.nonce));
        Ok(Self {
            arguments,
            call_digest,
            token,
            typed_word,
            is_confirmed,
            supports_elicitation: *supports_elicitation,
            caller_digest,
            key,
            change_id,
        })
    }

    /// Returns the digest that the idempotency key is bound to. A caller's own key is bound to the
    /// call; other keys are bound to themselves, because two different calls can request the same
    /// approved change.
    pub(super) fn bound_digest(&self) -> KeyDigest {
        match self.key {
            IdempotencyKey::Caller(_) => self.call_digest,
            IdempotencyKey::Approved { change: digest, .. }
            | IdempotencyKey::UnapprovedCall(digest) => digest,
        }
    }

    /// Returns the arguments of the tool.
    pub(crate) fn tool_arguments(&self) -> JsonObject {
        self.arguments.clone()
    }
}

/// Sorts the keys of an object, so that the order of arguments does not change the digest.
fn sort_keys(object: &JsonObject) -> JsonObject {
    let sort = |value: &Value| match value {
        Value::Object(object) => Value::Object(sort_keys(object)),
        value => value.clone(),
    };
    let mut pairs: Vec<(String, Value)> =
        object.iter().map(|(key, value)| (key.clone(), sort(value))).collect();
    pairs.sort_by(|(one, _), (other, _)| one.cmp(other));
    pairs.into_iter().collect()
}
