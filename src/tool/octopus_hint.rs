//! What to try next after an error of Octopus. It names only tools that the request shows.

use super::Policy;
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
            "call again in a moment; whoever runs this server can let more through with \
             concurrent_requests of the instance"
                .to_owned()
        }
        octopus::Error::Unreachable { .. } => {
            "this may pass: call again in a moment; if it does not, whoever runs this \
             server should check octopus.url and the network between"
                .to_owned()
        }
        octopus::Error::Compute(error) => error.hint().to_owned(),
        octopus::Error::NoMemory { .. } => {
            "call again in a moment, or ask for less: a smaller `take`, a filter, or one \
             item by its ID"
                .to_owned()
        }
        octopus::Error::TooLarge { .. } => {
            "ask for less: a smaller `take`, a filter, or one item by its ID".to_owned()
        }
        octopus::Error::Redirected { target, .. } => {
            format!("whoever runs this server may have to set octopus.url to {target}")
        }
        octopus::Error::Unexpected { .. } => {
            "whoever runs this server should check octopus.url".to_owned()
        }
    })
}

/// The tool that lists things with this noun, where `policy` shows it.
fn lister_shown(noun: &str, policy: &Policy) -> Option<&'static str> {
    lister(noun).filter(|tool| policy.names(tool))
}

fn not_found(noun: &str, near: &[String], lister: Option<&str>) -> String {
    let near = near.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
    match (near.as_str(), lister) {
        ("", Some(tool)) => format!("{tool} shows what this key can see"),
        ("", None) => format!("either it does not exist, or this key may not see the {noun}"),
        (near, Some(tool)) => format!("near it: {near}. {tool} shows what this key can see"),
        (near, None) => format!("near it: {near}"),
    }
}

/// The tool that shows what there is of a kind.
pub(super) fn lister(noun: &str) -> Option<&'static str> {
    Some(match noun {
        "space" => "list_spaces",
        "environment" => "list_environments",
        "project" | "deployment process" => "list_projects",
        "release" => "list_releases",
        "deployment" | "task" => "list_deployments",
        "tenant" => "list_tenants",
        "runbook" => "find_runbooks",
        "deployment target" => "find_deployment_targets",
        "certificate" => "find_certificates",
        "account" => "find_accounts",
        "interruption" => "find_interruptions",
        "event" => "find_events",
        "feature toggle" => "find_feature_toggles",
        "branch, tag or commit" => "get_branches",
        _ => return None,
    })
}
