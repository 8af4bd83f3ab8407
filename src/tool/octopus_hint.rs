//! What to try next after an error of Octopus. It names only tools that the request shows.

use super::{
    Policy,
    listers::{lister_shown, not_found},
};
use crate::octopus;

/// What to try next after an error of Octopus.
pub(super) fn octopus_hint(error: &octopus::Error, policy: &Policy) -> Option<String> {
    Some(match error {
        octopus::Error::Unauthorized { .. } => {
            "check that the API key or token exists, is not expired and belongs to this \
             instance; a new key is made in Octopus under the user's profile, My API Keys"
                .to_owned()
        }
        octopus::Error::Forbidden { .. } => {
            "the user or service account of this key lacks the right; an Octopus \
             administrator can give it in a team's roles. Trying again will not help"
                .to_owned()
        }
        octopus::Error::NotFound { noun, near, .. } => {
            not_found(noun, near, lister_shown(noun, policy))
        }
        octopus::Error::Ambiguous { candidates, .. } => {
            format!("call again with one of these IDs: {}", candidates.join(", "))
        }
        octopus::Error::Confusable { noun, .. } => {
            format!("give each {noun} a name and a slug that are no ID of another, then call again")
        }
        octopus::Error::MalformedId { noun, .. } => {
            lister_shown(noun, policy).map(|tool| format!("{tool} shows the IDs"))?
        }
        octopus::Error::Rejected { .. } | octopus::Error::TooOld { .. } => return None,
        octopus::Error::InvalidRequest { .. } => {
            "shorten the arguments, or split a long list over several calls".to_owned()
        }
        octopus::Error::RateLimited { retry_after } => match retry_after {
            Some(wait) => format!("wait {} s, then call again", wait.as_secs()),
            None => "wait a minute, then call again".to_owned(),
        },
        octopus::Error::Unavailable { .. } | octopus::Error::TimedOut { .. } => {
            "this may pass: call again in a moment, or ask for less".to_owned()
        }
        octopus::Error::Paused { wait, .. } => {
            format!("call again in {} s; other instances are not concerned", wait.as_secs() + 1)
        }
        octopus::Error::Busy { .. } => {
            "call again in a moment; the operator of this server can raise \
             concurrent_requests of the instance"
                .to_owned()
        }
        octopus::Error::Unreachable { .. } => {
            "this may pass: call again in a moment; if it does not, the operator of \
             this server should check octopus.url and the network between"
                .to_owned()
        }
        octopus::Error::Compute(error) => error.hint().to_owned(),
        octopus::Error::NoMemory { sent: false } => {
            "call again in a moment, with fewer changes at the same time".to_owned()
        }
        octopus::Error::NoMemory { sent: true } => {
            "call again in a moment, or ask for less: a smaller `take`, a filter, or one item by \
             its ID"
                .to_owned()
        }
        octopus::Error::TooLarge { .. } | octopus::Error::TooManyValues { .. } => {
            "ask for less: a smaller `take`, a filter, or one item by its ID".to_owned()
        }
        octopus::Error::Redirected { target, .. } => {
            format!("the operator of this server may have to set octopus.url to {target}")
        }
        octopus::Error::Unexpected { .. } => {
            "the operator of this server should check octopus.url".to_owned()
        }
    })
}
