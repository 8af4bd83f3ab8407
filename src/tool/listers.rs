//! The tools that list the things of a kind, for hints.

use super::Policy;

/// The tool that lists things with this noun, where `policy` shows it.
pub(super) fn lister_shown(noun: &str, policy: &Policy) -> Option<&'static str> {
    lister(noun).filter(|tool| policy.names(tool))
}

pub(super) fn not_found(noun: &str, near: &[String], lister: Option<&str>) -> String {
    let near = near.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
    match (near.as_str(), lister) {
        ("", Some(tool)) => format!("{tool} shows what this key can see"),
        ("", None) => format!("either it does not exist, or this key may not see the {noun}"),
        (near, Some(tool)) => format!("near it: {near}. {tool} shows what this key can see"),
        (near, None) => format!("near it: {near}"),
    }
}

/// The tool that lists the things of a kind.
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
