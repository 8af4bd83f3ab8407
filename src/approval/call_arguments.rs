//! Parses the approval arguments of a call to a write tool: its arguments, its approval and the
//! idempotency key.

use rmcp::model::JsonObject;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{ApprovalMethod, idempotency::{IdempotencyKey, KeyDigest}};
use crate::tool::{Context, Error};

pub(super) type Nonce = [u8; 16];

/// What the client supports for approvals, and the approval that it sends with the call.
#[derive(Debug, Clone, Default)]
pub struct ClientApproval {
    /// Whether the client can ask a person (MCP elicitation).
    pub supports_elicitation: bool,
    /// The sealed token of the request that a person approved.
    pub approved_token: Option<String>,
    /// The word that the person typed.
    pub typed_word: Option<String>,
}

/// The approval part of a call to a write tool.
pub(super) struct ApprovalArguments {
    arguments: JsonObject,
    /// Digest of the caller, tool and arguments.
    pub(super) call_digest: KeyDigest,
    /// The verified approval token, if the call has one.
    pub(super) token: Option<ApprovalToken>,
    /// The word that came with the token.
    pub(super) typed_word: Option<String>,
    pub(super) is_confirmed: bool,
    pub(super) supports_elicitation: bool,
    /// Digest of the caller and instance.
    pub(super) caller_digest: KeyDigest,
    /// Key under which the change is stored for idempotency.
    pub(super) key: IdempotencyKey,
    /// ID of the change: from the approval token, or a new one.
    pub(super) change_id: Uuid,
}

/// The content of an approval token.
pub(super) struct ApprovalToken {
    pub(super) nonce: Nonce,
    /// When the approval was requested, as a version 7 UUID.
    pub(super) requested: Uuid,
    pub(super) preview_digest: [u8; 16],
    pub(super) line_digests: Vec<[u8; 4]>,
    pub(super) method: ApprovalMethod,
}

/// Removes `confirm` and `idempotencyKey` from the arguments and returns their values.
pub(super) fn take_approval_arguments(
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
    pub(super) fn parse(
        tool: &str,
        mut arguments: JsonObject,
        cx: &Context,
    ) -> Result<Self, Error> {
        let (confirm, given) = take_approval_arguments(&mut arguments);
        let given = match given {
            None => None,
            Some(Value::String(key)) if (1..=200).contains(&key.len()) => Some(key),
            Some(_) => {
                return Err(Error::Argument {
                    field: "idempotencyKey".to_owned(),
                    reason: "expected a string of 1 to 200 bytes".to_owned(),
                });
            }
        };
        let caller = cx.session.fingerprint();
        let instance = cx.session.client().url().as_str();
        let whose = Sha256::new().chain_update(caller.as_bytes()).chain_update(instance);
        let of_tool = whose.clone().chain_update([0]).chain_update(tool);
        // The key is an argument like any other: an approval is valid only for a call with this
        // key.
        let said = json!([sort_keys(&arguments), given]).to_string();
        let call: KeyDigest =
            of_tool.clone().chain_update([0]).chain_update(said).finalize().into();
        let ClientApproval {
            supports_elicitation: can_ask,
            approved_token: agreed,
            typed_word: typed,
        } = &cx.client_approval;
        let mut typed = typed.clone();
        let (token, bare) = match (agreed, confirm) {
            (Some(sealed), _) => {
                (Some(cx.approval_gate.verify_token(sealed, &call, ApprovalMethod::Person)?), false)
            }
            // A code never replaces the approval of a person who can be asked.
            (None, Some(Value::String(_) | Value::Bool(true))) if *can_ask => (None, false),
            (None, Some(Value::String(code))) => {
                // After the code and a space follows the word that a rule requires.
                let (code, word) = code.trim().split_once(' ').unwrap_or((code.trim(), ""));
                typed = Some(word.to_owned());
                (Some(cx.approval_gate.verify_token(code, &call, ApprovalMethod::Code)?), false)
            }
            (None, Some(Value::Bool(true))) => (None, true),
            (None, None) => (None, false),
            (None, Some(Value::Bool(false))) => {
                return Err(Error::ApprovalRejected("`confirm` is false, so nothing was changed"));
            }
            (None, Some(_)) => {
                return Err(Error::Argument {
                    field: "confirm".to_owned(),
                    reason: "expected the code from the preview".to_owned(),
                });
            }
        };
        let named = |kind: u8, what: &[u8]| -> KeyDigest {
            of_tool.clone().chain_update([kind]).chain_update(what).finalize().into()
        };
        let name = match (&given, &token) {
            (Some(key), _) => IdempotencyKey::Caller(named(1, key.as_bytes())),
            (None, Some(token)) => IdempotencyKey::Approved {
                change: named(2, &token.preview_digest),
                asked: token.requested,
            },
            (None, None) => IdempotencyKey::UnapprovedCall(named(3, &call)),
        };
        let whose = whose.finalize().into();
        let change =
            token.as_ref().map_or_else(Uuid::now_v7, |token| Uuid::from_bytes(token.nonce));
        Ok(Self {
            arguments,
            call_digest: call,
            token,
            typed_word: typed,
            is_confirmed: bare,
            supports_elicitation: *can_ask,
            caller_digest: whose,
            key: name,
            change_id: change,
        })
    }

    /// Returns the digest that the idempotency key is bound to. A caller's own key is bound to the
    /// call; other keys are bound to themselves, because two different calls can request the same
    /// approved change.
    pub(super) fn bound_digest(&self) -> KeyDigest {
        match self.key {
            IdempotencyKey::Caller(_) => self.call_digest,
            IdempotencyKey::Approved { change: key, .. } | IdempotencyKey::UnapprovedCall(key) => {
                key
            }
        }
    }

    /// Returns the arguments of the tool.
    pub(super) fn tool_arguments(&self) -> JsonObject {
        self.arguments.clone()
    }
}

/// Sorts keys, because the order of arguments makes no difference.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::{ApprovalMode, ToolSettings},
        octopus::{ApiPath, ChangeRequest},
        tool::{ApprovalGate, Seal, preview::ChangePreview},
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
        let token = gate.verify_token(&question.token, &call, ApprovalMethod::Code).unwrap();
        assert!(token.requested > ended, "{} {ended}", token.requested);
        assert_eq!(token.nonce, brought.change_id.into_bytes());
    }
}
