//! Hints after an error of Octopus. They name only tools that the request can see.

use super::list_tools::{not_found_hint, visible_list_tool};
use crate::{access::ToolAccess, octopus};

/// Returns the next step after an error of Octopus; `None` if the error message is sufficient.
pub(in crate::tool) fn octopus_hint(error: &octopus::Error, access: &ToolAccess) -> Option<String> {
    Some(match error {
        octopus::Error::Unauthorized { is_configured: true, .. } => {
            "the server operator should replace the credential of this instance in the settings \
             (api_key_file, api_key, access_token or groups); callers cannot fix it"
                .to_owned()
        }
        octopus::Error::Unauthorized { is_configured: false, .. } => {
            "check that the API key or token exists, is not expired and belongs to this \
             instance; create a new key in Octopus under the user's profile, My API Keys"
                .to_owned()
        }
        octopus::Error::Forbidden { .. } => {
            "the user or service account of this key lacks the permission; an Octopus \
             administrator can grant it in a team's roles. Do not retry with the same key"
                .to_owned()
        }
        octopus::Error::NotFound { noun, suggestions, .. } => {
            not_found_hint(noun, suggestions, visible_list_tool(noun, access))
        }
        octopus::Error::Ambiguous { candidates, .. } => {
            format!("repeat the call with one of these IDs: {}", candidates.join(", "))
        }
        octopus::Error::NameCollision { noun, .. } => {
            format!("rename the {noun} whose name or slug equals the ID of another, then retry")
        }
        octopus::Error::MalformedId { noun, .. } => {
            visible_list_tool(noun, access).map(|tool| format!("call {tool} to list the IDs"))?
        }
        octopus::Error::Rejected { .. } | octopus::Error::TooOld { .. } => return None,
        octopus::Error::InvalidRequest { .. } => {
            "shorten the arguments, or split a long list over several calls".to_owned()
        }
        octopus::Error::RateLimited { retry_after } => match retry_after {
            Some(wait) => format!("retry in {} s", wait.as_secs()),
            None => "retry in a minute".to_owned(),
        },
        octopus::Error::Unavailable { .. } | octopus::Error::TimedOut { .. } => {
            "retry in a moment, or narrow the request".to_owned()
        }
        octopus::Error::CircuitOpen { wait, .. } => {
            format!("retry in {} s; other instances are not affected", wait.as_secs() + 1)
        }
        octopus::Error::ConcurrencyLimit { .. } => {
            "retry in a moment; the server operator can raise \
             concurrent_requests of the instance"
                .to_owned()
        }
        octopus::Error::Unreachable { .. } => {
            "retry in a moment; if the error persists, the server operator should check \
             octopus.url and the network"
                .to_owned()
        }
        octopus::Error::Compute(error) => error.hint().to_owned(),
        octopus::Error::MemoryExhausted { sent: false } => {
            "retry in a moment, with fewer concurrent changes".to_owned()
        }
        octopus::Error::MemoryExhausted { sent: true } => {
            "retry in a moment, or narrow the request: a smaller `take`, a filter, or one item by \
             its ID"
                .to_owned()
        }
        octopus::Error::TooLarge { .. } | octopus::Error::TooManyValues { .. } => {
            "narrow the request: a smaller `take`, a filter, or one item by its ID".to_owned()
        }
        octopus::Error::Redirected { target, .. } => {
            format!("the server operator should check octopus.url; Octopus redirects to {target}")
        }
        octopus::Error::SignOnPage { .. } => {
            "the server operator should configure a path to Octopus that bypasses the proxy or \
             single sign-on (a rule for /api, or another octopus.url); another API key does not \
             help"
                .to_owned()
        }
        octopus::Error::UnexpectedResponse { .. } => {
            "the server operator should check octopus.url".to_owned()
        }
    })
}
