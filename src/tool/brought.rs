//! Parses the approval arguments of a call to a write tool: its arguments, its approval and the
//! idempotency key.

use rmcp::model::JsonObject;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    Context, Error, Way,
    ledger::{Key, Name},
};

pub(super) type Nonce = [u8; 16];

/// What the client supports for approvals, and the approval that it sends with the call.
#[derive(Debug, Clone, Default)]
pub struct Consent {
    /// Whether the client can ask a person (MCP elicitation).
    pub can_ask: bool,
    /// The sealed token of the request that a person approved.
    pub agreed: Option<String>,
    /// The word that the person typed.
    pub typed: Option<String>,
}

/// The approval part of a call to a write tool.
pub(super) struct Brought {
    arguments: JsonObject,
    /// Digest of the caller, tool and arguments.
    pub(super) call: Key,
    /// The verified approval token, if the call has one.
    pub(super) token: Option<Token>,
    /// The word that came with the token.
    pub(super) typed: Option<String>,
    pub(super) bare: bool,
    pub(super) can_ask: bool,
    /// Digest of the caller and instance.
    pub(super) whose: Key,
    /// Key under which the change is stored for idempotency.
    pub(super) name: Name,
    /// ID of the change: from the approval token, or a new one.
    pub(super) change: Uuid,
}

/// The content of an approval token.
pub(super) struct Token {
    pub(super) nonce: Nonce,
    /// When the approval was requested, as a version 7 UUID.
    pub(super) asked: Uuid,
    pub(super) proposal: [u8; 16],
    pub(super) facts: Vec<[u8; 4]>,
    pub(super) way: Way,
}

/// Removes `confirm` and `idempotencyKey` from the arguments and returns their values.
pub(super) fn take(arguments: &mut JsonObject) -> (Option<Value>, Option<Value>) {
    (arguments.remove("confirm"), arguments.remove("idempotencyKey"))
}

impl Brought {
    /// Splits the arguments into those of the tool and those of the approval. Sends no request to
    /// Octopus.
    ///
    /// # Errors
    ///
    /// Returns an error if `confirm` or `idempotencyKey` is malformed, or if the approval is not
    /// valid for this call.
    pub(super) fn of(tool: &str, mut arguments: JsonObject, cx: &Context) -> Result<Self, Error> {
        let (confirm, given) = take(&mut arguments);
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
        let caller = cx.session.whose();
        let instance = cx.session.client().url().as_str();
        let whose = Sha256::new().chain_update(caller.as_bytes()).chain_update(instance);
        let of_tool = whose.clone().chain_update([0]).chain_update(tool);
        // The key is an argument like any other: an approval is valid only for a call with this
        // key.
        let said = json!([sorted(&arguments), given]).to_string();
        let call: Key = of_tool.clone().chain_update([0]).chain_update(said).finalize().into();
        let Consent { can_ask, agreed, typed } = &cx.consent;
        let mut typed = typed.clone();
        let (token, bare) = match (agreed, confirm) {
            (Some(sealed), _) => (Some(cx.gate.open(sealed, &call, Way::Person)?), false),
            // A code never replaces the approval of a person who can be asked.
            (None, Some(Value::String(_) | Value::Bool(true))) if *can_ask => (None, false),
            (None, Some(Value::String(code))) => {
                // After the code and a space follows the word that a rule requires.
                let (code, word) = code.trim().split_once(' ').unwrap_or((code.trim(), ""));
                typed = Some(word.to_owned());
                (Some(cx.gate.open(code, &call, Way::Code)?), false)
            }
            (None, Some(Value::Bool(true))) => (None, true),
            (None, None) => (None, false),
            (None, Some(Value::Bool(false))) => {
                return Err(Error::Consent("`confirm` is false, so nothing was changed"));
            }
            (None, Some(_)) => {
                return Err(Error::Argument {
                    field: "confirm".to_owned(),
                    reason: "expected the code from the preview".to_owned(),
                });
            }
        };
        let named = |kind: u8, what: &[u8]| -> Key {
            of_tool.clone().chain_update([kind]).chain_update(what).finalize().into()
        };
        let name = match (&given, &token) {
            (Some(key), _) => Name::Given(named(1, key.as_bytes())),
            (None, Some(token)) => {
                Name::Asked { change: named(2, &token.proposal), asked: token.asked }
            }
            (None, None) => Name::Call(named(3, &call)),
        };
        let whose = whose.finalize().into();
        let change =
            token.as_ref().map_or_else(Uuid::now_v7, |token| Uuid::from_bytes(token.nonce));
        Ok(Self { arguments, call, token, typed, bare, can_ask: *can_ask, whose, name, change })
    }

    /// Returns the digest that the idempotency key is bound to. A caller's own key is bound to the
    /// call; other keys are bound to themselves, because two different calls can request the same
    /// approved change.
    pub(super) fn bound(&self) -> Key {
        match self.name {
            Name::Given(_) => self.call,
            Name::Asked { change: key, .. } | Name::Call(key) => key,
        }
    }

    /// Returns the arguments of the tool.
    pub(super) fn arguments(&self) -> JsonObject {
        self.arguments.clone()
    }
}

/// Sorts keys, because the order of arguments makes no difference.
fn sorted(object: &JsonObject) -> JsonObject {
    let sort = |value: &Value| match value {
        Value::Object(object) => Value::Object(sorted(object)),
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
        config::{Confirm, Tools},
        octopus::{Order, Path},
        tool::{Gate, Seal, proposal::Proposal},
    };

    #[test]
    fn question_is_newer_than_a_change_that_ended_while_it_was_prepared() {
        let gate = Gate::new(Confirm::Code, Seal::from_config(&Tools::default()).unwrap());
        let call = [7; 32];
        let brought = Brought {
            arguments: JsonObject::new(),
            call,
            token: None,
            typed: None,
            bare: false,
            can_ask: false,
            whose: call,
            name: Name::Call(call),
            change: Uuid::now_v7(),
        };
        let ended = Uuid::now_v7();
        let order = Order::post(Path::new(["Spaces-1", "x"]), json!({}));
        let proposal = Proposal::new("test", "Do it?", order);
        let question = gate.ask(&brought, &proposal, Way::Code).unwrap();
        let token = gate.open(&question.sealed, &call, Way::Code).unwrap();
        assert!(token.asked > ended, "{} {ended}", token.asked);
        assert_eq!(token.nonce, brought.change.into_bytes());
    }
}
