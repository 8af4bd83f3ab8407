//! What a call brings toward a change: its arguments, its yes, and the name of the deed.

use rmcp::model::JsonObject;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    Context, Error, Way,
    ledger::{Key, Name},
};

pub(super) type Nonce = [u8; 16];

/// What the client of a call can do about consent, and has done.
#[derive(Debug, Clone, Default)]
pub struct Consent {
    /// Whether a person can be asked through the client.
    pub can_ask: bool,
    /// The sealed question that a person said yes to.
    pub agreed: Option<String>,
    /// The word that the person typed.
    pub typed: Option<String>,
}

/// A call as the gate sees it: what it wants, and what it brings for that.
pub(super) struct Brought {
    arguments: JsonObject,
    /// The tool and its arguments, and whose call it is.
    pub(super) call: Key,
    /// The sealed question that comes back, opened.
    pub(super) token: Option<Token>,
    /// The word that came with it.
    pub(super) typed: Option<String>,
    pub(super) bare: bool,
    pub(super) can_ask: bool,
    /// Whose call it is, at which instance.
    pub(super) whose: Key,
    /// What the deed is remembered by.
    pub(super) name: Name,
    /// The ID of the change: that of the question, which stands in the seal, or a new one.
    pub(super) change: Uuid,
}

/// A sealed question that came back, opened.
pub(super) struct Token {
    pub(super) nonce: Nonce,
    /// When the question was asked, as a version 7 UUID.
    pub(super) asked: Uuid,
    pub(super) proposal: [u8; 16],
    pub(super) facts: Vec<[u8; 4]>,
    pub(super) way: Way,
}

/// Takes out of the arguments what is the gate's: `confirm` and `idempotencyKey`.
pub(super) fn take(arguments: &mut JsonObject) -> (Option<Value>, Option<Value>) {
    (arguments.remove("confirm"), arguments.remove("idempotencyKey"))
}

impl Brought {
    /// Takes what is the gate's out of the arguments. Nothing is asked of Octopus for it.
    pub(super) fn of(tool: &str, mut arguments: JsonObject, cx: &Context) -> Result<Self, Error> {
        let (confirm, given) = take(&mut arguments);
        let given = match given {
            None => None,
            Some(Value::String(key)) if (1..=200).contains(&key.len()) => Some(key),
            Some(_) => {
                return Err(Error::Argument {
                    field: "idempotencyKey".to_owned(),
                    reason: "expected a text of 1 to 200 bytes".to_owned(),
                });
            }
        };
        let caller = cx.session.whose();
        let instance = cx.session.client().url().as_str();
        let whose = Sha256::new().chain_update(caller.as_bytes()).chain_update(instance);
        let of_tool = whose.clone().chain_update([0]).chain_update(tool);
        // The key is an argument as any other: a yes is for a call with this one.
        let said = json!([sorted(&arguments), given]).to_string();
        let call: Key = of_tool.clone().chain_update([0]).chain_update(said).finalize().into();
        let Consent { can_ask, agreed, typed } = &cx.consent;
        let mut typed = typed.clone();
        let (token, bare) = match (agreed, confirm) {
            (Some(sealed), _) => (Some(cx.gate.open(sealed, &call, Way::Person)?), false),
            // A code never stands in for a person who can be asked.
            (None, Some(Value::String(_) | Value::Bool(true))) if *can_ask => (None, false),
            (None, Some(Value::String(code))) => {
                // The code, and behind it the word that a rule wants.
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
                    reason: "expected the code that came with the preview".to_owned(),
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

    /// The values that the key of the change is bound to: a key of the caller to their call, everything else to
    /// itself. A change that was approved may have been written in two ways.
    pub(super) fn bound(&self) -> Key {
        match self.name {
            Name::Given(_) => self.call,
            Name::Asked { change: key, .. } | Name::Call(key) => key,
        }
    }

    /// The arguments that are the tool's.
    pub(super) fn arguments(&self) -> JsonObject {
        self.arguments.clone()
    }
}

/// The same arguments in another order are the same.
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
