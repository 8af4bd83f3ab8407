//! The decision on a call.

use crate::config::{Effect, Risk};

/// The decision on a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Name of the rule that decided; `None` if no rule matched. If several rules require different
    /// confirmation words, the names of all these rules.
    pub rule: Option<String>,
    /// The effect.
    pub effect: Effect,
    /// Word that a person must type to confirm. If several rules require different words, all
    /// words, separated by spaces.
    pub confirmation_word: Option<String>,
    /// The message for the caller.
    pub message: Option<String>,
    /// The risk of the call.
    pub risk: Risk,
    /// The condition of the rule that could not be evaluated, if the rule applies because of that.
    pub unknown_condition: Option<&'static str>,
}
